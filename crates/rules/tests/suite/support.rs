//! Reading sample directories, and building small rule sets from a list of conditions.

use std::path::Path;

use weir_rules::{Loaded, Override, SourceFile, load};

/// Every file below a folder of `tests/`, with paths relative to it.
#[allow(clippy::disallowed_methods, reason = "tests read their samples")]
pub(crate) fn files(folder: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is part of the repository") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            found.push(SourceFile { path: relative, text: std::fs::read_to_string(&path).expect("UTF-8") });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The sample set of `tests/good`, with settings.
pub(crate) fn good(overrides: &[&str]) -> Loaded {
    let overrides: Vec<Override> = overrides.iter().map(|text| Override::new(*text)).collect();
    load(&files("good"), &overrides).unwrap_or_else(|problems| panic!("{}", problems.render(weir_rules::Lang::En, false)))
}

/// A rule file requiring these conditions.
pub(crate) fn rule_of(conditions: &[String]) -> SourceFile {
    use std::fmt::Write;
    let mut text = "version: 1\nid: T-1\ntitle: t\nstatus: shadow\nbasis: [b]\nwindow: 14d\nscore: {base: 50}\nlevels: {low: 1}\nreason: r\nrequire:\n".to_owned();
    for condition in conditions {
        let _ = writeln!(text, "  - \"{condition}\"");
    }
    SourceFile { path: "t.yaml".to_owned(), text }
}

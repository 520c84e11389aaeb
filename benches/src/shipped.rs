//! The rules that weir ships, as benchmarks load them.

use std::path::Path;
use std::sync::Arc;

use weir_rules::{RuleSet, SourceFile};

/// The shipped rules; only the two patterns of the notices, if asked for.
///
/// # Panics
/// Where they do not lie beside the benchmarks, or are not sound.
#[must_use]
pub fn shipped(only_patterns: bool) -> Arc<RuleSet> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let mut files = Vec::new();
    for folder in ["", "calendar", "fz"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("the rules lie beside the benchmarks");
        for path in entries.map(|entry| entry.expect("a folder can be listed").path()).filter(|path| path.is_file()) {
            let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            let mut text = std::fs::read_to_string(&path).expect("a rule can be read");
            if only_patterns && !name.starts_with("fz/fz001") && !name.starts_with("fz/fz002") {
                // Off and not away: points of the two rest on some of them.
                text = text.replace("\nstatus: active\n", "\nstatus: retired\n").replace("\nstatus: shadow\n", "\nstatus: retired\n");
            }
            files.push(SourceFile { path: name, text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Arc::new(weir_rules::load(&files, &[]).expect("the shipped rules are sound").rules)
}

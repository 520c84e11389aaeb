//! Embeds the shipped rule pack (`/rules` of the workspace), so that `weir` finds illegal fundraising without a file beside it.
//!
//! Writes `rule_pack.rs` into `OUT_DIR`: a slice of (path below `rules/`, text), in order of path.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let pack = Path::new(&manifest).join("../../rules").canonicalize()?;
    println!("cargo::rerun-if-changed={}", pack.display());
    let mut files = Vec::new();
    collect(&pack, &mut files)?;
    files.sort();
    let mut code = String::from("&[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&pack).map_err(io::Error::other)?;
        writeln!(code, "    ({:?}, include_str!({:?})),", name.to_string_lossy(), file.to_string_lossy()).map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("rule_pack.rs"), code)
}

/// All YAML files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}

//! Two small rule sets with thresholds so low that random logs reach them: `rules/` of this crate.
//!
//! Together their conditions name every feature of the catalogue, over exact and day windows, so that each value is seen as a measured one
//! on some alert. The second set differs from the first in thresholds, spans and rules.

use std::sync::Arc;

use weir_rules::{Override, RuleSet, SourceFile, load};

macro_rules! files {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("../rules/", $path)))),*] };
}

const BOTH: [(&str, &str); 9] = files![
    "calendar/2024.yaml",
    "lists/watch.yaml",
    "tags.yaml",
    "both/t001.yaml",
    "both/t002.yaml",
    "both/t003.yaml",
    "both/t004.yaml",
    "both/t006.yaml",
    "both/t007.yaml",
];
const FIRST: [(&str, &str); 1] = files!["first/t005.yaml"];
const SECOND: [(&str, &str); 1] = files!["second/t008.yaml"];
/// What the second set changes.
const SETTINGS: [&str; 2] = ["T-001.people=3", "T-001.window=2d"];

/// The set a run begins with, and the one a switch brings.
///
/// # Panics
/// If the files of this crate do not load: a fault of this crate, shown in full.
#[must_use]
pub fn both() -> Vec<Arc<RuleSet>> {
    let second: Vec<Override> = SETTINGS.iter().map(|text| Override { text: (*text).to_owned() }).collect();
    vec![of(&[&BOTH[..], &FIRST[..]].concat(), &[]), of(&[&BOTH[..], &SECOND[..]].concat(), &second)]
}

/// A rule set from paths and texts.
///
/// # Panics
/// If it does not load; the problems are the message.
#[must_use]
pub fn of(files: &[(&str, &str)], overrides: &[Override]) -> Arc<RuleSet> {
    let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    match load(&files, overrides) {
        Ok(loaded) => Arc::new(loaded.rules),
        Err(problems) => panic!("{}", problems.render(weir_rules::Lang::En, false)),
    }
}

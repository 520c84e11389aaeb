//! Small rule sets with thresholds so low that random logs reach them: `rules/` of this crate.
//!
//! Together the conditions of the first two name every feature of the catalogue, over exact and day windows, so that each value is seen as a
//! measured one on some alert. The second differs from the first in thresholds, spans and rules; the third looks back a fortnight only, so
//! that legs leave, with another `quiet`, another calendar, and without day ends.

use std::sync::Arc;

use weir_rules::{Override, RuleSet, SourceFile, load};

macro_rules! files {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("../rules/", $path)))),*] };
}

const BOTH: [(&str, &str); 10] = files![
    "calendar/2024.yaml",
    "lists/watch.yaml",
    "tags.yaml",
    "both/t001.yaml",
    "both/t002.yaml",
    "both/t003.yaml",
    "both/t004.yaml",
    "both/t006.yaml",
    "both/t007.yaml",
    "both/t010.yaml",
];
const FIRST: [(&str, &str); 1] = files!["first/t005.yaml"];
const SECOND: [(&str, &str); 1] = files!["second/t008.yaml"];
const THIRD: [(&str, &str); 3] = files!["third/calendar/2024.yaml", "third/t001.yaml", "third/t009.yaml"];
/// What the second set changes.
const SETTINGS: [&str; 2] = ["T-001.people=3", "T-001.window=2d"];

/// The set a run begins with, and those that switches bring.
///
/// # Panics
/// If the files of this crate do not load: a fault of this crate, shown in full.
#[must_use]
pub fn all() -> Vec<Arc<RuleSet>> {
    let second: Vec<Override> = SETTINGS.iter().map(|text| Override { text: (*text).to_owned() }).collect();
    let third = THIRD.map(|(path, text)| (path.trim_start_matches("third/"), text));
    let tags = BOTH.iter().copied().filter(|(path, _)| *path == "tags.yaml");
    let third: Vec<_> = tags.chain(third).collect();
    let second = of(&[&BOTH[..], &SECOND[..]].concat(), &second);
    vec![of(&[&BOTH[..], &FIRST[..]].concat(), &[]), Arc::clone(&second), of(&third, &[]), second]
}

/// A set that looks back a fortnight only.
///
/// # Panics
/// As [`all`].
#[must_use]
pub fn short() -> Arc<RuleSet> {
    Arc::clone(&all()[2])
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

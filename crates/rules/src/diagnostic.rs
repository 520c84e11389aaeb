//! What is wrong with a rule set: codes, places, words, and how they are shown.
//!
//! Every problem carries a stable code, a place in a file (or in the text of a `--set`), a message and mostly a help line, in English and in
//! Chinese. Shown either as text with the line and a caret, or as JSON for editors. This module decides nothing about rules. Codes are
//! never given a new meaning; the paragraphs of `weir rule explain-code` are in [`crate::codes`].

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

pub use crate::codes::{Code, explain_code};

/// A file of a rule set: path relative to the rule directory, with `/`, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// `fz/fz001.yaml`.
    pub path: String,
    /// Content.
    pub text: String,
}

/// The language of messages. Codes, keys and names are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// 中文.
    Zh,
    /// English.
    #[default]
    En,
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Text {
    /// Both forms.
    #[must_use]
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// The form of a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Bytes `span` of source `file` (an index into [`Diagnostics::sources`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which source.
    pub file: usize,
    /// Which bytes.
    pub span: Range<usize>,
}

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The rule set is refused.
    Error,
    /// The rule set is used, but probably not meant so.
    Warning,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// Where; `None` for problems of the set as a whole.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub help: Option<Text>,
}

/// What readers give back instead of a value: boxed, since it is large and rare.
pub(crate) type Problem = Box<Diagnostic>;

impl Diagnostic {
    /// An error without a place yet.
    #[must_use]
    pub fn error(code: Code, message: Text) -> Self {
        Self { code, severity: Severity::Error, place: None, message, help: None }
    }

    /// A warning without a place yet.
    #[must_use]
    pub fn warning(code: Code, message: Text) -> Self {
        Self { code, severity: Severity::Warning, place: None, message, help: None }
    }

    /// The same, at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn help(mut self, help: Text) -> Self {
        self.help = Some(help);
        self
    }
}

/// All problems of a rule set, in order of file and place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics {
    /// The files, and one pseudo file `--set` for each setting from the command line.
    pub sources: Vec<SourceFile>,
    /// The problems.
    pub items: Vec<Diagnostic>,
}

/// One problem in the form of `--json`. Lines and columns count from 1, columns in characters; ends are exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiagnosticRecord {
    /// `R0403`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Path, where the problem has a place.
    pub file: Option<String>,
    /// First line.
    pub line: Option<usize>,
    /// First column.
    pub column: Option<usize>,
    /// Last line.
    pub end_line: Option<usize>,
    /// Column after the last character.
    pub end_column: Option<usize>,
}

impl Diagnostics {
    /// Sorts by file, place and code, and drops repetitions: a condition shared by several variants is wrong once.
    pub(crate) fn new(sources: Vec<SourceFile>, mut items: Vec<Diagnostic>) -> Self {
        let key = |item: &Diagnostic| {
            let place =
                item.place.as_ref().map(|place| (sources.get(place.file).map(|s| s.path.clone()), place.span.start, place.span.end));
            (place, item.code, item.message.en.clone())
        };
        items.sort_by_key(key);
        items.dedup_by_key(|item| key(item));
        Self { sources, items }
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.items.iter().filter(|item| item.severity == Severity::Error).count()
    }

    /// Number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.items.len() - self.errors()
    }

    /// Everything as text, each problem with its line and a caret under the very characters, separated by empty lines.
    #[must_use]
    pub fn render(&self, lang: Lang, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for item in &self.items {
            text.push_str(&renderer.render(&[self.group(item, lang)]));
            text.push_str("\n\n");
        }
        text
    }

    fn group<'a>(&'a self, item: &'a Diagnostic, lang: Lang) -> Group<'a> {
        let (level, name, help_name) = match (item.severity, lang) {
            (Severity::Error, Lang::En) => (Level::ERROR, "error", "help"),
            (Severity::Warning, Lang::En) => (Level::WARNING, "warning", "help"),
            (Severity::Error, Lang::Zh) => (Level::ERROR, "错误", "建议"),
            (Severity::Warning, Lang::Zh) => (Level::WARNING, "警告", "建议"),
        };
        let title = level.with_name(name).primary_title(item.message.get(lang)).id(item.code.name());
        let mut group = match self.placed(item) {
            Some((source, span)) => title
                .element(Snippet::source(source.text.as_str()).path(source.path.as_str()).annotation(AnnotationKind::Primary.span(span))),
            None => Group::with_title(title),
        };
        if let Some(help) = &item.help {
            group = group.element(Level::HELP.with_name(help_name).message(help.get(lang)));
        }
        group
    }

    fn placed(&self, item: &Diagnostic) -> Option<(&SourceFile, Range<usize>)> {
        let place = item.place.as_ref()?;
        let source = self.sources.get(place.file)?;
        let end = place.span.end.min(source.text.len());
        Some((source, place.span.start.min(end)..end))
    }

    /// Everything as records for `--json`.
    #[must_use]
    pub fn records(&self, lang: Lang) -> Vec<DiagnosticRecord> {
        self.items
            .iter()
            .map(|item| {
                let placed = self.placed(item);
                let start = placed.as_ref().map(|(source, span)| line_and_column(&source.text, span.start));
                let end = placed.as_ref().map(|(source, span)| line_and_column(&source.text, span.end));
                DiagnosticRecord {
                    code: item.code.name(),
                    severity: item.severity,
                    message: item.message.get(lang).to_owned(),
                    help: item.help.as_ref().map(|help| help.get(lang).to_owned()),
                    file: placed.map(|(source, _)| source.path.clone()),
                    line: start.map(|(line, _)| line),
                    column: start.map(|(_, column)| column),
                    end_line: end.map(|(line, _)| line),
                    end_column: end.map(|(_, column)| column),
                }
            })
            .collect()
    }
}

/// Line and column of a byte, both from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The candidate meant by `word`, if one is near enough: at most a third of its letters differ, at least one may.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let budget = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= budget)
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)))
        .map(|(_, candidate)| candidate)
}

/// "did you mean …?", or the list of what there is.
pub(crate) fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Text {
    if let Some(meant) = did_you_mean(word, candidates.clone()) {
        return Text::new(format!("did you mean `{meant}`?"), format!("是否想写 `{meant}`？"));
    }
    let known: Vec<&str> = candidates.into_iter().collect();
    match known.as_slice() {
        [] => Text::new("there is none to choose from", "目前没有可选项"),
        known if known.len() <= 20 => Text::new(format!("known: {}", known.join(", ")), format!("可用：{}", known.join("、"))),
        _ => Text::new("`weir rule features` lists what there is", "`weir rule features` 列出全部可用名称"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_have_a_cut_off() {
        assert_eq!(did_you_mean("natural_payer", ["natural_payers", "natural_payees"]), Some("natural_payers"));
        assert_eq!(did_you_mean("windw", ["window", "why"]), Some("window"));
        assert_eq!(did_you_mean("abc", ["natural_payers", "xyz"]), None);
        assert_eq!(did_you_mean("", ["a"]), Some("a"));
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("一二三\nab", "一二三\na".len()), (2, 2));
        assert_eq!(line_and_column("一二三", "一二".len()), (1, 3));
    }
}

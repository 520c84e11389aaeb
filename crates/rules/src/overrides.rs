//! Settings from the command line: `--set RULE.param=value`, `RULE.variant.param=value`, `RULE.status=…`, `RULE.variants=a,b`.
//!
//! Reads their form only; which rules, variants and parameters exist is checked where the rules are known ([`mod@crate::load`]).

use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::diagnostic::{Code, Diagnostic, Place, Problem, Text};
use crate::read::Scalar;
use crate::yaml::{Kind, Node};

/// One `--set`, as given: `FZ-001.min_payers=5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The text after `--set`.
    pub text: String,
}

impl Override {
    /// From the text after `--set`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// Sets a parameter of a rule for all its variants.
    #[must_use]
    pub fn param(rule: &str, param: &str, value: &str) -> Self {
        Self { text: format!("{rule}.{param}={value}") }
    }
}

/// A setting with the places of its parts.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// The rule.
    pub(crate) rule: Scalar,
    /// The variant, where one is named.
    pub(crate) variant: Option<Scalar>,
    /// The parameter, `status` or `variants`.
    pub(crate) key: Scalar,
    /// The value.
    pub(crate) value: Scalar,
}

/// Reads a setting whose text is source `file`.
pub(crate) fn parse(file: usize, text: &str) -> Result<Setting, Problem> {
    let part = |range: Range<usize>| {
        let node = Node { span: range.clone(), kind: Kind::Scalar { text: text[range.clone()].to_owned(), style: ScalarStyle::Plain } };
        Scalar { file, text: text[range].to_owned(), node }
    };
    let malformed = || {
        let message = Text::new("this is no setting of a rule", "这不是规则设置");
        let help = Text::new(
            "write RULE.param=value, RULE.variant.param=value, RULE.status=shadow or RULE.variants=a,b",
            "请写 规则.参数=值、规则.变体.参数=值、规则.status=shadow 或 规则.variants=a,b",
        );
        Box::new(Diagnostic::error(Code::BadOverride, message).at(Place { file, span: 0..text.len() }).help(help))
    };
    let equals = text.find('=').filter(|at| at + 1 < text.len()).ok_or_else(malformed)?;
    let value = part(equals + 1..text.len());
    let dots: Vec<usize> = text[..equals].match_indices('.').map(|(at, _)| at).collect();
    let (rule, variant, key) = match dots.as_slice() {
        [dot] => (part(0..*dot), None, part(dot + 1..equals)),
        [first, second] => (part(0..*first), Some(part(first + 1..*second)), part(second + 1..equals)),
        _ => return Err(malformed()),
    };
    if rule.text.is_empty() || key.text.is_empty() || variant.as_ref().is_some_and(|variant| variant.text.is_empty()) {
        return Err(malformed());
    }
    Ok(Setting { rule, variant, key, value })
}

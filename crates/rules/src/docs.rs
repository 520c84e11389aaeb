//! The catalogue as data for people: what `weir rule features` and the manual show.

use serde::Serialize;

use crate::catalogue::{ArgKind, CATALOGUE, Cost, Entry, ValueType, Windows};
use crate::expression::arg_words;

/// One feature, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureDoc {
    /// `top_share_out`.
    pub name: &'static str,
    /// `top_share_out(window, int ≥ 1)`.
    pub signature: String,
    /// Arguments in order.
    pub args: Vec<ArgDoc>,
    /// `int`, `money`, `ratio`, `duration`, `bool`: also the type of a parameter it is compared with.
    pub result: &'static str,
    /// `cheap`: a running aggregate. `costly`: scans the window, computed only where the cheap conditions hold.
    pub cost: &'static str,
    /// `any`; `15d` for features that need single legs; `none`.
    pub windows: &'static str,
    /// Name in Chinese, without values of arguments: numbers are letters (`前k付款方占比`), anything else is 某.
    pub zh: String,
    /// Exact meaning.
    pub meaning: &'static str,
    /// Exact meaning in Chinese.
    pub meaning_zh: &'static str,
}

/// One argument, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArgDoc {
    /// `window`, `int ≥ 2`, `tag`, …
    pub kind: String,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// Every feature, in the order of the catalogue.
#[must_use]
pub fn features() -> Vec<FeatureDoc> {
    CATALOGUE
        .iter()
        .map(|entry| FeatureDoc {
            name: entry.name,
            signature: signature(entry),
            args: entry.args.iter().map(|kind| arg_doc(*kind)).collect(),
            result: result_name(entry.result),
            cost: match entry.cost {
                Cost::Cheap => "cheap",
                Cost::Costly => "costly",
            },
            windows: match entry.windows {
                Windows::Any => "any",
                Windows::SingleLegs => "15d",
                Windows::None => "none",
            },
            zh: name_zh(entry),
            meaning: entry.meaning,
            meaning_zh: entry.meaning_zh,
        })
        .collect()
}

/// `top_share_out(window, int ≥ 1)`.
#[must_use]
pub fn signature(entry: &Entry) -> String {
    let args: Vec<String> = entry.args.iter().map(|kind| arg_name(*kind)).collect();
    format!("{}({})", entry.name, args.join(", "))
}

/// The name with a word in the place of an argument that is no number.
fn name_zh(entry: &Entry) -> String {
    let word = entry.args.iter().find_map(|kind| match kind {
        ArgKind::Channel | ArgKind::List => Some("某"),
        ArgKind::Agreement => Some("某种"),
        ArgKind::Tag => Some("某标签"),
        ArgKind::PartyKind => Some("某类型"),
        ArgKind::Money => Some("某金额"),
        ArgKind::RuleId => Some("某规则"),
        ArgKind::Window | ArgKind::LongWindow | ArgKind::Int(_) => None,
    });
    word.map_or_else(|| entry.zh.to_owned(), |word| entry.zh.replace('n', word))
}

/// The name of a result type; parameters compared with it have the type of the same name.
fn result_name(kind: ValueType) -> &'static str {
    match kind {
        ValueType::Int => "int",
        ValueType::Money => "money",
        ValueType::Ratio => "ratio",
        ValueType::Duration => "duration",
        ValueType::Bool => "bool",
    }
}

fn arg_doc(kind: ArgKind) -> ArgDoc {
    let words = arg_words(kind);
    ArgDoc { kind: arg_name(kind), en: words.en, zh: words.zh }
}

fn arg_name(kind: ArgKind) -> String {
    match kind {
        ArgKind::Window => "window".to_owned(),
        ArgKind::LongWindow => "window > 15d".to_owned(),
        ArgKind::Int(least) => format!("int ≥ {least}"),
        ArgKind::Money => "money".to_owned(),
        ArgKind::Channel => "channel".to_owned(),
        ArgKind::Tag => "tag".to_owned(),
        ArgKind::List => "list".to_owned(),
        ArgKind::Agreement => "agreement".to_owned(),
        ArgKind::PartyKind => "party kind".to_owned(),
        ArgKind::RuleId => "rule id".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_in_a_name_stands_for_a_number() {
        for feature in features() {
            let has_number = feature.args.iter().any(|arg| arg.kind.starts_with("int"));
            assert!(has_number || !feature.zh.contains(['k', 'n']), "{}", feature.zh);
        }
        let of = |name: &str| features().into_iter().find(|feature| feature.name == name).map(|feature| feature.zh);
        assert_eq!(of("rule_hits").as_deref(), Some("某规则命中次数"));
        assert_eq!(of("top_share_in").as_deref(), Some("前k付款方占比"));
    }
}

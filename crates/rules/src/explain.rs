//! What a condition measured on one row, in numbers and in a Chinese sentence.
//!
//! Outcomes, of the condition and of each comparison in it, are those of the logic that decides a row. Text is put together here; nothing is
//! decided.

use std::fmt;

use weir_model::alert::{Part, Parts};

use crate::catalogue::Feature;
use crate::format;
use crate::logic::{Logic, and, or};
use crate::set::{Comparison, Condition, Formula, RuleSet, SlotId};
use crate::unit::Unit;
use crate::value::{Arg, FeatureCall, Value, Window};

/// What one condition measured on one row, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The left side of a comparison (of the first one, in a condition with several). Counts plain, money in yuan (`1268400.00`), ratios
    /// as decimals (`0.94`), durations as `2d 3h`; `None` where it cannot be evaluated.
    pub measured: Option<String>,
    /// Its right side; `A – B` for ranges, `A, B` for lists; `None` where the condition is no comparison.
    pub threshold: Option<String>,
    /// The outcome; `None` where it cannot be evaluated.
    pub met: Option<bool>,
    /// One sentence in Chinese, built from the features' names, the values and the outcome.
    pub explain: String,
    /// The operands of an AND or OR on top, each with its own outcome.
    pub parts: Option<Parts>,
}

impl RuleSet {
    /// Decides a condition on one row of slot values, and says what it measured. Windows other than `window` (that of the variant) are named.
    ///
    /// # Panics
    /// When the condition is of another rule set, or `values` is shorter than [`RuleSet::slots`]: a fault of the caller.
    #[must_use]
    pub fn explain(&self, condition: &Condition, values: &[Value], window: Window) -> Explained {
        let row = Row { set: self, slots: &condition.slots, values, window };
        let met = condition.outcome(values);
        let (measured, threshold) = row.first_comparison(&condition.formula);
        let leaves = &condition.leaves;
        let body = if leaves.is_empty() { row.comparison(&condition.formula, met) } else { row.sentence(&condition.formula, leaves) };
        let joint = if leaves.is_empty() { "，" } else { "；" };
        let explain = format!("{body}{joint}{}", outcome(met));
        Explained { measured, threshold, met, explain, parts: row.parts(&condition.formula, leaves) }
    }

    /// What a call measures, in Chinese.
    #[must_use]
    pub fn name_zh(&self, call: &FeatureCall) -> String {
        let zh = call.feature.entry().zh;
        let argument = call.args.iter().find(|arg| !matches!(arg, Arg::Window(_))).map(|arg| match arg {
            Arg::Money(fen) => format::exact_zh(i128::from(*fen)),
            Arg::Channel(channel) => channel.zh().to_owned(),
            Arg::Tag(bit, name) => self.tags.tags.get(usize::from(*bit)).map_or_else(|| name.clone(), |tag| tag.zh.clone()),
            Arg::Agreement(kind) => kind.zh().to_owned(),
            Arg::PartyKind(kind) => kind.zh().to_owned(),
            Arg::RuleId(id) => match self.rules.iter().find(|rule| rule.id == *id) {
                Some(rule) => format!("{}（{id}）", rule.title),
                // Retired: it never hits.
                None => id.clone(),
            },
            Arg::Int(_) | Arg::List(..) | Arg::Window(_) => arg.to_string(),
        });
        match argument.as_deref() {
            // The largest one is not "the first 1".
            Some("1") if zh.starts_with("前k") => zh.replacen("前k", "最大", 1),
            Some(argument) => zh.replace(['k', 'n'], argument),
            None => zh.to_owned(),
        }
    }

    /// What a call measures, in Chinese, and over which window: `近90天转入人数`. Of two windows the first is named.
    #[must_use]
    pub fn windowed_name_zh(&self, call: &FeatureCall) -> String {
        let name = self.name_zh(call);
        match call.window() {
            Some(window) => format!("近{}{name}", format::window_zh(window)),
            None => name,
        }
    }

    /// What `data_gaps` of an alert says of a call that could not be evaluated.
    #[must_use]
    pub fn gap_zh(&self, call: &FeatureCall) -> String {
        format!("{}（{call}）无法评估", self.name_zh(call))
    }

    /// The feature of which [`RuleSet::gap_zh`] speaks, by the call in its brackets; `None` for any other text.
    #[must_use]
    pub fn feature_of_gap(gap: &str) -> Option<Feature> {
        let (_, call) = gap.rsplit_once('（')?;
        let (name, _) = call.split_once('(')?;
        Feature::by_name(name)
    }

    /// The slot of a call.
    #[must_use]
    pub fn slot(&self, call: &FeatureCall) -> Option<SlotId> {
        self.slots.iter().position(|slot| slot == call)
    }
}

/// A sentence of [`RuleSet::explain`], of a condition or of one of its parts, without the outcome `met` that ends it: for whoever shows the outcome
/// beside it. A sentence that does not end with this outcome stays whole.
#[must_use]
pub fn without_outcome(sentence: &str, met: Option<bool>) -> &str {
    let outcome = outcome(met);
    let body = match sentence.strip_suffix('）') {
        Some(inner) => inner.strip_suffix(outcome).and_then(|body| body.strip_suffix('（')),
        None => sentence.strip_suffix(outcome).and_then(|body| body.strip_suffix(['，', '；'])),
    };
    body.unwrap_or(sentence)
}

fn outcome(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "满足",
        Some(false) => "未满足",
        None => "无法评估",
    }
}

struct Row<'a> {
    set: &'a RuleSet,
    /// Those of the condition.
    slots: &'a [SlotId],
    values: &'a [Value],
    /// The variant's.
    window: Window,
}

impl Row<'_> {
    /// The value of a feature or literal; other formulas have none.
    fn value(&self, formula: &Formula) -> Value {
        match formula {
            Formula::Literal(value) => *value,
            Formula::Call(call) => {
                let slot = self.slots.iter().find(|slot| self.set.slots[**slot] == *call);
                slot.and_then(|slot| self.values.get(*slot)).copied().unwrap_or(Value::Null)
            }
            _ => Value::Null,
        }
    }

    /// Measured value and threshold of the first comparison.
    fn first_comparison(&self, formula: &Formula) -> (Option<String>, Option<String>) {
        match formula {
            Formula::Compare(_, left, right) => (format::plain(self.value(left)), format::plain(self.value(right))),
            Formula::Between(of, low, high) => {
                (format::plain(self.value(of)), Some(format!("{} – {}", text(self.value(low)), text(self.value(high)))))
            }
            Formula::In(of, list) => (format::plain(self.value(of)), Some(self.list(list))),
            Formula::And(left, _) | Formula::Or(left, _) => self.first_comparison(left),
            Formula::Not(inner) => self.first_comparison(inner),
            Formula::IsNull(of) => (format::plain(self.value(of)), None),
            Formula::Call(_) | Formula::Literal(_) => (format::plain(self.value(formula)), None),
        }
    }

    fn list(&self, items: &[Formula]) -> String {
        let items: Vec<String> = items.iter().map(|item| text(self.value(item))).collect();
        items.join(", ")
    }

    /// The operands of an AND or OR on top.
    fn parts(&self, formula: &Formula, leaves: &[(Formula, Logic)]) -> Option<Parts> {
        let of = |operands: Vec<&Formula>| -> Vec<Part> {
            let part = |operand: &&Formula| Part { explain: self.sentence(operand, leaves), met: self.outcome(operand, leaves) };
            operands.iter().map(part).collect()
        };
        match formula {
            Formula::Or(..) => Some(Parts::Any(of(formula.operands()))),
            Formula::And(..) => Some(Parts::All(of(formula.operands()))),
            _ => None,
        }
    }

    /// The outcome of a part of a condition, from its comparisons.
    fn outcome(&self, formula: &Formula, leaves: &[(Formula, Logic)]) -> Option<bool> {
        if let Some((_, logic)) = leaves.iter().find(|(leaf, _)| leaf == formula) {
            return logic.outcome(&mut |slot| self.values[slot]);
        }
        match formula {
            Formula::And(left, right) => and(self.outcome(left, leaves), || self.outcome(right, leaves)),
            Formula::Or(left, right) => or(self.outcome(left, leaves), || self.outcome(right, leaves)),
            Formula::Not(inner) => self.outcome(inner, leaves).map(|met| !met),
            _ => None,
        }
    }

    /// The sentence without its outcome. `leaves` are the condition's comparisons where it has several; those that do not hold say so.
    fn sentence(&self, formula: &Formula, leaves: &[(Formula, Logic)]) -> String {
        if let Some((leaf, logic)) = leaves.iter().find(|(leaf, _)| leaf == formula) {
            let met = logic.outcome(&mut |slot| self.values[slot]);
            let says_outcome = match (met, leaf) {
                (Some(true), _) => false,
                (Some(false), Formula::Call(_)) => true,
                (Some(false), Formula::Not(inner)) => matches!(**inner, Formula::Call(_)),
                // What was asked stands there already.
                (Some(false), _) => false,
                (None, _) => true,
            };
            let comparison = self.comparison(formula, met);
            return if says_outcome { format!("{comparison}（{}）", outcome(met)) } else { comparison };
        }
        match formula {
            Formula::And(left, right) => format!("{}，且{}", self.operand(left, leaves), self.operand(right, leaves)),
            Formula::Or(left, right) => format!("{}，或{}", self.sentence(left, leaves), self.sentence(right, leaves)),
            Formula::Not(inner) if matches!(**inner, Formula::And(..) | Formula::Or(..) | Formula::Compare(..)) => {
                format!("并非（{}）", self.sentence(inner, leaves))
            }
            // Of NOT before a comparison of another form, which is told as one: not among, not between.
            _ => self.comparison(formula, self.outcome(formula, leaves)),
        }
    }

    /// An operand of AND, with brackets where 或 would read wrongly.
    fn operand(&self, formula: &Formula, leaves: &[(Formula, Logic)]) -> String {
        let sentence = self.sentence(formula, leaves);
        if matches!(formula, Formula::Or(..)) { format!("（{sentence}）") } else { sentence }
    }

    /// One comparison with the value measured, where there is one: `转入人数 37 ≥ 15` where it holds, `转入人数 14（须 ≥ 15）` where not.
    fn comparison(&self, formula: &Formula, met: Option<bool>) -> String {
        match formula {
            Formula::Compare(comparison, of, right) => {
                self.against(of, met, &format!("{} {}", symbol(*comparison), self.threshold(right, unit(of))))
            }
            Formula::Between(of, low, high) => self.against(of, met, &format!("介于 {}", self.bounds(of, low, high))),
            Formula::In(of, list) => self.against(of, met, &format!("属于 {}", self.items(of, list))),
            Formula::IsNull(of) => self.presence(of, met, "缺数据", "有数据"),
            Formula::Not(inner) => match &**inner {
                Formula::Between(of, low, high) => self.against(of, met, &format!("不介于 {}", self.bounds(of, low, high))),
                Formula::In(of, list) => self.against(of, met, &format!("不属于 {}", self.items(of, list))),
                Formula::IsNull(of) => self.presence(of, met, "有数据", "缺数据"),
                other => self.measured(other),
            },
            Formula::Call(_) | Formula::Literal(_) => self.measured(formula),
            Formula::And(..) | Formula::Or(..) => self.sentence(formula, &[]),
        }
    }

    /// A value beside what was asked of it.
    fn against(&self, of: &Formula, met: Option<bool>, asked: &str) -> String {
        let measured = self.measured(of);
        if met == Some(true) { format!("{measured} {asked}") } else { format!("{measured}（须 {asked}）") }
    }

    /// Whether there is a value at all, beside what was asked of it where that is not so.
    fn presence(&self, of: &Formula, met: Option<bool>, asked: &str, opposite: &str) -> String {
        let name = if let Formula::Call(call) = of { self.name(call) } else { self.threshold(of, None) };
        if met == Some(true) { format!("{name}{asked}") } else { format!("{name}{opposite}（须 {asked}）") }
    }

    fn bounds(&self, of: &Formula, low: &Formula, high: &Formula) -> String {
        format!("{} 与 {}", self.threshold(low, unit(of)), self.threshold(high, unit(of)))
    }

    fn items(&self, of: &Formula, list: &[Formula]) -> String {
        list.iter().map(|item| self.threshold(item, unit(of))).collect::<Vec<_>>().join("、")
    }

    /// `转入人数 37`; the name alone where the value is missing.
    fn measured(&self, formula: &Formula) -> String {
        let Formula::Call(call) = formula else { return self.threshold(formula, None) };
        match (self.value(formula), call.feature) {
            (Value::Null, _) => self.name(call),
            (Value::Bool(value), Feature::HasAgreement) => format!("{}{}", if value { "有" } else { "无" }, self.name(call)),
            (Value::Bool(true), Feature::SubjectIs) => self.name(call),
            (Value::Bool(false), Feature::SubjectIs) => self.name(call).replacen('为', "不是", 1),
            (Value::Bool(value), _) => format!("{}为{}", self.name(call), if value { "是" } else { "否" }),
            (value, _) => {
                let name = self.name(call);
                let gap = if name.ends_with('）') { "" } else { " " };
                format!("{name}{gap}{}", format::zh_in(value, Some(call.feature.unit())))
            }
        }
    }

    /// What a call measures, with its window where that is not the variant's.
    fn name(&self, call: &FeatureCall) -> String {
        if call.window() == Some(self.window) { self.set.name_zh(call) } else { self.set.windowed_name_zh(call) }
    }

    /// A literal in the unit of what it is compared with, or a second feature with its value.
    fn threshold(&self, formula: &Formula, unit: Option<Unit>) -> String {
        match formula {
            Formula::Call(_) => self.measured(formula),
            _ => format::zh_in(self.value(formula), unit),
        }
    }
}

/// What a feature's value is counted in; literals take the unit of what they are compared with.
fn unit(formula: &Formula) -> Option<Unit> {
    match formula {
        Formula::Call(call) => Some(call.feature.unit()),
        _ => None,
    }
}

fn text(value: Value) -> String {
    format::plain(value).unwrap_or_else(|| "?".to_owned())
}

fn sql(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "≠",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "≤",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => "≥",
    }
}

impl Formula {
    /// The operands of a chain of ANDs, or of ORs, on top; of anything else itself.
    #[must_use]
    pub fn operands(&self) -> Vec<&Self> {
        match self {
            Self::Or(left, right) => [chain(left, |f| matches!(f, Self::Or(..))), chain(right, |f| matches!(f, Self::Or(..)))].concat(),
            Self::And(left, right) => [chain(left, |f| matches!(f, Self::And(..))), chain(right, |f| matches!(f, Self::And(..)))].concat(),
            other => vec![other],
        }
    }
}

fn chain(formula: &Formula, is_same: impl Fn(&Formula) -> bool) -> Vec<&Formula> {
    if is_same(formula) { formula.operands() } else { vec![formula] }
}

impl fmt::Display for Formula {
    /// As a condition is written, with values in the place of parameters: `natural_payers(14d) >= 15`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |inner: &Self| if inner.is_joint() { format!("({inner})") } else { inner.to_string() };
        let items = |list: &[Self]| list.iter().map(Self::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Literal(value) => f.write_str(&text(*value)),
            Self::Call(call) => write!(f, "{call}"),
            Self::Compare(comparison, left, right) => write!(f, "{left} {} {right}", sql(*comparison)),
            Self::And(left, right) => write!(f, "{} AND {}", bracketed(left), bracketed(right)),
            Self::Or(left, right) => write!(f, "{} OR {}", bracketed(left), bracketed(right)),
            Self::Not(inner) => match &**inner {
                Self::IsNull(of) => write!(f, "{of} IS NOT NULL"),
                Self::Between(of, low, high) => write!(f, "{of} NOT BETWEEN {low} AND {high}"),
                Self::In(of, list) => write!(f, "{of} NOT IN ({})", items(list)),
                other => write!(f, "NOT {}", bracketed(other)),
            },
            Self::Between(of, low, high) => write!(f, "{of} BETWEEN {low} AND {high}"),
            Self::In(of, list) => write!(f, "{of} IN ({})", items(list)),
            Self::IsNull(of) => write!(f, "{of} IS NULL"),
        }
    }
}

impl Formula {
    fn is_joint(&self) -> bool {
        matches!(self, Self::And(..) | Self::Or(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_beside_a_sentence_is_taken_off_its_end_and_no_other() {
        for (sentence, met, expected) in [
            ("转入人数 37 ≥ 15，满足", Some(true), "转入人数 37 ≥ 15"),
            ("转入人数 14（须 ≥ 15），未满足", Some(false), "转入人数 14（须 ≥ 15）"),
            ("收单协议（无法评估），且转入人数 37 ≥ 15；无法评估", None, "收单协议（无法评估），且转入人数 37 ≥ 15"),
            ("无代发工资协议（未满足）", Some(false), "无代发工资协议"),
            ("转入人数 14（须 ≥ 15）", Some(false), "转入人数 14（须 ≥ 15）"),
            // Of the last operand alone.
            ("转入人数 14（须 ≥ 15），且收单协议（无法评估）", Some(false), "转入人数 14（须 ≥ 15），且收单协议（无法评估）"),
        ] {
            assert_eq!(without_outcome(sentence, met), expected);
        }
    }
}

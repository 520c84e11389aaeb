//! What a condition measured on one row, in numbers and in a Chinese sentence, from the same compiled expressions that decide.
//!
//! Each comparison of a condition is compiled on its own as well, so that the outcome shown beside it is the decision's, not a second
//! reading. Text is put together here; nothing is decided here.

use crate::compile::Compiled;
use crate::diagnostic::Lang;
use crate::format;
use crate::set::{Comparison, Condition, Formula, RuleSet, SlotId};
use crate::value::{Arg, FeatureCall, Value};

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
    /// The comparisons that did not hold, where the condition did not.
    pub misses: Vec<Miss>,
    /// One sentence in Chinese, built from the features' names, the values and the outcome.
    pub explain: String,
}

/// A comparison that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// `natural_payers(14d)`.
    pub feature: String,
    /// As [`Explained::measured`].
    pub measured: Option<String>,
    /// `>= 15`.
    pub needed: String,
    /// How far apart the two are, written like `measured`; `None` where there is no distance.
    pub short_by: Option<String>,
}

impl RuleSet {
    /// Evaluates a condition on one row of slot values with the same compiled expression that decides, and says what it measured.
    ///
    /// # Panics
    /// When the condition is of another rule set, or `values` is shorter than [`RuleSet::slots`]: a fault of the caller.
    #[must_use]
    pub fn explain(&self, condition: &Condition, values: &[Value]) -> Explained {
        let row = Row { set: self, values };
        let met = condition.predicate.whole.evaluate_row(&self.slots, values);
        let (measured, threshold) = row.first_comparison(&condition.formula);
        let leaves = &condition.predicate.leaves;
        let mut misses = Vec::new();
        if met != Some(true) {
            row.misses(&condition.formula, leaves, &mut misses);
        }
        let body = row.sentence(&condition.formula, leaves);
        let joint = if leaves.is_empty() { "，" } else { "；" };
        Explained { measured, threshold, met, misses, explain: format!("{body}{joint}{}", outcome(met)) }
    }

    /// The slot of a call.
    #[must_use]
    pub fn slot(&self, call: &FeatureCall) -> Option<SlotId> {
        self.slots.iter().position(|slot| slot == call)
    }
}

/// Which conditions were not met, and by how much: one line each, for the output of failed rule tests. Empty if all were met.
#[must_use]
pub fn miss_text(conditions: &[(&Condition, Explained)], lang: Lang) -> String {
    let mut text = String::new();
    for (condition, explained) in conditions.iter().filter(|(_, explained)| explained.met != Some(true)) {
        text.push_str(&condition.text);
        text.push_str(&miss_line(explained, lang));
        text.push('\n');
    }
    text
}

fn miss_line(explained: &Explained, lang: Lang) -> String {
    let single = explained.misses.len() == 1;
    let misses: Vec<String> = explained
        .misses
        .iter()
        .map(|miss| match (lang, &miss.measured, &miss.short_by) {
            (Lang::Zh, _, Some(by)) if single => format!("差 {by}"),
            (Lang::Zh, _, Some(by)) => format!("{} 差 {by}", miss.feature),
            (Lang::Zh, ..) => String::new(),
            (Lang::En, None, _) => format!("{} cannot be evaluated (data missing)", miss.feature),
            (Lang::En, Some(measured), Some(by)) => format!("{} is {measured}, needs {}, off by {by}", miss.feature, miss.needed),
            (Lang::En, Some(measured), None) => format!("{} is {measured}, needs {}", miss.feature, miss.needed),
        })
        .filter(|text| !text.is_empty())
        .collect();
    match lang {
        Lang::Zh if misses.is_empty() => format!("：{}", explained.explain),
        Lang::Zh => format!("：{}，{}", explained.explain, misses.join("，")),
        Lang::En if misses.is_empty() => ": does not hold".to_owned(),
        Lang::En => format!(": {}", misses.join("; ")),
    }
}

fn outcome(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "满足",
        Some(false) => "未满足",
        None => "无法评估（缺数据）",
    }
}

struct Row<'a> {
    set: &'a RuleSet,
    values: &'a [Value],
}

impl Row<'_> {
    /// The value of a feature or literal; other formulas have none.
    fn value(&self, formula: &Formula) -> Value {
        match formula {
            Formula::Literal(value) => *value,
            Formula::Call(call) => self.set.slot(call).and_then(|slot| self.values.get(slot)).copied().unwrap_or(Value::Null),
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

    /// The comparisons that did not hold. Those inside a negated group are left out: there, not holding is what is wanted.
    fn misses(&self, formula: &Formula, leaves: &[(Formula, Compiled)], found: &mut Vec<Miss>) {
        if let Some((_, compiled)) = leaves.iter().find(|(leaf, _)| leaf == formula) {
            if compiled.evaluate_row(&self.set.slots, self.values) != Some(true) {
                found.extend(self.miss(formula));
            }
            return;
        }
        match formula {
            Formula::And(left, right) | Formula::Or(left, right) => {
                self.misses(left, leaves, found);
                self.misses(right, leaves, found);
            }
            _ if leaves.is_empty() => found.extend(self.miss(formula)),
            _ => {}
        }
    }

    /// What one comparison needed, known not to hold.
    fn miss(&self, formula: &Formula) -> Option<Miss> {
        let of = measured_call(formula)?;
        let value = self.value(&Formula::Call(of.clone()));
        let (needed, short_by) = match formula {
            Formula::Compare(comparison, _, right) => {
                let right = self.value(right);
                (format!("{} {}", sql(*comparison), text(right)), distance(*comparison, value, right))
            }
            Formula::Between(_, low, high) => {
                let (low, high) = (self.value(low), self.value(high));
                let short_by = distance(Comparison::GreaterOrEqual, value, low).or(distance(Comparison::LessOrEqual, value, high));
                (format!("between {} and {}", text(low), text(high)), short_by)
            }
            Formula::In(_, list) => (format!("one of {}", self.list(list)), None),
            Formula::IsNull(_) => ("no value".to_owned(), None),
            Formula::Not(inner) => match &**inner {
                Formula::Between(_, low, high) => (format!("outside {} – {}", text(self.value(low)), text(self.value(high))), None),
                Formula::In(_, list) => (format!("none of {}", self.list(list)), None),
                Formula::IsNull(_) => ("a value".to_owned(), None),
                _ => ("false".to_owned(), None),
            },
            _ => ("true".to_owned(), None),
        };
        Some(Miss { feature: of.to_string(), measured: format::plain(value), needed, short_by })
    }

    /// The sentence without its outcome. `leaves` are the condition's comparisons where it has several; each then shows its own outcome.
    fn sentence(&self, formula: &Formula, leaves: &[(Formula, Compiled)]) -> String {
        if let Some((_, compiled)) = leaves.iter().find(|(leaf, _)| leaf == formula) {
            let met = compiled.evaluate_row(&self.set.slots, self.values);
            return format!("{}（{}）", self.comparison(formula), if met.is_none() { "无法评估" } else { outcome(met) });
        }
        match formula {
            Formula::And(left, right) => format!("{}且{}", self.operand(left, leaves), self.operand(right, leaves)),
            Formula::Or(left, right) => format!("{}或{}", self.sentence(left, leaves), self.sentence(right, leaves)),
            Formula::Not(inner) if matches!(**inner, Formula::And(..) | Formula::Or(..) | Formula::Compare(..)) => {
                format!("并非（{}）", self.sentence(inner, leaves))
            }
            _ => self.comparison(formula),
        }
    }

    /// An operand of AND, with brackets where 或 would read wrongly.
    fn operand(&self, formula: &Formula, leaves: &[(Formula, Compiled)]) -> String {
        let sentence = self.sentence(formula, leaves);
        if matches!(formula, Formula::Or(..)) { format!("（{sentence}）") } else { sentence }
    }

    /// One comparison with the value measured, where there is one.
    fn comparison(&self, formula: &Formula) -> String {
        match formula {
            Formula::Compare(comparison, left, right) => {
                format!("{} {} {}", self.measured(left), symbol(*comparison), self.threshold(right))
            }
            Formula::Between(of, low, high) => format!("{} 介于 {} 与 {}", self.measured(of), self.threshold(low), self.threshold(high)),
            Formula::In(of, list) => {
                let list: Vec<String> = list.iter().map(|item| self.threshold(item)).collect();
                format!("{} 属于 {}", self.measured(of), list.join("、"))
            }
            Formula::IsNull(of) => format!("{} 缺数据", self.measured(of)),
            Formula::Not(inner) => match &**inner {
                Formula::Between(of, low, high) => {
                    format!("{} 不介于 {} 与 {}", self.measured(of), self.threshold(low), self.threshold(high))
                }
                Formula::In(of, list) => {
                    let list: Vec<String> = list.iter().map(|item| self.threshold(item)).collect();
                    format!("{} 不属于 {}", self.measured(of), list.join("、"))
                }
                Formula::IsNull(of) => format!("{} 有数据", self.measured(of)),
                other => self.measured(other),
            },
            Formula::Call(_) | Formula::Literal(_) => self.measured(formula),
            Formula::And(..) | Formula::Or(..) => self.sentence(formula, &[]),
        }
    }

    /// `转入人数 37`; the name alone where the value is missing.
    fn measured(&self, formula: &Formula) -> String {
        let Formula::Call(call) = formula else { return self.threshold(formula) };
        match self.value(formula) {
            Value::Null => name(call),
            Value::Bool(value) => format!("{}为{}", name(call), if value { "是" } else { "否" }),
            value => {
                let name = name(call);
                let gap = if name.ends_with('）') { "" } else { " " };
                format!("{name}{gap}{}", format::zh(value))
            }
        }
    }

    /// A literal, or a second feature with its value.
    fn threshold(&self, formula: &Formula) -> String {
        match formula {
            Formula::Call(_) => self.measured(formula),
            _ => format::zh(self.value(formula)),
        }
    }
}

/// The feature a single comparison measures.
fn measured_call(formula: &Formula) -> Option<&FeatureCall> {
    match formula {
        Formula::Call(call) => Some(call),
        Formula::Compare(_, of, _) | Formula::Between(of, ..) | Formula::In(of, _) | Formula::IsNull(of) | Formula::Not(of) => {
            measured_call(of)
        }
        Formula::Literal(_) | Formula::And(..) | Formula::Or(..) => None,
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

/// How far `left` is from meeting the comparison; `None` where it does, where both are equal (a strict comparison), or one side is missing.
fn distance(comparison: Comparison, left: Value, right: Value) -> Option<String> {
    let (left_number, right_number) = (number(left)?, number(right)?);
    let met = match comparison {
        Comparison::Equal => left_number == right_number,
        Comparison::NotEqual => left_number != right_number,
        Comparison::Less => left_number < right_number,
        Comparison::LessOrEqual => left_number <= right_number,
        Comparison::Greater => left_number > right_number,
        Comparison::GreaterOrEqual => left_number >= right_number,
    };
    let apart = i128::try_from(left_number.abs_diff(right_number)).ok().filter(|apart| !met && *apart > 0)?;
    format::plain(match left {
        Value::Int(_) => Value::Int(i64::try_from(apart).ok()?),
        Value::Money(_) => Value::Money(apart),
        Value::Ratio(_) => Value::Ratio(apart),
        Value::Duration(_) => Value::Duration(i64::try_from(apart).ok()?),
        Value::Null | Value::Bool(_) => return None,
    })
}

fn number(value: Value) -> Option<i128> {
    match value {
        Value::Int(n) | Value::Duration(n) => Some(n.into()),
        Value::Money(n) | Value::Ratio(n) => Some(n),
        Value::Null | Value::Bool(_) => None,
    }
}

/// The feature in Chinese, with the arguments that are no windows.
fn name(call: &FeatureCall) -> String {
    let zh = call.feature.entry().zh;
    let details: Vec<String> = call
        .args
        .iter()
        .filter_map(|arg| match arg {
            Arg::Window(_) => None,
            Arg::Int(n) if zh.contains('k') => Some(n.to_string()),
            Arg::Int(n) => Some(format!("≥{n}")),
            Arg::Money(fen) => Some(format!("{}元", weir_model::Fen(*fen))),
            other => Some(other.to_string()),
        })
        .collect();
    match details.as_slice() {
        [] => zh.to_owned(),
        [k] if zh.contains('k') => zh.replace('k', k),
        details => format!("{zh}（{}）", details.join("、")),
    }
}

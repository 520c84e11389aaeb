//! How near rules came to parties they did not speak of: at which instant, what missed there and by how much.
//!
//! The answer comes from the detector itself, never from a second reading of a rule. Beside each variant stand copies of it in which what is
//! required has become points instead: a copy begins with minus the number of its conditions, each condition that holds brings one point, and
//! the copy for *k* misses hits wherever at most *k* conditions do not hold. Its hits are never quiet, so its one alert ends with the values
//! of its last hit: the smallest *k* that hit anywhere is the nearest the variant came, and that alert explains the latest such instant with
//! the very conditions that decide.
//!
//! What joins several comparisons is followed by each of them without points, so that their distances are known too; exclusions come last,
//! without points. The window of a copy holds its instant alone, so that no evidence is gathered that nobody reads; explanations name their
//! windows for that reason. This module changes a rule set before a run and reads alerts after it. It must not run anything itself.

use weir_model::alert::{Alert, AlertStatus, Condition, Level, Part, Parts};
use weir_model::{Day, Span};
use weir_rules::{Condition as Written, FeatureCall, Formula, Rule, RuleSet, ScoreItem, SlotId, Template, Unit, Variant, Window};

use crate::language::{Lang, say};

/// Longer than any history: all hits of a copy are one episode.
const NEVER_QUIET: Span = Span::days(36_500);
/// Stands in ids of copies and can stand in none of a rule file.
const MARK: char = '\u{1f}';

/// The copies put beside the rules of a set.
#[derive(Debug)]
pub(crate) struct Probe {
    probed: Vec<Probed>,
}

/// A variant with its copies.
#[derive(Debug)]
struct Probed {
    rule: String,
    variant: String,
    /// Ids of the copies, by the number of misses they allow.
    ids: Vec<String>,
    /// What the conditions of their alerts are, in order.
    items: Vec<Item>,
    exclusions: Vec<ExclusionWords>,
    /// What is measured, with the words by which an alert says that it could not be.
    calls: Vec<(FeatureCall, String)>,
}

#[derive(Debug)]
enum Item {
    Required {
        unit: Option<Unit>,
        /// The condition with its parameters bound.
        bound: String,
        /// For each of its operands, which of the comparisons behind it are in it.
        operands: Vec<Vec<usize>>,
    },
    Comparison(Option<Unit>),
    Exclusion(usize),
}

#[derive(Debug)]
struct ExclusionWords {
    reason: String,
    owner: String,
    until: Day,
}

/// How near a variant came.
#[derive(Debug)]
pub(crate) struct Nearest {
    /// Rule.
    pub(crate) rule: String,
    /// Variant; empty for the only one.
    pub(crate) variant: String,
    /// When, RFC 3339.
    pub(crate) at: String,
    /// How many of the required conditions do not hold then.
    pub(crate) misses: usize,
    /// What is required.
    pub(crate) required: Vec<Required>,
    /// Exclusions that may be used on that day.
    pub(crate) exclusions: Vec<Exclusion>,
    /// What could not be evaluated.
    pub(crate) unknown: Vec<FeatureCall>,
}

/// A required condition as measured.
#[derive(Debug)]
pub(crate) struct Required {
    /// The condition.
    pub(crate) condition: Condition,
    /// Its text with values in the place of parameters.
    pub(crate) bound: String,
    /// By how much it misses, where that can be said.
    pub(crate) distance: Option<Distance>,
    /// Its operands, where it joins several; `condition.parts` says whether one is enough.
    pub(crate) operands: Vec<Operand>,
}

/// An operand of a joint condition as measured.
#[derive(Debug)]
pub(crate) struct Operand {
    /// As a whole.
    pub(crate) part: Part,
    /// Its comparisons, with distances as of a condition.
    pub(crate) comparisons: Vec<(Condition, Option<Distance>)>,
}

/// An exclusion as measured.
#[derive(Debug)]
pub(crate) struct Exclusion {
    /// The condition.
    pub(crate) condition: Condition,
    /// Reason given in the rule file.
    pub(crate) reason: String,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Last day it may be used.
    pub(crate) until: Day,
}

/// How far a value is from what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distance {
    /// A decimal; for lengths of time as they are measured, `1d 2h`.
    pub(crate) by: String,
    /// Of what.
    pub(crate) unit: Unit,
}

impl Probe {
    /// Puts copies of every variant of the rules that are `wanted` beside them.
    pub(crate) fn put_into(set: &mut RuleSet, wanted: impl Fn(&Rule) -> bool) -> Self {
        let mut probed = Vec::new();
        let mut copies = Vec::new();
        for rule in set.rules.iter().filter(|rule| wanted(rule)) {
            for (at, variant) in rule.variants.iter().enumerate() {
                let ids: Vec<String> = (0..=variant.require.len()).map(|misses| format!("{}{MARK}{at}{MARK}{misses}", rule.id)).collect();
                copies.extend(ids.iter().enumerate().map(|(misses, id)| copy(rule, variant, id, misses)));
                let calls = slots(variant).into_iter().map(|slot| &set.slots[slot]).map(|call| (call.clone(), set.gap_zh(call))).collect();
                let words = |exclusion: &weir_rules::Exclusion| ExclusionWords {
                    reason: exclusion.reason.clone(),
                    owner: exclusion.owner.clone(),
                    until: exclusion.until,
                };
                probed.push(Probed {
                    rule: rule.id.clone(),
                    variant: variant.name.clone(),
                    ids,
                    items: items(variant).into_iter().map(|(item, _)| item).collect(),
                    exclusions: variant.exclude.iter().map(words).collect(),
                    calls,
                });
            }
        }
        set.rules.extend(copies);
        Self { probed }
    }

    /// Whether a rule is a copy.
    pub(crate) fn is_copy(rule_id: &str) -> bool {
        rule_id.contains(MARK)
    }

    /// The nearest instant of a party under each variant, in the order of the rules; a variant that was evaluated at none is missing.
    /// `alerts` are those of the run in their last state.
    pub(crate) fn nearest<'a>(&self, alerts: impl Iterator<Item = &'a Alert> + Clone, party: &str) -> Vec<Nearest> {
        let of_party = alerts.filter(|alert| alert.subject.party == party && alert.status != AlertStatus::Withdrawn);
        self.probed.iter().filter_map(|probed| probed.nearest(of_party.clone())).collect()
    }
}

impl Probed {
    fn nearest<'a>(&self, alerts: impl Iterator<Item = &'a Alert> + Clone) -> Option<Nearest> {
        let of_copy = |(misses, id): (usize, &String)| alerts.clone().find(|alert| alert.rule.id == *id).map(|alert| (misses, alert));
        let (misses, alert) = self.ids.iter().enumerate().find_map(of_copy)?;
        let day = alert.last_hit_at.get(..10).and_then(Day::parse);
        let mut required = Vec::new();
        let mut exclusions = Vec::new();
        let conditions: Vec<Condition> = alert.conditions.iter().map(|one| Condition { points: None, ..one.clone() }).collect();
        for (at, (item, condition)) in self.items.iter().zip(&conditions).enumerate() {
            let condition = condition.clone();
            match item {
                Item::Required { unit, bound, operands } => {
                    let distance = distance(&condition, *unit);
                    let operands = self.operands(&condition, operands, at + 1, &conditions);
                    required.push(Required { condition, bound: bound.clone(), distance, operands });
                }
                Item::Comparison(_) => {}
                Item::Exclusion(at) => {
                    let ExclusionWords { reason, owner, until } = &self.exclusions[*at];
                    if day.is_some_and(|day| day <= *until) {
                        exclusions.push(Exclusion { condition, reason: reason.clone(), owner: owner.clone(), until: *until });
                    }
                }
            }
        }
        let is_unknown = |(_, words): &&(FeatureCall, String)| alert.data_gaps.contains(words);
        Some(Nearest {
            rule: self.rule.clone(),
            variant: self.variant.clone(),
            at: alert.last_hit_at.clone(),
            misses,
            required,
            exclusions,
            unknown: self.calls.iter().filter(is_unknown).map(|(call, _)| call.clone()).collect(),
        })
    }

    /// The operands of a joint condition whose comparisons begin at `first`.
    fn operands(&self, joint: &Condition, comparisons: &[Vec<usize>], first: usize, conditions: &[Condition]) -> Vec<Operand> {
        let Some(Parts::Any(parts) | Parts::All(parts)) = &joint.parts else { return Vec::new() };
        let comparison = |at: &usize| {
            let condition = conditions.get(first + at)?.clone();
            let unit = if let Some(Item::Comparison(unit)) = self.items.get(first + at) { *unit } else { None };
            let distance = distance(&condition, unit);
            Some((condition, distance))
        };
        let operand = |(part, of_part): (&Part, &Vec<usize>)| Operand {
            part: part.clone(),
            comparisons: of_part.iter().filter_map(comparison).collect(),
        };
        parts.iter().zip(comparisons).map(operand).collect()
    }
}

impl Nearest {
    /// The exclusions that held.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Exclusion> {
        self.exclusions.iter().filter(|exclusion| exclusion.condition.met == Some(true))
    }
}

/// The copy of a variant that hits where at most `misses` of its conditions do not hold.
fn copy(rule: &Rule, variant: &Variant, id: &str, misses: usize) -> Rule {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let score = |(item, when): (Item, Written)| {
        let points = i64::from(matches!(item, Item::Required { .. }));
        ScoreItem { when, points, reason: Template::default() }
    };
    let copied = Variant {
        name: variant.name.clone(),
        zh: variant.zh.clone(),
        window: Window::Exact(Span(1)),
        params: Vec::new(),
        require: Vec::new(),
        exclude: Vec::new(),
        base: -number(variant.require.len()),
        score: items(variant).into_iter().map(score).collect(),
        reason: Template::default(),
        gates: Vec::new(),
        slots: slots(variant),
        batch_size: None,
    };
    Rule {
        id: id.to_owned(),
        version: rule.version,
        title: String::new(),
        status: rule.status,
        basis: Vec::new(),
        subject: rule.subject.clone(),
        scope: rule.scope,
        on: rule.on.clone(),
        quiet: NEVER_QUIET,
        variants: vec![copied],
        levels: vec![(Level::Low, -number(misses))],
        uses_rule_hits: rule.uses_rule_hits,
    }
}

/// What a copy measures: each required condition, the comparisons of joint ones behind it, then the exclusions.
fn items(variant: &Variant) -> Vec<(Item, Written)> {
    let mut items = Vec::new();
    for condition in &variant.require {
        let leaves = condition.leaves();
        let operands = condition.formula.operands().into_iter().map(|operand| comparisons_in(operand, &leaves)).collect();
        let required = Item::Required { unit: unit(&condition.formula), bound: condition.formula.to_string(), operands };
        items.push((required, condition.clone()));
        items.extend(leaves.into_iter().map(|leaf| (Item::Comparison(unit(&leaf.formula)), leaf)));
    }
    items.extend(variant.exclude.iter().enumerate().map(|(at, exclusion)| (Item::Exclusion(at), exclusion.when.clone())));
    items
}

/// Which of the comparisons are in a formula, in the order in which they stand there.
fn comparisons_in(formula: &Formula, leaves: &[Written]) -> Vec<usize> {
    if let Some(at) = leaves.iter().position(|leaf| leaf.formula == *formula) {
        return vec![at];
    }
    match formula {
        Formula::And(left, right) | Formula::Or(left, right) => [comparisons_in(left, leaves), comparisons_in(right, leaves)].concat(),
        Formula::Not(inner) => comparisons_in(inner, leaves),
        _ => Vec::new(),
    }
}

/// Slots of what a copy measures, without repetition.
fn slots(variant: &Variant) -> Vec<SlotId> {
    let conditions = variant.require.iter().chain(variant.exclude.iter().map(|exclusion| &exclusion.when));
    let mut slots: Vec<SlotId> = Vec::new();
    for slot in conditions.flat_map(|condition| &condition.slots) {
        if !slots.contains(slot) {
            slots.push(*slot);
        }
    }
    slots
}

/// What the distance of a comparison is counted in; `None` where there is none to tell.
fn unit(formula: &Formula) -> Option<Unit> {
    let (Formula::Compare(_, of, _) | Formula::Between(of, ..)) = formula else { return None };
    match &**of {
        Formula::Call(call) => Some(call.feature.unit()),
        _ => None,
    }
}

/// By how much a condition misses; `None` where it holds or cannot be evaluated.
fn distance(condition: &Condition, unit: Option<Unit>) -> Option<Distance> {
    let (unit, measured, threshold) = (unit?, condition.measured.as_deref()?, condition.threshold.as_deref()?);
    if condition.met != Some(false) {
        return None;
    }
    let read = if unit == Unit::Time { seconds } else { millionths };
    let measured = read(measured)?;
    // Between two bounds the nearer one counts.
    let apart = threshold.split(" – ").filter_map(|bound| Some(measured.abs_diff(read(bound)?))).min()?;
    let by = match unit {
        Unit::Time => length(apart),
        Unit::Points => decimal(apart * 100),
        _ => decimal(apart),
    };
    Some(Distance { by, unit })
}

/// A decimal of at most six places, in millionths; `None` for anything else.
fn millionths(text: &str) -> Option<i128> {
    const PLACES: usize = 6;
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_decimal = !whole.is_empty() && fraction.len() <= PLACES && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: i128 = is_decimal.then(|| format!("{whole}{fraction:0<PLACES$}").parse().ok())??;
    Some(sign * value)
}

/// Millionths without zeros at the end.
fn decimal(millionths: u128) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2d 3h` in seconds.
fn seconds(text: &str) -> Option<i128> {
    text.split(' ').map(|part| Span::parse(part).or_else(|| (part == "0s").then_some(Span(0)))).try_fold(0, |sum, part| {
        let span = part?;
        Some(sum + i128::from(span.0 / weir_model::time::MICROS_PER_SEC))
    })
}

/// Seconds as lengths of time are measured.
fn length(seconds: u128) -> String {
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

impl Distance {
    /// `差 1 人`, `off by 1 person`.
    pub(crate) fn words(&self, lang: Lang) -> String {
        let Self { by, unit } = self;
        if matches!(by.as_str(), "0" | "0s") {
            return lang.of("恰在界上", "exactly at the limit").to_owned();
        }
        let by = match (unit, lang) {
            (Unit::Time, Lang::Zh) => by.replace('d', "天").replace('h', "小时").replace('m', "分钟").replace('s', "秒").replace(' ', ""),
            (Unit::Yuan, _) => grouped(by),
            _ => by.clone(),
        };
        match unit {
            Unit::Time => say!(lang, "差 {by}", "off by {by}"),
            _ => {
                let unit = lang.of(unit.zh(), singular(unit.en(), &by));
                say!(lang, "差 {by} {unit}", "off by {by} {unit}")
            }
        }
    }
}

fn singular(unit: &'static str, by: &str) -> &'static str {
    match unit {
        "people" if by == "1" => "person",
        "times" | "people" => unit,
        _ if by == "1" => unit.trim_end_matches('s'),
        _ => unit,
    }
}

fn grouped(yuan: &str) -> String {
    let (whole, fraction) = yuan.split_once('.').unwrap_or((yuan, ""));
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction:0<2}") };
    whole.parse().map_or_else(|_| yuan.to_owned(), |whole| format!("{}{fraction}", crate::terminal::grouped(whole)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(measured: &str, threshold: &str, unit: Unit, expected: Option<&str>) {
        let condition = Condition {
            text: String::new(),
            measured: Some(measured.to_owned()),
            threshold: Some(threshold.to_owned()),
            met: Some(false),
            points: None,
            clause: None,
            explain: String::new(),
            parts: None,
        };
        let found = distance(&condition, Some(unit)).map(|distance| distance.words(Lang::En));
        assert_eq!(found.as_deref(), expected, "{measured} {threshold}");
        let met = Condition { met: Some(true), ..condition.clone() };
        assert_eq!(distance(&met, Some(unit)), None);
        assert_eq!(distance(&condition, None), None);
    }

    #[test]
    fn distances_are_exact_and_have_units() {
        check("14", "15", Unit::People, Some("off by 1 person"));
        check("12", "15", Unit::People, Some("off by 3 people"));
        check("499999.99", "500000.00", Unit::Yuan, Some("off by 0.01 yuan"));
        check("1000000.50", "2000000.00", Unit::Yuan, Some("off by 999,999.50 yuan"));
        check("0.61", "0.7", Unit::Points, Some("off by 9 percentage points"));
        check("2.1", "3", Unit::Multiples, Some("off by 0.9 times"));
        check("2d 3h", "2d", Unit::Time, Some("off by 3h"));
        check("0s", "1d", Unit::Time, Some("off by 1d"));
        check("84", "85 – 97", Unit::Days, Some("off by 1 day"));
        check("99", "85 – 97", Unit::Days, Some("off by 2 days"));
        check("10", "10", Unit::People, Some("exactly at the limit"));
        check("a", "b, c", Unit::None, None);
        check("-1", "1", Unit::Hits, Some("off by 2 hits"));
    }

    #[test]
    fn lengths_of_time_are_told_in_chinese() {
        let distance = Distance { by: "1d 2h".to_owned(), unit: Unit::Time };
        assert_eq!(distance.words(Lang::Zh), "差 1天2小时");
        assert_eq!(Distance { by: "0.09".to_owned(), unit: Unit::Points }.words(Lang::Zh), "差 0.09 个百分点");
    }
}

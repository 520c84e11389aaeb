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
//! windows for that reason. This module changes a rule set before a run and reads alerts after it. It must not run anything itself. How far a value
//! is from its threshold is `distance`'s.

mod distance;

use weir_model::alert::{Alert, AlertStatus, Condition, Level, Part, Parts};
use weir_model::{Day, Span};
use weir_rules::{Condition as Written, FeatureCall, Formula, Rule, RuleSet, ScoreItem, SlotId, Template, Unit, Variant, Window};

pub(crate) use self::distance::Distance;

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
                    let distance = Distance::of(&condition, *unit);
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
            let distance = Distance::of(&condition, unit);
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

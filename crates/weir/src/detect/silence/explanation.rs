//! An explanation as data: what `--json` writes and the text shows.
//!
//! Every rule of the set in order, with the alerts it gave; a rule without one has each of its variants, with the nearest instant or why
//! there is none. Nothing is measured here: conditions come from [`crate::probe`], causes from the catalogue. Fields are stable; words are in
//! Chinese as on alerts, with English beside them where a person reads them.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_feed::Parties;
use weir_model::alert::{Alert, AlertStatus, Level, Parts};
use weir_model::{EventTime, KeyKind, Party, PartyKind};
use weir_rules::{Feature, On, Rule, RuleSet, Scope, Status};

use super::Seen;
use crate::probe::{self, Distance, Nearest, Probe};

/// Why a party did not alert.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) party: String,
    pub(super) name: String,
    /// Every kind it was seen as.
    pub(super) kinds: Vec<PartyKind>,
    /// The group it belongs to, as a party key.
    pub(super) group: Option<String>,
    /// Whether party data knows it.
    pub(super) registered: bool,
    pub(super) legs: u64,
    pub(super) legs_in: u64,
    pub(super) legs_out: u64,
    /// Event times of its first and last leg.
    pub(super) first: String,
    pub(super) last: String,
    /// Legs that did not enter its history, by reason code.
    pub(super) rejected: BTreeMap<&'static str, u64>,
    /// Content hash of the rule set.
    pub(super) rule_set: String,
    pub(super) rules: Vec<OfRule>,
}

/// One rule.
#[derive(Debug, Serialize)]
pub(super) struct OfRule {
    pub(super) rule: String,
    pub(super) title: String,
    pub(super) version: u32,
    /// On trial.
    pub(super) shadow: bool,
    /// Alerts it gave, withdrawn ones included, in order of their opening.
    pub(super) alerts: Vec<Given>,
    /// Its variants, unless an alert stands.
    pub(super) variants: Vec<OfVariant>,
}

/// An alert that came.
#[derive(Debug, Serialize)]
pub(super) struct Given {
    pub(super) alert_id: String,
    pub(super) opened_at: String,
    pub(super) last_hit_at: String,
    pub(super) level: Level,
    pub(super) score: i64,
    pub(super) status: AlertStatus,
    pub(super) variant: String,
    pub(super) variant_zh: String,
}

/// One variant that was silent.
#[derive(Debug, Serialize)]
pub(super) struct OfVariant {
    pub(super) variant: String,
    pub(super) variant_zh: String,
    pub(super) why: Why,
    /// Rules that a rule at day ends waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) watched: Vec<String>,
    /// Kinds the rule looks at, where the party's is none of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) subject: Vec<PartyKind>,
    pub(super) nearest: Option<OfInstant>,
}

/// What kept a variant silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    /// Some required condition does not hold.
    Conditions,
    /// All hold, and so does an exclusion.
    Excluded,
    /// All hold, and the score reaches no level.
    Score,
    /// The rule is for groups and the party is none, or the other way round.
    Scope,
    /// The rule is for other kinds of party.
    Kind,
    /// The rule is looked at on day ends, after another rule has hit.
    NotWatched,
    /// No leg of the party entered its history.
    NoInstant,
}

/// The nearest instant.
#[derive(Debug, Serialize)]
pub(super) struct OfInstant {
    pub(super) at: String,
    pub(super) required: usize,
    pub(super) met: usize,
    pub(super) conditions: Vec<OfCondition>,
    /// Exclusions that held.
    pub(super) exclusions: Vec<OfExclusion>,
    pub(super) not_evaluable: Vec<NotEvaluable>,
}

/// A condition.
#[derive(Debug, Serialize)]
pub(super) struct OfCondition {
    pub(super) text: String,
    /// The text with values in the place of parameters.
    pub(super) bound: String,
    pub(super) explain: String,
    pub(super) measured: Option<String>,
    pub(super) threshold: Option<String>,
    /// Null: cannot be evaluated.
    pub(super) met: Option<bool>,
    pub(super) distance: Option<OfDistance>,
    pub(super) clause: Option<String>,
    /// Whether `any` of its operands is enough or `all` must hold, where it joins several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) joint: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) operands: Vec<OfOperand>,
}

/// An operand of a joint condition.
#[derive(Debug, Serialize)]
pub(super) struct OfOperand {
    pub(super) explain: String,
    pub(super) met: Option<bool>,
    pub(super) comparisons: Vec<OfCondition>,
}

/// By how much something misses.
#[derive(Debug, Serialize)]
pub(super) struct OfDistance {
    pub(super) by: String,
    pub(super) unit: &'static str,
    #[serde(skip)]
    pub(super) distance: Distance,
}

/// An exclusion that held.
#[derive(Debug, Serialize)]
pub(super) struct OfExclusion {
    pub(super) text: String,
    pub(super) reason: String,
    pub(super) owner: String,
    pub(super) until: String,
}

/// A feature without a value.
#[derive(Debug, Serialize)]
pub(super) struct NotEvaluable {
    /// As called: `natural_payers(14d)`.
    pub(super) feature: String,
    /// Its Chinese name, with its window.
    pub(super) name: String,
    pub(super) lacks: Vec<Cause>,
}

/// One possible cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cause {
    pub(super) code: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    /// Whether data would mend it, or nothing of the kind has happened.
    pub(super) of_data: bool,
}

impl Explanation {
    /// Puts together what a run has found; `alerts` are in their last state.
    pub(super) fn new(
        party: &str,
        seen: &Seen,
        alerts: &BTreeMap<String, Alert>,
        rules: &RuleSet,
        probe: &Probe,
        parties: &Parties,
    ) -> Self {
        let nearest = probe.nearest(alerts.values(), party);
        let registered = parties.by_key(party);
        let time = |at: Option<EventTime>| at.map_or_else(String::new, |at| at.to_string());
        let own = rules.rules.iter().filter(|rule| !Probe::is_copy(&rule.id));
        Self {
            party: party.to_owned(),
            name: registered.map(|party| party.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| seen.name.clone()),
            kinds: seen.kinds.iter().copied().collect(),
            group: registered.and_then(Party::group_key),
            registered: registered.is_some(),
            legs: seen.legs,
            legs_in: seen.inward,
            legs_out: seen.outward,
            first: time(seen.span.map(|(first, _)| first)),
            last: time(seen.span.map(|(_, last)| last)),
            rejected: seen.rejected.clone(),
            rule_set: rules.hash.clone(),
            rules: own.map(|rule| of_rule(rule, party, seen, alerts, &nearest, rules)).collect(),
        }
    }
}

fn of_rule(rule: &Rule, party: &str, seen: &Seen, alerts: &BTreeMap<String, Alert>, nearest: &[Nearest], rules: &RuleSet) -> OfRule {
    let mut given: Vec<Given> = alerts.values().filter(|alert| alert.rule.id == rule.id).map(given).collect();
    given.sort_by(|a, b| (&a.opened_at, &a.alert_id).cmp(&(&b.opened_at, &b.alert_id)));
    let has_alerted = given.iter().any(|alert| alert.status != AlertStatus::Withdrawn);
    let of_variant = |variant: &weir_rules::Variant| {
        let nearest = nearest.iter().find(|nearest| nearest.rule == rule.id && nearest.variant == variant.name);
        let why = why(rule, party, seen, nearest);
        let watched = match &rule.on {
            On::DayEnd { watch } if why == Why::NotWatched => watch.clone(),
            _ => Vec::new(),
        };
        OfVariant {
            variant: variant.name.clone(),
            variant_zh: variant.zh.clone(),
            why,
            watched,
            subject: if why == Why::Kind { rule.subject.clone() } else { Vec::new() },
            nearest: nearest.map(|nearest| of_instant(nearest, rules)),
        }
    };
    OfRule {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        version: rule.version,
        shadow: rule.status == Status::Shadow,
        alerts: given,
        variants: if has_alerted { Vec::new() } else { rule.variants.iter().map(of_variant).collect() },
    }
}

fn given(alert: &Alert) -> Given {
    Given {
        alert_id: alert.alert_id.clone(),
        opened_at: alert.first_hit_at.clone(),
        last_hit_at: alert.last_hit_at.clone(),
        level: alert.level,
        score: alert.score,
        status: alert.status,
        variant: alert.rule.variant.clone(),
        variant_zh: alert.rule.variant_zh.clone(),
    }
}

fn why(rule: &Rule, party: &str, seen: &Seen, nearest: Option<&Nearest>) -> Why {
    match nearest {
        Some(nearest) if nearest.misses > 0 => Why::Conditions,
        Some(nearest) if nearest.held().next().is_some() => Why::Excluded,
        Some(_) => Why::Score,
        None if (rule.scope == Scope::Group) != KeyKind::Group.is_of(party) => Why::Scope,
        None if seen.kinds.iter().all(|kind| !rule.fits(*kind)) => Why::Kind,
        None if matches!(rule.on, On::DayEnd { .. }) => Why::NotWatched,
        None => Why::NoInstant,
    }
}

fn of_instant(nearest: &Nearest, rules: &RuleSet) -> OfInstant {
    let held = nearest.held().map(|exclusion| OfExclusion {
        text: exclusion.condition.text.clone(),
        reason: exclusion.reason.clone(),
        owner: exclusion.owner.clone(),
        until: exclusion.until.to_string(),
    });
    OfInstant {
        at: nearest.at.clone(),
        required: nearest.required.len(),
        met: nearest.required.len() - nearest.misses,
        conditions: nearest.required.iter().map(of_required).collect(),
        exclusions: held.collect(),
        not_evaluable: nearest
            .unknown
            .iter()
            .map(|call| NotEvaluable { feature: call.to_string(), name: rules.windowed_name_zh(call), lacks: causes(call.feature) })
            .collect(),
    }
}

fn of_required(required: &probe::Required) -> OfCondition {
    let operands = required.operands.iter().map(|operand| OfOperand {
        explain: operand.part.explain.clone(),
        met: operand.part.met,
        comparisons: operand.comparisons.iter().map(|(condition, distance)| of_condition(condition, distance.as_ref())).collect(),
    });
    let condition = of_condition(&required.condition, required.distance.as_ref());
    OfCondition { bound: required.bound.clone(), operands: operands.collect(), ..condition }
}

fn of_condition(condition: &weir_model::alert::Condition, distance: Option<&Distance>) -> OfCondition {
    OfCondition {
        text: condition.text.clone(),
        bound: condition.text.clone(),
        explain: condition.explain.clone(),
        measured: condition.measured.clone(),
        threshold: condition.threshold.clone(),
        met: condition.met,
        distance: distance.map(|distance| OfDistance { by: distance.by.clone(), unit: distance.unit.code(), distance: distance.clone() }),
        clause: condition.clause.clone(),
        joint: condition.parts.as_ref().map(|parts| match parts {
            Parts::Any(_) => "any",
            Parts::All(_) => "all",
        }),
        operands: Vec::new(),
    }
}

fn causes(feature: Feature) -> Vec<Cause> {
    let cause = |lack: &weir_rules::Lack| Cause { code: lack.code(), zh: lack.zh(), en: lack.en(), of_data: lack.is_of_data() };
    feature.lacks().iter().map(cause).collect()
}

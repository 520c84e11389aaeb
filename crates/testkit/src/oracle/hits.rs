//! Section 4 of the definition: at which instants a rule hits a party, by which variant, at which level.
//!
//! [`evaluate`] renews every verdict from a moment on; verdicts before it stand. That matters only where a pair was forgotten since: what an
//! instant saw is not unsaid by later forgetting.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_model::{Day, EventTime, Level, Span};
use weir_rules::{On, Rule, RuleSet, Scope, Value, Variant, Window};

use super::features::{self, Facts, Hits};
use super::formula::holds;
use super::history::History;
use super::view::View;

/// How long an episode of a watched rule keeps its party under a day-end rule.
const WATCH: Span = Span::days(180);

/// A rule's hit at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// Index in the run's rule sets.
    pub(super) set: usize,
    /// Index in the rule's variants.
    pub(super) variant: usize,
    pub(super) score: i64,
    pub(super) level: Level,
}

/// The rule sets of a run, each with the clock of its switch: instants later than it use the set.
#[derive(Debug, Clone)]
pub(super) struct Sets(pub(super) Vec<(EventTime, Arc<RuleSet>)>);

impl Sets {
    /// The set that instants at `t` use, and its index.
    pub(super) fn at(&self, t: EventTime) -> (usize, &RuleSet) {
        let later = self.0.iter().skip(1).take_while(|(clock, _)| t > *clock).count();
        (later, &self.0[later].1)
    }

    /// The newest version of a rule.
    pub(super) fn newest(&self, id: &str) -> Option<&Rule> {
        self.0.iter().rev().find_map(|(_, set)| set.rules.iter().find(|rule| rule.id == id))
    }

    /// The version of a rule that made a hit, and the variant that did.
    pub(super) fn behind(&self, hit: Hit, id: &str) -> (&Rule, &Variant) {
        let rule = self.0[hit.set].1.rules.iter().find(|rule| rule.id == id).expect("the set of a hit has the rule that hit");
        (rule, &rule.variants[hit.variant])
    }

    /// Ids of all rules of all sets, in order.
    pub(super) fn rule_ids(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|(_, set)| set.rules.iter().map(|rule| rule.id.as_str())).collect()
    }
}

/// A view of a party as of `t`, under the set in force there.
pub(super) fn view_at<'a>(history: &'a History, sets: &'a Sets, t: EventTime) -> View<'a> {
    view_under(history, sets.at(t).1, t)
}

/// A view of a party as of `t`, under the set that decided there.
pub(super) fn view_under<'a>(history: &'a History, set: &'a RuleSet, t: EventTime) -> View<'a> {
    View { t, live: history.live_until(t), left: history.left_until(t), history_from: history.earliest_day(), calendar: &set.calendar }
}

/// Renews the verdicts of a party's instants, and of the `days` whose ends were evaluated, from the moment `from` on. Rules that others
/// depend on come first.
pub(super) fn evaluate(party: &str, history: &History, sets: &Sets, days: &BTreeSet<Day>, from: EventTime, hits: &mut Hits) {
    for instants in hits.values_mut() {
        instants.split_off(&from);
    }
    let instants: BTreeSet<EventTime> = history.live().iter().map(|held| held.leg.at).filter(|at| *at >= from).collect();
    let ends: BTreeSet<EventTime> = days.iter().map(|day| day.end()).filter(|end| *end >= from).collect();
    for uses_rule_hits in [false, true] {
        let is_due = |rule: &Rule| rule.on == On::Instant && rule.uses_rule_hits == uses_rule_hits;
        evaluate_at(party, history, sets, &instants, &is_due, hits);
    }
    evaluate_day_ends(party, history, sets, &ends, hits);
}

/// Adds the verdicts of day ends.
pub(super) fn evaluate_day_ends(party: &str, history: &History, sets: &Sets, ends: &BTreeSet<EventTime>, hits: &mut Hits) {
    for uses_rule_hits in [false, true] {
        let is_due = |rule: &Rule| rule.on != On::Instant && rule.uses_rule_hits == uses_rule_hits;
        evaluate_at(party, history, sets, ends, &is_due, hits);
    }
}

fn evaluate_at(
    party: &str,
    history: &History,
    sets: &Sets,
    moments: &BTreeSet<EventTime>,
    is_due: &dyn Fn(&Rule) -> bool,
    hits: &mut Hits,
) {
    for t in moments {
        let (index, set) = sets.at(*t);
        let view = view_at(history, sets, *t);
        let facts = Facts::new(&view, set, hits);
        let mut found = Vec::new();
        for rule in set.rules.iter().filter(|rule| is_due(rule)) {
            if applies(rule, party, &view) && is_watched(rule, *t, hits) {
                found.extend(verdict(rule, index, &facts).map(|hit| (&rule.id, hit)));
            }
        }
        for (rule, hit) in found {
            hits.entry(rule.clone()).or_default().insert(*t, hit);
        }
    }
}

/// Scope and subject.
fn applies(rule: &Rule, party: &str, view: &View<'_>) -> bool {
    let scope = if party.starts_with("g:") { Scope::Group } else { Scope::Customer };
    rule.scope == scope && !(view.live.is_empty() && view.left.is_empty()) && rule.fits(view.profile().kind)
}

/// Whether a watched rule hit within 180 days before; rules that watch none always look.
fn is_watched(rule: &Rule, end: EventTime, hits: &Hits) -> bool {
    let On::DayEnd { watch } = &rule.on else { return true };
    let mut watched = watch.iter().filter_map(|id| hits.get(id));
    watched.any(|instants| instants.range(end.minus(WATCH)..=end).next().is_some())
}

fn verdict(rule: &Rule, set: usize, facts: &Facts<'_>) -> Option<Hit> {
    let mut best: Option<(usize, i64)> = None;
    for (index, variant) in rule.variants.iter().enumerate() {
        if let Some(score) = score(variant, facts)
            && best.is_none_or(|(_, highest)| score > highest)
        {
            best = Some((index, score));
        }
    }
    let (variant, score) = best?;
    let reached = rule.levels.iter().filter(|(_, needed)| score >= *needed);
    let level = reached.map(|(level, _)| *level).max()?;
    Some(Hit { set, variant, score, level })
}

/// Every window a variant looks at: its own and those of what it measures.
pub(super) fn windows<'a>(set: &'a RuleSet, variant: &'a Variant) -> impl Iterator<Item = Window> + 'a {
    variant.slots.iter().flat_map(|slot| set.slots[*slot].windows()).chain([variant.window])
}

/// The score of a variant that hits.
fn score(variant: &Variant, facts: &Facts<'_>) -> Option<i64> {
    let is_true = |formula| holds(formula, &|call| features::value(call, facts)) == Some(true);
    if !variant.require.iter().all(|condition| is_true(&condition.formula)) {
        return None;
    }
    let in_force = variant.exclude.iter().filter(|exclusion| facts.view.t.day() <= exclusion.until);
    if in_force.into_iter().any(|exclusion| is_true(&exclusion.when.formula)) {
        return None;
    }
    Some(variant.base + variant.score.iter().filter(|item| is_true(&item.when.formula)).map(|item| item.points).sum::<i64>())
}

/// The values of a variant's slots, NULL in the other slots of the set.
pub(super) fn slot_values(variant: &Variant, facts: &Facts<'_>) -> Vec<Value> {
    let named: BTreeSet<usize> = variant.slots.iter().copied().collect();
    let calls = facts.set.slots.iter().enumerate();
    calls.map(|(slot, call)| if named.contains(&slot) { features::value(call, facts) } else { Value::Null }).collect()
}

/// A maximal run of hits, neighbours at most the `quiet` of the earlier one apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Episode {
    pub(super) start: EventTime,
    pub(super) last: EventTime,
    pub(super) level: Level,
    /// First hit of that level.
    pub(super) peak: EventTime,
    /// The hit at `start`.
    pub(super) first_hit: Hit,
    /// The hit at `last`.
    pub(super) hit: Hit,
    /// How long that hit keeps the episode open.
    pub(super) quiet: Span,
}

/// Episodes of the hits later than `after`, in order.
pub(super) fn episodes(hits: &Hits, rule: &str, sets: &Sets, after: Option<EventTime>) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = Vec::new();
    let instants = hits.get(rule).into_iter().flatten();
    for (&t, &hit) in instants.filter(|(t, _)| after.is_none_or(|after| **t > after)) {
        let quiet = sets.behind(hit, rule).0.quiet;
        match episodes.last_mut() {
            Some(episode) if t.since(episode.last) <= episode.quiet => {
                (episode.last, episode.hit, episode.quiet) = (t, hit, quiet);
                if hit.level > episode.level {
                    (episode.level, episode.peak) = (hit.level, t);
                }
            }
            _ => episodes.push(Episode { start: t, last: t, level: hit.level, peak: t, first_hit: hit, hit, quiet }),
        }
    }
    episodes
}

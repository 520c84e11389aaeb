//! The oracle: `docs/definition.md` executed as it is written, without any thought of speed.
//!
//! After every input everything is computed again from all the legs ever accepted: windows, features, verdicts, episodes, day totals. Only
//! what the definition itself makes a matter of order is carried along: identities and pending removals, what was sent, what has been
//! settled, and verdicts of instants that no later input touched. The files follow the sections: `history` 2, `view` 3, `hits` 4,
//! `alerts` 5, `values` 6, `features` 7, `large_amount` 8. The bounds of section 9 are kept as well, though no leg is
//! ever freed: one that left is marked.
//!
//! It must never look at the engine.

mod alerts;
mod features;
mod formula;
mod history;
mod hits;
mod large_amount;
#[cfg(test)]
mod tests;
mod values;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use weir_model::alert::Trigger;
use weir_model::{Alert, Day, Direction, EventTime, LargeAmountReport, Reason, Span};
use weir_rules::{On, RuleSet, Window};

use crate::log::{Event, OwnedLeg};
use alerts::{Alerts, Cause};
use features::Hits;
use history::History;
use hits::Sets;
use large_amount::Reports;
use values::Describer;

/// Day ends further back than this are never evaluated.
const DAY_ENDS_BACK: i32 = 31;

/// Settings that decide what an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Allowed lateness.
    pub lateness: Span,
    /// Instants a record may displace.
    pub reevaluate_max: usize,
    /// Legs kept of one party.
    pub party_legs_max: usize,
    /// Transactions listed in a large-amount report.
    pub report_transactions_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lateness: Span::days(3), reevaluate_max: 100_000, party_legs_max: 2_000_000, report_transactions_max: 5_000 }
    }
}

/// A revision with the place of its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent<T> {
    /// Record that caused it.
    pub record: u64,
    /// Whether a tick before that record did.
    pub tick: bool,
    /// The revision.
    pub revision: T,
}

/// A leg that did not enter a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Record being worked on.
    pub record: u64,
    /// Whether a tick before that record rejected it.
    pub tick: bool,
    /// Record of the rejected leg.
    pub rejected_record: u64,
    /// Why.
    pub reason: Reason,
    /// Party of the leg.
    pub party: String,
    /// Serial of the leg's transaction.
    pub txn_id: String,
    /// Direction.
    pub direction: Direction,
    /// Event time.
    #[serde(serialize_with = "as_text")]
    pub at: EventTime,
    /// Fen, where known.
    pub amount: Option<i64>,
    /// Frontier when it was rejected.
    #[serde(serialize_with = "as_text")]
    pub frontier: EventTime,
    /// Reports a late leg would have belonged to.
    pub report_ids: Vec<String>,
}

impl Reject {
    fn new(reason: Reason, record: u64, rejected_record: u64, leg: &OwnedLeg, clock: &Clock) -> Self {
        let is_late_movement = reason.is_late() && !matches!(leg.kind, crate::log::OwnedKind::Removal { .. });
        let report_id = if is_late_movement { large_amount::report_id_of(leg) } else { None };
        Self {
            record,
            tick: reason == Reason::ReversalTargetMissing,
            rejected_record,
            reason,
            party: leg.party.clone(),
            txn_id: leg.txn_id.clone(),
            direction: leg.direction,
            at: leg.at,
            amount: leg.amount.cny,
            frontier: clock.frontier(),
            report_ids: report_id.into_iter().collect(),
        }
    }
}

/// What a log comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Alert revisions in the order of lines.
    pub alerts: Vec<Sent<Alert>>,
    /// Large-amount revisions in the order of lines; within an input by customer, day, direction, item.
    pub reports: Vec<Sent<LargeAmountReport>>,
    /// Dead letters and late rows, by record, ticks first, rejected record, party, direction.
    pub rejects: Vec<Reject>,
    /// Legs counted as duplicate.
    pub duplicates: u64,
    /// Legs taken out by removals, those removed on arrival included.
    pub reversed: u64,
    /// Every alert in its last state, with the record of its first revision.
    pub last_alerts: Vec<(u64, Alert)>,
    /// Every report in its last state.
    pub last_reports: Vec<LargeAmountReport>,
}

impl Answer {
    /// Puts lines in the order of a run: section 5 for alerts, record and key for the others. What one input sent for one rule and party
    /// stays as it was sent.
    pub fn sort_lines(&mut self) {
        let alert = |line: &Sent<Alert>| (line.record, !line.tick, line.revision.rule.id.clone(), line.revision.subject.party.clone());
        self.alerts.sort_by_key(alert);
        let report = |line: &Sent<LargeAmountReport>| {
            let r = &line.revision;
            (line.record, !line.tick, r.customer.clone(), r.day.clone(), r.direction, r.item)
        };
        self.reports.sort_by_key(report);
        let reject = |line: &Reject| (line.record, !line.tick, line.rejected_record, line.party.clone(), line.direction);
        self.rejects.sort_by_key(reject);
    }
}

/// Order of the final state of alerts; those that agree in all else by their first hit.
pub fn sort_last_alerts(last: &mut [(u64, Alert)]) {
    last.sort_by_key(|(first, alert)| (*first, alert.rule.id.clone(), alert.subject.party.clone(), alert.first_hit_at.clone()));
}

/// Order of the final state of reports.
pub fn sort_last_reports(last: &mut [LargeAmountReport]) {
    last.sort_by(|a, b| {
        let key = |r: &LargeAmountReport| (r.day.clone(), r.customer.clone(), r.direction, r.item);
        key(a).cmp(&key(b))
    });
}

/// The clock of a partition (section 1).
#[derive(Debug, Clone)]
struct Clock {
    /// Clock of the last tick; while a leg is judged, that leg's stamp if it is larger.
    stamp: EventTime,
    /// Frontier at the last tick.
    tick_frontier: Option<EventTime>,
    /// Largest stamp at the last tick.
    last_tick: Option<EventTime>,
    lateness: Span,
    /// Legs of earlier days leave at the next switch (section 9).
    complete_from: Option<Day>,
}

/// What is carried along for a party.
#[derive(Debug, Default)]
struct PartyState {
    history: History,
    hits: Hits,
    alerts: BTreeMap<String, Alerts>,
    reports: Reports,
}

/// The answer to a log under `rules`, by the definition.
#[must_use]
pub fn answer(settings: Settings, rules: &Arc<RuleSet>, log: &[Event]) -> Answer {
    let mut run = Run::new(settings, rules);
    for event in log {
        run.input(event);
    }
    run.close()
}

/// One run over a log.
struct Run {
    settings: Settings,
    clock: Clock,
    sets: Sets,
    parties: BTreeMap<String, PartyState>,
    /// Days whose ends were evaluated.
    days: BTreeSet<Day>,
    answer: Answer,
}

impl Run {
    fn new(settings: Settings, rules: &Arc<RuleSet>) -> Self {
        Self {
            settings,
            clock: Clock { stamp: EventTime::MIN, tick_frontier: None, last_tick: None, lateness: settings.lateness, complete_from: None },
            sets: Sets(vec![(EventTime::MIN, Arc::clone(rules))]),
            parties: BTreeMap::new(),
            days: BTreeSet::new(),
            answer: Answer::default(),
        }
    }

    fn input(&mut self, event: &Event) {
        match event {
            Event::Leg { record, clock, leg } => {
                let stamp = self.clock.stamp.max(*clock);
                self.leg(*record, &Clock { stamp, ..self.clock.clone() }, leg);
            }
            Event::Tick { record, clock } => {
                self.clock.stamp = self.clock.stamp.max(*clock);
                self.tick(*record);
            }
            Event::Switch { record, clock, rules } => {
                self.sets.0.push((*clock, Arc::clone(rules)));
                self.renew_after(*record, *clock);
            }
        }
    }

    fn leg(&mut self, record: u64, clock: &Clock, leg: &OwnedLeg) {
        let party = self.parties.entry(leg.party.clone()).or_default();
        let arrival = party.history.arrive(record, clock, leg, self.settings.reevaluate_max);
        self.answer.rejects.extend(arrival.rejects);
        self.answer.duplicates += u64::from(arrival.duplicate);
        self.answer.reversed += arrival.reversed;
        if let Some(changed_from) = arrival.changed_from {
            self.changed(record, leg, changed_from);
        }
        let frontier = clock.frontier();
        if let Some(party) = self.parties.get_mut(&leg.party).filter(|_| leg.at >= frontier) {
            party.history.drop_excess(self.settings.party_legs_max, clock);
        }
    }

    fn changed(&mut self, record: u64, leg: &OwnedLeg, changed_from: EventTime) {
        let party = self.parties.entry(leg.party.clone()).or_default();
        hits::evaluate(&leg.party, &party.history, &self.sets, &self.days, changed_from, &mut party.hits);
        let trigger = Trigger { txn_id: leg.txn_id.clone(), occurred_at: leg.at.to_string() };
        let cause = Cause { record, tick: false, trigger: Some(trigger) };
        let revisions = follow_alerts(&leg.party, party, &self.sets, &self.clock, &cause);
        self.answer.alerts.extend(sent(&cause, revisions));

        if !leg.is_group() {
            let list_max = self.settings.report_transactions_max;
            let revisions = party.reports.follow(&leg.party, &party.history, &self.sets, list_max, self.clock.last_tick);
            self.answer.reports.extend(sent(&cause, revisions));
        }
    }

    /// A switch: old legs leave; instants later than its clock are looked at again under the new set.
    fn renew_after(&mut self, record: u64, clock: EventTime) {
        let cause = Cause { record, tick: true, trigger: None };
        let mut alerts = Vec::new();
        for (key, party) in &mut self.parties {
            party.history.drop_before(&self.clock);
            hits::evaluate(key, &party.history, &self.sets, &self.days, clock.plus(Span(1)), &mut party.hits);
            alerts.extend(follow_alerts(key, party, &self.sets, &self.clock, &cause));
        }
        self.answer.alerts.extend(sent(&cause, alerts));
    }

    /// Timers: pending removals, forgetting, day ends, quiet alerts, finished days.
    fn tick(&mut self, record: u64) {
        let before = self.clock.last_tick;
        let memory_day = self.clock.memory_day();
        let now = self.clock.stamp;
        let tick_frontier = self.clock.frontier();
        self.clock.last_tick = Some(now);
        self.clock.tick_frontier = Some(tick_frontier);
        let days: BTreeSet<Day> = new_days(before, now).collect();
        self.days.extend(&days);
        let ends = days.iter().map(|day| day.end()).collect();
        let cause = Cause { record, tick: true, trigger: None };
        let (mut alerts, mut reports) = (Vec::new(), Vec::new());
        for (key, party) in &mut self.parties {
            self.answer.rejects.extend(party.history.expire(record, &self.clock));
            party.history.forget_pairs(&self.clock);
            hits::evaluate_day_ends(key, &party.history, &self.sets, &ends, &mut party.hits);
            alerts.extend(follow_alerts_at_tick(key, party, &self.sets, &self.clock, &cause));
            alerts.extend(settle_alerts(key, party, &self.sets, &self.clock, &cause));
            let list_max = self.settings.report_transactions_max;
            if !key.starts_with("g:") {
                reports.extend(party.reports.finish(key, &party.history, &self.sets, list_max, (before, now)));
            }
        }
        self.answer.alerts.extend(sent(&cause, alerts));
        self.answer.reports.extend(sent(&cause, reports));
        if self.clock.memory_day() != memory_day {
            let kept = self.kept_from(tick_frontier);
            self.clock.complete_from = self.clock.complete_from.max(Some(kept));
        }
    }

    /// The first day whose legs some window may still cover, or whose identities are remembered (section 9).
    fn kept_from(&self, tick_frontier: EventTime) -> Day {
        let in_force = self.sets.0.iter().rposition(|(clock, _)| *clock < tick_frontier).unwrap_or(0);
        let sets = self.sets.0[in_force..].iter().map(|(_, set)| set);
        let windows = sets.flat_map(|set| set.rules.iter().flat_map(|rule| &rule.variants).flat_map(|variant| hits::windows(set, variant)));
        let reach = windows.map(|window| match window {
            Window::Exact(_) => 16,
            Window::Days(days) => days,
            Window::WorkingDays(count) => count * 9 / 5 + 14,
        });
        let reach = i32::try_from(reach.max().unwrap_or(0)).unwrap_or(i32::MAX);
        let lateness = i32::try_from(self.clock.lateness.0 / Span::days(1).0).unwrap_or(i32::MAX);
        let kept = tick_frontier.day().plus(-(reach + lateness + 2));
        self.clock.memory_day().map_or(kept, |day| day.min(kept))
    }

    fn close(mut self) -> Answer {
        for (key, party) in &self.parties {
            for (rule, alerts) in &party.alerts {
                self.answer.last_alerts.extend(alerts.last(&describer(key, rule, party, &self.sets, &self.clock)));
            }
            let list_max = self.settings.report_transactions_max;
            self.answer.last_reports.extend(party.reports.last(key, &party.history, &self.sets, list_max));
        }
        self.answer.sort_lines();
        sort_last_alerts(&mut self.answer.last_alerts);
        sort_last_reports(&mut self.answer.last_reports);
        self.answer
    }
}

/// The days whose end lies before this tick and not before the one before it.
fn new_days(before: Option<EventTime>, now: EventTime) -> impl Iterator<Item = Day> {
    let today = now.day();
    let days = (today.0.saturating_sub(DAY_ENDS_BACK)..today.0).map(Day);
    days.filter(move |day| before.is_none_or(|tick| day.end() >= tick))
}

/// Claims, withdrawals, updates and openings of a party, rule by rule.
fn follow_alerts(key: &str, party: &mut PartyState, sets: &Sets, clock: &Clock, cause: &Cause) -> Vec<Alert> {
    let ids = sets.rule_ids().into_iter();
    ids.flat_map(|id| follow_alerts_of(id, key, party, sets, clock, cause)).collect()
}

/// The same for the rules that a tick may bring hits of: those of day ends.
fn follow_alerts_at_tick(key: &str, party: &mut PartyState, sets: &Sets, clock: &Clock, cause: &Cause) -> Vec<Alert> {
    let ids = sets.rule_ids().into_iter().filter(|id| sets.newest(id).is_some_and(|rule| rule.on != On::Instant));
    ids.flat_map(|id| follow_alerts_of(id, key, party, sets, clock, cause)).collect()
}

fn follow_alerts_of(id: &str, key: &str, party: &mut PartyState, sets: &Sets, clock: &Clock, cause: &Cause) -> Vec<Alert> {
    let mut alerts = party.alerts.remove(id).unwrap_or_default();
    let episodes = hits::episodes(&party.hits, id, sets, alerts.settled());
    let revisions = alerts.follow(&episodes, &describer(key, id, party, sets, clock), cause);
    party.alerts.insert(id.to_owned(), alerts);
    revisions
}

/// Quiet alerts of a party, rule by rule.
fn settle_alerts(key: &str, party: &mut PartyState, sets: &Sets, clock: &Clock, cause: &Cause) -> Vec<Alert> {
    let mut revisions = Vec::new();
    let Some(tick_frontier) = clock.tick_frontier else { return revisions };
    for id in sets.rule_ids() {
        let Some(mut alerts) = party.alerts.remove(id) else { continue };
        revisions.extend(alerts.settle(tick_frontier, &describer(key, id, party, sets, clock), cause));
        party.alerts.insert(id.to_owned(), alerts);
    }
    revisions
}

fn describer<'a>(key: &'a str, rule: &'a str, party: &'a PartyState, sets: &'a Sets, clock: &Clock) -> Describer<'a> {
    Describer {
        party: key,
        rule,
        history: &party.history,
        sets,
        hits: &party.hits,
        memory_day: clock.memory_day(),
        complete_from: clock.complete_from,
    }
}

fn sent<T>(cause: &Cause, revisions: Vec<T>) -> impl Iterator<Item = Sent<T>> {
    let (record, tick) = (cause.record, cause.tick);
    revisions.into_iter().map(move |revision| Sent { record, tick, revision })
}

/// A moment as people read it.
fn as_text<S: serde::Serializer>(at: &EventTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

//! Time passes: removals expire, days end, episodes close, and what is too old to matter is let go.
//!
//! Here alone the frontier moves that decides what is forgotten, so forgetting depends on the log's ticks and on nothing else. Memory is given back a few
//! parties at a time ([`Engine::sweep`]); when, no answer shows.

use smallvec::SmallVec;
use weir_model::time::MICROS_PER_DAY;
use weir_model::{Alert, AlertStatus, Day, EventTime, Reason};
use weir_rules::{On, Rule};

use super::ahead::STRETCH;
use super::alerts::send;
use super::legs::reject_removal;
use super::{BATCH_ROWS, Cause, DAY_ENDS_MAX, Engine, Group, LastTick, WATCH_SPAN, edition_at, state};
use crate::Effects;
use crate::detection::Detection;
use crate::history::TIDY_DAYS;

/// Parties that a tick sweeps, for partitions in which nothing happens.
const SWEPT_A_TICK: usize = 1000;

impl Engine {
    pub(super) fn tick(&mut self, record: u64, clock: EventTime, effects: &mut Effects) {
        self.flush(effects);
        let clock = self.clock().max(clock);
        let before = self.memory_day();
        let frontier = clock.minus(self.settings.lateness);
        self.last_tick = Some(LastTick::new(clock, frontier));
        let cause = Cause { record, tick: true, trigger: None };
        self.expire_removals(frontier, &cause, effects);
        self.finish_days(&cause, effects);
        self.end_days(clock, &cause, effects);
        self.close_and_settle(frontier, &cause, effects);
        if self.memory_day() != before {
            self.forget(frontier);
        }
        self.sweep(SWEPT_A_TICK);
    }

    fn expire_removals(&mut self, frontier: EventTime, cause: &Cause, effects: &mut Effects) {
        for number in std::mem::take(&mut self.waiting) {
            self.keep(number);
            let party = &mut self.parties[number as usize];
            let pending = std::mem::take(&mut party.pending).into_vec();
            let (expired, waiting): (Vec<_>, Vec<_>) = pending.into_iter().partition(|removal| removal.clock < frontier);
            party.pending = waiting.into();
            party.is_changed |= !expired.is_empty();
            if !party.pending.is_empty() {
                self.waiting.insert(number);
            }
            for removal in expired {
                self.tables.txns.release(removal.target);
                if !removal.has_removed {
                    let party = &self.parties[number as usize];
                    effects.rejects.push(reject_removal(cause.record, true, party, &removal, Reason::ReversalTargetMissing, frontier));
                }
            }
        }
    }

    /// Evaluates rules `on: day_end` for the days that have ended since the last tick.
    fn end_days(&mut self, clock: EventTime, cause: &Cause, effects: &mut Effects) {
        let last = clock.day().plus(-1);
        let first = self.day_ends_done.map_or(Day(i32::MIN), |done| done.plus(1)).max(last.plus(1 - DAY_ENDS_MAX));
        self.day_ends_done = self.day_ends_done.max(Some(last));
        if !self.editions.iter().any(|edition| edition.has_day_end_rules) {
            return;
        }
        // All ends of a party together: what a tick brings is said once.
        for number in self.active.clone() {
            let begin = self.pending_rows.len();
            let watched = (first.0..=last.0).map(Day).filter(|day| self.is_looked_at(number, *day));
            for day in watched.collect::<Vec<_>>() {
                self.gate_day_end(number, day);
            }
            let rows = begin..self.pending_rows.len();
            if let Some(from) = self.pending_rows[rows.clone()].first().map(|row| row.t) {
                self.groups.push(Group { party: number, cause: cause.clone(), from, rows, is_day_end: true });
            }
            if self.pending_rows.len() >= BATCH_ROWS {
                self.flush(effects);
            }
        }
        self.flush(effects);
    }

    /// Whether some day-end rule looks at the party at the end of the day.
    fn is_looked_at(&self, number: u32, day: Day) -> bool {
        self.edition(day.end()).rules.rules.iter().any(|rule| rule.on != On::Instant && self.is_watched(number, rule, day))
    }

    /// Whether a rule that this day-end rule watches hit on the party within the time before the end of the day.
    pub(super) fn is_watched(&self, number: u32, rule: &Rule, day: Day) -> bool {
        let (Some(detection), On::DayEnd { watch }) = (&self.parties[number as usize].detection, &rule.on) else {
            return false;
        };
        let within = |t: EventTime| t <= day.end() && t >= day.end().minus(WATCH_SPAN);
        watch.iter().any(|id| {
            let number = self.rules.iter().position(|known| known == id).and_then(|at| u32::try_from(at).ok());
            number.and_then(|number| detection.rules.get(&number)).is_some_and(|state| {
                state.last_hit.is_some_and(within)
                    || state.settled.is_some_and(|episode| within(episode.last.t))
                    || state.hits.iter().any(|hit| within(hit.t))
            })
        })
    }

    /// Alerts whose last hit cannot change any more are described once; those whose episode is over become quiet.
    fn close_and_settle(&mut self, frontier: EventTime, cause: &Cause, effects: &mut Effects) {
        for number in self.active.clone() {
            self.keep_and_change(number);
            let party = &mut self.parties[number as usize];
            let Some(mut detection) = party.detection.take() else {
                continue;
            };
            // Looking at it may have left a cursor and scans behind.
            party.be_due(number, frontier.day().plus(TIDY_DAYS), &mut self.agenda);
            let rules: Vec<u32> = detection.rules.keys().copied().collect();
            for rule in rules {
                self.settle_alerts(number, rule, &mut detection, frontier, cause, effects);
                let party = &self.parties[number as usize];
                let state = state(&mut detection, rule);
                state.settle(frontier, |first| self.inflow_before(party, rule, &first));
                // Kept for day-end rules, also for those that a later set brings.
                let is_stale = |last: &EventTime| last.plus(WATCH_SPAN) < frontier;
                if state.alerts.is_empty() && state.last_hit.as_ref().is_some_and(is_stale) {
                    state.last_hit = None;
                }
            }
            detection.drop_hits(frontier, |rule, hit| {
                let (edition, at) = self.rule_of(rule, hit);
                edition.rules.rules[at].uses_rule_hits
            });
            if detection.is_empty() {
                self.active.remove(&number);
            } else {
                self.parties[number as usize].detection = Some(detection);
            }
        }
    }

    fn settle_alerts(&self, number: u32, rule: u32, detection: &mut Detection, frontier: EventTime, cause: &Cause, effects: &mut Effects) {
        let party = &self.parties[number as usize];
        let episodes = state(detection, rule).episodes();
        for at in 0..state(detection, rule).alerts.len() {
            let live = &state(detection, rule).alerts[at];
            if live.span.1 >= frontier || live.settled().is_some() {
                continue;
            }
            let last = live.span.1;
            let episode = episodes.iter().find(|episode| episode.span() == live.span);
            let episode = *episode.expect("a live alert has claimed an episode");
            let (described, _) = self.describe(party, rule, detection, &episode);
            state(detection, rule).alerts[at].settled = Some((last, Box::new(described)));
        }
        let (over, live): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state(detection, rule).alerts).into_iter().partition(|live| live.span.1.plus(live.quiet) < frontier);
        state(detection, rule).alerts = live;
        for live in over {
            let described = live.settled().expect("the last hit of an episode that is over was settled above").clone();
            let alert =
                Alert { alert_id: live.sent.alert_id.clone(), revision: live.sent.revision + 1, status: AlertStatus::Quiet, ..described };
            send(alert, cause, effects);
        }
    }

    /// Moves the day from which rows are all there: windows of the sets in force do not reach further back.
    fn forget(&mut self, frontier: EventTime) {
        let first = edition_at(&self.editions, frontier);
        let reach = self.editions[first..].iter().map(|edition| edition.reach_days).max().unwrap_or(0);
        // The lateness on top: a removal may take the last hit away, and the one before it speaks again.
        let slack = i32::try_from(self.settings.lateness.0 / MICROS_PER_DAY).unwrap_or(i32::MAX).saturating_add(2);
        let keep_from = frontier.day().plus(-slack.saturating_add(i32::try_from(reach).unwrap_or(i32::MAX))).min(self.memory_day());
        self.complete_from = self.complete_from.max(keep_from);
    }

    /// Lets go of what is too old to matter, in so many of the parties that are due: all at once takes a third of a second in a bank of a million.
    /// What it frees could not be observed before either, so a party that is only swept has not changed, and nothing depends on when it is.
    pub(super) fn sweep(&mut self, mut parties: usize) {
        let Some(LastTick { frontier, today, .. }) = self.last_tick else { return };
        while parties > 0 {
            // Nobody who is swept is due again today, so whoever comes next can be told beforehand.
            let due: SmallVec<[u32; STRETCH]> = (0..parties.min(STRETCH)).map_while(|_| self.agenda.next(today)).collect();
            if due.is_empty() {
                return;
            }
            parties -= due.len();
            self.look_ahead_of_sweep(&due);
            for number in due {
                self.sweep_party(number, frontier);
            }
        }
    }

    fn sweep_party(&mut self, number: u32, frontier: EventTime) {
        // It may have been there already, and stand under a later day.
        if self.parties[number as usize].due > frontier.day() {
            return;
        }
        self.keep(number);
        let party = &mut self.parties[number as usize];
        let next = party.tidy(number, frontier, self.complete_from, &mut self.tables);
        party.due = Day(i32::MAX);
        party.be_due(number, next, &mut self.agenda);
    }
}

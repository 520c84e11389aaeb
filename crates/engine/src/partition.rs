//! One partition: inputs in log order become changes of histories, histories become hits, hits become effects.
//!
//! 1. A leg enters its party's history (`history`), its day's large-amount totals (`large_amount`), and, if any rule might hit at an
//!    instant it touches, the list of pending rows (`evaluate`).
//! 2. Pending rows wait to be evaluated together, at most until their party changes again, a tick or a switch comes, or the call ends.
//! 3. A tick expires what waits, finishes days, closes and settles episodes, and lets go of what is too old to matter.
//!
//! What is forgotten follows from the frontier of the last tick alone, never from when memory is really freed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;
use weir_model::time::MICROS_PER_DAY;
use weir_model::alert::{LogPosition, Trigger, Withdrawal};
use weir_model::{
    Alert, AlertId, AlertStatus, Day, Direction, EventTime, Leg, LegKind, LargeAmountReport, Reason, ReportStatus, Span,
};
use weir_rules::{On, RuleSet, Value, Window};

use crate::describe::{self, Occasion};
use crate::detection::{Change, Detection, Episode, Figures, Hit, LiveAlert, RuleState, Withdrawn};
use crate::evaluate::{Edition, PendingRow, decide};
use crate::history::{Accepted, FORGET_DAYS, MEMORY_DAYS, Moment, Party, PendingRemoval};
use crate::intern::hash;
use crate::large_amount::{ReportKey, item_of, report_id};
use crate::row::Row;
use crate::tables::Tables;
use crate::view::{ProfileData, View};
use crate::{AlertEffect, Effects, Input, RejectEffect, ReportEffect, Settings};

/// Pending rows are evaluated at the latest when there are this many.
const BATCH_ROWS: usize = 1024;
/// Day-end rules look at parties whose watched rules hit within this time.
const WATCH_SPAN: Span = Span::days(180);
/// A tick evaluates at most this many day ends.
const DAY_ENDS_MAX: i32 = 31;

/// One partition of the leg log.
pub struct Engine {
    pub(crate) settings: Settings,
    /// Rule sets by the instants they are in force for, oldest first; never empty.
    pub(crate) editions: Vec<Edition>,
    pub(crate) generation: u32,
    /// Rules ever seen: index is the rule's number in this partition.
    pub(crate) rules: Vec<KnownRule>,
    pub(crate) clock: EventTime,
    pub(crate) last_tick: Option<LastTick>,
    pub(crate) parties: Vec<Party>,
    index: HashTable<u32>,
    pub(crate) tables: Tables,
    groups: Vec<Group>,
    pending_rows: Vec<PendingRow>,
    /// Parties with a removal that waits.
    pub(crate) waiting: BTreeSet<u32>,
    /// Days with a report that is opened and not final.
    pub(crate) opened_reports: BTreeSet<(Day, u32)>,
    /// Parties with hits or alerts.
    pub(crate) active: BTreeSet<u32>,
    /// Rows from this day on are all there.
    pub(crate) complete_from: Day,
    pub(crate) day_ends_done: Option<Day>,
}

/// A rule by its id.
#[derive(Debug, Clone)]
pub(crate) struct KnownRule {
    pub(crate) id: String,
    /// Of the newest set that has the rule.
    pub(crate) quiet: Span,
}

/// The last tick: what is forgotten follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastTick {
    pub(crate) clock: EventTime,
    pub(crate) frontier: EventTime,
}

/// A change of one party that waits to be evaluated.
#[derive(Debug)]
struct Group {
    party: u32,
    cause: Cause,
    /// Instants from here on are evaluated anew.
    from: EventTime,
    rows: Range<usize>,
    /// A day end that came, rather than a changed history.
    is_day_end: bool,
}

/// What caused a revision.
#[derive(Debug, Clone)]
struct Cause {
    record: u64,
    tick: bool,
    trigger: Option<Trigger>,
}

impl Engine {
    /// An empty partition under `rules`.
    #[must_use]
    pub fn new(settings: Settings, rules: Arc<RuleSet>) -> Self {
        let mut engine = Self::empty(settings);
        engine.add_edition(EventTime::MIN, rules);
        engine
    }

    pub(crate) fn empty(settings: Settings) -> Self {
        Self {
            settings,
            editions: Vec::new(),
            generation: 0,
            rules: Vec::new(),
            clock: EventTime::MIN,
            last_tick: None,
            parties: Vec::new(),
            index: HashTable::new(),
            tables: Tables::default(),
            groups: Vec::new(),
            pending_rows: Vec::new(),
            waiting: BTreeSet::new(),
            opened_reports: BTreeSet::new(),
            active: BTreeSet::new(),
            complete_from: Day(i32::MIN),
            day_ends_done: None,
        }
    }

    /// Feeds inputs in log order. How a log is cut into calls cannot be observed, as long as the legs of one record stay together.
    pub fn step(&mut self, inputs: &[Input<'_>], effects: &mut Effects) {
        let begin = (effects.alerts.len(), effects.reports.len(), effects.rejects.len());
        for input in inputs {
            match input {
                Input::Leg { record, clock, leg } => self.leg(*record, *clock, leg, effects),
                Input::Tick { record, clock } => self.tick(*record, *clock, effects),
                Input::Switch { clock, rules, .. } => {
                    self.flush(effects);
                    self.clock = self.clock.max(*clock);
                    self.add_edition(*clock, Arc::clone(rules));
                }
            }
        }
        self.flush(effects);
        effects.alerts[begin.0..].sort_by(|a, b| a.key().cmp(&b.key()));
        effects.reports[begin.1..].sort_by(|a, b| a.key().cmp(&b.key()));
        effects.rejects[begin.2..].sort_by(|a, b| a.key().cmp(&b.key()));
    }

    /// The live alerts in their present state, values as of their last hit: what a file run adds at its end to the quiet and withdrawn ones.
    /// In order of (record of the first revision, rule id, party).
    #[must_use]
    pub fn live_alerts(&self) -> Vec<AlertEffect> {
        let mut live = Vec::new();
        for number in &self.active {
            let party = &self.parties[*number as usize];
            let Some(detection) = &party.detection else { continue };
            for (rule, state) in &detection.rules {
                let episodes = state.episodes(self.rules[*rule as usize].quiet);
                for alert in &state.alerts {
                    live.push(self.present_state(party, *rule, detection, alert, &episodes));
                }
            }
        }
        live.sort_by(|a, b| a.key().cmp(&b.key()));
        live
    }

    /// Parties with a history.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties.len()
    }

    pub(crate) fn add_edition(&mut self, after: EventTime, set: Arc<RuleSet>) {
        self.generation += 1;
        let numbers = set.rules.iter().map(|rule| self.rule_number(&rule.id, rule.quiet)).collect();
        self.editions.push(Edition::new(set, after, self.generation, numbers));
    }

    /// The number of a rule, new or known; the newest `quiet` counts.
    pub(crate) fn rule_number(&mut self, id: &str, quiet: Span) -> u32 {
        let at = self.rules.iter().position(|rule| rule.id == id).unwrap_or_else(|| {
            self.rules.push(KnownRule { id: id.to_owned(), quiet });
            self.rules.len() - 1
        });
        self.rules[at].quiet = quiet;
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// The number of a party, new or known.
    pub(crate) fn party_number(&mut self, key: &str) -> u32 {
        let hashed = hash(key);
        if let Some(number) = self.index.find(hashed, |number| &*self.parties[*number as usize].key == key) {
            return *number;
        }
        let number = u32::try_from(self.parties.len()).expect("fewer than 2^32 parties fit in memory");
        self.parties.push(Party::new(key));
        self.index.insert_unique(hashed, number, |number| hash(&self.parties[*number as usize].key));
        number
    }

    fn memory_day(&self) -> Day {
        self.last_tick.map_or(Day(i32::MIN), |tick| tick.frontier.day().plus(-MEMORY_DAYS))
    }

    fn forget_before(&self) -> Day {
        self.last_tick.map_or(Day(i32::MIN), |tick| tick.frontier.day().plus(-FORGET_DAYS))
    }

    /// Whether a tick has come after the end of the day.
    fn is_over(&self, day: Day) -> bool {
        self.last_tick.is_some_and(|tick| tick.clock > day.end())
    }
}

/// Legs.
impl Engine {
    fn leg(&mut self, record: u64, clock: EventTime, leg: &Leg<'_>, effects: &mut Effects) {
        effects.counts.legs += 1;
        self.clock = self.clock.max(clock);
        let number = self.party_number(leg.party);
        if self.parties[number as usize].is_pending || self.pending_rows.len() >= BATCH_ROWS {
            self.flush(effects);
        }
        let newest = self.editions.last().expect("a partition has a rule set from the beginning");
        let moment = Moment {
            record,
            clock,
            frontier: self.clock.minus(self.settings.lateness),
            memory_day: self.memory_day(),
            forget_before: self.forget_before(),
            reevaluate_max: self.settings.reevaluate_max,
            horizons: &newest.horizons,
            calendar: &newest.rules.calendar,
        };
        let frontier = moment.frontier;
        let party = &mut self.parties[number as usize];
        let accepted = party.accept(number, leg, &moment, &mut self.tables);
        if matches!(leg.kind, LegKind::Removal { .. }) && !party.pending.is_empty() {
            self.waiting.insert(number);
        }
        let cause = |leg: &Leg<'_>| Cause {
            record,
            tick: false,
            trigger: Some(Trigger { txn_id: leg.txn_id.to_owned(), occurred_at: leg.at.to_string() }),
        };
        match accepted {
            Accepted::Silent => {}
            Accepted::Duplicate => effects.counts.duplicates += 1,
            Accepted::Rejected(reason) => effects.rejects.push(reject(record, leg, reason, frontier)),
            Accepted::Inserted(at) => {
                self.changed(number, &[self.parties[number as usize].rows[at]], true, cause(leg), effects);
            }
            Accepted::InsertedAgainst(removal, at) => {
                let party = &self.parties[number as usize];
                effects.rejects.push(reject_removal(record, false, party, &removal, Reason::PartialReversal, frontier));
                self.changed(number, &[party.rows[at]], true, cause(leg), effects);
            }
            Accepted::Removed(rows) => {
                effects.counts.reversed += rows.len() as u64;
                self.changed(number, &rows, false, cause(leg), effects);
            }
        }
        self.drop_excess(number, effects);
    }

    /// Rows have entered or left a history: totals of their days, then the instants from the earliest on.
    fn changed(&mut self, number: u32, rows: &[Row], add: bool, cause: Cause, effects: &mut Effects) {
        let mut totals = BTreeSet::new();
        for row in rows {
            totals.extend(self.parties[number as usize].count_large_amount(row, add, &self.tables));
        }
        for total in totals {
            self.report_change(number, total, &cause, effects);
        }
        if let Some(from) = rows.iter().map(|row| row.at).min() {
            self.touch(number, from, cause);
        }
    }

    /// Gates every instant from `from` on; what passes waits in a group.
    fn touch(&mut self, number: u32, from: EventTime, cause: Cause) {
        let begin = self.pending_rows.len();
        let first = self.parties[number as usize].rows.partition_point(|row| row.at < from);
        let mut last = EventTime::MIN;
        let mut at = first;
        while let Some(row) = self.parties[number as usize].rows.get(at) {
            at += 1;
            if row.is_live() && row.at != last {
                last = row.at;
                self.gate(number, last, false);
            }
        }
        if let Some(done) = self.day_ends_done.filter(|_| self.editions.iter().any(|edition| edition.has_day_end_rules)) {
            for day in from.day().0..=done.0 {
                if self.is_watched(number, Day(day)) {
                    self.gate(number, Day(day).end(), true);
                }
            }
        }
        let rows = begin..self.pending_rows.len();
        let party = &mut self.parties[number as usize];
        let had_hits = party.detection.as_ref().is_some_and(|detection| {
            detection.rules.values().any(|state| state.hits.last().is_some_and(|hit| hit.t >= from))
        });
        if rows.is_empty() && !had_hits {
            return;
        }
        party.is_pending = true;
        self.groups.push(Group { party: number, cause, from, rows, is_day_end: false });
    }

    /// Puts the instant on the list of pending rows if a variant passes its gates there.
    fn gate(&mut self, number: u32, t: EventTime, is_day_end: bool) {
        let at = edition_at(&self.editions, t);
        let edition = &self.editions[at];
        let party = &mut self.parties[number as usize];
        party.cursor.seek(&party.rows, party.pairs.len(), t, &edition.horizons, &edition.rules.calendar);
        let party = &self.parties[number as usize];
        let view = self.view_of_rows(party, party.cursor.tail(), t, edition);
        let row = edition.gate(number, at, (party.is_group(), is_day_end), &party.cursor, &view);
        self.pending_rows.extend(row);
    }

    /// `party_legs_max`: the oldest sixteenth leaves at once, so that a full party does not pay for every leg.
    fn drop_excess(&mut self, number: u32, effects: &mut Effects) {
        let max = self.settings.party_legs_max;
        if self.parties[number as usize].rows.len() <= max {
            return;
        }
        self.flush(effects);
        let party = &mut self.parties[number as usize];
        let count = (party.rows.len() - max + max / 16).min(party.rows.len() - 1);
        party.dropped_to = Some(party.rows[count - 1].at);
        party.drop_rows(number, count, &mut self.tables);
        effects.counts.legs_dropped += count as u64;
    }
}

/// Large amounts.
impl Engine {
    fn report_change(&mut self, number: u32, total: usize, cause: &Cause, effects: &mut Effects) {
        let day = self.parties[number as usize].day_totals[total].key.day;
        let is_over = self.is_over(day);
        let Some(status) = self.parties[number as usize].day_totals[total].after_change(is_over) else {
            return;
        };
        if status == ReportStatus::Opened {
            self.opened_reports.insert((day, number));
        }
        self.send_report(number, total, status, cause, effects);
    }

    fn send_report(&mut self, number: u32, total: usize, status: ReportStatus, cause: &Cause, effects: &mut Effects) {
        let calendar = &self.editions.last().expect("a partition has a rule set from the beginning").rules.calendar;
        let max = self.settings.report_transactions_max;
        let report: LargeAmountReport = self.parties[number as usize].report(total, status, &self.tables, calendar, max);
        effects.reports.push(ReportEffect { record: cause.record, tick: cause.tick, report });
    }

    /// Reports of days that are over become final.
    fn finish_days(&mut self, cause: &Cause, effects: &mut Effects) {
        while let Some((day, number)) = self.opened_reports.first().copied().filter(|(day, _)| self.is_over(*day)) {
            self.opened_reports.remove(&(day, number));
            let totals: Vec<usize> = (0..self.parties[number as usize].day_totals.len())
                .filter(|at| {
                    let total = &self.parties[number as usize].day_totals[*at];
                    total.key.day == day && total.sent == Some(ReportStatus::Opened) && total.is_reached()
                })
                .collect();
            for total in totals {
                self.send_report(number, total, ReportStatus::Final, cause, effects);
            }
        }
    }
}

/// Evaluation.
impl Engine {
    /// Evaluates everything that waits and says what follows.
    fn flush(&mut self, effects: &mut Effects) {
        if self.groups.is_empty() {
            return;
        }
        let groups = std::mem::take(&mut self.groups);
        let mut rows = std::mem::take(&mut self.pending_rows);
        effects.counts.rows_gated += rows.len() as u64;
        self.decide(&mut rows, false);
        self.apply(&groups, &rows);
        let uses_rule_hits = self.editions.iter().any(|edition| edition.rules.rules.iter().any(|rule| rule.uses_rule_hits));
        if uses_rule_hits {
            self.decide(&mut rows, true);
            self.apply(&groups, &rows);
        }
        effects.counts.hits += rows.iter().map(|row| row.hits.len() as u64).sum::<u64>();
        for group in &groups {
            self.parties[group.party as usize].is_pending = false;
            self.speak(group, effects);
        }
        rows.clear();
        self.pending_rows = rows;
    }

    fn decide(&self, rows: &mut [PendingRow], uses_rule_hits: bool) {
        for (at, edition) in self.editions.iter().enumerate() {
            let mut of_edition: Vec<&mut PendingRow> = rows.iter_mut().filter(|row| row.edition == at).collect();
            if of_edition.is_empty() {
                continue;
            }
            let view_of = |row: &PendingRow| self.view(&self.parties[row.party as usize], row.t, edition);
            let rule_hits = |party: u32, t: EventTime, id: &str, window: Window| {
                let detection = self.parties[party as usize].detection.as_deref();
                self.rule_hits(detection, t, id, window)
            };
            decide(edition, &mut of_edition, uses_rule_hits, &view_of, &rule_hits);
        }
    }

    fn rule_hits(&self, detection: Option<&Detection>, t: EventTime, id: &str, window: Window) -> Value {
        let Window::Exact(span) = window else {
            return Value::Null;
        };
        let number = self.rules.iter().position(|rule| rule.id == id).and_then(|at| u32::try_from(at).ok());
        let state = number.and_then(|number| detection?.rules.get(&number));
        Value::Int(state.map_or(0, |state| i64::try_from(state.hits_within(t, span)).unwrap_or(i64::MAX)))
    }

    /// Puts the rows' hits in the place of those that stood from each group's first instant on.
    fn apply(&mut self, groups: &[Group], rows: &[PendingRow]) {
        for group in groups {
            let mut hits = BTreeMap::<u32, Vec<Hit>>::new();
            for row in &rows[group.rows.clone()] {
                for (rule, hit) in &row.hits {
                    hits.entry(self.editions[row.edition].numbers[*rule]).or_default().push(*hit);
                }
            }
            let party = &mut self.parties[group.party as usize];
            if party.detection.is_none() && hits.is_empty() {
                continue;
            }
            let detection = party.detection.get_or_insert_default();
            for rule in hits.keys() {
                detection.rules.entry(*rule).or_default();
            }
            for (rule, state) in &mut detection.rules {
                let mut hits = hits.remove(rule).unwrap_or_default();
                if group.is_day_end {
                    // Nothing changed but that a day ended: the new hits join the others.
                    hits.extend(state.hits.iter().filter(|hit| hit.t >= group.from));
                }
                hits.sort_by_key(|hit| hit.t);
                hits.dedup_by_key(|hit| hit.t);
                state.replace_from(group.from, &hits);
            }
            self.active.insert(group.party);
        }
    }

    /// Says what a changed answer asks to be said.
    fn speak(&mut self, group: &Group, effects: &mut Effects) {
        let Some(mut detection) = self.parties[group.party as usize].detection.take() else {
            return;
        };
        let rules: Vec<u32> = detection.rules.keys().copied().collect();
        for rule in rules {
            let quiet = self.rules[rule as usize].quiet;
            let changes = detection.rules.get_mut(&rule).map(|state| state.reconcile(quiet)).unwrap_or_default();
            for change in changes {
                self.speak_of(group, rule, &mut detection, change, effects);
            }
            if let Some(state) = detection.rules.get_mut(&rule) {
                state.alerts.sort_by_key(|alert| alert.opened);
            }
        }
        self.parties[group.party as usize].detection = Some(detection);
    }

    fn speak_of(&self, group: &Group, rule: u32, detection: &mut Detection, change: Change, effects: &mut Effects) {
        let party = &self.parties[group.party as usize];
        match change {
            Change::Withdraw { alert, into } => {
                let mut sent = *alert.sent;
                sent.revision += 1;
                sent.status = AlertStatus::Withdrawn;
                sent.withdrawal = Some(match into {
                    Some(opened) => Withdrawal::Merged { into: self.alert_id(rule, party, opened) },
                    None => Withdrawal::Unfounded,
                });
                let withdrawn = Withdrawn { opened: alert.opened, revision: sent.revision, first_record: alert.first_record };
                state(detection, rule).withdrawn.push(withdrawn);
                self.send(sent, &group.cause, effects);
            }
            Change::Claim { alert, episode } => {
                let live = &mut state(detection, rule).alerts[alert];
                live.span = (episode.first.t, episode.last.t);
                if episode.last.t < group.from {
                    return;
                }
                let view = self.view(party, episode.last.t, self.edition(episode.last.t));
                let figures = || describe::figures(&view, self.window(rule, &episode));
                if !live.is_outgrown(&episode, figures) {
                    return;
                }
                let revision = live.sent.revision + 1;
                let (alert_now, figures) = self.describe(party, rule, detection, &episode);
                let live = &mut state(detection, rule).alerts[alert];
                live.renew(alert_now, revision, AlertStatus::Updated, &episode, figures);
                let sent = self.stamped(&live.sent, &group.cause);
                *live.sent = sent.clone();
                effects.alerts.push(AlertEffect { record: group.cause.record, tick: group.cause.tick, alert: sent });
            }
            Change::Open { episode } => self.open(group, rule, detection, &episode, effects),
        }
    }

    fn open(&self, group: &Group, rule: u32, detection: &mut Detection, episode: &Episode, effects: &mut Effects) {
        let party = &self.parties[group.party as usize];
        let (mut alert, figures) = self.describe(party, rule, detection, episode);
        let opened = episode.first.t;
        let state = state(detection, rule);
        let before = state.withdrawn.iter().position(|withdrawn| withdrawn.opened == opened).map(|at| state.withdrawn.remove(at));
        alert.alert_id = self.alert_id(rule, party, opened);
        alert.revision = before.map_or(0, |withdrawn| withdrawn.revision) + 1;
        alert.status = AlertStatus::Opened;
        let sent = self.stamped(&alert, &group.cause);
        state.alerts.push(LiveAlert {
            opened,
            span: (episode.first.t, episode.last.t),
            sent: Box::new(sent.clone()),
            sent_figures: figures,
            sent_level: episode.level,
            sent_last: episode.last.t,
            first_record: before.map_or(group.cause.record, |withdrawn| withdrawn.first_record),
            settled: None,
        });
        effects.alerts.push(AlertEffect { record: group.cause.record, tick: group.cause.tick, alert: sent });
    }

    fn alert_id(&self, rule: u32, party: &Party, opened: EventTime) -> String {
        AlertId::new(&self.rules[rule as usize].id, &party.key, opened).hex()
    }

    fn stamped(&self, alert: &Alert, cause: &Cause) -> Alert {
        let detected_from = LogPosition { source: String::new(), partition: 0, offset: cause.record };
        Alert { triggered_by: cause.trigger.clone(), detected_from, ..alert.clone() }
    }

    fn send(&self, alert: Alert, cause: &Cause, effects: &mut Effects) {
        effects.alerts.push(AlertEffect { record: cause.record, tick: cause.tick, alert: self.stamped(&alert, cause) });
    }
}

/// Descriptions.
impl Engine {
    fn edition(&self, t: EventTime) -> &Edition {
        &self.editions[edition_at(&self.editions, t)]
    }

    /// The window of the variant that hit last.
    fn window(&self, rule: u32, episode: &Episode) -> Window {
        self.window_of(rule, &episode.last)
    }

    fn window_of(&self, rule: u32, hit: &Hit) -> Window {
        let (_, at) = self.rule_of(rule, hit.t);
        self.edition(hit.t).rules.rules[at].variants[usize::from(hit.variant)].window
    }

    /// The edition in force at `t`, and the index of the rule in it.
    fn rule_of(&self, rule: u32, t: EventTime) -> (&Edition, usize) {
        let edition = self.edition(t);
        let at = edition.numbers.iter().position(|number| *number == rule);
        (edition, at.expect("a rule that hit at an instant is in the set in force at it"))
    }

    fn view<'a>(&'a self, party: &'a Party, t: EventTime, edition: &'a Edition) -> View<'a> {
        self.view_of_rows(party, party.rows.partition_point(|row| row.at <= t), t, edition)
    }

    fn view_of_rows<'a>(&'a self, party: &'a Party, rows: usize, t: EventTime, edition: &'a Edition) -> View<'a> {
        static NOBODY: std::sync::LazyLock<ProfileData> = std::sync::LazyLock::new(ProfileData::default);
        let rows = &party.rows[..rows];
        let last = rows.iter().rev().find(|row| row.is_live());
        View {
            rows,
            pairs: &party.pairs,
            t,
            profile: last.map_or(&NOBODY, |row| self.tables.profile_data(row.profile)),
            history_from: party.history_from,
            forget_before: self.forget_before(),
            calendar: &edition.rules.calendar,
            extras: &self.tables.extras,
            strings: &self.tables.strings,
            past_active: party.past_active,
            profiles: self.tables.profiles(),
            lists: &edition.rules.lists,
        }
    }

    /// Inflow before the window of an episode's first hit.
    fn inflow_before(&self, party: &Party, rule: u32, first: &Hit) -> i128 {
        let start = self.window_of(rule, first).start(first.t, &self.edition(first.t).rules.calendar);
        party.inflow_before(start)
    }

    fn describe(&self, party: &Party, rule: u32, detection: &Detection, episode: &Episode) -> (Alert, Figures) {
        let t = episode.last.t;
        let (edition, at) = self.rule_of(rule, t);
        let view = self.view(party, t, edition);
        let variant = &edition.rules.rules[at].variants[usize::from(episode.last.variant)];
        let before = episode.inflow_before.unwrap_or_else(|| self.inflow_before(party, rule, &episode.first));
        let first_day = variant.window.first_day(t, view.calendar);
        let is_truncated = party.dropped_to.is_some_and(|dropped| dropped.day() >= first_day);
        let reach = t.day().plus(-i32::try_from(edition.reach_days).unwrap_or(i32::MAX));
        let occasion = Occasion {
            party: &party.key,
            set: &edition.rules,
            rule: &edition.rules.rules[at],
            episode,
            txns: &self.tables.txns,
            memory_day: self.memory_day(),
            inflow_since_first: party.inflow_before(t.plus(Span(1))) - before,
            is_shadow: self.complete_from > reach,
            is_truncated,
            rule_hits: &|id, window| self.rule_hits(Some(detection), t, id, window),
        };
        (describe::describe(&view, &occasion), describe::figures(&view, variant.window))
    }

    /// A live alert as of its last hit, in the form of its last revision.
    fn present_state(&self, party: &Party, rule: u32, detection: &Detection, live: &LiveAlert, episodes: &[Episode]) -> AlertEffect {
        let described = match live.settled() {
            Some(settled) => settled.clone(),
            None => match episodes.iter().find(|episode| (episode.first.t, episode.last.t) == live.span) {
                Some(episode) => self.describe(party, rule, detection, episode).0,
                None => (*live.sent).clone(),
            },
        };
        let sent = &live.sent;
        let status = if sent.revision == 1 { AlertStatus::Opened } else { AlertStatus::Updated };
        let alert = Alert {
            alert_id: sent.alert_id.clone(),
            revision: sent.revision,
            status,
            withdrawal: None,
            triggered_by: sent.triggered_by.clone(),
            detected_from: sent.detected_from.clone(),
            ..described
        };
        AlertEffect { record: live.first_record, tick: false, alert }
    }
}

/// Ticks.
impl Engine {
    fn tick(&mut self, record: u64, clock: EventTime, effects: &mut Effects) {
        self.flush(effects);
        self.clock = self.clock.max(clock);
        let before = self.memory_day();
        let frontier = self.clock.minus(self.settings.lateness);
        self.last_tick = Some(LastTick { clock: self.clock, frontier });
        let cause = Cause { record, tick: true, trigger: None };
        self.expire_removals(&cause, effects);
        self.finish_days(&cause, effects);
        self.end_days(&cause, effects);
        self.close_and_settle(frontier, &cause, effects);
        if self.memory_day() != before {
            self.sweep(frontier);
        }
    }

    fn expire_removals(&mut self, cause: &Cause, effects: &mut Effects) {
        let due = self.clock.minus(self.settings.lateness);
        let frontier = due;
        for number in std::mem::take(&mut self.waiting) {
            let party = &mut self.parties[number as usize];
            let (expired, waiting): (Vec<_>, Vec<_>) =
                std::mem::take(&mut party.pending).into_iter().partition(|removal| removal.clock < due);
            party.pending = waiting;
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
    fn end_days(&mut self, cause: &Cause, effects: &mut Effects) {
        let last = self.clock.day().plus(-1);
        let first = self.day_ends_done.map_or(Day(i32::MIN), |done| done.plus(1)).max(last.plus(1 - DAY_ENDS_MAX));
        self.day_ends_done = self.day_ends_done.max(Some(last));
        if !self.editions.iter().any(|edition| edition.has_day_end_rules) {
            return;
        }
        for day in first.0..=last.0 {
            for number in self.active.clone() {
                if !self.is_watched(number, Day(day)) {
                    continue;
                }
                let begin = self.pending_rows.len();
                self.gate(number, Day(day).end(), true);
                let rows = begin..self.pending_rows.len();
                if !rows.is_empty() {
                    self.groups.push(Group { party: number, cause: cause.clone(), from: Day(day).end(), rows, is_day_end: true });
                }
            }
            self.flush(effects);
        }
    }

    /// Whether a rule that some day-end rule watches hit on the party within the time before the end of the day.
    fn is_watched(&self, number: u32, day: Day) -> bool {
        let Some(detection) = &self.parties[number as usize].detection else {
            return false;
        };
        let rules = &self.edition(day.end()).rules.rules;
        let watched = rules.iter().filter_map(|rule| match &rule.on {
            On::DayEnd { watch } => Some(watch.iter()),
            On::Instant => None,
        });
        let within = |t: EventTime| t <= day.end() && t >= day.end().minus(WATCH_SPAN);
        watched.flatten().any(|id| {
            let number = self.rules.iter().position(|rule| rule.id == *id).and_then(|at| u32::try_from(at).ok());
            number.and_then(|number| detection.rules.get(&number)).is_some_and(|state| {
                state.last_hit.is_some_and(within)
                    || state.settled.is_some_and(|episode| within(episode.last.t))
                    || state.hits.iter().any(|hit| within(hit.t))
            })
        })
    }

    /// Alerts whose last hit cannot change any more are described once; those whose episode is over become quiet.
    fn close_and_settle(&mut self, frontier: EventTime, cause: &Cause, effects: &mut Effects) {
        let keeps_last_hit = self.editions.iter().any(|edition| edition.has_day_end_rules);
        for number in self.active.clone() {
            let Some(mut detection) = self.parties[number as usize].detection.take() else {
                continue;
            };
            let rules: Vec<u32> = detection.rules.keys().copied().collect();
            for rule in rules {
                self.settle_alerts(number, rule, &mut detection, frontier, cause, effects);
                let quiet = self.rules[rule as usize].quiet;
                let party = &self.parties[number as usize];
                let state = state(&mut detection, rule);
                state.settle(frontier, quiet, |first| self.inflow_before(party, rule, &first));
                if state.settled.is_some_and(|episode| episode.last.t.plus(quiet) < frontier) {
                    state.settled = None;
                }
                let is_stale = |last: &EventTime| !keeps_last_hit || last.plus(WATCH_SPAN) < frontier;
                if state.alerts.is_empty() && state.last_hit.as_ref().is_some_and(is_stale) {
                    state.last_hit = None;
                }
            }
            if detection.is_empty() {
                self.active.remove(&number);
            } else {
                self.parties[number as usize].detection = Some(detection);
            }
        }
    }

    fn settle_alerts(&self, number: u32, rule: u32, detection: &mut Detection, frontier: EventTime, cause: &Cause, effects: &mut Effects) {
        let party = &self.parties[number as usize];
        let quiet = self.rules[rule as usize].quiet;
        let episodes = state(detection, rule).episodes(quiet);
        for at in 0..state(detection, rule).alerts.len() {
            let live = &state(detection, rule).alerts[at];
            if live.span.1 >= frontier || live.settled().is_some() {
                continue;
            }
            let last = live.span.1;
            let episode = episodes.iter().find(|episode| (episode.first.t, episode.last.t) == live.span);
            let episode = *episode.expect("a live alert has claimed an episode");
            let (described, _) = self.describe(party, rule, detection, &episode);
            state(detection, rule).alerts[at].settled = Some((last, Box::new(described)));
        }
        let (over, live): (Vec<_>, Vec<_>) = std::mem::take(&mut state(detection, rule).alerts)
            .into_iter()
            .partition(|live| live.span.1.plus(quiet) < frontier);
        state(detection, rule).alerts = live;
        for live in over {
            let described = live.settled().expect("the last hit of an episode that is over was settled above").clone();
            let alert = Alert {
                alert_id: live.sent.alert_id.clone(),
                revision: live.sent.revision + 1,
                status: AlertStatus::Quiet,
                ..described
            };
            self.send(alert, cause, effects);
        }
    }

    /// Lets go of what is too old to matter, in every party. What it frees could not be observed before either.
    fn sweep(&mut self, frontier: EventTime) {
        let memory_day = self.memory_day();
        let reach = self.editions.iter().map(|edition| edition.reach_days).max().unwrap_or(0);
        // The lateness on top: a removal may take the last hit away, and the one before it speaks again.
        let slack = i32::try_from(self.settings.lateness.0 / MICROS_PER_DAY).unwrap_or(i32::MAX).saturating_add(2);
        let keep_from = frontier.day().plus(-slack.saturating_add(i32::try_from(reach).unwrap_or(i32::MAX))).min(memory_day);
        self.complete_from = self.complete_from.max(keep_from);
        for (number, party) in (0_u32..).zip(&mut self.parties) {
            party.age(number, memory_day, &mut self.tables);
            let old = party.rows.partition_point(|row| row.at < keep_from.start());
            // Moving the rest costs as much as it holds: wait until a quarter is old, or all is.
            if old * 4 > party.rows.len() {
                party.drop_rows(number, old, &mut self.tables);
            }
            party.day_totals.retain(|total| total.key.day.end() >= frontier);
            if party.rows.last().is_some_and(|row| row.at < frontier) {
                party.cursor.forget();
            }
        }
        let superseded = self.editions.iter().skip(1).take_while(|edition| edition.after < frontier).count();
        self.editions.drain(..superseded);
    }
}

/// The index of the edition in force at `t`.
fn edition_at(editions: &[Edition], t: EventTime) -> usize {
    editions.iter().rposition(|edition| edition.after < t).unwrap_or(0)
}

fn state(detection: &mut Detection, rule: u32) -> &mut RuleState {
    detection.rules.entry(rule).or_default()
}

fn reject(record: u64, leg: &Leg<'_>, reason: Reason, frontier: EventTime) -> RejectEffect {
    let is_customers = !leg.is_group() && !matches!(leg.kind, LegKind::Removal { .. });
    let item = item_of(leg.flags, leg.profile.kind).filter(|_| is_customers && reason.is_late());
    let key = item.map(|item| ReportKey { day: leg.at.day(), direction: leg.direction, item });
    RejectEffect {
        record,
        tick: false,
        rejected_record: record,
        reason,
        party: leg.party.to_owned(),
        txn_id: leg.txn_id.to_owned(),
        direction: leg.direction,
        at: leg.at,
        amount: leg.amount.cny,
        frontier,
        report_ids: key.map(|key| report_id(leg.party, key)).into_iter().collect(),
    }
}

fn reject_removal(record: u64, tick: bool, party: &Party, removal: &PendingRemoval, reason: Reason, frontier: EventTime) -> RejectEffect {
    RejectEffect {
        record,
        tick,
        rejected_record: removal.record,
        reason,
        party: party.key.to_string(),
        txn_id: removal.txn_id.to_string(),
        direction: removal.direction,
        at: removal.at,
        amount: (removal.currency == weir_model::Currency::CNY).then_some(removal.minor),
        frontier,
        report_ids: Vec::new(),
    }
}

impl LiveAlert {
    /// Takes the next revision in.
    fn renew(&mut self, alert: Alert, revision: u32, status: AlertStatus, episode: &Episode, figures: Figures) {
        *self.sent = Alert { alert_id: self.sent.alert_id.clone(), revision, status, ..alert };
        self.sent_figures = figures;
        self.sent_level = episode.level;
        self.sent_last = episode.last.t;
    }
}

impl AlertEffect {
    /// What a run's lines are ordered by; stable sorts keep the order within one rule, party and input.
    #[must_use]
    pub fn key(&self) -> (u64, bool, &str, &str) {
        (self.record, !self.tick, &self.alert.rule.id, &self.alert.subject.party)
    }
}

impl ReportEffect {
    /// What a run's lines are ordered by.
    #[must_use]
    pub fn key(&self) -> (u64, bool, &str, &str, Direction, u8) {
        (self.record, !self.tick, &self.report.customer, &self.report.day, self.report.direction, self.report.item.number())
    }
}

impl RejectEffect {
    /// What a run's lines are ordered by.
    #[must_use]
    pub fn key(&self) -> (u64, bool, u64, &str, Direction) {
        (self.record, !self.tick, self.rejected_record, &self.party, self.direction)
    }
}

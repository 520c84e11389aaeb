//! One partition: inputs in log order become changes of histories, histories become hits, hits become effects.
//!
//! 1. A leg enters its party's history (`history`), its day's large-amount totals (`large_amount`), and, if any rule might hit at an
//!    instant it touches, the list of pending rows (`evaluate`).
//! 2. Pending rows wait to be evaluated together, at most until their party changes again, a tick or a switch comes, or the call ends.
//! 3. A tick expires what waits, finishes days, closes and settles episodes, and lets go of what is too old to matter.
//!
//! The steps stand in files of their own: `ahead`, `legs`, `reports`, `hits`, `alerts`, `ticks`. What is forgotten follows from the frontier of the last tick alone, never from when memory is really freed.

mod ahead;
mod alerts;
mod hits;
mod legs;
mod reports;
mod ticks;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;
use weir_model::{Day, EventTime, Span};
use weir_rules::RuleSet;

use crate::agenda::Agenda;
use crate::chunks::Chunks;
use crate::detection::{Detection, RuleState};
use crate::evaluate::{Edition, PendingRow};
use crate::few::Few;
use crate::history::{FORGET_DAYS, MEMORY_DAYS, Party};
use crate::intern::hash;
use crate::snapshot::Taking;
use crate::tables::Tables;
use crate::{AlertEffect, Effects, Input, Settings};

/// Pending rows are evaluated at the latest when there are this many.
const BATCH_ROWS: usize = 1024;
/// Day-end rules look at parties whose watched rules hit within this time.
const WATCH_SPAN: Span = Span::days(180);
/// A tick evaluates at most this many day ends.
const DAY_ENDS_MAX: i32 = 31;

/// Parties that are swept for every leg. A leg puts its party into the agenda once at most, and so does a sweep that finds something to wait for; four leave
/// room to catch up after a restart, when all are due.
const SWEPT_A_LEG: usize = 4;

/// One partition of the leg log.
pub struct Engine {
    pub(crate) settings: Settings,
    /// Rule sets by the instants they are in force for, oldest first; never empty. None is dropped: hits name them by index.
    pub(crate) editions: Vec<Edition>,
    pub(crate) generation: u32,
    /// Ids of the rules ever seen: index is the rule's number in this partition.
    pub(crate) rules: Vec<String>,
    pub(crate) last_tick: Option<LastTick>,
    pub(crate) parties: Chunks<Party>,
    index: HashTable<u32>,
    pub(crate) tables: Tables,
    groups: Vec<Group>,
    pending_rows: Vec<PendingRow>,
    /// Rows that were evaluated, for their memory.
    spare_rows: Vec<PendingRow>,
    /// Of parties with few rows, one after another.
    few: Few,
    /// When parties are to be tidied.
    pub(crate) agenda: Agenda,
    /// Parties with a removal that waits.
    pub(crate) waiting: BTreeSet<u32>,
    /// Days with a report that is opened and not final.
    pub(crate) opened_reports: BTreeSet<(Day, u32)>,
    /// Parties with hits or alerts.
    pub(crate) active: BTreeSet<u32>,
    /// Rows from this day on are all there.
    pub(crate) complete_from: Day,
    pub(crate) day_ends_done: Option<Day>,
    /// Whether parties know what they have changed since a base ([`Engine::begin_changes`]).
    pub(crate) has_base: bool,
    /// A snapshot that is being taken.
    pub(crate) taking: Option<Box<Taking>>,
}

/// The last tick: what is late and what is forgotten follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastTick {
    pub(crate) clock: EventTime,
    pub(crate) frontier: EventTime,
    /// The day of the frontier: every leg asks for it.
    pub(crate) today: Day,
}

impl LastTick {
    pub(crate) fn new(clock: EventTime, frontier: EventTime) -> Self {
        Self { clock, frontier, today: frontier.day() }
    }
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
    /// Transaction id and moment of the leg.
    trigger: Option<(Box<str>, EventTime)>,
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
            last_tick: None,
            parties: Chunks::default(),
            index: HashTable::new(),
            tables: Tables::default(),
            groups: Vec::new(),
            pending_rows: Vec::new(),
            spare_rows: Vec::new(),
            few: Few::default(),
            agenda: Agenda::default(),
            waiting: BTreeSet::new(),
            opened_reports: BTreeSet::new(),
            active: BTreeSet::new(),
            complete_from: Day(i32::MIN),
            day_ends_done: None,
            has_base: false,
            taking: None,
        }
    }

    /// Feeds inputs in log order. How a log is cut into calls cannot be observed, as long as the legs of one record stay together.
    pub fn step(&mut self, inputs: &[Input<'_>], effects: &mut Effects) {
        let begin = (effects.alerts.len(), effects.reports.len(), effects.rejects.len());
        for inputs in inputs.chunks(ahead::STRETCH) {
            let ahead = self.look_ahead(inputs);
            for (input, ahead) in inputs.iter().zip(ahead) {
                match input {
                    Input::Leg { record, clock, leg } => self.leg(*record, *clock, leg, ahead, effects),
                    Input::Tick { record, clock } => self.tick(*record, *clock, effects),
                    Input::Switch { record, clock, rules } => self.switch(*record, *clock, rules, effects),
                }
            }
        }
        self.flush(effects);
        self.sweep(inputs.len() * SWEPT_A_LEG);
        effects.alerts[begin.0..].sort_by(|a, b| a.key().cmp(&b.key()));
        effects.reports[begin.1..].sort_by(|a, b| a.key().cmp(&b.key()));
        effects.rejects[begin.2..].sort_by(|a, b| a.key().cmp(&b.key()));
    }

    /// Takes another rule set in. Instants that are later than its clock already (the clock moves a day a record at most) are looked at again
    /// at once, so that a hit always belongs to the set in force at its instant. Rows that the sets before need no more go first: how many of
    /// them the sweep had left must not decide what a set that looks further back sees.
    fn switch(&mut self, record: u64, clock: EventTime, rules: &Arc<RuleSet>, effects: &mut Effects) {
        self.flush(effects);
        // In a way that a set which looks further back could see.
        self.keep_all();
        for (number, party) in (0_u32..).zip(self.parties.iter_mut()) {
            let old = party.rows_before(self.complete_from);
            party.drop_rows(number, old, &mut self.tables);
            // Another set may let go of rows earlier.
            party.be_due(number, Day(i32::MIN), &mut self.agenda);
        }
        self.add_edition(clock, Arc::clone(rules));
        let ahead = |(_, party): &(u32, &Party)| party.rows.last().is_some_and(|row| row.at > clock);
        let ahead: Vec<u32> = (0_u32..).zip(self.parties.iter()).filter(ahead).map(|(number, _)| number).collect();
        for number in ahead {
            self.touch(number, clock.plus(Span(1)), || Cause { record, tick: true, trigger: None });
            self.flush(effects);
        }
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
                let episodes = state.episodes();
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
        let numbers = set.rules.iter().map(|rule| self.rule_number(&rule.id)).collect();
        self.editions.push(Edition::new(set, after, self.generation, numbers));
    }

    /// The number of a rule, new or known.
    pub(crate) fn rule_number(&mut self, id: &str) -> u32 {
        let at = self.rules.iter().position(|known| known == id).unwrap_or_else(|| {
            self.rules.push(id.to_owned());
            self.rules.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// The number of a party, new or known.
    pub(crate) fn party_number(&mut self, key: &str) -> u32 {
        let hashed = hash(key);
        if let Some(number) = self.find_party(hashed, key) {
            return number;
        }
        let number = u32::try_from(self.parties.len()).expect("fewer than 2^32 parties fit in memory");
        self.parties.push(Party::new(key));
        self.index.insert_unique(hashed, number, |number| hash(&self.parties[*number as usize].key));
        number
    }

    /// The number of a party, if it has one; `hashed` is the hash of its key.
    fn find_party(&self, hashed: u64, key: &str) -> Option<u32> {
        self.index.find(hashed, |number| self.parties[*number as usize].key == key).copied()
    }

    /// Clock of the last tick. Stamps of legs do not move it: a leg of one party must not make a leg of another late, or what is late would
    /// depend on which parties share a partition.
    fn clock(&self) -> EventTime {
        self.last_tick.map_or(EventTime::MIN, |tick| tick.clock)
    }

    fn memory_day(&self) -> Day {
        self.last_tick.map_or(Day(i32::MIN), |tick| tick.today.plus(-MEMORY_DAYS))
    }

    fn forget_before(&self) -> Day {
        self.last_tick.map_or(Day(i32::MIN), |tick| tick.today.plus(-FORGET_DAYS))
    }

    /// Whether a tick has come after the end of the day.
    fn is_over(&self, day: Day) -> bool {
        self.last_tick.is_some_and(|tick| tick.clock > day.end())
    }
}

/// The index of the edition in force at `t`.
fn edition_at(editions: &[Edition], t: EventTime) -> usize {
    editions.iter().rposition(|edition| edition.after < t).unwrap_or(0)
}

fn state(detection: &mut Detection, rule: u32) -> &mut RuleState {
    detection.rules.entry(rule).or_default()
}

//! A party's history: which legs count, in what order, and what a removal or a duplicate does.
//!
//! The rules are section 2 of `docs/definition.md`, step by step in [`Party::accept`]. A history changes only here, and in `forgetting`, which
//! lets go of what is too old to matter; everything else reads it. A change is reported as the earliest instant it touches: from there on the
//! party's answer may differ.

mod forgetting;

use std::cell::RefCell;

use compact_str::CompactString;
use smallvec::SmallVec;
use weir_model::{Currency, Day, Direction, EventTime, Flags, KeyKind, Leg, LegKind, Reason};

use crate::bounds::Bounds;
use crate::cursor::Horizons;
use crate::detection::Detection;
use crate::intern::{NONE, hash};
use crate::large_amount::{DayKinds, DayTotal};
use crate::pairs::{NEVER, Pair, Pairs};
use crate::row::{Bits, Extra, Facts, Row};
use crate::scans::Scans;
use crate::standing::Standing;
use crate::tables::{Identity, Stretch, Tables};

/// Legs are remembered for their identity this many days behind the frontier.
pub(crate) const MEMORY_DAYS: i32 = 15;
/// A pair without a leg for this long is forgotten.
pub(crate) const FORGET_DAYS: i32 = 730;
/// Days between two looks at a party for anything.
pub(crate) const TIDY_DAYS: i32 = 8;

/// One party of a shard.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) key: CompactString,
    pub(crate) rows: Vec<Row>,
    /// So many of the first rows have given their transaction ids back.
    pub(crate) aged: u32,
    pub(crate) pairs: Pairs,
    /// What no window of it can exceed.
    pub(crate) bounds: Bounds,
    /// Where it stands before the gates, if it has enough to be held against them.
    pub(crate) standing: Option<Box<Standing>>,
    /// Large-amount totals of days that may still change, and of some that no longer do. Mostly one or two, and they stand here.
    pub(crate) day_totals: SmallVec<[DayTotal; 2]>,
    /// Whether rows of those days state the party's kind.
    pub(crate) day_kinds: SmallVec<[DayKinds; 2]>,
    /// Removals that wait; mostly none, so it has no room for more.
    pub(crate) pending: Box<[PendingRemoval]>,
    /// What features have scanned of the rows so far; told whenever rows change otherwise than by one more at the end.
    pub(crate) scans: RefCell<Scans>,
    /// Hits and alerts; most parties never have any.
    pub(crate) detection: Option<Box<Detection>>,
    /// Day of the earliest leg ever accepted.
    pub(crate) history_from: Day,
    /// What is known of rows that have left, once some have.
    pub(crate) gone: Option<Box<Gone>>,
    /// A change of this party waits to be evaluated.
    pub(crate) is_pending: bool,
    /// A snapshot would show it otherwise than the last base does, and not only by what the sweep has let go.
    pub(crate) is_changed: bool,
    /// The day it is to be tidied next; it stands in the agenda under that day.
    pub(crate) due: Day,
}

/// What is known of a party's rows that have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Gone {
    /// Last day with a counted leg the bank did not book itself.
    pub(crate) active: Option<Day>,
    /// Profile of the last live row.
    pub(crate) profile: Option<u32>,
    /// Counted inflow, fen.
    pub(crate) inflow: i128,
    /// Legs up to this moment left early (`party_legs_max`).
    pub(crate) dropped_to: Option<EventTime>,
}

/// A removal that waits for its target, or for the target's other direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingRemoval {
    /// Interned id of the target.
    pub(crate) target: u32,
    pub(crate) record: u64,
    /// The clock at its arrival.
    pub(crate) clock: EventTime,
    pub(crate) at: EventTime,
    pub(crate) currency: Currency,
    pub(crate) minor: i64,
    /// Fen, where known.
    pub(crate) cny: Option<i64>,
    pub(crate) direction: Direction,
    pub(crate) txn_id: Box<str>,
    /// It has taken something out: its expiry is silent.
    pub(crate) has_removed: bool,
}

/// Where the partition stands when a leg arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) record: u64,
    pub(crate) clock: EventTime,
    pub(crate) frontier: EventTime,
    /// Legs on earlier days are no longer remembered.
    pub(crate) memory_day: Day,
    /// Pairs silent since an earlier day are forgotten.
    pub(crate) forget_before: Day,
    pub(crate) reevaluate_max: usize,
    /// Of the newest rule set.
    pub(crate) horizons: &'a Horizons,
}

/// What a leg names, as far as it was looked for before the leg came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Named {
    /// Hash of its transaction id.
    pub(crate) txn: u64,
    /// Hash of its counterparty's key.
    pub(crate) counterparty: u64,
    /// Where its counterparty stood among the pairs of its party. It may stand elsewhere since.
    pub(crate) pair: Option<u32>,
}

impl Named {
    /// Nothing but the hashes.
    pub(crate) fn of(leg: &Leg<'_>) -> Self {
        Self { txn: hash(leg.txn_id), counterparty: leg.counterparty.map_or(0, hash), pair: None }
    }
}

/// What became of a leg.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// Nothing changed and nothing is to be said.
    Silent,
    /// An equal leg was there.
    Duplicate,
    /// Set aside.
    Rejected(Reason),
    /// A removal that was set aside although its target is there: the rows it names.
    NotRemoved(Reason, Vec<Row>),
    /// In the history: the row as it came.
    Inserted(Row),
    /// In the history, where removals wait: `taken` where one of them took it out at once. Those for it, but of other amounts, go to the dead letters.
    Awaited { row: Row, taken: bool, against: Vec<PendingRemoval> },
    /// Taken out: the rows, as they were.
    Removed(Vec<Row>),
}

impl Party {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: CompactString::new(key),
            rows: Vec::new(),
            aged: 0,
            pairs: Pairs::default(),
            bounds: Bounds::default(),
            standing: None,
            day_totals: SmallVec::new(),
            day_kinds: SmallVec::new(),
            pending: Box::default(),
            scans: RefCell::default(),
            detection: None,
            history_from: Day(i32::MAX),
            gone: None,
            is_pending: false,
            is_changed: true,
            due: Day(i32::MAX),
        }
    }

    pub(crate) fn is_group(&self) -> bool {
        KeyKind::Group.is_of(&self.key)
    }

    /// What is known of rows that have left.
    pub(crate) fn gone(&self) -> Gone {
        self.gone.as_deref().copied().unwrap_or_default()
    }

    pub(crate) fn set_gone(&mut self, gone: Gone) {
        if gone != self.gone() {
            **self.gone.get_or_insert_default() = gone;
        }
    }

    /// A removal waits.
    fn wait_for(&mut self, removal: PendingRemoval) {
        let mut pending = std::mem::take(&mut self.pending).into_vec();
        pending.push(removal);
        self.pending = pending.into();
    }

    /// Takes a leg in that is not late, by the numbered steps of the definition.
    pub(crate) fn accept(&mut self, number: u32, leg: &Leg<'_>, named: Named, moment: &Moment<'_>, tables: &mut Tables) -> Accepted {
        match leg.kind {
            LegKind::Removal { target } => self.accept_removal(number, leg, target, moment, tables),
            LegKind::Movement | LegKind::Return => self.accept_movement(number, leg, named, moment, tables),
        }
    }

    fn accept_movement(&mut self, number: u32, leg: &Leg<'_>, named: Named, moment: &Moment<'_>, tables: &mut Tables) -> Accepted {
        // The row's reference is taken before there is a row: one look at the table tells whether the id is known, and makes it so.
        let txn = tables.txns.intern_hashed(named.txn, leg.txn_id);
        if let Some(refused) = self.refuse(number, txn, leg, moment, tables) {
            tables.txns.release(txn);
            return refused;
        }
        if self.pending.is_empty() {
            let (_, row) = self.insert(number, txn, leg, named, moment, tables);
            return Accepted::Inserted(row);
        }
        let (taken, against) = self.meet_removals(txn, leg, tables);
        let (at, row) = self.insert(number, txn, leg, named, moment, tables);
        if taken {
            self.take_out(at);
        }
        Accepted::Awaited { row, taken, against }
    }

    /// What is said of a movement that does not enter the history; `None` where it does.
    fn refuse(&self, number: u32, txn: u32, leg: &Leg<'_>, moment: &Moment<'_>, tables: &Tables) -> Option<Accepted> {
        if let Some(row) = self.remembered(number, txn, leg.direction, moment, tables) {
            let is_same = self.is_same(&self.rows[row], leg, tables);
            return Some(if is_same { Accepted::Duplicate } else { Accepted::Rejected(Reason::ConflictingDuplicate) });
        }
        self.displaces_too_many(leg.at, moment.reevaluate_max).then_some(Accepted::Rejected(Reason::TooCostly))
    }

    /// Whether a removal has waited for this leg, of transaction `txn`; those that waited for it with another amount wait no longer.
    fn meet_removals(&mut self, txn: u32, leg: &Leg<'_>, tables: &mut Tables) -> (bool, Vec<PendingRemoval>) {
        let pending = std::mem::take(&mut self.pending).into_vec();
        let (named, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(|removal| removal.target == txn);
        self.pending = others.into();
        let (mut taken, mut against) = (false, Vec::new());
        for mut removal in named {
            if removal.is_of(leg) {
                taken = true;
                removal.has_removed = true;
                self.wait_for(removal);
            } else {
                tables.txns.release(removal.target);
                against.push(removal);
            }
        }
        (taken, against)
    }

    fn accept_removal(&mut self, number: u32, leg: &Leg<'_>, target: &str, moment: &Moment<'_>, tables: &mut Tables) -> Accepted {
        let txn = tables.txns.find(target);
        let found: Vec<usize> = [Direction::In, Direction::Out]
            .into_iter()
            .filter_map(|direction| self.remembered(number, txn?, direction, moment, tables))
            .collect();
        let live: Vec<usize> = found.iter().copied().filter(|row| self.rows[*row].is_live()).collect();
        if found.is_empty() {
            return self.wait(leg, target, moment, false, tables);
        }
        if live.is_empty() {
            return Accepted::Duplicate;
        }
        let is_other_amount = |row: &usize| {
            let amount = tables.extras.amount(&self.rows[*row]);
            amount.currency != leg.amount.currency || amount.minor != leg.amount.minor
        };
        if live.iter().any(is_other_amount) {
            return Accepted::Rejected(Reason::PartialReversal);
        }
        if live.iter().any(|row| self.rows[*row].at < moment.frontier) {
            return Accepted::NotRemoved(Reason::ReversalTooLate, live.iter().map(|row| self.rows[*row]).collect());
        }
        let removed: Vec<Row> = live.iter().map(|row| self.rows[*row]).collect();
        if removed.iter().any(|row| self.displaces_too_many(row.at, moment.reevaluate_max)) {
            return Accepted::NotRemoved(Reason::TooCostly, removed);
        }
        for row in live {
            self.take_out(row);
        }
        self.wait(leg, target, moment, true, tables);
        Accepted::Removed(removed)
    }

    fn wait(&mut self, leg: &Leg<'_>, target: &str, moment: &Moment<'_>, has_removed: bool, tables: &mut Tables) -> Accepted {
        let is_there = |txn: u32| self.pending.iter().any(|removal| removal.target == txn && removal.is_of(leg));
        if tables.txns.find(target).is_some_and(is_there) {
            return Accepted::Duplicate;
        }
        self.wait_for(PendingRemoval {
            target: tables.txns.intern(target),
            record: moment.record,
            clock: moment.clock,
            at: leg.at,
            currency: leg.amount.currency,
            minor: leg.amount.minor,
            cny: leg.amount.cny,
            direction: leg.direction,
            txn_id: leg.txn_id.into(),
            has_removed,
        });
        Accepted::Silent
    }

    /// Index of the remembered row of an identity.
    fn remembered(&self, number: u32, txn: u32, direction: Direction, moment: &Moment<'_>, tables: &Tables) -> Option<usize> {
        let about = tables.remembered(Identity { txn, party: number, direction })?;
        let from = self.rows.partition_point(|row| Stretch::of(row.at) < about);
        let mut near = self.rows[from..].iter().take_while(|row| Stretch::of(row.at) == about);
        let at = near.position(|row| row.txn == txn && row.direction() == direction)? + from;
        (self.rows[at].at.day() >= moment.memory_day).then_some(at)
    }

    fn is_same(&self, row: &Row, leg: &Leg<'_>, tables: &Tables) -> bool {
        let amount = tables.extras.amount(row);
        let counterparty = (row.pair != NONE).then(|| tables.strings.text(self.pairs.get(row.pair).key));
        amount.currency == leg.amount.currency
            && amount.minor == leg.amount.minor
            && row.at == leg.at
            && counterparty == leg.counterparty
            && row.is_return() == (leg.kind == LegKind::Return)
    }

    /// Whether more than `max` distinct instants lie after `t`: what a change at `t` displaces.
    fn displaces_too_many(&self, t: EventTime, max: usize) -> bool {
        if self.rows.last().is_none_or(|last| last.at <= t) {
            return false;
        }
        let after = &self.rows[self.rows.partition_point(|row| row.at <= t)..];
        // Rows are no fewer than their instants.
        if after.len() <= max {
            return false;
        }
        let mut instants = 0;
        let mut last = t;
        for row in after.iter().filter(|row| row.is_live()) {
            if row.at != last {
                instants += 1;
                last = row.at;
            }
            if instants > max {
                return true;
            }
        }
        false
    }

    /// The row of a leg, and where it stands now: whoever read it there would wait for memory that nobody has touched for days. `txn` comes with the
    /// reference of the row.
    fn insert(&mut self, number: u32, txn: u32, leg: &Leg<'_>, named: Named, moment: &Moment<'_>, tables: &mut Tables) -> (usize, Row) {
        let pair = leg.counterparty.map_or(NONE, |key| self.pair_for(key, named, tables));
        let bits = Bits::new(leg.flags, leg.direction, leg.kind == LegKind::Return, leg.counterparty_kind, leg.channel);
        let row = Row {
            at: leg.at,
            amount: leg.amount.cny.unwrap_or(0),
            pair,
            txn,
            profile: tables.profile(&leg.profile, self.rows.last().map(|row| row.profile)),
            extra: extra_of(leg).map_or(NONE, |extra| tables.extras.insert(extra)),
            facts: Facts::new(bits, leg.counterparty_division, leg.tags.0),
        };
        tables.remember(Identity { txn, party: number, direction: leg.direction }, leg.at);
        self.history_from = self.history_from.min(leg.at.day());
        let at = self.place(&row, leg.txn_id, tables);
        let (rows, pairs) = (&self.rows, self.pairs.len());
        let standing = self.standing.as_mut();
        let joins = standing.is_some_and(|standing| standing.before_row(rows, at, leg.at, pairs, moment.horizons));
        self.scans.get_mut().before_change(&self.rows, at);
        make_room(&mut self.rows);
        self.rows.insert(at, row);
        self.bounds.enter(&row);
        if let Some(standing) = &mut self.standing {
            standing.enter(&row);
            if joins {
                standing.join(&self.rows, at, self.pairs.len());
            }
        }
        self.remember_pair(&row, moment.forget_before);
        (at, row)
    }

    /// Where a row belongs: by time, In before Out, transaction id.
    fn place(&self, row: &Row, txn_id: &str, tables: &Tables) -> usize {
        // Nearly every leg is the latest of its party; a search through a long history misses the cache at each step.
        if self.rows.last().is_none_or(|last| last.at < row.at) {
            return self.rows.len();
        }
        let from = self.rows.partition_point(|other| other.at < row.at);
        let same_time = &self.rows[from..];
        from + same_time
            .partition_point(|other| other.at == row.at && (other.is_out(), tables.txns.text(other.txn)) <= (row.is_out(), txn_id))
    }

    fn pair_for(&mut self, key: &str, named: Named, tables: &mut Tables) -> u32 {
        // Who stands there tells whether it is the one that was found.
        let is_it = |at: &u32| self.pairs.as_slice().get(*at as usize).is_some_and(|pair| tables.strings.text(pair.key) == key);
        if let Some(pair) = named.pair.filter(is_it) {
            return pair;
        }
        if let Some(pair) = tables.strings.find_hashed(named.counterparty, key).and_then(|key| self.pairs.find(key)) {
            return pair;
        }
        let key = tables.strings.intern_hashed(named.counterparty, key);
        self.pairs.push(Pair::new(key))
    }

    fn remember_pair(&mut self, row: &Row, forget_before: Day) {
        if row.pair == NONE || !row.is_counted() {
            return;
        }
        self.pairs.renew(row.pair, forget_before);
        let pair = self.pairs.get_mut(row.pair);
        pair.last_day = pair.last_day.max(row.at.day());
        if row.makes_party() {
            let first = if row.is_in() { &mut pair.first_in } else { &mut pair.first_out };
            if *first == NEVER {
                self.bounds.meet(row.is_in());
            }
            *first = (*first).min(row.at);
        }
    }

    /// Turns a row into a tombstone and mends what its pair remembers of it.
    fn take_out(&mut self, at: usize) {
        if let Some(standing) = &mut self.standing {
            standing.row_removed(&self.rows, at);
        }
        self.scans.get_mut().before_change(&self.rows, at);
        let row = self.rows[at];
        self.rows[at].remove();
        if row.pair == NONE || !row.is_counted() {
            return;
        }
        if !row.makes_party() {
            return;
        }
        let pair = self.pairs.get(row.pair);
        let was_first = if row.is_in() { pair.first_in == row.at } else { pair.first_out == row.at };
        if !was_first {
            return;
        }
        let from = self.rows.partition_point(|other| other.at < row.at);
        let next = self.rows[from..].iter().find(|other| other.pair == row.pair && other.makes_party() && other.is_in() == row.is_in());
        let next = next.map_or(NEVER, |other| other.at);
        let pair = self.pairs.get_mut(row.pair);
        *(if row.is_in() { &mut pair.first_in } else { &mut pair.first_out }) = next;
    }

    /// Counted inflow before a moment, over all history: exact as long as rows from that moment on are still there.
    pub(crate) fn inflow_before(&self, moment: EventTime) -> i128 {
        let rows = &self.rows[..self.rows.partition_point(|row| row.at < moment)];
        self.gone().inflow + rows.iter().filter(|row| row.is_counted() && row.is_in()).map(|row| i128::from(row.amount)).sum::<i128>()
    }
}

/// A list that is longer doubles its room when that is full.
const SHORT: usize = 64;

/// One that is shorter grows by half, and any between by a third.
const FEW: usize = 8;

/// Room for one more. Left to itself a list takes room for four at once and then twice as much each time; most parties of a bank have one or two of
/// anything, and a dozen rows after a month.
pub(crate) fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() && list.len() < SHORT {
        let share = if list.len() < FEW { 2 } else { 3 };
        list.reserve_exact(list.len().div_ceil(share).max(1));
    }
}

impl PendingRemoval {
    /// Whether it names the amount of the leg.
    fn is_of(&self, leg: &Leg<'_>) -> bool {
        self.currency == leg.amount.currency && self.minor == leg.amount.minor
    }
}

/// What of a leg goes beside its row.
fn extra_of(leg: &Leg<'_>) -> Option<Extra> {
    let amount = leg.amount;
    if amount.currency == Currency::CNY && amount.usd.is_none() && leg.balance_after.is_none() {
        return None;
    }
    debug_assert!(amount.cny.is_some() || leg.flags.has(Flags::UNCONVERTED), "a leg without an equivalent in CNY says so");
    Some(Extra { currency: amount.currency, minor: amount.minor, cny: amount.cny, usd: amount.usd, balance: leg.balance_after })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::Interner;
    use crate::tables::Legs;

    #[test]
    fn what_every_party_holds_has_the_size_that_is_paid_for() {
        let sizes = [size_of::<Party>(), size_of::<Row>(), size_of::<Pair>(), Interner::<Legs>::ENTRY_BYTES];
        assert_eq!(sizes, [288, 40, 24, 40], "docs/decisions/0017-what-a-party-holds.md counts with them");
    }
}

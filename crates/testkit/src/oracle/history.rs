//! Section 2 of the definition: which legs are part of a party's history.
//!
//! Keeps every leg ever accepted and never frees one; what the definition calls remembered or forgotten is asked of `tick_frontier` each
//! time. Decides nothing about rules.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::time::Day;
use weir_model::{Direction, EventTime, Flags, Reason};

use super::{Clock, Reject};
use crate::log::{OwnedKind, OwnedLeg};

/// Days behind the tick frontier for which identities are remembered.
const REMEMBERED_DAYS: i32 = 15;
/// Days behind the tick frontier after which a pair without a leg is forgotten.
const PAIR_DAYS: i32 = 730;

/// A leg that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// The leg.
    pub(super) leg: OwnedLeg,
    /// Taken out by a removal: known by its identity only.
    pub(super) removed: bool,
    /// Its pair was forgotten since: no part of "all history".
    pub(super) forgotten: bool,
}

impl Held {
    /// Neither own-account nor retained.
    pub(super) fn is_counted(&self) -> bool {
        !self.leg.has(Flags::OWN) && !self.leg.has(Flags::RETAINED)
    }

    /// The day it stands at.
    pub(super) fn day(&self) -> Day {
        self.leg.at.day()
    }

    /// The order of a history.
    fn order(&self) -> (EventTime, Direction, &[u8]) {
        (self.leg.at, self.leg.direction, self.leg.txn_id.as_bytes())
    }

    fn same_money(&self, other: &OwnedLeg) -> bool {
        self.leg.amount.minor == other.amount.minor && self.leg.amount.currency == other.amount.currency
    }
}

/// A removal that waits for its target, or for the target's other direction.
#[derive(Debug, Clone)]
struct Pending {
    record: u64,
    stamp: EventTime,
    leg: OwnedLeg,
    has_removed: bool,
}

/// The history of one party.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    held: Vec<Held>,
    /// By target.
    pending: BTreeMap<String, Pending>,
}

/// What an arriving leg did.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    /// The earliest moment at which the history is another one now.
    pub(super) changed_from: Option<EventTime>,
    /// Dead letters and late rows.
    pub(super) rejects: Vec<Reject>,
    /// Counted as duplicate.
    pub(super) duplicate: bool,
    /// Legs taken out.
    pub(super) reversed: u64,
}

impl Arrival {
    fn rejected(reject: Reject) -> Self {
        Self { rejects: vec![reject], ..Self::default() }
    }

    fn duplicate() -> Self {
        Self { duplicate: true, ..Self::default() }
    }
}

impl History {
    /// The legs of the history with time ≤ `t`, in order.
    pub(super) fn live_until(&self, t: EventTime) -> Vec<&Held> {
        let mut legs: Vec<&Held> = self.held.iter().filter(|held| !held.removed && held.leg.at <= t).collect();
        legs.sort_by(|a, b| a.order().cmp(&b.order()));
        legs
    }

    /// Every leg of the history, in order.
    pub(super) fn live(&self) -> Vec<&Held> {
        self.live_until(EventTime(i64::MAX))
    }

    /// The day of the earliest leg ever accepted.
    pub(super) fn earliest_day(&self) -> Option<Day> {
        self.held.iter().map(Held::day).min()
    }

    /// An arriving leg of this party. The clock already counts its stamp.
    pub(super) fn arrive(&mut self, record: u64, clock: &Clock, leg: &OwnedLeg) -> Arrival {
        if leg.at < clock.frontier() {
            return Arrival::rejected(Reject::new(Reason::Late, record, record, leg, clock));
        }
        match &leg.kind {
            OwnedKind::Removal { target } => self.remove(target, record, clock, leg),
            OwnedKind::Movement | OwnedKind::Return => self.accept(record, clock, leg),
        }
    }

    fn accept(&mut self, record: u64, clock: &Clock, leg: &OwnedLeg) -> Arrival {
        let same_identity =
            |held: &&Held| held.leg.txn_id == leg.txn_id && held.leg.direction == leg.direction && is_remembered(held, clock);
        if let Some(known) = self.held.iter().find(same_identity) {
            let equal =
                known.same_money(leg) && known.leg.at == leg.at && known.leg.counterparty == leg.counterparty && known.leg.kind == leg.kind;
            if equal {
                return Arrival::duplicate();
            }
            return Arrival::rejected(Reject::new(Reason::ConflictingDuplicate, record, record, leg, clock));
        }
        let mut held = Held { leg: leg.clone(), removed: false, forgotten: false };
        let mut arrival = Arrival { changed_from: Some(leg.at), ..Arrival::default() };
        if let Some(pending) = self.pending.get_mut(&leg.txn_id) {
            if held.same_money(&pending.leg) {
                held.removed = true;
                pending.has_removed = true;
                arrival.reversed = 1;
            } else {
                arrival.rejects.push(Reject::new(Reason::PartialReversal, record, pending.record, &pending.leg, clock));
                self.pending.remove(&leg.txn_id);
            }
        }
        self.held.push(held);
        arrival
    }

    fn remove(&mut self, target: &str, record: u64, clock: &Clock, leg: &OwnedLeg) -> Arrival {
        let wait = |has_removed| Pending { record, stamp: clock.stamp, leg: leg.clone(), has_removed };
        let remembered: Vec<&mut Held> =
            self.held.iter_mut().filter(|held| held.leg.txn_id == target && is_remembered(held, clock)).collect();
        if remembered.is_empty() {
            if self.pending.contains_key(target) {
                return Arrival::duplicate();
            }
            self.pending.insert(target.to_owned(), wait(false));
            return Arrival::default();
        }
        let live: Vec<&mut Held> = remembered.into_iter().filter(|held| !held.removed).collect();
        if live.is_empty() {
            return Arrival::duplicate();
        }
        if live.iter().any(|held| !held.same_money(leg)) {
            return Arrival::rejected(Reject::new(Reason::PartialReversal, record, record, leg, clock));
        }
        if live.iter().any(|held| held.leg.at < clock.frontier()) {
            return Arrival::rejected(Reject::new(Reason::ReversalTooLate, record, record, leg, clock));
        }
        let mut arrival = Arrival::default();
        for held in live {
            held.removed = true;
            arrival.reversed += 1;
            arrival.changed_from = Some(arrival.changed_from.map_or(held.leg.at, |from| from.min(held.leg.at)));
        }
        self.pending.insert(target.to_owned(), wait(true));
        arrival
    }

    /// At a tick: pending removals whose time is over leave; those that removed nothing are rejected.
    pub(super) fn expire(&mut self, record: u64, clock: &Clock) -> Vec<Reject> {
        let is_over = |pending: &Pending| clock.stamp > pending.stamp.plus(clock.lateness);
        let over: Vec<String> = self.pending.iter().filter(|(_, p)| is_over(p)).map(|(target, _)| target.clone()).collect();
        let gone = over.iter().filter_map(|target| self.pending.remove(target)).filter(|pending| !pending.has_removed);
        let mut gone: Vec<Pending> = gone.collect();
        gone.sort_by_key(|pending| pending.record);
        gone.iter().map(|p| Reject::new(Reason::ReversalTargetMissing, record, p.record, &p.leg, clock)).collect()
    }

    /// At a tick: pairs whose last leg lies far back are forgotten.
    pub(super) fn forget_pairs(&mut self, clock: &Clock) {
        let Some(frontier) = clock.tick_frontier else { return };
        let line = frontier.day().plus(-PAIR_DAYS);
        let recent: BTreeSet<String> = (self.held.iter())
            .filter(|held| !held.removed && held.is_counted() && held.day() >= line)
            .filter_map(|held| held.leg.counterparty.clone())
            .collect();
        for held in &mut self.held {
            if held.leg.counterparty.as_ref().is_some_and(|id| !recent.contains(id)) {
                held.forgotten = true;
            }
        }
    }
}

/// Whether the history still knows the identity of a leg, removed or not.
fn is_remembered(held: &Held, clock: &Clock) -> bool {
    clock.memory_day().is_none_or(|day| held.day() >= day)
}

impl Clock {
    /// The first day whose identities are remembered; none before the first tick: everything is.
    pub(super) fn memory_day(&self) -> Option<Day> {
        self.tick_frontier.map(|frontier| frontier.day().plus(-REMEMBERED_DAYS))
    }

    /// Legs before it are late.
    pub(super) fn frontier(&self) -> EventTime {
        self.stamp.minus(self.lateness)
    }
}

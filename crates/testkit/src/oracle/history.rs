//! Section 2 of the definition: which legs are part of a party's history.
//!
//! Keeps every leg ever accepted and never frees one; what the definition calls remembered or forgotten is asked of `tick_frontier` each
//! time. Decides nothing about rules.

use std::collections::BTreeSet;

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
    /// It left (section 9), with the tick frontier of that moment: no part of any window, and its identity is not known any more.
    pub(super) left: Option<EventTime>,
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
    pub(super) fn order(&self) -> (EventTime, Direction, &[u8]) {
        (self.leg.at, self.leg.direction, self.leg.txn_id.as_bytes())
    }

    fn same_money(&self, other: &OwnedLeg) -> bool {
        self.leg.amount.minor == other.amount.minor && self.leg.amount.currency == other.amount.currency
    }
}

/// A removal that waits for its target, or for the target's other direction.
#[derive(Debug, Clone)]
struct Pending {
    target: String,
    record: u64,
    stamp: EventTime,
    leg: OwnedLeg,
    has_removed: bool,
}

/// The history of one party.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    held: Vec<Held>,
    /// In order of arrival; no two of one target and amount.
    pending: Vec<Pending>,
    /// The time of the last leg that left early (`party_legs_max`).
    left_early_to: Option<EventTime>,
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
        self.of(|held| !held.removed && held.left.is_none() && held.leg.at <= t)
    }

    /// The legs with time ≤ `t` that left and were not removed, in order.
    pub(super) fn left_until(&self, t: EventTime) -> Vec<&Held> {
        self.of(|held| !held.removed && held.left.is_some() && held.leg.at <= t)
    }

    fn of(&self, is_wanted: impl Fn(&Held) -> bool) -> Vec<&Held> {
        let mut legs: Vec<&Held> = self.held.iter().filter(|held| is_wanted(held)).collect();
        legs.sort_by(|a, b| a.order().cmp(&b.order()));
        legs
    }

    /// Every leg that was not removed, those that left included: a day is reported as it was.
    pub(super) fn ever(&self) -> Vec<&Held> {
        self.of(|held| !held.removed)
    }

    /// The time of the last leg that left early.
    pub(super) fn left_early_to(&self) -> Option<EventTime> {
        self.left_early_to
    }

    /// A switch: legs on days before `complete_from` leave.
    pub(super) fn drop_before(&mut self, clock: &Clock) {
        let Some(complete_from) = clock.complete_from else { return };
        for held in self.held.iter_mut().filter(|held| held.left.is_none() && held.day() < complete_from) {
            held.left = clock.tick_frontier;
        }
    }

    /// `party_legs_max`: above it the oldest whole days before that of the frontier leave early; legs before `complete_from` do not count.
    pub(super) fn drop_excess(&mut self, max: usize, clock: &Clock) {
        let is_there = |held: &Held| held.left.is_none() && clock.complete_from.is_none_or(|day| held.day() >= day);
        let mut there: Vec<usize> = (0..self.held.len()).filter(|at| is_there(&self.held[*at])).collect();
        if there.len() <= max {
            return;
        }
        there.sort_by(|a, b| self.held[*a].order().cmp(&self.held[*b].order()));
        let beyond = there.len() - max + max / 16;
        let Some(frontier) = clock.tick_frontier else { return };
        let day = self.held[there[beyond.min(there.len() - 1)]].day().min(frontier.day());
        for at in there {
            if self.held[at].day() < day {
                self.held[at].left = Some(frontier);
                self.left_early_to = self.left_early_to.max(Some(self.held[at].leg.at));
            }
        }
    }

    /// Every leg of the history, in order.
    pub(super) fn live(&self) -> Vec<&Held> {
        self.live_until(EventTime(i64::MAX))
    }

    /// The day of the earliest leg ever accepted.
    pub(super) fn earliest_day(&self) -> Option<Day> {
        self.held.iter().map(Held::day).min()
    }

    /// An arriving leg of this party, which may displace `reevaluate_max` instants. The clock already counts its stamp.
    pub(super) fn arrive(&mut self, record: u64, clock: &Clock, leg: &OwnedLeg, reevaluate_max: usize) -> Arrival {
        if leg.at < clock.frontier() {
            return Arrival::rejected(Reject::new(Reason::Late, record, record, leg, clock));
        }
        match &leg.kind {
            OwnedKind::Removal { target } => self.remove(target, record, clock, leg, reevaluate_max),
            OwnedKind::Movement | OwnedKind::Return => self.accept(record, clock, leg, reevaluate_max),
        }
    }

    /// Distinct instants of the history later than a moment.
    fn instants_after(&self, at: EventTime) -> usize {
        self.live().iter().map(|held| held.leg.at).filter(|later| *later > at).collect::<BTreeSet<_>>().len()
    }

    fn accept(&mut self, record: u64, clock: &Clock, leg: &OwnedLeg, reevaluate_max: usize) -> Arrival {
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
        if self.instants_after(leg.at) > reevaluate_max {
            return Arrival::rejected(Reject::new(Reason::TooCostly, record, record, leg, clock));
        }
        let mut held = Held { leg: leg.clone(), removed: false, forgotten: false, left: None };
        let mut arrival = Arrival { changed_from: Some(leg.at), ..Arrival::default() };
        let (named, others) = std::mem::take(&mut self.pending).into_iter().partition(|pending| pending.target == leg.txn_id);
        self.pending = others;
        for mut pending in named as Vec<Pending> {
            if held.same_money(&pending.leg) {
                held.removed = true;
                pending.has_removed = true;
                arrival.reversed = 1;
                self.pending.push(pending);
            } else {
                arrival.rejects.push(Reject::new(Reason::PartialReversal, record, pending.record, &pending.leg, clock));
            }
        }
        self.held.push(held);
        arrival
    }

    fn remove(&mut self, target: &str, record: u64, clock: &Clock, leg: &OwnedLeg, reevaluate_max: usize) -> Arrival {
        let displaced = |held: &Held| self.instants_after(held.leg.at);
        let of_target = self.held.iter().filter(|held| held.leg.txn_id == target && is_remembered(held, clock) && !held.removed);
        let is_too_costly = of_target.clone().map(displaced).max().is_some_and(|most| most > reevaluate_max);
        let wait = |has_removed| Pending { target: target.to_owned(), record, stamp: clock.stamp, leg: leg.clone(), has_removed };
        let is_waiting = self.pending.iter().any(|pending| pending.target == target && pending.is_of(leg));
        let reports = of_target.clone().filter_map(|held| super::large_amount::report_id_and_key_of(self, &held.leg));
        let reports: BTreeSet<_> = reports.collect();
        let too_late = |reason| {
            let report_ids = reports.iter().map(|(_, id)| id.clone()).collect();
            Arrival::rejected(Reject { report_ids, ..Reject::new(reason, record, record, leg, clock) })
        };
        let remembered: Vec<&mut Held> =
            self.held.iter_mut().filter(|held| held.leg.txn_id == target && is_remembered(held, clock)).collect();
        if remembered.is_empty() {
            if is_waiting {
                return Arrival::duplicate();
            }
            self.pending.push(wait(false));
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
            return too_late(Reason::ReversalTooLate);
        }
        if is_too_costly {
            return too_late(Reason::TooCostly);
        }
        let mut arrival = Arrival::default();
        for held in live {
            held.removed = true;
            arrival.reversed += 1;
            arrival.changed_from = Some(arrival.changed_from.map_or(held.leg.at, |from| from.min(held.leg.at)));
        }
        if !is_waiting {
            self.pending.push(wait(true));
        }
        arrival
    }

    /// At a tick: pending removals whose time is over leave; those that removed nothing are rejected.
    pub(super) fn expire(&mut self, record: u64, clock: &Clock) -> Vec<Reject> {
        let is_over = |pending: &Pending| clock.stamp > pending.stamp.plus(clock.lateness);
        let (over, waiting): (Vec<Pending>, Vec<Pending>) = std::mem::take(&mut self.pending).into_iter().partition(is_over);
        self.pending = waiting;
        let mut gone: Vec<Pending> = over.into_iter().filter(|pending| !pending.has_removed).collect();
        gone.sort_by_key(|pending| pending.record);
        gone.iter().map(|p| Reject::new(Reason::ReversalTargetMissing, record, p.record, &p.leg, clock)).collect()
    }

    /// At a tick: pairs whose last leg lies far back are forgotten.
    pub(super) fn forget_pairs(&mut self, clock: &Clock) {
        let Some(frontier) = clock.tick_frontier else { return };
        let line = frontier.day().plus(-PAIR_DAYS);
        let recent: BTreeSet<String> = (self.held.iter())
            .filter(|held| held.is_counted() && held.day() >= line)
            .filter_map(|held| held.leg.counterparty.clone())
            .collect();
        for held in &mut self.held {
            if held.leg.counterparty.as_ref().is_some_and(|id| !recent.contains(id)) {
                held.forgotten = true;
            }
        }
    }
}

impl Pending {
    /// Whether it names the amount of another removal.
    fn is_of(&self, other: &OwnedLeg) -> bool {
        self.leg.amount.minor == other.amount.minor && self.leg.amount.currency == other.amount.currency
    }
}

/// Whether the history still knows the identity of a leg, removed or not.
fn is_remembered(held: &Held, clock: &Clock) -> bool {
    held.left.is_none() && clock.memory_day().is_none_or(|day| held.day() >= day)
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

//! Section 3 of the definition: what a window sees as of an instant.
//!
//! A [`View`] is the party's history up to an instant. [`View::legs`] are the counted legs of a window one by one; [`View::flows`] are the same
//! as every feature that takes any window must see them: one flow a leg in exact windows, one a day row in day windows.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::time::Day;
use weir_model::{Calendar, Direction, Division, EventTime, Flags, PartyKind};
use weir_rules::Window;

use super::history::Held;
use crate::log::{OwnedKind, OwnedLeg, OwnedProfile};

/// A party as of an instant.
pub(super) struct View<'a> {
    /// The instant.
    pub(super) t: EventTime,
    /// Live legs with time ≤ t, in order, OWN and RETAINED included.
    pub(super) live: Vec<&'a Held>,
    /// Legs with time ≤ t that left, in order: part of all history, in no window.
    pub(super) left: Vec<&'a Held>,
    /// Day of the earliest leg ever accepted.
    pub(super) history_from: Option<Day>,
    /// Working days.
    pub(super) calendar: &'a Calendar,
}

/// What moved: a counted leg, or a day row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow<'a> {
    /// Time of the leg; start of the day of a row.
    pub(super) at: EventTime,
    pub(super) direction: Direction,
    pub(super) counterparty: Option<&'a str>,
    /// Movement rather than return.
    pub(super) is_movement: bool,
    /// Of `ROW_FLAGS`.
    pub(super) flags: Flags,
    pub(super) kind: PartyKind,
    pub(super) division: Division,
    /// Of a group: whose movement it is.
    pub(super) member: &'a str,
    /// Fen; several legs of a row together.
    pub(super) amount: i128,
    /// Legs.
    pub(super) count: i64,
}

/// What keeps legs of one day, counterparty and direction in rows of their own, in the order the definition lists it.
type RowKey<'a> = (Day, Direction, Option<&'a str>, bool, [bool; 4], PartyKind, Division, [bool; 2], &'a str);

impl<'a> Flow<'a> {
    fn of(leg: &'a OwnedLeg) -> Self {
        Self {
            at: leg.at,
            direction: leg.direction,
            counterparty: leg.counterparty.as_deref(),
            is_movement: leg.kind == OwnedKind::Movement,
            flags: leg.flags,
            kind: leg.counterparty_kind,
            division: leg.counterparty_division,
            member: &leg.profile.member,
            amount: i128::from(fen(leg)),
            count: 1,
        }
    }

    /// The day it stands at.
    pub(super) fn day(&self) -> Day {
        self.at.day()
    }

    /// Whether it makes its counterparty a payer (In) or payee (Out); that counterparty.
    pub(super) fn party_of(&self, direction: Direction) -> Option<&'a str> {
        if self.is_movement && self.direction == direction { self.counterparty } else { None }
    }

    fn row_key(&self) -> RowKey<'a> {
        let is = |flag| self.flags.has(flag);
        let ways = [is(Flags::CASH), is(Flags::CROSS_BORDER), is(Flags::SAME_NAME), is(Flags::SECURITIES)];
        let age = [is(Flags::AGE_KNOWN), is(Flags::ELDERLY)];
        (self.day(), self.direction, self.counterparty, !self.is_movement, ways, self.kind, self.division, age, self.member)
    }
}

/// The amount of a leg in yuan sums: 0 where it could not be converted.
pub(super) fn fen(leg: &OwnedLeg) -> i64 {
    if leg.has(Flags::UNCONVERTED) { 0 } else { leg.amount.cny.unwrap_or(0) }
}

impl<'a> View<'a> {
    /// The party's profile: that of its last live leg, those that left included.
    pub(super) fn profile(&self) -> OwnedProfile {
        let last = self.live.last().into_iter().chain(self.left.last()).max_by(|a, b| a.order().cmp(&b.order()));
        last.map(|held| held.leg.profile.clone()).unwrap_or_default()
    }

    /// Whether a moment up to `t` lies in the window.
    pub(super) fn covers(&self, window: Window, at: EventTime) -> bool {
        match window {
            Window::Exact(span) => at > self.t.minus(span) && at <= self.t,
            Window::Days(_) | Window::WorkingDays(_) => at.day() >= self.first_day(window) && at <= self.t,
        }
    }

    /// The day of the first moment in the window.
    pub(super) fn first_day(&self, window: Window) -> Day {
        match window {
            Window::Exact(span) => EventTime(self.t.0 - span.0 + 1).day(),
            Window::Days(days) => Day(self.t.day().0 - i32::try_from(days).unwrap_or(i32::MAX) + 1),
            Window::WorkingDays(count) => {
                let back = (0..).map(|n| Day(self.t.day().0 - n)).filter(|day| self.calendar.is_working(*day));
                back.take(count as usize).last().unwrap_or(self.t.day())
            }
        }
    }

    /// Length in days, rounded up; of a window of working days: its calendar days.
    pub(super) fn days(&self, window: Window) -> i128 {
        match window {
            Window::Exact(span) => i128::from(span.0).div_euclid(DAY) + i128::from(i128::from(span.0) % DAY != 0),
            Window::Days(days) => i128::from(days),
            Window::WorkingDays(_) => i128::from(self.t.day().0 - self.first_day(window).0) + 1,
        }
    }

    /// Live legs of the window, OWN and RETAINED included, in order.
    pub(super) fn all_legs(&self, window: Window) -> Vec<&'a OwnedLeg> {
        self.live.iter().map(|held| &held.leg).filter(|leg| self.covers(window, leg.at)).collect()
    }

    /// Counted legs of the window, in order.
    pub(super) fn legs(&self, window: Window) -> Vec<&'a OwnedLeg> {
        let counted = self.live.iter().filter(|held| held.is_counted() && self.covers(window, held.leg.at));
        counted.map(|held| &held.leg).collect()
    }

    /// Counted legs of the window as flows: single legs, or day rows.
    pub(super) fn flows(&self, window: Window) -> Vec<Flow<'a>> {
        let legs = self.legs(window).into_iter().map(Flow::of);
        if !window.is_day_window() {
            return legs.collect();
        }
        let mut rows: BTreeMap<RowKey<'_>, Flow<'a>> = BTreeMap::new();
        for leg in legs {
            let row = rows.entry(leg.row_key()).or_insert(Flow { at: leg.day().start(), amount: 0, count: 0, ..leg });
            row.amount += leg.amount;
            row.count += leg.count;
        }
        rows.into_values().collect()
    }

    /// Counted legs of all history that is not forgotten, in order.
    pub(super) fn all_history(&self) -> Vec<Flow<'a>> {
        let all = self.left.iter().chain(&self.live);
        let mut all: Vec<&Held> = all.filter(|held| held.is_counted() && !held.forgotten).copied().collect();
        // Legs that left early may be younger than some that no window reaches any more and that are there still.
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        all.into_iter().map(|held| Flow::of(&held.leg)).collect()
    }

    /// The first day that any of the windows covers.
    pub(super) fn first_of(&self, windows: impl Iterator<Item = Window>) -> Day {
        windows.map(|window| self.first_day(window)).min().unwrap_or(self.t.day())
    }
}

/// Microseconds in a day.
pub(super) const DAY: i128 = 86_400_000_000;

/// Sum of amounts in one direction.
pub(super) fn sum(flows: &[Flow<'_>], direction: Direction) -> i128 {
    flows.iter().filter(|flow| flow.direction == direction).map(|flow| flow.amount).sum()
}

/// Legs in one direction.
pub(super) fn count(flows: &[Flow<'_>], direction: Direction) -> i64 {
    flows.iter().filter(|flow| flow.direction == direction).map(|flow| flow.count).sum()
}

/// Distinct payers (In) or payees (Out).
pub(super) fn parties<'a>(flows: &[Flow<'a>], direction: Direction) -> BTreeSet<&'a str> {
    flows.iter().filter_map(|flow| flow.party_of(direction)).collect()
}

/// Those of them that some leg which makes them payer (payee) calls natural.
pub(super) fn naturals<'a>(flows: &[Flow<'a>], direction: Direction) -> BTreeSet<&'a str> {
    flows.iter().filter(|flow| flow.kind == PartyKind::Natural).filter_map(|flow| flow.party_of(direction)).collect()
}

/// Sums by payer (In) or payee (Out).
pub(super) fn sums_by_party<'a>(flows: &[Flow<'a>], direction: Direction) -> BTreeMap<&'a str, i128> {
    let mut sums = BTreeMap::new();
    for flow in flows {
        if let Some(id) = flow.party_of(direction) {
            *sums.entry(id).or_insert(0) += flow.amount;
        }
    }
    sums
}

/// What each natural payee was paid on each day: day, payee, sum.
pub(super) fn payments<'a>(flows: &[Flow<'a>]) -> BTreeMap<(Day, &'a str), i128> {
    let natural = naturals(flows, Direction::Out);
    let mut payments = BTreeMap::new();
    for flow in flows {
        if let Some(id) = flow.party_of(Direction::Out).filter(|id| natural.contains(id)) {
            *payments.entry((flow.day(), id)).or_insert(0) += flow.amount;
        }
    }
    payments
}

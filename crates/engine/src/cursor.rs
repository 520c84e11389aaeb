//! Running aggregates: counts, sums and distinct counterparties of every horizon as of a moving instant.
//!
//! A horizon is a window that a cheap feature of a loaded rule names. For each, a head index and a tail shared by all mark which rows it
//! covers; moving the instant forward adds rows at the tail and expires them at the heads, moving it back does the reverse, row by row, so
//! a late leg costs what it displaces and no more. Distinct counts come from a count of legs per pair and horizon.
//!
//! The cursor never looks at a row that its windows have left, and its aggregates equal [`Aggregates::scan`] over the same rows (property
//! test below).

use weir_model::{Calendar, EventTime, PartyKind, Span};
use weir_rules::Window;

use crate::intern::NONE;
use crate::row::Row;

/// Nearer instants are not asked whether they are far.
const FAR: Span = Span::days(1);

/// Aggregates over the counted legs of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Aggregates {
    pub(crate) amount_in: i128,
    pub(crate) amount_out: i128,
    pub(crate) count_in: u32,
    pub(crate) count_out: u32,
    /// Movements with a counterparty, and those of them that state its kind.
    pub(crate) identified_in: u32,
    pub(crate) identified_out: u32,
    pub(crate) known_in: u32,
    pub(crate) known_out: u32,
    /// Distinct counterparties.
    pub(crate) payers: u32,
    pub(crate) payees: u32,
    pub(crate) natural_payers: u32,
    pub(crate) natural_payees: u32,
}

/// Legs of one pair in one horizon: In, natural In, Out, natural Out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PairCount([u32; 4]);

/// The windows of a party as of an instant.
pub(crate) trait AsOf {
    /// What is in the window of a horizon.
    fn aggregates(&mut self, horizon: usize) -> Aggregates;
}

/// Where one party stands in its windows.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// Which list of horizons it was built for; 0: for none yet.
    generation: u32,
    /// The instant of the last [`Cursor::seek`].
    t: EventTime,
    /// Rows before this index are at or before the instant.
    tail: usize,
    /// Per horizon: rows before this index have left it.
    heads: Vec<usize>,
    /// Per horizon: when the rows before and at the head were. Copies, side by side: the rows themselves lie far apart, and mostly none leaves.
    around: Vec<Around>,
    aggregates: Vec<Aggregates>,
    /// `pair × horizons + horizon`.
    pair_counts: Vec<PairCount>,
}

/// The moments of the rows on both sides of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Around {
    before: EventTime,
    at: EventTime,
}

impl Around {
    /// `rows` up to the tail.
    fn of(rows: &[Row], head: usize) -> Self {
        let before = head.checked_sub(1).and_then(|before| rows.get(before));
        Self { before: before.map_or(EventTime::MIN, |row| row.at), at: rows.get(head).map_or(EventTime(i64::MAX), |row| row.at) }
    }
}

/// The horizons of the loaded rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Horizons {
    /// Rises whenever the list changes.
    pub(crate) generation: u32,
    pub(crate) windows: Vec<Window>,
}

impl Cursor {
    /// Moves to `t`: afterwards each horizon covers exactly the rows of its window as of `t`.
    pub(crate) fn seek(&mut self, rows: &[Row], pairs: usize, t: EventTime, horizons: &Horizons, calendar: &Calendar) {
        if self.generation != horizons.generation || self.heads.len() != horizons.windows.len() {
            self.rebuild(rows, pairs, t, horizons, calendar);
            return;
        }
        self.t = t;
        self.pair_counts.resize(pairs * horizons.windows.len(), PairCount::default());
        let tail = self.tail;
        while self.tail < rows.len() && rows[self.tail].at <= t {
            for horizon in 0..self.heads.len() {
                self.apply(&rows[self.tail], horizon, true);
            }
            self.tail += 1;
        }
        while self.tail > 0 && rows[self.tail - 1].at > t {
            self.tail -= 1;
            for horizon in 0..self.heads.len() {
                if self.heads[horizon] <= self.tail {
                    self.apply(&rows[self.tail], horizon, false);
                } else {
                    self.heads[horizon] = self.tail;
                }
            }
        }
        for horizon in 0..self.heads.len() {
            if self.tail < tail || self.heads[horizon] == tail {
                self.around[horizon] = Around::of(&rows[..self.tail], self.heads[horizon]);
            }
            let start = horizons.windows[horizon].start(t, calendar);
            while self.around[horizon].at < start {
                self.apply(&rows[self.heads[horizon]], horizon, false);
                self.move_head(horizon, self.heads[horizon] + 1, rows);
            }
            while self.around[horizon].before >= start {
                self.move_head(horizon, self.heads[horizon] - 1, rows);
                self.apply(&rows[self.heads[horizon]], horizon, true);
            }
        }
    }

    fn move_head(&mut self, horizon: usize, head: usize, rows: &[Row]) {
        self.heads[horizon] = head;
        self.around[horizon] = Around::of(&rows[..self.tail], head);
    }

    /// Whether more rows would leave the windows on the way to `t` than would be in them there.
    pub(crate) fn is_far(&self, rows: &[Row], t: EventTime, horizons: &Horizons, calendar: &Calendar) -> bool {
        if t < self.t.plus(FAR) {
            return false;
        }
        let head = self.heads.iter().copied().min().unwrap_or(self.tail);
        let start = horizons.windows.iter().map(|window| window.start(t, calendar)).min().unwrap_or(t);
        let (first, end) = (rows.partition_point(|row| row.at < start), rows.partition_point(|row| row.at <= t));
        first.saturating_sub(head) > end - first
    }

    /// Moves back so that a row may be inserted after `t`; a cursor that is behind it, or of other horizons, needs nothing.
    pub(crate) fn retreat(&mut self, rows: &[Row], pairs: usize, t: EventTime, horizons: &Horizons, calendar: &Calendar) {
        if self.generation != horizons.generation {
            self.forget();
        } else if self.tail > 0 && rows[self.tail - 1].at > t {
            self.seek(rows, pairs, t, horizons, calendar);
        }
    }

    /// Whether it stands at the instant `t` of the last of `rows`, so that a row of that instant may join it.
    pub(crate) fn stands_at(&self, rows: &[Row], t: EventTime, horizons: &Horizons) -> bool {
        self.generation == horizons.generation && self.t == t && self.tail == rows.len()
    }

    /// Takes in a row that was inserted at index `at` among those of the instant it stands at: aggregates do not depend on the order within
    /// an instant, and every window covers the instant it ends with.
    pub(crate) fn row_joined(&mut self, rows: &[Row], at: usize, pairs: usize, horizons: &Horizons) {
        self.pair_counts.resize(pairs * horizons.windows.len(), PairCount::default());
        self.tail += 1;
        for horizon in 0..self.heads.len() {
            self.apply(&rows[at], horizon, true);
            // Where a window was empty it is the first.
            self.around[horizon].at = self.around[horizon].at.min(rows[at].at);
        }
    }

    /// Rows at or before the instant of the last [`Cursor::seek`].
    pub(crate) fn tail(&self) -> usize {
        self.tail
    }

    /// Tells the cursor that the first `count` rows are gone. They must have left every horizon; otherwise it starts anew.
    pub(crate) fn rows_left(&mut self, count: usize) {
        if self.tail < count || self.heads.iter().any(|head| *head < count) {
            self.forget();
            return;
        }
        self.tail -= count;
        for (head, around) in self.heads.iter_mut().zip(&mut self.around) {
            *head -= count;
            if *head == 0 {
                around.before = EventTime::MIN;
            }
        }
    }

    /// Takes a row that is about to become a tombstone out of the aggregates.
    pub(crate) fn row_removed(&mut self, rows: &[Row], at: usize) {
        for horizon in 0..self.heads.len() {
            if at < self.tail && at >= self.heads[horizon] {
                self.apply(&rows[at], horizon, false);
            }
        }
    }

    /// The next seek begins anew, be it in another party; memory is kept for it.
    pub(crate) fn forget(&mut self) {
        self.generation = 0;
    }

    /// Every window anew.
    fn rebuild(&mut self, rows: &[Row], pairs: usize, t: EventTime, horizons: &Horizons, calendar: &Calendar) {
        self.generation = horizons.generation;
        self.t = t;
        self.tail = rows.partition_point(|row| row.at <= t);
        self.heads.clear();
        self.heads.extend(horizons.windows.iter().map(|window| {
            let start = window.start(t, calendar);
            rows[..self.tail].partition_point(|row| row.at < start)
        }));
        self.around.clear();
        self.around.extend(self.heads.iter().map(|head| Around::of(&rows[..self.tail], *head)));
        self.aggregates.clear();
        self.aggregates.resize(horizons.windows.len(), Aggregates::default());
        self.pair_counts.clear();
        self.pair_counts.resize(pairs * horizons.windows.len(), PairCount::default());
        for horizon in 0..self.heads.len() {
            for row in &rows[self.heads[horizon]..self.tail] {
                self.apply(row, horizon, true);
            }
        }
    }

    fn apply(&mut self, row: &Row, horizon: usize, add: bool) {
        if row.is_counted() {
            let counts = if row.makes_party() { self.pair_counts.get_mut(row.pair as usize * self.heads.len() + horizon) } else { None };
            self.aggregates[horizon].count(row, counts, add);
        }
    }
}

impl AsOf for Cursor {
    fn aggregates(&mut self, horizon: usize) -> Aggregates {
        self.aggregates[horizon]
    }
}

impl Aggregates {
    /// The aggregates of a stretch of rows, computed at once; `pairs` is the number of pairs of the party.
    pub(crate) fn scan(rows: &[Row]) -> Self {
        let mut aggregates = Self::default();
        let mut counts = hashbrown::HashMap::<u32, [u32; 4], foldhash::fast::FixedState>::default();
        for row in rows.iter().filter(|row| row.is_counted()) {
            aggregates.leg(row, true);
            if row.makes_party() {
                aggregates.party(row, counts.entry(row.pair).or_default(), true);
            }
        }
        aggregates
    }

    /// Counts a row in or out, which is counted at all; `counts` is its pair's.
    pub(crate) fn count(&mut self, row: &Row, counts: Option<&mut PairCount>, add: bool) {
        self.leg(row, add);
        if row.makes_party()
            && let Some(counts) = counts
        {
            self.party(row, &mut counts.0, add);
        }
    }

    fn leg(&mut self, row: &Row, add: bool) {
        let (count, amount) =
            if row.is_out() { (&mut self.count_out, &mut self.amount_out) } else { (&mut self.count_in, &mut self.amount_in) };
        step(count, add);
        *amount += if add { i128::from(row.amount) } else { -i128::from(row.amount) };
    }

    fn party(&mut self, row: &Row, counts: &mut [u32; 4], add: bool) {
        debug_assert!(row.pair != NONE);
        let (identified, known, distinct, natural, side) = if row.is_out() {
            (&mut self.identified_out, &mut self.known_out, &mut self.payees, &mut self.natural_payees, 2)
        } else {
            (&mut self.identified_in, &mut self.known_in, &mut self.payers, &mut self.natural_payers, 0)
        };
        step(identified, add);
        let kind = row.counterparty_kind();
        if kind != PartyKind::Unknown {
            step(known, add);
        }
        count_distinct(&mut counts[side], distinct, add);
        if kind == PartyKind::Natural {
            count_distinct(&mut counts[side + 1], natural, add);
        }
    }
}

fn step(count: &mut u32, add: bool) {
    if add {
        *count += 1;
    } else {
        *count -= 1;
    }
}

/// Keeps `distinct` equal to the number of counts above zero.
fn count_distinct(count: &mut u32, distinct: &mut u32, add: bool) {
    if add {
        *count += 1;
        *distinct += u32::from(*count == 1);
    } else {
        *count -= 1;
        *distinct -= u32::from(*count == 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_model::time::MICROS_PER_DAY;
    use weir_model::{Direction, Division, Flags, Span};

    use super::*;
    use crate::few::Few;
    use crate::row::{Bits, Facts};

    const PAIRS: u32 = 4;

    fn row() -> impl Strategy<Value = Row> {
        let kind = prop_oneof![Just(PartyKind::Natural), Just(PartyKind::Unknown), Just(PartyKind::Organisation)];
        let pair = prop_oneof![4 => 0..PAIRS, 1 => Just(NONE)];
        (0_i64..60, 1_i64..5, pair, kind, any::<[bool; 4]>()).prop_map(|(at, amount, pair, kind, [out, returned, own, removed])| {
            let direction = if out { Direction::Out } else { Direction::In };
            let flags = if own { Flags::OWN } else { Flags::default() };
            let bits = Bits::new(flags, direction, returned, kind, None);
            let at = EventTime(at * MICROS_PER_DAY / 2);
            let mut row = Row { at, amount, pair, txn: NONE, profile: 0, extra: NONE, facts: Facts::new(bits, Division::UNKNOWN, 0) };
            if removed {
                row.remove();
            }
            row
        })
    }

    fn leg_on(day: i64) -> Row {
        let bits = Bits::new(Flags::default(), Direction::In, false, PartyKind::Natural, None);
        let at = EventTime(day * MICROS_PER_DAY);
        Row { at, amount: 1, pair: 0, txn: NONE, profile: 0, extra: NONE, facts: Facts::new(bits, Division::UNKNOWN, 0) }
    }

    #[test]
    fn a_date_decades_ahead_is_far_and_the_next_leg_of_a_busy_party_is_not() {
        let calendar = Calendar::default();
        let horizons = Horizons { generation: 1, windows: vec![Window::Days(14), Window::Days(90)] };
        let mut rows: Vec<Row> = (0..200).map(leg_on).collect();
        rows.push(leg_on(20_000));
        let mut cursor = Cursor::default();
        cursor.seek(&rows, 1, leg_on(199).at, &horizons, &calendar);
        assert!(cursor.is_far(&rows, leg_on(20_000).at, &horizons, &calendar));
        // Ninety days in the window, two that leave it.
        cursor.seek(&rows, 1, leg_on(190).at, &horizons, &calendar);
        assert!(!cursor.is_far(&rows, leg_on(192).at, &horizons, &calendar));
    }

    proptest! {
        /// Wherever the cursor goes, forward or back, it agrees with a scan of the window.
        #[test]
        fn running_aggregates_equal_a_scan(mut rows in prop::collection::vec(row(), 0..60), seeks in prop::collection::vec(0_i64..70, 1..20)) {
            rows.sort_by_key(|row| row.at);
            let calendar = Calendar::default();
            let windows = vec![Window::Exact(Span::days(3)), Window::Days(20), Window::WorkingDays(5)];
            let horizons = Horizons { generation: 1, windows };
            let (mut cursor, mut few) = (Cursor::default(), Few::default());
            for at in seeks {
                let t = EventTime(at * MICROS_PER_DAY / 2);
                cursor.seek(&rows, PAIRS as usize, t, &horizons, &calendar);
                for (horizon, window) in horizons.windows.iter().enumerate() {
                    let start = window.start(t, &calendar);
                    let inside: Vec<Row> = rows.iter().filter(|row| row.at >= start && row.at <= t).copied().collect();
                    prop_assert_eq!(cursor.aggregates(horizon), Aggregates::scan(&inside));
                    let before = &rows[..rows.partition_point(|row| row.at <= t)];
                    prop_assert_eq!(few.as_of(before, PAIRS as usize, t, &horizons, &calendar).aggregates(horizon), Aggregates::scan(&inside));
                }
            }
        }
    }
}

//! Running aggregates: counts, sums and distinct counterparties of every horizon as of a moving instant.
//!
//! A horizon is a window that a cheap feature of a loaded rule names. For each, a head and a tail mark which rows it covers; moving the instant
//! forward adds rows at the tail and expires them at the head, moving it back does the reverse, row by row, so a late leg costs what it displaces, and
//! the instant before it. A window follows the cursor when it is asked for, which at most instants few are; where more has come and gone meanwhile than
//! there is in it then, it is counted anew.
//!
//! A counterparty is in a window if its last row is, so distinct counts need no counts of their own for each window: of every counterparty the
//! last row is known, and of every row the one before it of the same counterparty. Rows are told apart by the order in which they were added
//! (their *turn*). Within an instant that may be any order, but an instant enters and leaves a window as a whole, and all rows of
//! earlier instants have earlier turns.
//!
//! A row that all windows have left is read only to come back to it, and once when the cursor begins anew. Its aggregates equal
//! [`Aggregates::scan`] over the same rows (property test below).

use std::ops::{AddAssign, SubAssign};

use weir_model::{Calendar, EventTime, Flags, PartyKind, Span};
use weir_rules::Window;

use crate::row::{Row, earliest_point, latest_point};

/// Turns are given anew before they run out.
const TURNS_MAX: u32 = u32::MAX / 2;
/// Nearer instants are not asked whether they are far.
const FAR: Span = Span::days(1);

/// Aggregates over the counted legs of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Aggregates {
    pub(crate) inflow: Flow,
    pub(crate) outflow: Flow,
}

/// Those of one direction; or what one leg adds to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flow {
    /// Fen.
    pub(crate) amount: i128,
    /// Fen of it in cash.
    pub(crate) cash: i128,
    /// Fen of it in movements with organisations and sole traders.
    pub(crate) organisations: i128,
    pub(crate) count: u32,
    /// Movements with a counterparty, and those of them that state its kind.
    pub(crate) identified: u32,
    pub(crate) known: u32,
    /// Distinct counterparties, and those known to be natural persons.
    pub(crate) parties: u32,
    pub(crate) natural: u32,
}

/// What a counterparty was met as in a window, by direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Met {
    any: [bool; 2],
    natural: [bool; 2],
}

/// The windows of a party as of an instant.
pub(crate) trait AsOf {
    /// What is in the window of a horizon.
    fn aggregates(&mut self, horizon: usize) -> &Aggregates;
}

/// Where one party stands in its windows.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// Which list of horizons it was built for; 0: for none yet.
    generation: u32,
    /// The instant of the last [`Cursor::seek`].
    t: EventTime,
    /// Per row before the tail; those rows are at or before the instant.
    links: Vec<Link>,
    /// Per pair.
    last: Vec<Last>,
    /// The turn of the row added next.
    next: u32,
    /// The least that a row which is still there can have.
    least: u32,
    windows: Vec<OfWindow>,
}

/// What a row is to the other rows of its counterparty.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    turn: u32,
    /// Turn of the row before of the same counterparty and direction; [`NOBODY`] where there is none.
    before: u32,
    /// The same among rows that say the counterparty is a natural person.
    natural_before: u32,
}

/// No row's turn: earlier than any.
const NOBODY: u32 = 0;

/// Turns of a counterparty's last rows, by direction.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    any: [u32; 2],
    natural: [u32; 2],
}

/// One horizon: where it begins and ends, and what is inside. It holds every row between, and is read only once it holds those up to the cursor's instant.
#[derive(Debug, Clone, Copy)]
struct OfWindow {
    /// The instant it was asked for last, if nothing has come or gone since.
    t: Option<EventTime>,
    /// Rows before this index have left it.
    head: usize,
    /// Those from this one on have not come in yet.
    tail: usize,
    /// Rows of this turn or later have not left it.
    since: u32,
    around: Around,
    aggregates: Aggregates,
}

impl OfWindow {
    /// Nothing is in it; rows from `head` on will be, the first of which is of the turn `since` or a later one.
    fn empty(head: usize, since: u32) -> Self {
        let around = Around { before: EventTime::MIN, at: EventTime(i64::MAX) };
        Self { t: None, head, tail: head, since, around, aggregates: Aggregates::default() }
    }
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
    /// Rises with every rule set.
    pub(crate) generation: u32,
    pub(crate) windows: Vec<Window>,
}

impl Horizons {
    /// The earliest beginning of any window as of `t`.
    pub(crate) fn start(&self, t: EventTime, calendar: &Calendar) -> EventTime {
        self.windows.iter().map(|window| window.start(t, calendar)).min().unwrap_or(t)
    }
}

impl Cursor {
    /// The windows as of `t`, with exactly the rows that are in them then.
    pub(crate) fn as_of<'c>(
        &'c mut self,
        rows: &'c [Row],
        pairs: usize,
        t: EventTime,
        horizons: &'c Horizons,
        calendar: &'c Calendar,
    ) -> CursorAsOf<'c> {
        self.seek(rows, pairs, t, horizons);
        CursorAsOf { cursor: self, rows, horizons, calendar }
    }

    /// Moves to `t`; windows follow when they are asked for.
    fn seek(&mut self, rows: &[Row], pairs: usize, t: EventTime, horizons: &Horizons) {
        if self.generation != horizons.generation || self.windows.len() != horizons.windows.len() || self.next > TURNS_MAX {
            self.begin_anew(horizons);
        }
        self.t = t;
        self.last.resize(pairs, Last::default());
        while let Some(row) = rows.get(self.tail()).filter(|row| row.at <= t) {
            let link = self.link(row);
            self.links.push(link);
        }
        if self.is_after(rows, t) {
            self.take_all_in(rows);
        }
        while self.is_after(rows, t) {
            self.take_back(rows);
        }
    }

    /// Whether it holds rows after `t`.
    fn is_after(&self, rows: &[Row], t: EventTime) -> bool {
        self.tail().checked_sub(1).is_some_and(|last| rows[last].at > t)
    }

    /// Every window takes in what it has not yet; nothing leaves.
    fn take_all_in(&mut self, rows: &[Row]) {
        for window in 0..self.windows.len() {
            self.take_in(rows, window);
        }
    }

    /// A window takes in what it has not yet. Only then may anything leave it: that a later row of its counterparty is there says that this one is in it.
    fn take_in(&mut self, rows: &[Row], window: usize) {
        let tail = self.tail();
        let OfWindow { t, head, tail: taken, since, around, aggregates } = &mut self.windows[window];
        *t = None;
        if head == taken {
            *around = Around::of(&rows[..tail], *head);
        }
        for (row, link) in rows[*taken..tail].iter().zip(&self.links[*taken..]).filter(|(row, _)| row.is_counted()) {
            *aggregates.of(row) += Flow::of(row).met(link.before < *since, link.natural_before < *since);
        }
        *taken = tail;
    }

    /// Moves a window that begins at `start` to the cursor's instant.
    fn bring(&mut self, rows: &[Row], window: usize, start: EventTime) {
        let rows = &rows[..self.tail()];
        let OfWindow { head, tail, around, .. } = self.windows[window];
        let first = if head == tail { Around::of(rows, head).at } else { around.at };
        let begins = if first < start { head + earliest_point(&rows[head..], |row| row.at < start) } else { head };
        if (rows.len() - tail) + (begins - head) > rows.len() - begins {
            self.windows[window] = OfWindow::empty(begins, self.since(rows, begins));
            self.take_in(rows, window);
        } else {
            self.take_in(rows, window);
            while self.windows[window].head < begins {
                self.expire(rows, window);
            }
        }
        self.move_head(rows, window, begins);
        while self.windows[window].around.before >= start {
            self.return_to(rows, window);
        }
        if self.windows[window].head < begins {
            self.windows[window].since = self.since(rows, self.windows[window].head);
        }
        self.windows[window].t = Some(self.t);
    }

    /// A row is the last of its counterparty now.
    fn link(&mut self, row: &Row) -> Link {
        let mut link = Link { turn: self.next, before: NOBODY, natural_before: NOBODY };
        self.next += 1;
        if let Some((last, of)) = self.last_of(row) {
            (link.before, link.natural_before) = (last.any[of], last.natural[of]);
            last.any[of] = link.turn;
            if row.is_natural() {
                last.natural[of] = link.turn;
            }
        }
        link
    }

    /// The last row goes out again, at the end where it came in. All windows have taken it in.
    fn take_back(&mut self, rows: &[Row]) {
        let Some(link) = self.links.pop() else { return };
        let at = self.tail();
        if rows[at].is_counted() {
            self.leave(rows, at, link);
        }
        for OfWindow { t, head, tail, .. } in &mut self.windows {
            (*t, *head, *tail) = (None, (*head).min(at), (*tail).min(at));
        }
    }

    /// A counted row goes out of all windows that it is in. All of them have taken in what there is.
    fn leave(&mut self, rows: &[Row], at: usize, link: Link) {
        let (is_last, is_last_natural) = self.unlink(rows, at, link);
        let (row, flow) = (&rows[at], Flow::of(&rows[at]));
        for OfWindow { aggregates, since, .. } in self.windows.iter_mut().filter(|window| window.head <= at) {
            *aggregates.of(row) -= flow.met(is_last && link.before < *since, is_last_natural && link.natural_before < *since);
        }
    }

    /// Joins what was before and after a row of its counterparty, which goes; whether nothing was after it, of any kind and natural.
    fn unlink(&mut self, rows: &[Row], at: usize, link: Link) -> (bool, bool) {
        let Some((last, of)) = self.last_of(&rows[at]) else { return (false, false) };
        let (is_last, is_last_natural) = (last.any[of] == link.turn, last.natural[of] == link.turn);
        if is_last {
            last.any[of] = link.before;
        }
        if is_last_natural {
            last.natural[of] = link.natural_before;
        }
        if !is_last {
            // Nearly never: rows that came later stand behind it, or among those of its instant.
            for other in &mut self.links[latest_point(&rows[..at], |row| row.at < rows[at].at)..] {
                if other.before == link.turn {
                    other.before = link.before;
                }
                if other.natural_before == link.turn {
                    other.natural_before = link.natural_before;
                }
            }
        }
        (is_last, is_last_natural)
    }

    /// The row at the head leaves a window: with it goes its counterparty, if no later row of it is there.
    fn expire(&mut self, rows: &[Row], window: usize) {
        let head = self.windows[window].head;
        let turn = self.links[head].turn;
        self.pass(&rows[head], window, turn, false);
        self.windows[window].since = self.windows[window].since.max(turn + 1);
        self.windows[window].head = head + 1;
    }

    /// The row before the head comes back. What is [`OfWindow::since`] then has to be found out when all have.
    fn return_to(&mut self, rows: &[Row], window: usize) {
        let head = self.windows[window].head - 1;
        self.pass(&rows[head], window, self.links[head].turn, true);
        self.move_head(rows, window, head);
    }

    fn pass(&mut self, row: &Row, window: usize, turn: u32, add: bool) {
        if row.is_counted() {
            let flow = self.of_last(row, turn);
            let total = self.windows[window].aggregates.of(row);
            if add {
                *total += flow;
            } else {
                *total -= flow;
            }
        }
    }

    /// What a counted row is worth to a window that it is in: its counterparty as well, if no later row of it is there.
    fn of_last(&mut self, row: &Row, turn: u32) -> Flow {
        let is_last = self.last_of(row).map(|(last, of)| (last.any[of] == turn, last.natural[of] == turn));
        let (is_last, is_last_natural) = is_last.unwrap_or_default();
        Flow::of(row).met(is_last, is_last_natural)
    }

    fn move_head(&mut self, rows: &[Row], window: usize, head: usize) {
        self.windows[window].head = head;
        self.windows[window].around = Around::of(&rows[..self.tail()], head);
    }

    /// The earliest turn that rows from `head` on can have: later than any of the instant before.
    fn since(&self, rows: &[Row], head: usize) -> u32 {
        let Some(before) = head.checked_sub(1) else { return self.least };
        let of_instant = rows[..head].iter().zip(&self.links[..head]).rev().take_while(|(row, _)| row.at == rows[before].at);
        of_instant.map(|(_, link)| link.turn + 1).max().unwrap_or(self.least)
    }

    /// The last rows of a counted row's counterparty, and the place of its direction among them.
    fn last_of(&mut self, row: &Row) -> Option<(&mut Last, usize)> {
        if !row.is_counted() || !row.makes_party() {
            return None;
        }
        Some((self.last.get_mut(row.pair as usize)?, usize::from(row.is_out())))
    }

    /// Where the rows of the windows begin as of `t`, if more rows would leave them on the way there than would be in them then; `start` is the earliest
    /// beginning of any window as of a moment.
    pub(crate) fn far(&self, rows: &[Row], t: EventTime, start: impl Fn(EventTime) -> EventTime) -> Option<usize> {
        if t < self.t.plus(FAR) {
            return None;
        }
        let point = |moment| rows.partition_point(|row| row.at < moment);
        let (head, first, end) = (point(start(self.t)), point(start(t)), point(t.plus(Span(1))));
        (first.saturating_sub(head) > end - first).then_some(first)
    }

    /// Moves back so that a row may be inserted after `t`; a cursor that is behind it, or of other horizons, needs nothing.
    pub(crate) fn retreat(&mut self, rows: &[Row], pairs: usize, t: EventTime, horizons: &Horizons) {
        if self.generation != horizons.generation {
            self.forget();
        } else if self.is_after(rows, t) {
            self.seek(rows, pairs, t, horizons);
        }
    }

    /// Whether it stands at the instant `t` of the last of `rows`, so that a row of that instant may join it.
    pub(crate) fn stands_at(&self, rows: &[Row], t: EventTime, horizons: &Horizons) -> bool {
        self.generation == horizons.generation && self.t == t && self.tail() == rows.len()
    }

    /// Takes in a row that was inserted at index `at` among those of the instant it stands at: aggregates do not depend on the order within
    /// an instant, and every window covers the instant it ends with.
    pub(crate) fn row_joined(&mut self, rows: &[Row], at: usize, pairs: usize) {
        self.last.resize(pairs, Last::default());
        let row = &rows[at];
        let link = self.link(row);
        self.links.insert(at, link);
        // A window that has come no further takes it in with the others.
        for OfWindow { tail, since, aggregates, .. } in self.windows.iter_mut().filter(|window| window.tail > at) {
            *tail += 1;
            if row.is_counted() {
                *aggregates.of(row) += Flow::of(row).met(link.before < *since, link.natural_before < *since);
            }
        }
    }

    /// Rows at or before the instant of the last [`Cursor::seek`].
    fn tail(&self) -> usize {
        self.links.len()
    }

    /// Tells the cursor that the first `count` rows of `rows`, whole instants, are about to go: they leave every window that they are still in. One that
    /// stands before they end begins anew.
    pub(crate) fn before_drop(&mut self, rows: &[Row], count: usize) {
        debug_assert!(count == 0 || rows.get(count).is_none_or(|row| row.at > rows[count - 1].at), "whole instants go");
        if self.tail() < count {
            self.forget();
            return;
        }
        self.least = self.since(rows, count);
        for window in 0..self.windows.len() {
            if self.windows[window].tail <= count {
                self.windows[window] = OfWindow::empty(count, self.least);
            } else if self.windows[window].head < count {
                self.take_in(rows, window);
                while self.windows[window].head < count {
                    self.expire(rows, window);
                }
                self.move_head(rows, window, count);
            }
        }
        self.links.drain(..count);
        for OfWindow { head, tail, around, .. } in &mut self.windows {
            (*head, *tail) = (*head - count, *tail - count);
            if *head == 0 {
                around.before = EventTime::MIN;
            }
        }
    }

    /// Takes a row that is about to become a tombstone out of the aggregates.
    pub(crate) fn row_removed(&mut self, rows: &[Row], at: usize) {
        let Some(link) = self.links.get(at).copied() else { return };
        let row = &rows[at];
        if !row.is_counted() {
            return;
        }
        self.take_all_in(rows);
        self.leave(rows, at, link);
    }

    /// The next seek begins anew.
    pub(crate) fn forget(&mut self) {
        self.generation = 0;
        self.links.clear();
    }

    /// Before all rows, with nothing in any window. Rows before all of them come in too: the cursor may come back to them.
    fn begin_anew(&mut self, horizons: &Horizons) {
        (self.generation, self.next, self.least) = (horizons.generation, NOBODY + 1, NOBODY + 1);
        self.links.clear();
        self.last.clear();
        self.windows.clear();
        self.windows.resize(horizons.windows.len(), OfWindow::empty(0, self.least));
    }
}

/// A cursor at an instant.
#[derive(Debug)]
pub(crate) struct CursorAsOf<'c> {
    cursor: &'c mut Cursor,
    rows: &'c [Row],
    horizons: &'c Horizons,
    calendar: &'c Calendar,
}

impl CursorAsOf<'_> {
    /// Rows at or before the instant.
    pub(crate) fn tail(&self) -> usize {
        self.cursor.tail()
    }
}

impl AsOf for CursorAsOf<'_> {
    fn aggregates(&mut self, horizon: usize) -> &Aggregates {
        let Self { cursor, rows, horizons, calendar } = self;
        let OfWindow { t, tail, .. } = cursor.windows[horizon];
        if t != Some(cursor.t) || tail != cursor.tail() {
            cursor.bring(rows, horizon, horizons.windows[horizon].start(cursor.t, calendar));
        }
        &cursor.windows[horizon].aggregates
    }
}

impl Aggregates {
    /// The aggregates of a stretch of rows, computed at once.
    pub(crate) fn scan(rows: &[Row]) -> Self {
        let mut aggregates = Self::default();
        let mut met = hashbrown::HashMap::<u32, Met, foldhash::fast::FixedState>::default();
        for row in rows.iter().filter(|row| row.is_counted()) {
            aggregates.count(row, met.entry(row.pair).or_default());
        }
        aggregates
    }

    /// Counts a row that is counted at all; `met` is what its pair was met as.
    pub(crate) fn count(&mut self, row: &Row, met: &mut Met) {
        let (of, flow) = (usize::from(row.is_out()), Flow::of(row));
        *self.of(row) += flow.met(!met.any[of], !met.natural[of]);
        met.any[of] |= flow.parties > 0;
        met.natural[of] |= flow.natural > 0;
    }

    /// The direction of a row.
    fn of(&mut self, row: &Row) -> &mut Flow {
        if row.is_out() { &mut self.outflow } else { &mut self.inflow }
    }
}

impl Flow {
    /// What a counted row adds where nobody else is.
    fn of(row: &Row) -> Self {
        let is_identified = row.makes_party();
        let amount = i128::from(row.amount);
        Self {
            amount,
            cash: if row.has(Flags::CASH) { amount } else { 0 },
            organisations: if is_identified && row.is_organisation() { amount } else { 0 },
            count: 1,
            identified: is_identified.into(),
            known: (is_identified && row.counterparty_kind() != PartyKind::Unknown).into(),
            parties: is_identified.into(),
            natural: (is_identified && row.is_natural()).into(),
        }
    }

    /// What it adds where its counterparty may be already: whether it is the first of it, and the first that says it is a natural person.
    fn met(self, is_first: bool, is_first_natural: bool) -> Self {
        Self { parties: self.parties * u32::from(is_first), natural: self.natural * u32::from(is_first_natural), ..self }
    }
}

impl AddAssign for Flow {
    fn add_assign(&mut self, other: Self) {
        self.amount += other.amount;
        self.cash += other.cash;
        self.organisations += other.organisations;
        self.count += other.count;
        self.identified += other.identified;
        self.known += other.known;
        self.parties += other.parties;
        self.natural += other.natural;
    }
}

impl SubAssign for Flow {
    fn sub_assign(&mut self, other: Self) {
        self.amount -= other.amount;
        self.cash -= other.cash;
        self.organisations -= other.organisations;
        self.count -= other.count;
        self.identified -= other.identified;
        self.known -= other.known;
        self.parties -= other.parties;
        self.natural -= other.natural;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_model::time::MICROS_PER_DAY;
    use weir_model::{Direction, Division, Span};

    use super::*;
    use crate::few::Few;
    use crate::intern::NONE;
    use crate::row::testing::{PAIRS, half_day, row};
    use crate::row::{Bits, Facts};

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
        cursor.seek(&rows, 1, leg_on(199).at, &horizons);
        let start = |t| horizons.start(t, &calendar);
        assert_eq!(cursor.far(&rows, leg_on(20_000).at, start), Some(200));
        // Ninety days in the window, two that leave it.
        cursor.seek(&rows, 1, leg_on(190).at, &horizons);
        assert_eq!(cursor.far(&rows, leg_on(192).at, start), None);
    }

    /// What happens to a history and its cursor.
    #[derive(Debug, Clone)]
    enum Event {
        Seek(i64),
        /// A row comes, at this place among those of its instant.
        Come(Row, usize),
        /// One is taken out.
        Remove(usize),
        /// The first go: those that no window covers any more, and so many more.
        Drop(usize),
        /// It begins anew, there.
        Forget(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0_i64..70).prop_map(Event::Seek),
            6 => (row(), 0_usize..4).prop_map(|(row, place)| Event::Come(row, place)),
            2 => (0_usize..60).prop_map(Event::Remove),
            2 => (0_usize..3).prop_map(Event::Drop),
            1 => (0_i64..70).prop_map(Event::Forget),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Wherever the cursor goes, forward or back, and whatever comes and goes meanwhile, it agrees with a scan of the window, whichever windows were asked for before.
        #[test]
        fn running_aggregates_equal_a_scan(
            mut rows in prop::collection::vec(row(), 0..60),
            events in prop::collection::vec((event(), any::<[bool; 3]>()), 1..40),
        ) {
            rows.sort_by_key(|row| row.at);
            let calendar = Calendar::default();
            let windows = vec![Window::Exact(Span::days(3)), Window::Days(20), Window::WorkingDays(5)];
            let horizons = Horizons { generation: 1, windows };
            let pairs = PAIRS as usize;
            let (mut cursor, mut few) = (Cursor::default(), Few::default());
            cursor.seek(&rows, pairs, half_day(30), &horizons);
            for (event, are_asked) in events {
                match event {
                    Event::Seek(at) => cursor.seek(&rows, pairs, half_day(at), &horizons),
                    Event::Come(row, place) => {
                        let from = rows.partition_point(|other| other.at < row.at);
                        let at = from + place.min(rows[from..].iter().take_while(|other| other.at == row.at).count());
                        let joins = cursor.stands_at(&rows, row.at, &horizons);
                        if at < rows.len() && !joins {
                            cursor.retreat(&rows, pairs, row.at.minus(Span(1)), &horizons);
                        }
                        rows.insert(at, row);
                        if joins {
                            cursor.row_joined(&rows, at, pairs);
                        }
                    }
                    Event::Remove(at) if at < rows.len() => {
                        cursor.row_removed(&rows, at);
                        rows[at].remove();
                    }
                    Event::Remove(_) => {}
                    Event::Forget(at) => {
                        cursor.forget();
                        cursor.seek(&rows, pairs, half_day(at), &horizons);
                    }
                    Event::Drop(more) => {
                        let start = horizons.windows.iter().map(|window| window.start(cursor.t, &calendar)).min().expect("three windows");
                        let cut = rows.len().min(rows.partition_point(|row| row.at < start) + more);
                        // Whole instants.
                        let count = cut.checked_sub(1).map_or(0, |last| rows.partition_point(|row| row.at <= rows[last].at));
                        cursor.before_drop(&rows, count);
                        rows.drain(..count);
                    }
                }
                if cursor.generation == 0 {
                    continue;
                }
                // What came behind the cursor's instant is not its business yet.
                let before = rows[..cursor.tail()].to_vec();
                let t = cursor.t;
                let mut few = few.as_of(&before, pairs, t, &horizons, &calendar);
                let mut windows = cursor.as_of(&before, pairs, t, &horizons, &calendar);
                for horizon in (0..horizons.windows.len()).filter(|horizon| are_asked[*horizon]) {
                    let start = horizons.windows[horizon].start(t, &calendar);
                    let inside: Vec<Row> = before.iter().filter(|row| row.at >= start && row.at <= t).copied().collect();
                    prop_assert_eq!(*windows.aggregates(horizon), Aggregates::scan(&inside));
                    prop_assert_eq!(*few.aggregates(horizon), Aggregates::scan(&inside));
                }
            }
        }
    }
}

//! What features have scanned of a window, kept from one instant of a party to the next.
//!
//! A party at which windows matter is looked at again and again: scanning a window anew at each instant would cost the square of its legs. So
//! what is known of a stretch of rows is moved along: rows that come are added, rows that leave are taken out, at either end. Each kind of
//! knowledge is a [`Running`]; one of a kind is kept for each window (and whatever else tells it from others) that was ever asked for.
//!
//! Whoever changes rows says so before ([`Scans::before_change`], [`Scans::before_drop`]): then the stretches give up what is about to change.
//! They are no state: nothing of them is in a snapshot, and without them every feature says the same.

mod amounts;
mod days;
mod modes;
mod outlets;
mod people;
mod rebates;
mod sums;

pub(crate) use days::Days;
pub(crate) use modes::Modes;
pub(crate) use outlets::Outlets;
pub(crate) use people::{Payment, People};
pub(crate) use rebates::Rebates;
pub(crate) use sums::{Measure, Sum};

use weir_model::Direction;
use weir_rules::Window;

use crate::row::Row;

/// Knowledge of a set of rows that can be moved: what was added and removed again leaves no trace, and the order of adding means nothing.
pub(crate) trait Running {
    /// What it is of, beside the window.
    type Of: Copy + PartialEq + std::fmt::Debug;

    /// Of no rows.
    fn anew(of: Self::Of) -> Self;

    fn add(&mut self, row: &Row);

    /// Takes out a row that was added.
    fn remove(&mut self, row: &Row);
}

/// A stretch of rows and what is known of it.
#[derive(Debug)]
struct Stretch<T: Running> {
    /// None: all rows there are.
    window: Option<Window>,
    of: T::Of,
    /// The rows covered, by index.
    begin: usize,
    end: usize,
    known: T,
}

/// Of one kind, for each window and thing asked for.
#[derive(Debug)]
struct Kept<T: Running>(Vec<Stretch<T>>);

impl<T: Running> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Of one party; most have none.
#[derive(Debug, Default)]
pub(crate) struct Scans(Option<Box<Kinds>>);

#[derive(Debug, Default)]
struct Kinds {
    people: Kept<People>,
    outlets: Kept<Outlets>,
    sums: Kept<Sum>,
    days: Kept<Days>,
    rebates: Kept<Rebates>,
    modes: Kept<Modes>,
}

impl Scans {
    /// The people paid or paying in `rows[begin..]`, which is `window`.
    pub(crate) fn people(&mut self, direction: Direction, window: Option<Window>, rows: &[Row], begin: usize) -> &mut People {
        self.kinds().people.of(window, direction, rows, begin)
    }

    pub(crate) fn outlets(&mut self, window: Window, rows: &[Row], begin: usize) -> &Outlets {
        self.kinds().outlets.of(Some(window), (), rows, begin)
    }

    pub(crate) fn sum(&mut self, measure: Measure, window: Window, rows: &[Row], begin: usize) -> i128 {
        self.kinds().sums.of(Some(window), measure, rows, begin).value()
    }

    pub(crate) fn days(&mut self, window: Window, rows: &[Row], begin: usize) -> &Days {
        self.kinds().days.of(Some(window), (), rows, begin)
    }

    pub(crate) fn rebates(&mut self, window: Window, rows: &[Row], begin: usize) -> usize {
        self.kinds().rebates.of(Some(window), (), rows, begin).people()
    }

    pub(crate) fn modes(&mut self, direction: Direction, window: Window, rows: &[Row], begin: usize) -> &Modes {
        self.kinds().modes.of(Some(window), direction, rows, begin)
    }

    /// Rows from index `at` on are about to change, or to get another index.
    pub(crate) fn before_change(&mut self, rows: &[Row], at: usize) {
        let Some(kinds) = &mut self.0 else { return };
        kinds.people.retreat(rows, at);
        kinds.outlets.retreat(rows, at);
        kinds.sums.retreat(rows, at);
        kinds.days.retreat(rows, at);
        kinds.rebates.retreat(rows, at);
        kinds.modes.retreat(rows, at);
    }

    /// The first `count` rows are about to go.
    pub(crate) fn before_drop(&mut self, rows: &[Row], count: usize) {
        let Some(kinds) = &mut self.0 else { return };
        kinds.people.drop(rows, count);
        kinds.outlets.drop(rows, count);
        kinds.sums.drop(rows, count);
        kinds.days.drop(rows, count);
        kinds.rebates.drop(rows, count);
        kinds.modes.drop(rows, count);
    }

    /// Whether there are any.
    pub(crate) fn are_kept(&self) -> bool {
        self.0.is_some()
    }

    fn kinds(&mut self) -> &mut Kinds {
        self.0.get_or_insert_default()
    }
}

impl<T: Running> Kept<T> {
    fn of(&mut self, window: Option<Window>, of: T::Of, rows: &[Row], begin: usize) -> &mut T {
        let known = self.0.iter().position(|stretch| stretch.window == window && stretch.of == of);
        let at = known.unwrap_or_else(|| {
            self.0.push(Stretch { window, of, begin, end: begin, known: T::anew(of) });
            self.0.len() - 1
        });
        self.0[at].seek(rows, begin);
        &mut self.0[at].known
    }

    fn retreat(&mut self, rows: &[Row], at: usize) {
        for stretch in self.0.iter_mut().filter(|stretch| stretch.end > at) {
            if stretch.begin >= at {
                stretch.restart(at);
            } else {
                rows[at..stretch.end].iter().for_each(|row| stretch.known.remove(row));
                stretch.end = at;
            }
        }
    }

    fn drop(&mut self, rows: &[Row], count: usize) {
        for stretch in &mut self.0 {
            if stretch.end <= count {
                stretch.restart(count);
            } else if stretch.begin < count {
                rows[stretch.begin..count].iter().for_each(|row| stretch.known.remove(row));
                stretch.begin = count;
            }
            stretch.begin -= count;
            stretch.end -= count;
        }
    }
}

impl<T: Running> Stretch<T> {
    /// Covers `rows[begin..]`. What shares no row with it, or reaches beyond it, begins anew.
    fn seek(&mut self, rows: &[Row], begin: usize) {
        if begin >= self.end || rows.len() < self.end {
            self.restart(begin);
        }
        rows[begin.min(self.begin)..self.begin].iter().for_each(|row| self.known.add(row));
        rows[self.begin.min(begin)..begin].iter().for_each(|row| self.known.remove(row));
        rows[self.end..].iter().for_each(|row| self.known.add(row));
        (self.begin, self.end) = (begin, rows.len());
    }

    fn restart(&mut self, at: usize) {
        self.known = T::anew(self.of);
        (self.begin, self.end) = (at, at);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use weir_model::time::MICROS_PER_DAY;
    use weir_model::{Day, Division, EventTime, Flags, PartyKind};

    use super::*;
    use crate::intern::NONE;
    use crate::row::{Bits, Facts};

    fn row() -> impl Strategy<Value = Row> {
        let kind = prop_oneof![3 => Just(PartyKind::Natural), 1 => Just(PartyKind::Unknown), 1 => Just(PartyKind::Organisation)];
        let pair = prop_oneof![6 => 0..4_u32, 1 => Just(NONE)];
        let facts = prop::sample::select(vec![Flags::default(), Flags::OWN, Flags::CASH, Flags::AGE_KNOWN, Flags::HAS_MEMO]);
        (0_i64..40, 1_i64..9, pair, kind, facts, any::<[bool; 4]>()).prop_map(
            |(at, amount, pair, kind, flags, [out, back, placed, removed])| {
                let direction = if out { Direction::Out } else { Direction::In };
                let flags = if flags == Flags::AGE_KNOWN && placed { flags.with(Flags::ELDERLY) } else { flags };
                let division = if placed { Division::parse("530500").expect("a division") } else { Division::UNKNOWN };
                let at = EventTime(at * MICROS_PER_DAY / 3);
                let bits = Bits::new(flags, direction, back, kind, None);
                let mut row =
                    Row { at, amount, pair, txn: NONE, profile: 0, extra: NONE, facts: Facts::new(bits, division, placed.into()) };
                if removed {
                    row.remove();
                }
                row
            },
        )
    }

    /// What happens to a party's rows.
    #[derive(Debug, Clone)]
    enum Step {
        Look(usize, usize),
        Insert(Row),
        TakeOut(usize),
        Drop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => (0..60_usize, 0..60_usize).prop_map(|(a, b)| Step::Look(a, b)),
            3 => row().prop_map(Step::Insert),
            1 => (0..60_usize).prop_map(Step::TakeOut),
            1 => (0..9_usize).prop_map(Step::Drop),
        ]
    }

    type Batches = Vec<(Day, Vec<(u32, i128)>)>;

    /// Everything that can be asked, in an order that means something.
    fn told(scans: &mut Scans, rows: &[Row], begin: usize) -> impl PartialEq + std::fmt::Debug + use<> {
        let window = Window::Days(40);
        let mut told = Vec::new();
        for direction in [Direction::In, Direction::Out] {
            let people = scans.people(direction, Some(window), rows, begin);
            let payments: BTreeMap<u32, Vec<(Day, i128)>> =
                people.natural().map(|(pair, payments)| (pair, payments.iter().map(|paid| (paid.day, paid.amount)).collect())).collect();
            let mut sums: Vec<i128> = people.sums().collect();
            sums.sort_unstable();
            let mut places: Vec<Division> = people.places().collect();
            places.sort_unstable();
            let batches: Batches = people.batches(1).into_iter().map(|(day, payees)| (day, payees.to_vec())).collect();
            let counts = (people.small(4), people.small(6), people.payments(), people.elderly(), people.located());
            let ranked = people.payments().checked_sub(1).map(|last| people.ranked([0, last / 2, last / 2, last]));
            told.push((payments, sums, places, batches, counts, ranked));
        }
        let mut outlets: Vec<i128> = scans.outlets(window, rows, begin).sums().collect();
        outlets.sort_unstable();
        let days: Vec<_> = scans.days(window, rows, begin).flows().collect();
        let measures = [
            Measure::Legs(Direction::In),
            Measure::Tagged(Direction::Out, 0),
            Measure::Round(Direction::In, 3),
            Measure::Amount(Direction::Out),
        ];
        let sums = measures.map(|measure| scans.sum(measure, window, rows, begin));
        let modes = [Direction::In, Direction::Out].map(|direction| scans.modes(direction, window, rows, begin).most_and_all());
        (told, outlets, days, sums, scans.rebates(window, rows, begin), modes)
    }

    proptest! {
        /// Wherever it comes from, and whatever happened to the rows, it tells what a fresh scan tells.
        #[test]
        fn what_moved_equals_what_is_made_anew(mut rows in prop::collection::vec(row(), 1..60), steps in prop::collection::vec(step(), 1..30)) {
            let key = |row: &Row| (row.at, row.is_out());
            rows.sort_by_key(key);
            let mut moving = Scans::default();
            for step in steps {
                match step {
                    Step::Look(a, b) => {
                        let (begin, end) = (a.min(b).min(rows.len()), a.max(b).min(rows.len()));
                        prop_assert_eq!(told(&mut moving, &rows[..end], begin), told(&mut Scans::default(), &rows[..end], begin));
                    }
                    Step::Insert(row) => {
                        let at = rows.partition_point(|other| key(other) <= key(&row));
                        moving.before_change(&rows, at);
                        rows.insert(at, row);
                    }
                    Step::TakeOut(at) => {
                        let at = at % rows.len().max(1);
                        if let Some(row) = rows.get(at).copied() {
                            moving.before_change(&rows, at);
                            rows[at] = row;
                            rows[at].remove();
                        }
                    }
                    Step::Drop(count) => {
                        let count = count.min(rows.len());
                        moving.before_drop(&rows, count);
                        rows.drain(..count);
                    }
                }
            }
        }
    }
}

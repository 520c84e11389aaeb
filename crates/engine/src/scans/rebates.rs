//! Who paid in and soon got a small part of it back (返点).

use weir_model::{EventTime, Span};

use super::Running;
use crate::feature::ByPair;
use crate::row::Row;

/// What comes back later is no rebate.
const SOON: Span = Span::days(3);

/// Movements of one pair.
#[derive(Debug, Default)]
struct Movements {
    /// Rows that say that it is natural.
    natural: u32,
    /// Time, whether it is Out, fen; in that order, which is the order of rows as far as it matters here.
    legs: Vec<(EventTime, bool, i64)>,
    has_rebate: bool,
}

/// Movements of all pairs.
#[derive(Debug)]
pub(crate) struct Rebates {
    by_pair: ByPair<Movements>,
    people: usize,
}

impl Rebates {
    /// Natural people with a rebate.
    pub(crate) fn people(&self) -> usize {
        self.people
    }

    fn change(&mut self, row: &Row, change: impl FnOnce(&mut Movements, (EventTime, bool, i64))) {
        if !row.makes_party() {
            return;
        }
        let movements = self.by_pair.entry(row.pair).or_default();
        self.people -= usize::from(movements.counts());
        change(movements, (row.at, row.is_out(), row.amount));
        movements.has_rebate = movements.natural > 0 && has_rebate(&movements.legs);
        self.people += usize::from(movements.counts());
        if movements.legs.is_empty() {
            self.by_pair.remove(&row.pair);
        }
    }
}

impl Running for Rebates {
    type Of = ();

    fn anew((): ()) -> Self {
        Self { by_pair: ByPair::default(), people: 0 }
    }

    fn add(&mut self, row: &Row) {
        self.change(row, |movements, leg| {
            movements.natural += u32::from(row.is_natural());
            let at = movements.legs.partition_point(|other| *other <= leg);
            movements.legs.insert(at, leg);
        });
    }

    fn remove(&mut self, row: &Row) {
        self.change(row, |movements, leg| {
            movements.natural -= u32::from(row.is_natural());
            let at = movements.legs.binary_search(&leg).expect("what is removed was added");
            movements.legs.remove(at);
        });
    }
}

impl Movements {
    fn counts(&self) -> bool {
        self.natural > 0 && self.has_rebate
    }
}

fn has_rebate(legs: &[(EventTime, bool, i64)]) -> bool {
    legs.iter().enumerate().filter(|(_, (_, is_out, _))| !is_out).any(|(i, (paid_at, _, paid))| {
        let soon = legs[i + 1..].iter().take_while(|(back_at, ..)| back_at.since(*paid_at) <= SOON);
        soon.filter(|(_, is_out, _)| *is_out).any(|(.., back)| is_rebate(*paid, *back))
    })
}

/// 5 % to 25 %.
fn is_rebate(paid: i64, back: i64) -> bool {
    let (paid, back) = (i128::from(paid), i128::from(back));
    back * 20 >= paid && back * 4 <= paid
}

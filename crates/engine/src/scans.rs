//! What each person was paid within a window, kept from one instant of a party to the next.
//!
//! Batches, periods, shares and rates of payouts all rest on it, and a party at which they matter is paid from again and again: scanning a
//! window anew at each instant would cost the square of its legs. So rows that come are added and rows that leave the window are taken out. A
//! party whose rows changed otherwise (a late leg, a removal, rows that were let go) starts anew: [`crate::history`] clears its scans. They
//! are no state: nothing of them is in a snapshot, and without them every feature says the same.

use std::collections::BTreeMap;

use weir_model::Day;
use weir_rules::Window;

use crate::feature::ByPair;
use crate::row::Row;

/// What a person was paid on one day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    pub(crate) day: Day,
    pub(crate) amount: i128,
    /// Rows it is made of.
    rows: u32,
}

#[derive(Debug, Default)]
struct Payee {
    /// Rows that say that it is natural; it is as long as there is one.
    natural: u32,
    /// By day, in order.
    payments: Vec<Payment>,
}

/// The payments out of a stretch of rows.
#[derive(Debug, Default)]
pub(crate) struct Payouts {
    /// The rows covered, by index.
    begin: usize,
    end: usize,
    payees: ByPair<Payee>,
    /// What natural payees were paid on each day, in order of pairs.
    days: BTreeMap<Day, Vec<(u32, i128)>>,
}

/// Of one party, for each window asked for.
#[derive(Debug, Default)]
pub(crate) struct Scans(Vec<(Window, Payouts)>);

impl Scans {
    /// The payments out of `rows[begin..]`, which is `window`.
    pub(crate) fn payouts(&mut self, window: Window, rows: &[Row], begin: usize) -> &Payouts {
        let at = self.0.iter().position(|(other, _)| *other == window).unwrap_or_else(|| {
            self.0.push((window, Payouts::default()));
            self.0.len() - 1
        });
        let payouts = &mut self.0[at].1;
        payouts.seek(rows, begin);
        payouts
    }
}

impl Payouts {
    /// Covers `rows[begin..]`: what lies ahead is added, what lies behind is taken out; back there is no way but anew.
    pub(crate) fn seek(&mut self, rows: &[Row], begin: usize) {
        if begin < self.begin || begin > self.end || rows.len() < self.end {
            *self = Self { begin, end: begin, ..Self::default() };
        }
        rows[self.end..].iter().filter(|row| is_payment(row)).for_each(|row| self.add(row));
        rows[self.begin..begin].iter().filter(|row| is_payment(row)).for_each(|row| self.expire(row));
        (self.begin, self.end) = (begin, rows.len());
    }

    /// Natural payees, by pair, with what they were paid day by day.
    pub(crate) fn natural(&self) -> impl Iterator<Item = (u32, &[Payment])> {
        self.payees.iter().filter(|(_, payee)| payee.natural > 0).map(|(pair, payee)| (*pair, payee.payments.as_slice()))
    }

    /// Days on which at least so many natural people were paid, with what each got in order of pairs.
    pub(crate) fn batches(&self, least: i64) -> Vec<(Day, &[(u32, i128)])> {
        let least = usize::try_from(least).unwrap_or(usize::MAX);
        let enough = self.days.iter().filter(|(_, payees)| payees.len() >= least);
        enough.map(|(day, payees)| (*day, payees.as_slice())).collect()
    }

    fn add(&mut self, row: &Row) {
        let payee = self.payees.entry(row.pair).or_default();
        let (day, amount) = (row.at.day(), i128::from(row.amount));
        match payee.payments.last_mut() {
            Some(payment) if payment.day == day => {
                payment.amount += amount;
                payment.rows += 1;
            }
            _ => payee.payments.push(Payment { day, amount, rows: 1 }),
        }
        let was_natural = payee.natural > 0;
        payee.natural += u32::from(row.is_natural());
        if payee.natural > 0 {
            // Whoever turns out to be natural was so all along.
            let new = if was_natural { payee.payments.len() - 1 } else { 0 };
            payee.payments[new..].iter().for_each(|payment| put(&mut self.days, payment.day, row.pair, payment.amount));
        }
    }

    fn expire(&mut self, row: &Row) {
        let Some(payee) = self.payees.get_mut(&row.pair) else { return };
        let was_natural = payee.natural > 0;
        payee.natural -= u32::from(row.is_natural());
        let first = &mut payee.payments[0];
        first.amount -= i128::from(row.amount);
        first.rows -= 1;
        let (first, is_over) = (*first, first.rows == 0);
        if is_over {
            payee.payments.remove(0);
        }
        if was_natural && payee.natural == 0 {
            take(&mut self.days, first.day, row.pair);
            payee.payments.iter().for_each(|payment| take(&mut self.days, payment.day, row.pair));
        } else if was_natural && is_over {
            take(&mut self.days, first.day, row.pair);
        } else if was_natural {
            put(&mut self.days, first.day, row.pair, first.amount);
        }
        if payee.payments.is_empty() {
            self.payees.remove(&row.pair);
        }
    }
}

fn is_payment(row: &Row) -> bool {
    row.is_counted() && row.is_out() && row.makes_party()
}

fn put(days: &mut BTreeMap<Day, Vec<(u32, i128)>>, day: Day, pair: u32, amount: i128) {
    let payees = days.entry(day).or_default();
    match payees.binary_search_by_key(&pair, |(other, _)| *other) {
        Ok(at) => payees[at].1 = amount,
        Err(at) => payees.insert(at, (pair, amount)),
    }
}

fn take(days: &mut BTreeMap<Day, Vec<(u32, i128)>>, day: Day, pair: u32) {
    let Some(payees) = days.get_mut(&day) else { return };
    if let Ok(at) = payees.binary_search_by_key(&pair, |(other, _)| *other) {
        payees.remove(at);
    }
    if payees.is_empty() {
        days.remove(&day);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_model::time::MICROS_PER_DAY;
    use weir_model::{Direction, Division, EventTime, Flags, PartyKind};

    use super::*;
    use crate::intern::NONE;
    use crate::row::Bits;

    fn row() -> impl Strategy<Value = Row> {
        let kind = prop_oneof![3 => Just(PartyKind::Natural), 1 => Just(PartyKind::Unknown), 1 => Just(PartyKind::Organisation)];
        let pair = prop_oneof![6 => 0..4_u32, 1 => Just(NONE)];
        (0_i64..40, 1_i64..9, pair, kind, any::<[bool; 3]>()).prop_map(|(at, amount, pair, kind, [inward, own, removed])| {
            let direction = if inward { Direction::In } else { Direction::Out };
            let flags = if own { Flags::OWN } else { Flags::default() };
            let bits = Bits::new(flags, direction, false, kind, None);
            let at = EventTime(at * MICROS_PER_DAY / 3);
            let mut row = Row { at, amount, pair, txn: NONE, profile: 0, extra: NONE, division: Division::UNKNOWN, bits, tags: 0 };
            if removed {
                row.remove();
            }
            row
        })
    }

    type Told = (BTreeMap<u32, Vec<(Day, i128)>>, Vec<(Day, Vec<(u32, i128)>)>);

    /// Everything that can be asked of payouts, in an order that means something.
    fn told(payouts: &Payouts) -> Told {
        let people = payouts.natural().map(|(pair, payments)| (pair, payments.iter().map(|paid| (paid.day, paid.amount)).collect()));
        (people.collect(), payouts.batches(1).into_iter().map(|(day, payees)| (day, payees.to_vec())).collect())
    }

    proptest! {
        /// Wherever it comes from, it tells what a fresh scan tells.
        #[test]
        fn payouts_that_moved_equal_payouts_made_anew(
            mut rows in prop::collection::vec(row(), 1..60),
            stretches in prop::collection::vec((0..60_usize, 0..60_usize), 1..20),
        ) {
            rows.sort_by_key(|row| row.at);
            let mut moving = Payouts::default();
            for (a, b) in stretches {
                let (begin, end) = (a.min(b).min(rows.len()), a.max(b).min(rows.len()));
                moving.seek(&rows[..end], begin);
                let mut anew = Payouts::default();
                anew.seek(&rows[..end], begin);
                prop_assert_eq!(told(&moving), told(&anew));
            }
        }
    }
}

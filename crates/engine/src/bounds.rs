//! What no window of a party can exceed: sums and counts over all rows it holds, whenever they were.
//!
//! Most customers never move as much money, or meet as many people, as a rule asks for. They are told apart here, by a comparison with what
//! all their rows have in sum, before any window is looked at. A bound may be too high (what was removed stays counted until its row leaves)
//! and never too low; it decides no answer.

use crate::cursor::Aggregates;
use crate::row::Row;

/// Of one party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    /// Fen. [`u64::MAX`]: too much to count, for good.
    amount_in: u64,
    amount_out: u64,
    count_in: u32,
    count_out: u32,
    payers: u32,
    payees: u32,
}

impl Bounds {
    /// A row has come.
    pub(crate) fn enter(&mut self, row: &Row) {
        if row.is_countable() {
            let (amount, count) = self.of(row);
            *amount = amount.saturating_add(row.amount.unsigned_abs());
            *count += 1;
        }
    }

    /// A row that came has left.
    pub(crate) fn leave(&mut self, row: &Row) {
        if row.is_countable() {
            let (amount, count) = self.of(row);
            if *amount != u64::MAX {
                *amount -= row.amount.unsigned_abs();
            }
            *count -= 1;
        }
    }

    /// A counterparty has paid for the first time, or been paid.
    pub(crate) fn meet(&mut self, is_payer: bool) {
        *(if is_payer { &mut self.payers } else { &mut self.payees }) += 1;
    }

    /// As what a window could have at most; what is known of counterparties' kinds is left at all of them.
    pub(crate) fn at_most(&self) -> Aggregates {
        let amount = |fen: u64| if fen == u64::MAX { i128::MAX } else { i128::from(fen) };
        Aggregates {
            amount_in: amount(self.amount_in),
            amount_out: amount(self.amount_out),
            count_in: self.count_in,
            count_out: self.count_out,
            identified_in: self.count_in,
            identified_out: self.count_out,
            known_in: self.count_in,
            known_out: self.count_out,
            payers: self.payers,
            payees: self.payees,
            natural_payers: self.payers,
            natural_payees: self.payees,
        }
    }

    fn of(&mut self, row: &Row) -> (&mut u64, &mut u32) {
        if row.is_in() { (&mut self.amount_in, &mut self.count_in) } else { (&mut self.amount_out, &mut self.count_out) }
    }
}

//! What no window of a party can exceed: sums and counts over all rows it holds, whenever they were.
//!
//! Most customers never move as much money, or meet as many people, as a rule asks for. They are told apart here, by a comparison with what
//! all their rows have in sum, before any window is looked at. A bound may be too high (what was removed stays counted until its row leaves)
//! and never too low; it decides no answer.

use crate::ask::{Ask, Quantity};
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

    /// What a party must have at least, where at some instant there is all that is asked for.
    pub(crate) fn least(asks: impl Iterator<Item = Ask>) -> Self {
        let mut least = Self::default();
        for Ask { of, value } in asks {
            let count = u32::try_from(value).unwrap_or(u32::MAX);
            // How many of them are known to be natural, and what organisations have paid or was cash, is not told apart.
            match of {
                Quantity::AmountIn | Quantity::CashIn | Quantity::OrganisationsIn => least.amount_in = least.amount_in.max(value),
                Quantity::AmountOut | Quantity::CashOut => least.amount_out = least.amount_out.max(value),
                Quantity::CountIn => least.count_in = least.count_in.max(count),
                Quantity::CountOut => least.count_out = least.count_out.max(count),
                Quantity::Payers | Quantity::NaturalPayers => least.payers = least.payers.max(count),
                Quantity::Payees | Quantity::NaturalPayees => least.payees = least.payees.max(count),
            }
        }
        least
    }

    /// How much of something it is below `least`, if it is below it anywhere.
    pub(crate) fn below(&self, least: &Self) -> Option<Ask> {
        let (own, others) = (self.quantities(), least.quantities());
        let below = own.into_iter().zip(others).find(|((_, has), (_, least))| has < least);
        below.map(|((of, has), (_, least))| Ask { of, value: least - has })
    }

    fn quantities(&self) -> [(Quantity, u64); 6] {
        [
            (Quantity::AmountIn, self.amount_in),
            (Quantity::AmountOut, self.amount_out),
            (Quantity::CountIn, self.count_in.into()),
            (Quantity::CountOut, self.count_out.into()),
            (Quantity::Payers, self.payers.into()),
            (Quantity::Payees, self.payees.into()),
        ]
    }

    /// Whether it is nowhere below `least`.
    pub(crate) fn reaches(&self, least: &Self) -> bool {
        self.below(least).is_none()
    }

    fn of(&mut self, row: &Row) -> (&mut u64, &mut u32) {
        if row.is_in() { (&mut self.amount_in, &mut self.count_in) } else { (&mut self.amount_out, &mut self.count_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_reaches_what_it_has_and_no_more() {
        let asks = [Ask { of: Quantity::AmountIn, value: 50_000 }, Ask { of: Quantity::NaturalPayers, value: 3 }];
        let least = Bounds::least(asks.into_iter());
        let has = Bounds { amount_in: 50_000, payers: 3, ..Bounds::default() };
        let has_less = Bounds { payers: 1, ..has };
        assert!(has.reaches(&least) && has.below(&least).is_none());
        assert!(!has_less.reaches(&least));
        assert_eq!(has_less.below(&least), Some(Ask { of: Quantity::Payers, value: 2 }));
    }
}

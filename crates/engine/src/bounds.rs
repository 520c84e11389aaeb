//! What no window of a party can exceed: sums and counts over all rows it holds, whenever they were.
//!
//! Most customers never move as much money, or meet as many people, as a rule asks for. They are told apart here, by a comparison with what
//! all their rows have in sum, before any window is looked at. A bound may be too high (what was removed stays counted until its row leaves)
//! and never too low; it decides no answer.

use weir_rules::{Comparison, Feature, Gate, Value};

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

    /// What a party must have at least to pass all of `gates` at some instant.
    pub(crate) fn least<'g>(gates: impl Iterator<Item = (Feature, &'g Gate)>) -> Self {
        let mut least = Self::default();
        for (feature, gate) in gates {
            let beyond = match gate.comparison {
                Comparison::GreaterOrEqual | Comparison::Equal => 0,
                Comparison::Greater => 1,
                _ => continue,
            };
            let value = match gate.literal {
                Value::Int(n) => i128::from(n),
                Value::Money(fen) => fen,
                _ => continue,
            };
            let value = value.saturating_add(beyond).max(0);
            let count = u32::try_from(value).unwrap_or(u32::MAX);
            let amount = u64::try_from(value).unwrap_or(u64::MAX);
            match feature {
                Feature::AmountIn => least.amount_in = least.amount_in.max(amount),
                Feature::AmountOut => least.amount_out = least.amount_out.max(amount),
                Feature::InCount => least.count_in = least.count_in.max(count),
                Feature::OutCount => least.count_out = least.count_out.max(count),
                // How many of them are known to be natural is not told apart.
                Feature::Payers | Feature::NaturalPayers => least.payers = least.payers.max(count),
                Feature::Payees | Feature::NaturalPayees => least.payees = least.payees.max(count),
                // Others may be more in a part of the rows than in all.
                _ => {}
            }
        }
        least
    }

    /// Whether it is nowhere below `least`.
    pub(crate) fn reaches(&self, least: &Self) -> bool {
        self.amount_in >= least.amount_in
            && self.amount_out >= least.amount_out
            && self.count_in >= least.count_in
            && self.count_out >= least.count_out
            && self.payers >= least.payers
            && self.payees >= least.payees
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
        let gate = |comparison, literal| Gate { slot: 0, comparison, literal };
        let at_least = gate(Comparison::GreaterOrEqual, Value::Money(50_000));
        let more_than = gate(Comparison::Greater, Value::Int(2));
        let fewer_than = gate(Comparison::Less, Value::Int(2));
        let least = |feature, gate| Bounds::least(std::iter::once((feature, gate)));
        let has = Bounds { amount_in: 50_000, payers: 3, ..Bounds::default() };
        let has_less = Bounds { amount_in: 49_999, payers: 2, ..Bounds::default() };
        for (feature, gate) in [(Feature::AmountIn, &at_least), (Feature::NaturalPayers, &more_than)] {
            assert!(has.reaches(&least(feature, gate)) && !has_less.reaches(&least(feature, gate)), "{feature}");
        }
        // Nothing follows from how few there may be, nor from what a part may have more of than all.
        assert!(Bounds::default().reaches(&least(Feature::Payers, &fewer_than)));
        assert!(Bounds::default().reaches(&least(Feature::AmountPerPayer, &at_least)));
    }
}

//! Amounts in order: which one stands at an index.
//!
//! Amounts stand in classes by their highest seven bits, so that a busy party with tens of thousands of different amounts has some hundred
//! classes of some hundred amounts each: an index is found by stepping over classes, then over the amounts of one.

use std::collections::BTreeMap;

/// Amounts in fen, as often as each was added; none is negative.
#[derive(Debug, Default)]
pub(super) struct Amounts(BTreeMap<u32, Class>);

/// Amounts whose highest seven bits are the same.
#[derive(Debug, Default)]
struct Class {
    count: usize,
    by_amount: BTreeMap<i128, usize>,
}

/// Bits of an amount that tell its class.
const LEADING: u32 = 7;

fn class_of(amount: i128) -> u32 {
    let bits = i128::BITS - amount.leading_zeros();
    let dropped = bits.saturating_sub(LEADING);
    let leading = u32::try_from(amount >> dropped).expect("seven bits are left");
    (dropped << LEADING) + leading
}

impl Amounts {
    pub(super) fn add(&mut self, amount: i128) {
        let class = self.0.entry(class_of(amount)).or_default();
        class.count += 1;
        *class.by_amount.entry(amount).or_default() += 1;
    }

    /// Takes out an amount that was added.
    pub(super) fn remove(&mut self, amount: i128) {
        let class = self.0.get_mut(&class_of(amount)).expect("what is removed was added");
        class.count -= 1;
        let payments = class.by_amount.get_mut(&amount).expect("what is removed was added");
        *payments -= 1;
        if *payments == 0 {
            class.by_amount.remove(&amount);
        }
        if class.count == 0 {
            self.0.remove(&class_of(amount));
        }
    }

    /// The amount at an index of the rising order, which is in range.
    pub(super) fn at(&self, index: usize) -> i128 {
        let mut left = index;
        for class in self.0.values() {
            if left >= class.count {
                left -= class.count;
                continue;
            }
            for (amount, payments) in &class.by_amount {
                if left < *payments {
                    return *amount;
                }
                left -= payments;
            }
        }
        unreachable!("the index {index} is beyond the amounts")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever was added and taken out again, an index names what sorting would put there.
        #[test]
        fn an_index_names_what_sorting_puts_there(
            mut kept in prop::collection::vec(prop_oneof![0..300_i128, 0..i128::from(i64::MAX)], 1..80),
            gone in prop::collection::vec(0..1_000_000_i128, 0..40),
        ) {
            let mut amounts = Amounts::default();
            gone.iter().chain(&kept).for_each(|amount| amounts.add(*amount));
            gone.iter().for_each(|amount| amounts.remove(*amount));
            kept.sort_unstable();
            for (index, amount) in kept.iter().enumerate() {
                prop_assert_eq!(amounts.at(index), *amount);
            }
        }
    }
}

//! `modal_share_in`, `modal_share_out`: how many legs have the one most frequent amount. Kept as windows move.

use std::collections::BTreeMap;

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::share;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, direction: Direction) -> Value {
    let (most, all) = view.modes(direction, window);
    share(most, all)
}

/// The share of the most frequent amount; NULL without amounts.
pub(super) fn of_amounts(amounts: impl Iterator<Item = i128>) -> Value {
    let mut counts = BTreeMap::<i128, usize>::new();
    for amount in amounts {
        *counts.entry(amount).or_default() += 1;
    }
    share(counts.values().copied().max().unwrap_or(0), counts.values().sum())
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn the_most_frequent_amount_leads() {
        let legs = "
            03-01 09:00 in A 3000.00
            03-01 10:00 in B 3000.00
            03-01 11:00 in C 1.00
            03-01 12:00 in D 2.00";
        check(legs, "modal_share_in(14d)", "0.5");
        check(legs, "modal_share_out(14d)", "null");
    }
}

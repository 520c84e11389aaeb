//! `near_limit`: payments kept just under a large-amount limit (拆分). One scan of single legs.
//!
//! 90 % rather than the 80 % of older systems, which drown in payments at the 4–5万 limits of cards.

use weir_model::Flags;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::large_amount::item_of;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let near = view.counted(window).filter(|row| {
        !row.has(Flags::UNCONVERTED)
            && item_of(row.flags(), view.profile_of(row).kind).is_some_and(|item| {
                let limit = item.limit_fen();
                row.amount < limit && i128::from(row.amount) * 10 >= i128::from(limit) * 9
            })
    });
    count(near.count())
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn from_ninety_percent_up_to_below_the_limit() {
        let legs = "
            03-01 09:00 in A 450000.00
            03-01 10:00 in A 499999.99
            03-01 11:00 in A 500000.00
            03-01 12:00 in A 449999.99
            03-01 13:00 in - 45000.00 cash";
        check(legs, "near_limit(14d)", "3");
    }
}

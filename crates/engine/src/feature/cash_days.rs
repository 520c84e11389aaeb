//! `cash_days_in`, `cash_days_out`: distinct days with cash. One scan.
//!
//! A sum of cash does not say whether it came once or again and again, and a count of legs counts the small transfers of everyday life beside it.

use weir_model::{Direction, Flags};
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::{View, distinct_days};

pub(super) fn evaluate(view: &View<'_>, window: Window, direction: Direction) -> Value {
    count(distinct_days(view.counted(window).filter(|row| row.direction() == direction && row.has(Flags::CASH))))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn days_with_cash_are_counted_and_others_are_not() {
        let legs = "
            03-01 09:00 in  - 10.00 cash
            03-01 23:00 in  - 10.00 cash
            03-02 01:00 in  A 10.00
            03-03 01:00 in  - 10.00 cash
            03-04 01:00 out - 10.00 cash";
        check(legs, "cash_days_in(14d)", "2");
        check(legs, "cash_days_in(30d)", "2");
        check(legs, "cash_days_out(14d)", "1");
        check("03-01 09:00 in A 1.00", "cash_days_out(14d)", "0");
    }
}

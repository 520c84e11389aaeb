//! `rebates`: people who get 5–25 % back within three days of paying in (返点, 贴息). Quadratic only within one counterparty's legs.

use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    count(view.rebates(window))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn five_to_twenty_five_percent_within_three_days() {
        let legs = "
            03-01 09:00 in  A 100.00
            03-04 09:00 out A 5.00
            03-01 09:00 in  B 100.00
            03-04 09:01 out B 5.00
            03-01 09:00 in  C 100.00
            03-01 10:00 out C 25.00
            03-01 09:00 in  D 100.00
            03-01 10:00 out D 25.01
            03-01 09:00 out E 10.00
            03-01 10:00 in  E 100.00";
        check(legs, "rebates(14d)", "2");
    }
}

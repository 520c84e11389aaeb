//! `active_days`: distinct days with a counted leg. One scan; rows are in order of time, so days are counted as they change.

use weir_rules::{Value, Window};

use crate::feature::count;
use crate::scans::Days;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    count(view.days(window, Days::count))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn two_legs_of_a_day_are_one_day() {
        check("03-01 09:00 in A 1.00\n03-01 23:00 out B 1.00\n03-02 01:00 out B 1.00", "active_days(14d)", "2");
    }
}

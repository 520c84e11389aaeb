//! `organisation_days_in`: on how many days organisations and sole traders pay in. One scan.
//!
//! The kind is that of the leg itself. People are counted by head, so that one leg that knows somebody speaks for the others; money is not, nor are
//! days. How much they pay in is a running sum (`amounts`).

use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::{View, distinct_days};

pub(super) fn days_in(view: &View<'_>, window: Window) -> Value {
    count(distinct_days(view.inflow(window).filter(|row| row.makes_party() && row.is_organisation())))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn days_on_which_organisations_pay_in() {
        let legs = "
            03-01 09:00 in A 30.00 org
            03-01 10:00 in B 20.00 org
            03-02 09:00 in C 10.00
            03-02 10:00 in - 10.00 cash
            03-03 09:00 in A 5.00 unknown
            03-04 09:00 out A 7.00 org
            03-05 09:00 in A 2.00 org";
        check(legs, "organisation_days_in(14d)", "2");
        check(legs, "organisation_days_in(30d)", "2");
        check("03-01 09:00 in A 1.00", "organisation_days_in(14d)", "0");
    }
}

//! `organisation_days_in`: on how many days organisations and sole traders pay in. One scan.
//!
//! The kind is that of the leg itself. People are counted by head, so that one leg that knows somebody speaks for the others; money is not, and nor are
//! days. What they pay in sum is a running one (`amounts`).

use weir_model::PartyKind;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::{View, distinct_days};

pub(super) fn days_in(view: &View<'_>, window: Window) -> Value {
    let is_organisation = |kind| matches!(kind, PartyKind::Organisation | PartyKind::SoleTrader);
    count(distinct_days(view.inflow(window).filter(|row| row.makes_party() && is_organisation(row.counterparty_kind()))))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn what_organisations_pay_in_and_on_which_days() {
        let legs = "
            03-01 09:00 in A 30.00 org
            03-01 10:00 in B 20.00 org
            03-02 09:00 in C 10.00
            03-02 10:00 in - 10.00 cash
            03-03 09:00 in A 5.00 unknown
            03-04 09:00 out A 7.00 org
            03-05 09:00 in A 2.00 org";
        check(legs, "organisation_amount_in(14d)", "52.00");
        check(legs, "organisation_amount_in(30d)", "52.00");
        check(legs, "organisation_days_in(14d)", "2");
        check(legs, "organisation_days_in(30d)", "2");
        check("03-01 09:00 in A 1.00", "organisation_days_in(14d)", "0");
        check("03-01 09:00 in A 1.00", "organisation_amount_in(14d)", "0.00");
    }
}

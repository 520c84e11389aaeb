//! `organisation_amount_in`, `organisation_days_in`: what organisations and sole traders pay in, and on how many days. One scan.
//!
//! The kind is that of the leg itself. People are counted by head, so that one leg that knows somebody speaks for the others; money is not.

use weir_model::PartyKind;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::row::Row;
use crate::view::{View, distinct_days, sum};

pub(super) fn amount_in(view: &View<'_>, window: Window) -> Value {
    Value::Money(sum(paid_in(view, window)))
}

pub(super) fn days_in(view: &View<'_>, window: Window) -> Value {
    count(distinct_days(paid_in(view, window)))
}

fn paid_in<'a>(view: &View<'a>, window: Window) -> impl Iterator<Item = &'a Row> {
    let is_organisation = |row: &&Row| matches!(row.counterparty_kind(), PartyKind::Organisation | PartyKind::SoleTrader);
    view.inflow(window).filter(|row| row.makes_party()).filter(is_organisation)
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

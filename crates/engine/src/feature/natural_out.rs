//! `natural_amount_out`, `natural_share_out`: how much of what leaves goes to people (公转私). One scan, which moves.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::scans::Measure;
use crate::view::View;

pub(super) fn amount(view: &View<'_>, window: Window) -> Value {
    Value::Money(to_people(view, window))
}

pub(super) fn share(view: &View<'_>, window: Window) -> Value {
    let is_known = view.people(Direction::Out, window, |payees| payees.is_empty() || payees.has_known_kind());
    let whole = view.sum(window, Measure::Amount(Direction::Out));
    if is_known { Value::ratio(to_people(view, window), whole) } else { Value::Null }
}

fn to_people(view: &View<'_>, window: Window) -> i128 {
    view.people(Direction::Out, window, |payees| payees.natural().flat_map(|(_, payments)| payments).map(|payment| payment.amount).sum())
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn people_among_all_that_leaves() {
        let legs = "
            03-01 09:00 out A 30.00
            03-01 10:00 out B 20.00 org
            03-01 11:00 out - 50.00 cash";
        check(legs, "natural_amount_out(14d)", "30.00");
        check(legs, "natural_share_out(14d)", "0.3");
        check("03-01 09:00 out A 30.00 unknown", "natural_share_out(14d)", "null");
        check("03-01 09:00 in A 30.00", "natural_share_out(14d)", "null");
    }
}

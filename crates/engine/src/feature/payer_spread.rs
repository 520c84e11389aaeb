//! `payer_prefectures`, `payer_provinces`: over how many places the payers are spread. One scan.

use weir_model::{Direction, Division};
use weir_rules::{Value, Window};

use crate::feature::{Distinct, count, count128, enough_known};
use crate::view::View;

pub(super) fn prefectures(view: &View<'_>, window: Window) -> Value {
    spread(view, window, Division::prefecture)
}

pub(super) fn provinces(view: &View<'_>, window: Window) -> Value {
    spread(view, window, Division::province)
}

fn spread(view: &View<'_>, window: Window, area: fn(Division) -> u32) -> Value {
    view.people(Direction::In, window, |payers| {
        let (known, all) = payers.located();
        if all == 0 || !enough_known(count128(known), count128(all)) {
            return Value::Null;
        }
        count(payers.places().map(area).collect::<Distinct<_>>().len())
    })
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn distinct_places_of_payers() {
        let legs = "
            03-01 09:00 in A 1.00 div=530500
            03-01 10:00 in B 1.00 div=530521
            03-01 11:00 in C 1.00 div=340400
            03-01 12:00 in D 1.00";
        check(legs, "payer_prefectures(14d)", "2");
        check(legs, "payer_provinces(14d)", "2");
        check("03-01 12:00 in D 1.00", "payer_provinces(14d)", "null");
    }
}

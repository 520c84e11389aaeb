//! `first_time_payers`, `first_time_payees`: natural people who never paid (were never paid) before the window.
//!
//! The first payment of a pair is exact over all history (`pairs`), so the scan is of the window only.

use weir_model::EventTime;
use weir_rules::{Value, Window};

use crate::feature::{Distinct, count};
use crate::pairs::Pair;
use crate::row::Row;
use crate::view::View;

pub(super) fn payers(view: &View<'_>, window: Window) -> Value {
    first_time(view, window, view.inflow(window), |pair| pair.first_in)
}

pub(super) fn payees(view: &View<'_>, window: Window) -> Value {
    first_time(view, window, view.outflow(window), |pair| pair.first_out)
}

fn first_time<'a>(view: &View<'_>, window: Window, rows: impl Iterator<Item = &'a Row>, first: fn(&Pair) -> EventTime) -> Value {
    let start = window.start(view.t, view.calendar);
    let natural: Distinct<u32> = rows.filter(|row| row.makes_party() && row.is_natural()).map(|row| row.pair).collect();
    count(natural.into_iter().filter(|pair| first(view.pair(*pair)) >= start).count())
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn old_acquaintances_do_not_count() {
        let legs = "
            01-01 09:00 in A 1.00
            03-01 09:00 in A 1.00
            03-01 10:00 in B 1.00
            03-01 11:00 in C 1.00 org
            03-01 12:00 out A 1.00";
        check(legs, "first_time_payers(7d)", "1");
        check(legs, "first_time_payees(7d)", "1");
        check(legs, "first_time_payers(90d)", "2");
    }
}

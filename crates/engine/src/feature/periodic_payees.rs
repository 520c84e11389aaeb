//! `periodic_payees`: people who are each paid again and again at their own steady period and near-constant amount.
//!
//! Schemes that pay on each contract's anniversary have no batches; this is how they show. One scan of the window, then one backward walk
//! over the payment days of each payee.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::period::Period;
use crate::scans::Payment;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, n: i64) -> Value {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    view.people(Direction::Out, window, |payees| {
        let steady = payees.natural().filter(|(_, payments)| payments.len() >= n && run(view, payments, n).is_some());
        count(steady.count())
    })
}

/// The period of the run of payments that ends with the last one, if it has at least `n`, which is two or more.
pub(super) fn run(view: &View<'_>, payments: &[Payment], n: usize) -> Option<Period> {
    let last = payments.last()?;
    let mut run = 1;
    let mut steady = None;
    for pair in payments.windows(2).rev() {
        if run >= n {
            break;
        }
        let is_near = (pair[0].amount - last.amount).abs() * 10 <= last.amount;
        if !is_near {
            break;
        }
        let period = Period::between(pair[0].day, pair[1].day, view.calendar);
        if period.is_none() || steady.is_some_and(|steady| Some(steady) != period) {
            break;
        }
        steady = period;
        run += 1;
    }
    steady.filter(|_| run >= n)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn each_at_their_own_anniversary() {
        let legs = "
            01-05 09:00 out A 100.00
            02-05 09:00 out A 105.00
            03-05 09:00 out A 100.00
            01-20 09:00 out B 50.00
            01-27 09:00 out B 50.00
            02-03 09:00 out B 50.00
            01-01 09:00 out C 50.00
            02-01 09:00 out C 80.00
            03-01 09:00 out C 50.00
            01-02 09:00 out D 50.00 org
            02-02 09:00 out D 50.00 org
            03-02 09:00 out D 50.00 org";
        check(legs, "periodic_payees(3, 90d)", "2");
        check(legs, "periodic_payees(2, 90d)", "2");
        check(legs, "periodic_payees(4, 90d)", "0");
    }

    #[test]
    fn a_broken_run_counts_from_its_end() {
        let legs = "
            01-05 09:00 out A 100.00
            01-19 09:00 out A 100.00
            02-19 09:00 out A 100.00
            03-19 09:00 out A 100.00";
        check(legs, "periodic_payees(3, 90d)", "1");
        check(legs, "periodic_payees(4, 90d)", "0");
    }
}

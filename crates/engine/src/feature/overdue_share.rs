//! `overdue_share`: whether those who are paid on a rhythm are still paid. What is missing shows in no leg, so rules ask at day ends.
//!
//! One scan of the window, which moves, and for each last day and period one look at the days on which the next payment could still come.

use std::collections::BTreeMap;

use weir_model::{Day, Direction};
use weir_rules::{Value, Window};

use crate::feature::{periodic_payees, share};
use crate::period::Period;
use crate::view::View;

/// No payment follows another in a period after so many days: a quarter, five days, and the longest holidays.
const PERIOD_MAX: i32 = 120;

pub(super) fn evaluate(view: &View<'_>, window: Window, n: i64, overdue: i64) -> Value {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let from = view.calendar.working_window_start(view.t.day(), u32::try_from(overdue).unwrap_or(u32::MAX));
    let mut steady = BTreeMap::<(Day, Period), usize>::new();
    view.people(Direction::Out, window, |payees| {
        for (_, payments) in payees.natural() {
            if let (Some(period), Some(last)) = (periodic_payees::run(view, payments, n), payments.last()) {
                *steady.entry((last.day, period)).or_default() += 1;
            }
        }
    });
    let is_overdue = |(last, period): &(Day, Period)| {
        let mut days = from.0.max(last.0 + 1)..=last.0 + PERIOD_MAX;
        !days.any(|day| Period::between(*last, Day(day), view.calendar) == Some(*period))
    };
    let late = steady.iter().filter(|(run, _)| is_overdue(run)).map(|(_, payees)| payees).sum();
    share(late, steady.values().sum())
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    /// A is paid monthly on the fifth, B weekly; the last leg only moves the instant.
    fn legs(until: &str) -> String {
        format!(
            "01-05 09:00 out A 100.00
            02-05 09:00 out A 100.00
            03-05 09:00 out A 100.00
            03-03 09:00 out B 50.00
            03-10 09:00 out B 50.00
            03-17 09:00 out B 50.00
            {until} 09:00 in C 1.00 org"
        )
    }

    #[test]
    fn a_payment_is_overdue_working_days_after_the_last_day_it_could_come() {
        // B could be paid on the 25th at the latest; five working days later is the first of April.
        check(&legs("03-31"), "overdue_share(3, 90d, 5)", "0");
        check(&legs("04-01"), "overdue_share(3, 90d, 5)", "0.5");
        // A could be paid until the eighth.
        check(&legs("04-14"), "overdue_share(3, 130d, 5)", "0.5");
        check(&legs("04-15"), "overdue_share(3, 130d, 5)", "1");
        check(&legs("04-15"), "overdue_share(4, 130d, 5)", "null");
    }
}

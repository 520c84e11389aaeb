//! `inflow_ratio`: the window against the party's own past, so that a busy shop is measured by what is usual for it. Two scans.

use weir_model::time::MICROS_PER_DAY;
use weir_rules::{Value, Window};

use crate::view::{View, sum};

pub(super) fn inflow_ratio(view: &View<'_>, window: Window, history: Window) -> Value {
    let (days, history_days) = (days(view, window), days(view, history));
    if history_days <= days || view.history_from > history.first_day(view.t, view.calendar) {
        return Value::Null;
    }
    let (recent, all) = (sum(view.inflow(window)), sum(view.inflow(history)));
    let divisor = (all - recent) * i128::from(days);
    if divisor <= 0 {
        return Value::Null;
    }
    Value::ratio(recent * i128::from(history_days - days), divisor)
}

/// Whole days of a window, rounded up.
pub(super) fn days(view: &View<'_>, window: Window) -> i64 {
    match window {
        Window::Exact(span) => (span.0 + MICROS_PER_DAY - 1) / MICROS_PER_DAY,
        Window::Days(days) => i64::from(days),
        Window::WorkingDays(_) => i64::from(view.t.day().0 - window.first_day(view.t, view.calendar).0) + 1,
    }
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn against_the_mean_of_the_rest() {
        let legs = "
            01-01 09:00 in A 1.00
            02-01 09:00 in A 460.00
            03-10 09:00 in A 700.00";
        check(legs, "inflow_ratio(7d, 30d)", "null");
        check(legs, "inflow_ratio(7d, 53d)", "10");
        check("03-10 09:00 in A 700.00", "inflow_ratio(7d, 30d)", "null");
    }
}

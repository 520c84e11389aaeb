//! `first_time_payers`, `first_time_payees`: natural people who never paid (were never paid) before the window; `first_time_surge`: how many
//! more than ever before.
//!
//! The first payment of a pair is exact over all history (`pairs`), so the scan is of the window only; for a surge also of the history asked
//! for, whose days are then gone through once.

use weir_model::{Day, Direction, EventTime};
use weir_rules::{Value, Window};

use crate::feature::{Distinct, activity, count};
use crate::pairs::Pair;
use crate::view::View;

pub(super) fn payers(view: &View<'_>, window: Window) -> Value {
    first_time(view, window, Direction::In, |pair| pair.first_in)
}

pub(super) fn payees(view: &View<'_>, window: Window) -> Value {
    first_time(view, window, Direction::Out, |pair| pair.first_out)
}

fn first_time(view: &View<'_>, window: Window, direction: Direction, first: fn(&Pair) -> EventTime) -> Value {
    let start = window.start(view.t, view.calendar);
    view.people(direction, window, |people| count(people.natural().filter(|(pair, _)| first(view.pair(*pair)) >= start).count()))
}

pub(super) fn surge(view: &View<'_>, window: Window, history: Window, least: i64) -> Value {
    let (from, until) = (history.first_day(view.t, view.calendar), window.first_day(view.t, view.calendar));
    let is_known = view.history_from <= from || view.profile.opened_at.is_some_and(|opened| opened >= from);
    if !is_known || until <= from {
        return Value::Null;
    }
    let before = view.inflow(history).take_while(|row| row.at.day() < until);
    let natural: Distinct<u32> = before.filter(|row| row.makes_party() && row.is_natural()).map(|row| row.pair).collect();
    let mut days: Vec<Day> = natural.into_iter().map(|pair| view.pair(pair).first_in.day()).filter(|day| *day >= from).collect();
    days.sort_unstable();
    let length = i32::try_from(activity::days(view, window)).unwrap_or(i32::MAX);
    // The fullest stretch ends with a day on which somebody came.
    let mut begin = 0;
    let mut most = 0;
    for end in 0..days.len() {
        while days[begin].0 <= days[end].0 - length {
            begin += 1;
        }
        most = most.max(end + 1 - begin);
    }
    let Value::Int(now) = payers(view, window) else { return Value::Null };
    Value::ratio(i128::from(now), i128::try_from(most).unwrap_or(i128::MAX).max(i128::from(least)))
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

    #[test]
    fn a_surge_is_measured_by_the_fullest_stretch_before() {
        let legs = "
            01-01 09:00 in X 1.00
            02-01 09:00 in A 1.00
            02-05 09:00 in B 1.00
            02-07 09:00 in A 1.00
            02-20 09:00 in C 1.00
            03-08 09:00 in A 1.00
            03-09 09:00 in D 1.00
            03-09 10:00 in E 1.00
            03-10 09:00 in F 1.00";
        // Three are new in the last seven days; before, at most two within seven days.
        check(legs, "first_time_surge(7d, 60d, 1)", "1.5");
        check(legs, "first_time_surge(7d, 60d, 3)", "1");
        // B came on the fifth day after A.
        check(legs, "first_time_surge(4d, 60d, 1)", "3");
        // What came before the history does not count in it, and a history that is not known is none.
        check(legs, "first_time_surge(7d, 30d, 1)", "3");
        check(legs, "first_time_surge(7d, 90d, 1)", "null");
    }
}

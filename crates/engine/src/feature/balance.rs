//! `balance_left`, `low_balance_days`: whether an account is emptied as fast as it fills (过渡账户).
//!
//! Need balances in the feed; without them NULL, which a running count shows. A day is looked through from its end to the last balance it states.

use weir_model::Day;
use weir_rules::{Value, Window};

use crate::feature::share;
use crate::row::Row;
use crate::scans::Measure;
use crate::view::{View, sum};

pub(super) fn left(view: &View<'_>, window: Window) -> Value {
    if view.sum(window, Measure::Extras) == 0 {
        return Value::Null;
    }
    let Some(balance) = view.live(window).rev().find_map(|row| balance(view, row)) else {
        return Value::Null;
    };
    Value::ratio(i128::from(balance.max(0)), sum(view.inflow(window)))
}

pub(super) fn low_days(view: &View<'_>, window: Window) -> Value {
    if view.sum(window, Measure::Extras) == 0 {
        return Value::Null;
    }
    let days: Vec<(Day, i128)> = view.days(window, |days| days.inflows().collect());
    let rows = view.slice(window);
    let last_of = |day: Day| {
        let of_day = rows[..rows.partition_point(|row| row.at.day() <= day)].iter().rev().take_while(|row| row.at.day() == day);
        of_day.filter(|row| row.is_live()).find_map(|row| balance(view, row))
    };
    let known: Vec<(i128, i64)> = days.into_iter().filter_map(|(day, inflow)| Some((inflow, last_of(day)?))).collect();
    let low = known.iter().filter(|(inflow, last)| i128::from(*last) * 20 <= *inflow).count();
    share(low, known.len())
}

fn balance(view: &View<'_>, row: &Row) -> Option<i64> {
    view.extras.get(row.extra)?.balance
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn the_last_stated_balance_counts() {
        let legs = "
            03-01 09:00 in  A 100.00 balance=100.00
            03-01 10:00 out B 98.00 balance=2.00
            03-02 09:00 in  A 100.00 balance=102.00
            03-02 10:00 out B 50.00 balance=52.00
            03-03 09:00 in  A 10.00";
        check(legs, "balance_left(14d)", "0.247619");
        check(legs, "low_balance_days(14d)", "0.5");
        check("03-01 09:00 in A 1.00", "balance_left(14d)", "null");
        check("03-01 09:00 in A 1.00", "low_balance_days(14d)", "null");
    }
}

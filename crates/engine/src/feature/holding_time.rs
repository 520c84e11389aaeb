//! `holding_time`: how long the median fen stayed.
//!
//! One pass matches what leaves to the oldest money that has come in and not left (first in, first out); then one sort of the matched
//! stretches. Day windows know days only: within a day In stands before Out.

use std::collections::VecDeque;

use weir_model::Span;
use weir_rules::{Value, Window};

use crate::row::Row;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let mut rows: Vec<&Row> = view.counted(window).filter(|row| row.amount > 0).collect();
    if window.is_day_window() {
        rows.sort_by_key(|row| (row.at.day(), row.is_out()));
    }
    let mut held = matched(&rows, window.is_day_window());
    held.sort_unstable();
    let total: i128 = held.iter().map(|(_, amount)| amount).sum();
    let mut so_far = 0;
    for (duration, amount) in held {
        so_far += amount;
        if so_far * 2 >= total {
            return Value::Duration(duration.0);
        }
    }
    Value::Null
}

/// Pairs of (time held, fen) in the order they left.
fn matched(rows: &[&Row], by_day: bool) -> Vec<(Span, i128)> {
    let mut waiting = VecDeque::<(&Row, i128)>::new();
    let mut held = Vec::new();
    for row in rows {
        let mut left = i128::from(row.amount);
        if row.is_in() {
            waiting.push_back((row, left));
            continue;
        }
        while let Some((came, rest)) = waiting.front_mut() {
            let part = left.min(*rest);
            held.push((between(came, row, by_day), part));
            left -= part;
            *rest -= part;
            if *rest == 0 {
                waiting.pop_front();
            }
            if left == 0 {
                break;
            }
        }
    }
    held
}

fn between(came: &Row, left: &Row, by_day: bool) -> Span {
    if by_day { Span::days(i64::from(left.at.day().0 - came.at.day().0)) } else { left.at.since(came.at) }
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn the_median_is_weighted_by_amount() {
        let legs = "
            03-01 09:00 in  A 60.00
            03-01 12:00 out X 60.00
            03-02 09:00 in  B 40.00
            03-05 09:00 out X 40.00";
        check(legs, "holding_time(14d)", "3h");
        check(legs, "holding_time(30d)", "0d");
        check("03-01 09:00 out X 1.00\n03-01 10:00 in A 1.00", "holding_time(14d)", "null");
        check("03-01 09:00 out X 1.00\n03-01 10:00 in A 1.00", "holding_time(30d)", "0d");
    }

    #[test]
    fn what_leaves_is_the_oldest_money() {
        let legs = "
            03-01 09:00 in  A 10.00
            03-03 09:00 in  B 90.00
            03-04 09:00 out X 50.00";
        check(legs, "holding_time(14d)", "1d");
    }
}

//! `holding_time`: how long the median fen stayed.
//!
//! One pass matches what leaves to the oldest money that has come in and not left (first in, first out); then one sort of the matched
//! stretches. Day windows know days only: within a day In stands before Out.

use std::collections::VecDeque;

use weir_model::{EventTime, Span};
use weir_rules::{Value, Window};

use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let mut held = if window.is_day_window() {
        view.days(window, |days| {
            // Within a day, In before Out.
            let flows =
                days.flows().flat_map(|(day, amount_in, amount_out)| [(day.start(), false, amount_in), (day.start(), true, amount_out)]);
            matched(flows)
        })
    } else {
        matched(view.counted(window).map(|row| (row.at, row.is_out(), i128::from(row.amount))))
    };
    median_of_fen(&mut held).map_or(Value::Null, |duration| Value::Duration(duration.0))
}

/// The smallest duration up to which half of all fen were held; `None` without any. Halves what is left instead of sorting it.
fn median_of_fen(held: &mut [(Span, i128)]) -> Option<Span> {
    let total: i128 = held.iter().map(|(_, amount)| amount).sum();
    let (mut left, mut before) = (held, 0);
    loop {
        let at = left.len().checked_sub(1)? / 2;
        let (shorter, (duration, amount), longer) = left.select_nth_unstable(at);
        let (duration, so_far) = (*duration, before + shorter.iter().map(|(_, amount)| amount).sum::<i128>());
        if so_far * 2 >= total && !shorter.is_empty() {
            left = shorter;
        } else if (so_far + *amount) * 2 >= total {
            return Some(duration);
        } else {
            before = so_far + *amount;
            left = longer;
        }
    }
}

/// Pairs of (time held, fen) in the order they left, of amounts in order: when, whether Out, fen.
fn matched(flows: impl Iterator<Item = (EventTime, bool, i128)>) -> Vec<(Span, i128)> {
    let mut waiting = VecDeque::<(EventTime, i128)>::new();
    let mut held = Vec::new();
    for (at, is_out, mut left) in flows.filter(|(.., amount)| *amount > 0) {
        if !is_out {
            waiting.push_back((at, left));
            continue;
        }
        while let Some((came, rest)) = waiting.front_mut() {
            let part = left.min(*rest);
            held.push((at.since(*came), part));
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

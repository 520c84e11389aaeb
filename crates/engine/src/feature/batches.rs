//! `out_batches`, `batch_period`, `batch_regularity`, `batch_overlap`, `batch_modal_share`: days on which many people are paid, and how they
//! repeat (定期批量).
//!
//! A batch of n is a day with at least n distinct natural payees. The payees of each day are kept in order, so batches are compared as lists.

use std::collections::BTreeMap;

use weir_model::{Day, Direction};
use weir_rules::{Value, Window};

use crate::feature::modal_share::of_amounts;
use crate::feature::{count, count128, lower_median, share};
use crate::period::Period;
use crate::view::View;

pub(super) fn out_batches(view: &View<'_>, window: Window, n: i64) -> Value {
    view.people(Direction::Out, window, |payees| count(payees.batches(n).len()))
}

pub(super) fn period(view: &View<'_>, window: Window, n: i64) -> Value {
    let mut gaps: Vec<i32> =
        view.people(Direction::Out, window, |payees| payees.batches(n).windows(2).map(|pair| pair[1].0.0 - pair[0].0.0).collect());
    gaps.sort_unstable();
    lower_median(&gaps).map_or(Value::Null, |gap| Value::Int(gap.into()))
}

pub(super) fn regularity(view: &View<'_>, window: Window, n: i64) -> Value {
    view.people(Direction::Out, window, |payees| {
        let batches = payees.batches(n);
        let mut periods = BTreeMap::<Period, usize>::new();
        for pair in batches.windows(2) {
            if let Some(period) = Period::between(pair[0].0, pair[1].0, view.calendar) {
                *periods.entry(period).or_default() += 1;
            }
        }
        share(periods.values().copied().max().unwrap_or(0), batches.len().saturating_sub(1))
    })
}

pub(super) fn overlap(view: &View<'_>, window: Window, n: i64) -> Value {
    let mut overlaps: Vec<i128> = view.people(Direction::Out, window, |payees| {
        let sizes: Vec<(Day, usize)> = payees.batches(n).into_iter().map(|(day, batch)| (day, batch.len())).collect();
        let neighbours = sizes.windows(2).map(|pair| (pair[0].0, pair[1].0, pair[0].1.min(pair[1].1)));
        // Batches are never empty.
        neighbours.map(|(before, after, smaller)| count128(payees.in_both(before, after)) * 1_000_000 / count128(smaller.max(1))).collect()
    });
    overlaps.sort_unstable();
    lower_median(&overlaps).map_or(Value::Null, Value::Ratio)
}

/// Payees of both batches.
pub(crate) fn in_both(before: &[(u32, i128)], after: &[(u32, i128)]) -> usize {
    let (mut at, mut common) = (0, 0);
    for (pair, _) in after {
        at += before[at..].iter().take_while(|(other, _)| other < pair).count();
        common += usize::from(before.get(at).is_some_and(|(other, _)| other == pair));
    }
    common
}

pub(super) fn modal_share(view: &View<'_>, window: Window, n: i64) -> Value {
    view.people(Direction::Out, window, |payees| {
        let batches = payees.batches(n);
        of_amounts(batches.iter().flat_map(|(_, batch)| batch.iter().map(|(_, amount)| *amount)))
    })
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    const MONTHLY: &str = "
        01-10 09:00 out A 100.00
        01-10 09:01 out B 100.00
        02-10 09:00 out A 100.00
        02-10 09:01 out B 120.00
        02-15 09:00 out A 100.00
        03-10 09:00 out B 100.00
        03-10 09:01 out C 100.00
        03-10 09:02 out C 20.00";

    #[test]
    fn batches_are_days_with_enough_payees() {
        check(MONTHLY, "out_batches(90d, 2)", "3");
        check(MONTHLY, "out_batches(90d, 3)", "0");
        check(MONTHLY, "batch_period(90d, 2)", "28");
        check(MONTHLY, "batch_regularity(90d, 2)", "1");
        check(MONTHLY, "batch_overlap(90d, 2)", "0.5");
        check(MONTHLY, "batch_modal_share(90d, 2)", "0.666666");
    }

    #[test]
    fn one_batch_has_no_period() {
        let legs = "
            03-10 09:00 out B 100.00
            03-10 09:01 out C 100.00";
        check(legs, "out_batches(90d, 2)", "1");
        check(legs, "batch_period(90d, 2)", "null");
        check(legs, "batch_regularity(90d, 2)", "null");
        check(legs, "batch_overlap(90d, 2)", "null");
        check(legs, "batch_modal_share(90d, 3)", "null");
    }
}

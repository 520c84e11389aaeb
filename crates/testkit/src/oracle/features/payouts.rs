//! Paying many, again and again, and paying back: batches, steady payees, payouts to those who paid in, rebates.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::time::MICROS_PER_DAY;
use weir_model::{Calendar, Day, Direction, Span};
use weir_rules::{Value, Window};

use super::legs::{most_frequent, share};
use super::period::{Period, period};
use super::{lower_median, ratio, size};
use crate::log::{OwnedKind, OwnedLeg};
use crate::oracle::view::{Flow, View, fen, naturals, payments};

/// A batch: the natural payees of a day and what each was paid.
pub(in crate::oracle) type BatchDay<'a> = (Day, BTreeMap<&'a str, i128>);

/// The batches of size `n`, by day.
pub(in crate::oracle) fn batch_days<'a>(flows: &[Flow<'a>], n: i64) -> Vec<BatchDay<'a>> {
    let mut days: BTreeMap<Day, BTreeMap<&str, i128>> = BTreeMap::new();
    for ((day, id), amount) in payments(flows) {
        days.entry(day).or_default().insert(id, amount);
    }
    days.into_iter().filter(|(_, paid)| i64::try_from(paid.len()).is_ok_and(|payees| payees >= n)).collect()
}

/// `small_share_out`.
pub(super) fn small_share(flows: &[Flow<'_>], at_most: i64) -> Value {
    let payments = payments(flows);
    share(payments.values().filter(|amount| **amount <= i128::from(at_most)).count(), payments.len())
}

/// `same_payee_days`.
pub(super) fn same_payee_days(flows: &[Flow<'_>]) -> usize {
    let mut days: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, id) in payments(flows).into_keys() {
        *days.entry(id).or_default() += 1;
    }
    days.into_values().max().unwrap_or(0)
}

/// `batch_period`.
pub(super) fn batch_period(flows: &[Flow<'_>], n: i64) -> Value {
    let gaps: Vec<i32> = batch_days(flows, n).windows(2).map(|pair| pair[1].0.0 - pair[0].0.0).collect();
    lower_median(&gaps).map_or(Value::Null, |days| Value::Int(i64::from(days)))
}

/// `batch_regularity`.
pub(super) fn batch_regularity(flows: &[Flow<'_>], n: i64, calendar: &Calendar) -> Value {
    let batches = batch_days(flows, n);
    let gaps: Vec<Option<Period>> = batches.windows(2).map(|pair| period(pair[0].0, pair[1].0, calendar)).collect();
    let periods: Vec<Period> = gaps.iter().flatten().copied().collect();
    share(most_frequent(&periods), gaps.len())
}

/// `batch_overlap`.
pub(super) fn batch_overlap(flows: &[Flow<'_>], n: i64) -> Value {
    let overlap = |pair: &[BatchDay<'_>]| {
        let (before, after) = (&pair[0].1, &pair[1].1);
        let common = after.keys().filter(|id| before.contains_key(*id)).count();
        millionths(share(common, before.len().min(after.len())))
    };
    let overlaps: Vec<i128> = batch_days(flows, n).windows(2).filter_map(overlap).collect();
    lower_median(&overlaps).map_or(Value::Null, Value::Ratio)
}

/// `batch_modal_share`.
pub(super) fn batch_modal_share(flows: &[Flow<'_>], n: i64) -> Value {
    let paid: Vec<i128> = batch_days(flows, n).iter().flat_map(|(_, paid)| paid.values().copied()).collect();
    share(most_frequent(&paid), paid.len())
}

/// `periodic_payees`.
pub(super) fn periodic_payees(flows: &[Flow<'_>], n: i64, calendar: &Calendar) -> Value {
    size(by_payee(flows).values().filter(|payments| steady_run(payments, calendar) >= n).count())
}

fn by_payee<'a>(flows: &[Flow<'a>]) -> BTreeMap<&'a str, Vec<(Day, i128)>> {
    let mut paid: BTreeMap<&str, Vec<(Day, i128)>> = BTreeMap::new();
    for ((day, id), amount) in payments(flows) {
        paid.entry(id).or_default().push((day, amount));
    }
    paid
}

/// `overdue_share`.
pub(super) fn overdue_share(view: &View<'_>, window: Window, n: i64, overdue: i64) -> Value {
    let today = view.t.day();
    let working = (0..).map(|back| today.plus(-back)).filter(|day| view.calendar.is_working(*day));
    let from = working.take(usize::try_from(overdue).expect("small")).last().expect("at least one");
    let (mut steady, mut late) = (0, 0);
    for payments in by_payee(&view.flows(window)).values().filter(|payments| steady_run(payments, view.calendar) >= n) {
        let (before, last) = (payments[payments.len() - 2].0, payments[payments.len() - 1].0);
        let rhythm = period(before, last, view.calendar);
        // Periods are a quarter and some days at most.
        let can_come = (1..200).map(|days| last.plus(days)).any(|day| day >= from && period(last, day, view.calendar) == rhythm);
        steady += 1;
        late += usize::from(!can_come);
    }
    share(late, steady)
}

/// `commission_days`.
pub(super) fn commission_days(view: &View<'_>, window: Window) -> Value {
    let flows = view.flows(window);
    let history = view.all_history();
    let had_paid_in = |id: &str, day: Day| history.iter().any(|flow| flow.party_of(Direction::In) == Some(id) && flow.day() <= day);
    let mut paid: BTreeMap<Day, i128> = BTreeMap::new();
    for ((day, id), amount) in payments(&flows) {
        if !had_paid_in(id, day) {
            *paid.entry(day).or_default() += amount;
        }
    }
    let rate = |(day, paid): (Day, i128)| {
        let came = flows.iter().filter(|flow| flow.direction == Direction::In && flow.day() == day).map(|flow| flow.amount).sum();
        millionths(ratio(paid, came)).filter(|rate| (20_000..=300_000).contains(rate))
    };
    let rates: Vec<i128> = paid.into_iter().filter_map(rate).collect();
    let near = |low: &i128| rates.iter().filter(|rate| (*low..=*low + 4_000).contains(*rate)).count();
    size(rates.iter().map(near).max().unwrap_or(0))
}

/// Payments of the run that ends with the last one.
fn steady_run(payments: &[(Day, i128)], calendar: &Calendar) -> i64 {
    let (mut run, mut steady) = (1, None);
    let Some((_, last_amount)) = payments.last() else { return 0 };
    for pair in payments.windows(2).rev() {
        let ((day, amount), (next_day, _)) = (pair[0], pair[1]);
        let Some(gap) = period(day, next_day, calendar) else { break };
        if *steady.get_or_insert(gap) != gap || 10 * (amount - last_amount).abs() > *last_amount {
            break;
        }
        run += 1;
    }
    run
}

/// Those counted by `repaid_share`, with the day of their last payout in the window.
fn repaid<'a>(view: &View<'a>, window: Window) -> BTreeMap<&'a str, Day> {
    let flows = view.flows(window);
    let history = view.all_history();
    let mut repaid = BTreeMap::new();
    for id in naturals(&flows, Direction::Out) {
        let paid_in = history.iter().filter(|flow| flow.party_of(Direction::In) == Some(id)).map(Flow::day).min();
        let paid_out: BTreeSet<Day> = flows.iter().filter(|flow| flow.party_of(Direction::Out) == Some(id)).map(Flow::day).collect();
        if let (Some(first_in), Some(first_out), Some(last_out)) = (paid_in, paid_out.first(), paid_out.last())
            && first_in < *first_out
        {
            repaid.insert(id, *last_out);
        }
    }
    repaid
}

/// `repaid_share`.
pub(super) fn repaid_share(view: &View<'_>, window: Window) -> Value {
    share(repaid(view, window).len(), naturals(&view.flows(window), Direction::Out).len())
}

/// Payout over principal of those counted by `repaid_share`, rising; without those whose principal is zero yuan.
fn payout_ratios(view: &View<'_>, window: Window) -> Vec<i128> {
    let flows = view.flows(window);
    let history = view.all_history();
    let mut ratios = Vec::new();
    for (id, day) in repaid(view, window) {
        let paid = flows.iter().filter(|flow| flow.party_of(Direction::Out) == Some(id) && flow.day() == day);
        let principal = history.iter().filter(|flow| flow.party_of(Direction::In) == Some(id) && flow.day() < day);
        ratios.extend(millionths(ratio(paid.map(|f| f.amount).sum(), principal.map(|f| f.amount).sum())));
    }
    ratios.sort_unstable();
    ratios
}

/// Fewer ratios than this say nothing.
const RATIOS_MIN: usize = 5;

/// `payout_ratio`.
pub(super) fn payout_ratio(view: &View<'_>, window: Window) -> Value {
    let ratios = payout_ratios(view, window);
    let median = lower_median(&ratios).filter(|_| ratios.len() >= RATIOS_MIN);
    median.map_or(Value::Null, Value::Ratio)
}

/// `payout_ratio_spread`.
pub(super) fn payout_ratio_spread(view: &View<'_>, window: Window) -> Value {
    let ratios = payout_ratios(view, window);
    if ratios.len() < RATIOS_MIN {
        return Value::Null;
    }
    let last = ratios.len() - 1;
    Value::Ratio(ratios[3 * last / 4] - ratios[last / 4])
}

/// `rebates`, over the counted legs of the window in order.
pub(super) fn rebates(legs: &[&OwnedLeg], flows: &[Flow<'_>]) -> Value {
    let natural = &naturals(flows, Direction::In) | &naturals(flows, Direction::Out);
    let is_movement = |leg: &OwnedLeg, direction, id: &str| {
        leg.kind == OwnedKind::Movement && leg.direction == direction && leg.counterparty.as_deref() == Some(id)
    };
    let is_rebated = |id: &&str| {
        legs.iter().enumerate().filter(|(_, leg)| is_movement(leg, Direction::In, id)).any(|(at, paid_in)| {
            legs[at..].iter().filter(|leg| is_movement(leg, Direction::Out, id)).any(|back| {
                let soon = back.at.since(paid_in.at) <= Span(3 * MICROS_PER_DAY);
                soon && 20 * fen(back) >= fen(paid_in) && 4 * fen(back) <= fen(paid_in)
            })
        })
    };
    size(natural.into_iter().filter(is_rebated).count())
}

/// The number behind a ratio.
fn millionths(value: Value) -> Option<i128> {
    match value {
        Value::Ratio(millionths) => Some(millionths),
        _ => None,
    }
}

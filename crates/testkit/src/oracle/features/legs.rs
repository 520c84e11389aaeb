//! Features that need single legs: balances, amounts that are too regular, time of day, channel, memo.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::time::MICROS_PER_DAY;
use weir_model::{Channel, Direction, Flags};
use weir_rules::Value;

use super::{known_share, ratio, size};
use crate::log::OwnedLeg;
use crate::oracle::large_amount::item_of;
use crate::oracle::view::{Flow, fen};

/// `balance_left`, over all live legs of the window.
pub(super) fn balance_left(legs: &[&OwnedLeg], inflow: i128) -> Value {
    let balance = legs.iter().rev().find_map(|leg| leg.balance_after);
    balance.map_or(Value::Null, |fen| ratio(i128::from(fen.max(0)), inflow))
}

/// `low_balance_days`, over all live legs and the counted flows of the window.
pub(super) fn low_balance_days(legs: &[&OwnedLeg], flows: &[Flow<'_>]) -> Value {
    let mut inflow_by_day = BTreeMap::new();
    for flow in flows.iter().filter(|flow| flow.direction == Direction::In) {
        *inflow_by_day.entry(flow.day()).or_insert(0) += flow.amount;
    }
    let (mut low, mut all) = (0, 0);
    for (day, inflow) in inflow_by_day {
        let balance = legs.iter().rev().filter(|leg| leg.at.day() == day).find_map(|leg| leg.balance_after);
        let Some(balance) = balance else { continue };
        all += 1;
        low += i128::from(20 * i128::from(balance) <= inflow);
    }
    ratio(low, all)
}

/// Amounts of the counted legs of a direction that have one in yuan.
fn amounts(legs: &[&OwnedLeg], direction: Direction) -> Vec<i64> {
    let converted = legs.iter().filter(|leg| leg.direction == direction && !leg.has(Flags::UNCONVERTED));
    converted.map(|leg| fen(leg)).collect()
}

/// `round_share_in`, `round_share_out`.
pub(super) fn round_share(legs: &[&OwnedLeg], direction: Direction, multiple: i64) -> Value {
    let amounts = amounts(legs, direction);
    share(amounts.iter().filter(|fen| *fen % multiple == 0).count(), amounts.len())
}

/// `modal_share_in`, `modal_share_out`.
pub(super) fn modal_share(legs: &[&OwnedLeg], direction: Direction) -> Value {
    let amounts = amounts(legs, direction);
    share(most_frequent(&amounts), amounts.len())
}

/// How often the most frequent value occurs.
pub(super) fn most_frequent<T: Ord>(values: &[T]) -> usize {
    let distinct: BTreeSet<&T> = values.iter().collect();
    distinct.into_iter().map(|value| values.iter().filter(|other| *other == value).count()).max().unwrap_or(0)
}

/// Part of a number of things.
pub(super) fn share(part: usize, whole: usize) -> Value {
    ratio(part as i128, whole as i128)
}

/// `near_limit`.
pub(super) fn near_limit(legs: &[&OwnedLeg]) -> Value {
    let is_near = |leg: &&&OwnedLeg| {
        let limit = item_of(leg).map(weir_model::ReportItem::limit_fen);
        limit.is_some_and(|limit| !leg.has(Flags::UNCONVERTED) && fen(leg) < limit && 10 * fen(leg) >= 9 * limit)
    };
    size(legs.iter().filter(is_near).count())
}

/// `night_share`.
pub(super) fn night_share(legs: &[&OwnedLeg]) -> Value {
    let hour = |leg: &OwnedLeg| leg.at.micros_of_day() / (MICROS_PER_DAY / 24);
    share_where(legs, |leg| leg.has(Flags::HAS_TIME), |leg| hour(leg) >= 22 || hour(leg) < 6)
}

/// `channel_share`.
pub(super) fn channel_share(legs: &[&OwnedLeg], channel: Channel) -> Value {
    share_where(legs, |leg| leg.channel.is_some(), |leg| leg.channel == Some(channel))
}

/// `memo_share_in`, `memo_share_out`.
pub(super) fn memo_share(legs: &[&OwnedLeg], direction: Direction, tag: u8) -> Value {
    let legs: Vec<&OwnedLeg> = legs.iter().filter(|leg| leg.direction == direction).copied().collect();
    share_where(&legs, |leg| leg.has(Flags::HAS_MEMO), |leg| leg.tags.0 & (1 << tag) != 0)
}

/// The share of legs that are so among those of which it is known.
fn share_where(legs: &[&OwnedLeg], is_known: impl Fn(&OwnedLeg) -> bool, is_so: impl Fn(&OwnedLeg) -> bool) -> Value {
    let length = |n: usize| i64::try_from(n).expect("no history has 2^63 legs");
    let known: Vec<_> = legs.iter().filter(|leg| is_known(leg)).collect();
    let part = known.iter().filter(|leg| is_so(leg)).count();
    known_share(length(part), length(known.len()), length(legs.len()))
}

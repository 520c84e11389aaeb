//! Features that any window can answer: concentration, who is new, how long money stays, what kind of traffic, own past.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use weir_model::time::MICROS_PER_DAY;
use weir_model::{Calendar, Day, Direction, Division, EventTime, Flags, PartyKind};
use weir_rules::{Value, Window};

use super::{is_too_little_known, known_share, ratio, size};
use crate::log::OwnedLeg;
use crate::oracle::history::Held;
use crate::oracle::view::{Flow, View, fen, naturals, parties, payments, sum};

/// `natural_payers`, `natural_payees`.
pub(super) fn natural_parties(flows: &[Flow<'_>], direction: Direction) -> Value {
    let mut made = flows.iter().filter(|flow| flow.party_of(direction).is_some()).peekable();
    let is_nobody_known = made.peek().is_some() && made.all(|flow| flow.kind == PartyKind::Unknown);
    if is_nobody_known { Value::Null } else { size(naturals(flows, direction).len()) }
}

/// An outlet: where money leaves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outlet<'a> {
    Cash,
    SameName,
    Securities,
    Counterparty(&'a str),
}

/// Sums by outlet.
pub(super) fn outlets<'a>(flows: &[Flow<'a>]) -> BTreeMap<Outlet<'a>, i128> {
    let mut sums = BTreeMap::new();
    for flow in flows.iter().filter(|flow| flow.direction == Direction::Out) {
        let outlet = if flow.flags.has(Flags::CASH) {
            Outlet::Cash
        } else if flow.flags.has(Flags::SAME_NAME) {
            Outlet::SameName
        } else if flow.flags.has(Flags::SECURITIES) {
            Outlet::Securities
        } else if let Some(id) = flow.counterparty {
            Outlet::Counterparty(id)
        } else {
            continue;
        };
        *sums.entry(outlet).or_insert(0) += flow.amount;
    }
    sums
}

/// `top_share_in`, `top_share_out`.
pub(super) fn top_share(mut sums: Vec<i128>, k: i64, total: i128) -> Value {
    sums.sort_unstable_by(|a, b| b.cmp(a));
    let k = usize::try_from(k).unwrap_or(usize::MAX);
    ratio(sums.into_iter().take(k).sum(), total)
}

/// `hhi_in`, `hhi_out`.
pub(super) fn hhi(sums: Vec<i128>, total: i128) -> Value {
    ratio(sums.into_iter().map(|sum| sum * sum).sum(), total * total)
}

/// `retained`, over all live legs of the window.
pub(super) fn retained(legs: &[&OwnedLeg]) -> Value {
    let total = |direction| {
        let retained = legs.iter().filter(|leg| leg.has(Flags::RETAINED) && leg.direction == direction);
        retained.map(|leg| i128::from(fen(leg))).sum::<i128>()
    };
    Value::Money((total(Direction::Out) - total(Direction::In)).max(0))
}

/// `first_time_payers`, `first_time_payees`.
pub(super) fn first_time(view: &View<'_>, window: Window, direction: Direction) -> Value {
    let history = view.all_history();
    let is_new = |id: &&str| {
        let first = history.iter().find(|flow| flow.party_of(direction) == Some(id));
        first.is_some_and(|flow| view.covers(window, flow.at))
    };
    size(naturals(&view.flows(window), direction).into_iter().filter(is_new).count())
}

/// `pass_through_before`.
pub(super) fn pass_through_before(view: &View<'_>, window: Window, history: Window) -> Value {
    let until = view.first_day(window);
    let before: Vec<Flow<'_>> = view.flows(history).into_iter().filter(|flow| flow.at.day() < until).collect();
    ratio(sum(&before, Direction::Out), sum(&before, Direction::In))
}

/// `natural_payer_share`.
pub(super) fn natural_payer_share(flows: &[Flow<'_>]) -> Value {
    let known: Vec<Flow<'_>> = flows.iter().filter(|flow| flow.kind != PartyKind::Unknown).copied().collect();
    ratio(count(&naturals(&known, Direction::In)).into(), count(&parties(&known, Direction::In)).into())
}

/// `natural_share_out`.
pub(super) fn natural_share_out(flows: &[Flow<'_>]) -> Value {
    let identified: Vec<&Flow<'_>> = flows.iter().filter(|flow| flow.party_of(Direction::Out).is_some()).collect();
    if !identified.is_empty() && identified.iter().all(|flow| flow.kind == PartyKind::Unknown) {
        return Value::Null;
    }
    ratio(payments(flows).values().sum(), sum(flows, Direction::Out))
}

/// `first_time_surge`.
pub(super) fn first_time_surge(view: &View<'_>, window: Window, history: Window, least: i64) -> Value {
    let (from, until) = (view.first_day(history), view.first_day(window));
    let is_old = view.history_from.is_some_and(|day| day <= from) || view.profile().opened_at.is_some_and(|day| day >= from);
    if !is_old || until <= from {
        return Value::Null;
    }
    let all = view.all_history();
    let before: Vec<Flow<'_>> = view.flows(history).into_iter().filter(|flow| flow.at.day() < until).collect();
    let firsts = naturals(&before, Direction::In).into_iter().filter_map(|id| {
        let first = all.iter().find(|flow| flow.party_of(Direction::In) == Some(id))?;
        Some(first.at.day())
    });
    let firsts: Vec<Day> = firsts.filter(|day| *day >= from).collect();
    let days = view.days(window);
    let ending = |end: i32| firsts.iter().filter(|day| day.0 <= end && i128::from(end - day.0) < days).count();
    let most = (from.0..until.0).map(ending).max().unwrap_or(0);
    let Value::Int(now) = first_time(view, window, Direction::In) else { return Value::Null };
    ratio(now.into(), i128::from(least).max(most as i128))
}

/// What natural people moved in a direction, each on each day, rising.
fn person_days(view: &View<'_>, window: Window, direction: Direction) -> Vec<i128> {
    let flows = view.flows(window);
    let mut payments = BTreeMap::<(&str, Day), i128>::new();
    for flow in &flows {
        let Some(id) = flow.party_of(direction) else { continue };
        if naturals(&flows, direction).contains(&id) {
            *payments.entry((id, flow.at.day())).or_default() += flow.amount;
        }
    }
    let mut amounts: Vec<i128> = payments.into_values().collect();
    amounts.sort_unstable();
    amounts
}

/// `median_in`, `median_out`.
pub(super) fn median(view: &View<'_>, window: Window, direction: Direction) -> Value {
    let amounts = person_days(view, window, direction);
    amounts.get(amounts.len().saturating_sub(1) / 2).map_or(Value::Null, |amount| Value::Money(*amount))
}

/// `spread_out`.
pub(super) fn spread(view: &View<'_>, window: Window, direction: Direction) -> Value {
    let amounts = person_days(view, window, direction);
    let quarter = |part: usize| amounts[part * (amounts.len() - 1) / 4];
    if amounts.is_empty() { Value::Null } else { ratio(quarter(3), quarter(1)) }
}

/// `holding_time`: first in, first out.
pub(super) fn holding_time(flows: &[Flow<'_>]) -> Value {
    let mut waiting: VecDeque<(i64, i128)> = VecDeque::new();
    let mut matched: Vec<(i64, i128)> = Vec::new();
    for flow in flows {
        if flow.direction == Direction::In {
            waiting.push_back((flow.at.0, flow.amount));
            continue;
        }
        let mut left = flow.amount;
        while left > 0 {
            let Some((at, amount)) = waiting.front_mut() else { break };
            let taken = left.min(*amount);
            matched.push((flow.at.0 - *at, taken));
            left -= taken;
            *amount -= taken;
            if *amount == 0 {
                waiting.pop_front();
            }
        }
    }
    matched.retain(|(_, amount)| *amount > 0);
    matched.sort_unstable();
    let total: i128 = matched.iter().map(|(_, amount)| amount).sum();
    let mut reached = 0;
    for (duration, amount) in matched {
        reached += amount;
        if 2 * reached >= total {
            return Value::Duration(duration);
        }
    }
    Value::Null
}

/// `cash_share_in`, `cash_share_out`, `cross_border_share`: the part of the amounts whose legs have the flag.
pub(super) fn flag_share(flows: &[Flow<'_>], directions: &[Direction], flag: Flags) -> Value {
    let flows: Vec<_> = flows.iter().filter(|flow| directions.contains(&flow.direction)).collect();
    let part = flows.iter().filter(|flow| flow.flags.has(flag)).map(|flow| flow.amount).sum();
    ratio(part, flows.iter().map(|flow| flow.amount).sum())
}

/// `cash_days_in`, `cash_days_out`.
pub(super) fn cash_days(flows: &[Flow<'_>], direction: Direction) -> usize {
    let cash = flows.iter().filter(|flow| flow.direction == direction && flow.flags.has(Flags::CASH));
    cash.map(Flow::day).collect::<BTreeSet<_>>().len()
}

/// Natural payers of each member of a group.
fn payers_by_member<'a>(flows: &[Flow<'a>]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let natural = naturals(flows, Direction::In);
    let mut payers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for flow in flows.iter().filter(|flow| !flow.member.is_empty()) {
        if let Some(id) = flow.party_of(Direction::In).filter(|id| natural.contains(id)) {
            payers.entry(flow.member).or_default().insert(id);
        }
    }
    payers
}

/// `collecting_members`.
pub(super) fn collecting_members(flows: &[Flow<'_>], n: i64) -> usize {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    payers_by_member(flows).values().filter(|payers| payers.len() >= n).count()
}

/// `shared_payers`.
pub(super) fn shared_payers(flows: &[Flow<'_>]) -> usize {
    let mut members: BTreeMap<&str, usize> = BTreeMap::new();
    payers_by_member(flows).into_values().flatten().for_each(|id| *members.entry(id).or_default() += 1);
    members.into_values().filter(|members| *members >= 2).count()
}

/// `organisation_amount_in`, and the days of `organisation_days_in`.
pub(super) fn paid_by_organisations(flows: &[Flow<'_>]) -> (i128, usize) {
    let is_one = |flow: &&Flow<'_>| matches!(flow.kind, PartyKind::Organisation | PartyKind::SoleTrader);
    let paid: Vec<&Flow<'_>> = flows.iter().filter(|flow| flow.party_of(Direction::In).is_some()).filter(is_one).collect();
    (paid.iter().map(|flow| flow.amount).sum(), paid.iter().map(|flow| flow.day()).collect::<BTreeSet<_>>().len())
}

/// `holiday_share`.
pub(super) fn holiday_share(flows: &[Flow<'_>], calendar: &Calendar) -> Value {
    let off: i64 = flows.iter().filter(|flow| !calendar.is_working(flow.day())).map(|flow| flow.count).sum();
    ratio(off.into(), flows.iter().map(|flow| flow.count).sum::<i64>().into())
}

/// `elderly_share`.
pub(super) fn elderly_share(flows: &[Flow<'_>]) -> Value {
    let payers = naturals(flows, Direction::In);
    let with = |flag| {
        let said = flows.iter().filter(|flow| flow.flags.has(flag)).filter_map(|flow| flow.party_of(Direction::In));
        count(&said.filter(|id| payers.contains(id)).collect())
    };
    known_share(with(Flags::AGE_KNOWN.with(Flags::ELDERLY)), with(Flags::AGE_KNOWN), count(&payers))
}

/// `payer_prefectures`, `payer_provinces`.
pub(super) fn payer_places(flows: &[Flow<'_>], place: impl Fn(Division) -> u32) -> Value {
    let payers = parties(flows, Direction::In);
    let placed: Vec<_> = flows.iter().filter(|flow| flow.party_of(Direction::In).is_some() && flow.division.is_known()).collect();
    let known: BTreeSet<&str> = placed.iter().filter_map(|flow| flow.counterparty).collect();
    if payers.is_empty() || is_too_little_known(count(&known), count(&payers)) {
        return Value::Null;
    }
    size(placed.iter().map(|flow| place(flow.division)).collect::<BTreeSet<_>>().len())
}

fn count(ids: &BTreeSet<&str>) -> i64 {
    i64::try_from(ids.len()).expect("no history has 2^63 legs")
}

/// `dormant_before`.
pub(super) fn dormant_before(view: &View<'_>, window: Window) -> Value {
    let days = |legs: &[&Held], is_wanted: &dyn Fn(EventTime) -> bool| -> Vec<Day> {
        let known = legs.iter().filter(|held| held.is_counted() && held.leg.counterparty_kind != PartyKind::Internal);
        known.filter(|held| is_wanted(held.leg.at)).map(|held| held.day()).collect()
    };
    let inside = |at| view.covers(window, at);
    let Some(first) = days(&view.live, &inside).into_iter().min() else {
        return Value::Null;
    };
    // Forgotten pairs count here: a long sleep is what is asked for. What left early is in no window.
    let outside = [days(&view.live, &|at| !inside(at)), days(&view.left, &|_| true)].concat();
    outside.into_iter().filter(|day| *day < first).max().map_or(Value::Null, |last| whole_days(last, first))
}

/// `account_age`.
pub(super) fn account_age(view: &View<'_>) -> Value {
    view.profile().opened_at.map_or(Value::Null, |opened| whole_days(opened, view.t.day()))
}

fn whole_days(from: Day, to: Day) -> Value {
    Value::Duration(i64::from((to.0 - from.0).max(0)) * MICROS_PER_DAY)
}

/// `inflow_ratio`.
pub(super) fn inflow_ratio(view: &View<'_>, window: Window, history: Window) -> Value {
    let (days, history_days) = (view.days(window), view.days(history));
    let is_young = view.history_from.is_none_or(|day| day > view.first_day(history));
    let inflow = |w| sum(&view.flows(w), Direction::In);
    let divisor = (inflow(history) - inflow(window)) * days;
    if is_young || history_days <= days || divisor <= 0 {
        return Value::Null;
    }
    ratio(inflow(window) * (history_days - days), divisor)
}

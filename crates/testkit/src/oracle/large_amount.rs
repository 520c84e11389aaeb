//! Section 8 of the definition: large-amount reports by customer, day, direction and item.
//!
//! Every report is built anew from the legs of its day after every input; what was sent decides only what is sent next.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::digest::{digest128, hex};
use weir_model::large_amount::{ExemptTransaction, ReportedTransaction};
use weir_model::money::yuan;
use weir_model::{Calendar, Currency, Day, Direction, EventTime, Flags, LargeAmountReport, PartyKind, ReportItem, ReportStatus};

use super::history::History;
use super::hits::Sets;
use crate::log::{OwnedLeg, units};

/// The clause of the one exemption the data shows.
const EXEMPT_CLAUSE: &str = "令〔2016〕第3号 第七条(一)";
/// Working days from the day to the due date.
const DUE_DAYS: u32 = 5;

/// Day, direction and item; with the customer it is a report's key.
pub(super) type Key = (Day, Direction, ReportItem);

/// The item of Article 5 a leg falls under.
pub(super) fn item_of(leg: &OwnedLeg) -> Option<ReportItem> {
    match leg.profile.kind {
        PartyKind::Internal => None,
        _ if leg.has(Flags::CASH) => Some(ReportItem::Cash),
        PartyKind::Organisation | PartyKind::SoleTrader => Some(ReportItem::NonNatural),
        PartyKind::Natural | PartyKind::Unknown if leg.has(Flags::CROSS_BORDER) => Some(ReportItem::NaturalCrossBorder),
        PartyKind::Natural | PartyKind::Unknown => Some(ReportItem::NaturalDomestic),
    }
}

/// The key of the report a leg would belong to, by the kind stamped on it.
fn key_of(leg: &OwnedLeg) -> Option<Key> {
    if leg.is_group() { None } else { item_of(leg).map(|item| (leg.at.day(), leg.direction, item)) }
}

/// A leg of a history with the kind it counts under: its own, or where that is unknown that of the last leg of its day that states one.
fn with_kind(history: &History, leg: &OwnedLeg) -> OwnedLeg {
    let day = leg.at.day();
    let stated = history.ever().into_iter().map(|held| &held.leg).filter(|other| other.at.day() == day).map(|other| other.profile.kind);
    let last = { stated }.rfind(|kind| *kind != PartyKind::Unknown);
    let mut leg = leg.clone();
    if leg.profile.kind == PartyKind::Unknown {
        leg.profile.kind = last.unwrap_or_default();
    }
    leg
}

/// The id of the report a leg that came too late would have belonged to.
pub(super) fn report_id_of(leg: &OwnedLeg) -> Option<String> {
    key_of(leg).map(|key| report_id(&leg.party, key))
}

/// The id of the report a leg of a history belongs to, and its key for those who put several in order.
pub(super) fn report_id_and_key_of(history: &History, leg: &OwnedLeg) -> Option<(Key, String)> {
    key_of(&with_kind(history, leg)).map(|key| (key, report_id(&leg.party, key)))
}

fn report_id(customer: &str, (day, direction, item): Key) -> String {
    let direction = if direction == Direction::In { "in" } else { "out" };
    hex(&digest128(&[customer.as_bytes(), day.to_string().as_bytes(), direction.as_bytes(), &[item.number()]]))
}

/// The reports of one customer: the last revision sent of each key.
#[derive(Debug, Clone, Default)]
pub(super) struct Reports {
    sent: BTreeMap<Key, LargeAmountReport>,
    /// The same with uncut lists: what is compared.
    whole: BTreeMap<Key, LargeAmountReport>,
}

impl Reports {
    /// The last state of every key, in order.
    pub(super) fn last(&self, customer: &str, history: &History, sets: &Sets, list_max: usize) -> Vec<LargeAmountReport> {
        let as_it_stands = |(key, sent): (&Key, &LargeAmountReport)| {
            if sent.status != ReportStatus::Opened {
                return sent.clone();
            }
            let present = report(customer, *key, history, sets, list_max).report;
            LargeAmountReport { revision: sent.revision, status: sent.status, ..present }
        };
        self.sent.iter().map(as_it_stands).collect()
    }

    /// After a leg: reports that are reached, changed, or no longer reached. `last_tick` tells which days are over.
    pub(super) fn follow(
        &mut self,
        customer: &str,
        history: &History,
        sets: &Sets,
        list_max: usize,
        last_tick: Option<EventTime>,
    ) -> Vec<LargeAmountReport> {
        let mut revisions = Vec::new();
        for key in self.keys(history) {
            let is_over = last_tick.is_some_and(|tick| tick > key.0.end());
            let present = report(customer, key, history, sets, list_max);
            let is_standing = self.sent.get(&key).is_some_and(|sent| sent.status != ReportStatus::Withdrawn);
            let whole = report(customer, key, history, sets, usize::MAX).report;
            let status = match self.whole.get(&key).filter(|_| is_standing) {
                Some(_) if !present.is_reached => ReportStatus::Withdrawn,
                Some(before) if is_over && !same_content(before, &whole) => ReportStatus::Corrected,
                None if present.is_reached && is_over => ReportStatus::Corrected,
                None if present.is_reached => ReportStatus::Opened,
                _ => continue,
            };
            self.whole.insert(key, whole);
            revisions.push(self.send(key, present.report, status));
        }
        revisions
    }

    /// At a tick: the reports of days that are over by it and were not by the tick before.
    pub(super) fn finish(
        &mut self,
        customer: &str,
        history: &History,
        sets: &Sets,
        list_max: usize,
        (before, now): (Option<EventTime>, EventTime),
    ) -> Vec<LargeAmountReport> {
        let mut revisions = Vec::new();
        for key in self.keys(history) {
            let is_due = now > key.0.end() && before.is_none_or(|tick| tick <= key.0.end());
            let present = report(customer, key, history, sets, list_max);
            if is_due && present.is_reached {
                self.whole.insert(key, report(customer, key, history, sets, usize::MAX).report);
                revisions.push(self.send(key, present.report, ReportStatus::Final));
            }
        }
        revisions
    }

    fn keys(&self, history: &History) -> BTreeSet<Key> {
        let present = history.ever().into_iter().filter_map(|held| key_of(&with_kind(history, &held.leg)));
        present.chain(self.sent.keys().copied()).collect()
    }

    fn send(&mut self, key: Key, mut report: LargeAmountReport, status: ReportStatus) -> LargeAmountReport {
        report.revision = self.sent.get(&key).map_or(0, |sent| sent.revision) + 1;
        report.status = status;
        self.sent.insert(key, report.clone());
        report
    }
}

/// Everything but revision, status and what another calendar makes of the due date.
fn same_content(before: &LargeAmountReport, present: &LargeAmountReport) -> bool {
    let LargeAmountReport { revision, status, due, calendar_assumed, .. } = before.clone();
    LargeAmountReport { revision, status, due, calendar_assumed, ..present.clone() } == *before
}

/// A key's report as its day stands.
struct Present {
    report: LargeAmountReport,
    is_reached: bool,
}

fn report(customer: &str, key: Key, history: &History, sets: &Sets, list_max: usize) -> Present {
    let (day, direction, item) = key;
    let live: Vec<OwnedLeg> = history.ever().iter().map(|held| with_kind(history, &held.leg)).collect();
    let of_day: Vec<&OwnedLeg> = live.iter().filter(|leg| key_of(leg) == Some(key)).collect();
    let (exempt, counted): (Vec<_>, Vec<_>) = of_day.iter().copied().partition(|leg| leg.has(Flags::EXEMPT_TERM));
    let (yuan_legs, foreign): (Vec<_>, Vec<_>) = counted.iter().copied().partition(|leg| leg.amount.currency == Currency::CNY);
    let (converted, unconverted): (Vec<_>, Vec<_>) = foreign.iter().copied().partition(|leg| leg.amount.usd.is_some());

    let cny_total: i128 = yuan_legs.iter().map(|leg| i128::from(leg.amount.minor)).sum();
    let fx_total: i128 = converted.iter().filter_map(|leg| leg.amount.usd).map(i128::from).sum();
    let combined_cny = total(&foreign, |leg| leg.amount.cny).map(|fen| cny_total + fen);
    // RMB legs without an equivalent in dollars take the rate that the foreign legs with both equivalents show.
    let (with_usd, without_usd): (Vec<_>, Vec<_>) = yuan_legs.iter().copied().partition(|leg| leg.amount.usd.is_some());
    let rate = foreign.iter().filter_map(|leg| leg.amount.cny.zip(leg.amount.usd));
    let (rate_cny, rate_usd) = rate.fold((0, 0), |(fen, cents), (cny, usd)| (fen + i128::from(cny), cents + i128::from(usd)));
    let to_convert: i128 = without_usd.iter().map(|leg| i128::from(leg.amount.minor)).sum();
    let yuan_in_usd = match (without_usd.is_empty(), rate_cny > 0) {
        (true, _) => Some(0),
        (false, true) => Some(to_convert * rate_usd / rate_cny),
        (false, false) => None,
    };
    let known = |equivalent: fn(&OwnedLeg) -> Option<i64>, legs: &[&OwnedLeg]| -> i128 {
        legs.iter().filter_map(|leg| equivalent(leg)).map(i128::from).sum()
    };
    let known_cny = cny_total + known(|leg| leg.amount.cny, &foreign);
    let known_usd = fx_total + known(|leg| leg.amount.usd, &with_usd) + yuan_in_usd.unwrap_or(0);
    let combined_usd = if unconverted.is_empty() && yuan_in_usd.is_some() { Some(known_usd) } else { None };

    let (limit_fen, limit_cents) = (i128::from(item.limit_fen()), i128::from(item.limit_cents()));
    let is_taken_together = !foreign.is_empty() && (!yuan_legs.is_empty() || !unconverted.is_empty());
    let is_reached = cny_total >= limit_fen
        || fx_total >= limit_cents
        || (is_taken_together && known_cny >= limit_fen)
        || (is_taken_together && known_usd >= limit_cents);

    let calendar: &Calendar = &sets.0.last().expect("a run has a set from the beginning").1.calendar;
    let due = calendar.working_days_after(day, DUE_DAYS);
    let report = LargeAmountReport {
        report_id: report_id(customer, key),
        revision: 0,
        status: ReportStatus::Opened,
        customer: customer.to_owned(),
        day: day.to_string(),
        direction,
        item,
        kind_assumed: counted.iter().any(|leg| leg.profile.kind == PartyKind::Unknown),
        cny_total: yuan(cny_total),
        fx_usd_total: yuan(fx_total),
        combined_cny: combined_cny.map(yuan),
        combined_usd: combined_usd.map(yuan),
        count: counted.len() as u64,
        transactions: counted.iter().take(list_max).map(|leg| reported_transaction(leg)).collect(),
        exempt_transactions: exempt.iter().take(list_max).map(|leg| exempt_transaction(leg)).collect(),
        unconverted: unconverted.iter().take(list_max).map(|leg| leg.txn_id.clone()).collect(),
        truncated: [counted.len(), exempt.len(), unconverted.len()].into_iter().any(|length| length > list_max),
        basis: item.basis().to_owned(),
        due: due.to_string(),
        calendar_assumed: !calendar.knows(due),
    };
    Present { report, is_reached }
}

/// The sum of an equivalent, if every leg has it.
fn total(legs: &[&OwnedLeg], equivalent: impl Fn(&OwnedLeg) -> Option<i64>) -> Option<i128> {
    legs.iter().map(|leg| equivalent(leg).map(i128::from)).sum()
}

fn reported_transaction(leg: &OwnedLeg) -> ReportedTransaction {
    ReportedTransaction {
        txn_id: leg.txn_id.clone(),
        occurred_at: leg.at.to_string(),
        amount: units(leg.amount.minor, leg.amount.currency),
        currency: leg.amount.currency.to_string(),
    }
}

fn exempt_transaction(leg: &OwnedLeg) -> ExemptTransaction {
    ExemptTransaction { txn_id: leg.txn_id.clone(), clause: EXEMPT_CLAUSE.to_owned() }
}

//! Large-amount reports: totals per customer, day, direction and item of Article 5, and what is said of them when.
//!
//! Totals run along with the legs; a report's lists are gathered from the rows only when it is sent. The rules are section 8 of
//! `docs/definition.md`. This module knows nothing of detection rules: a large amount is a duty, not a suspicion.

use std::collections::BTreeSet;

use weir_model::digest::{digest128, hex};
use weir_model::large_amount::{ExemptTransaction, ReportedTransaction};
use weir_model::leg::LegAmount;
use weir_model::money::yuan;
use weir_model::{Calendar, Currency, Day, Direction, Flags, LargeAmountReport, PartyKind, ReportItem, ReportStatus};

use crate::history::Party;
use crate::row::Row;
use crate::tables::Tables;

/// Working days to report in (令〔2016〕第3号).
const DUE_WORKING_DAYS: u32 = 5;
/// Days that may still change seldom have more totals.
const FEW_TOTALS: usize = 16;
/// The clause of the one exemption that a transaction's data shows.
const EXEMPT_CLAUSE: &str = "令〔2016〕第3号 第七条(一)";

/// What a report is about, within one party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ReportKey {
    pub(crate) day: Day,
    pub(crate) direction: Direction,
    pub(crate) item: ReportItem,
}

impl ReportKey {
    /// What a row of a party of that kind falls under; `None` for the bank's own accounts.
    fn of(row: &Row, kind: PartyKind) -> Option<Self> {
        item_of(row.flags(), kind).map(|item| Self { day: row.at.day(), direction: row.direction(), item })
    }
}

/// Running totals of one key: 32 bytes, because every party holds those of its latest days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DayTotal {
    pub(crate) key: ReportKey,
    /// Fen of RMB legs, without what [`Beyond::cny_high`] counts.
    cny_low: u64,
    legs_cny: u32,
    kind_unknown: u32,
    /// Nearly all days have nothing but RMB, and nothing is said of them: the rest stands apart, and only where there is any.
    beyond: Option<Box<Beyond>>,
}

/// What a day's total has beside RMB: foreign legs, and what is known in dollars; and what was said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Beyond {
    /// State last sent; `None` before the first.
    sent: Option<ReportStatus>,
    revision: u32,
    /// 2^64 fen of RMB legs.
    cny_high: i64,
    /// Cents of foreign legs that have an equivalent.
    fx_usd: i128,
    /// Fen of foreign legs that have an equivalent.
    fx_cny: i128,
    /// Cents of all legs that have an equivalent in USD.
    combined_usd: i128,
    /// Fen of RMB legs with an equivalent in USD.
    cny_with_usd: i128,
    /// Fen and cents of foreign legs that have both equivalents: the day's rate.
    rate_cny: i128,
    rate_usd: i128,
    legs_fx: u32,
    legs_with_usd: u32,
    fx_without_cny: u32,
    fx_without_usd: u32,
}

/// The item a leg falls under; `None` for the bank's own accounts.
///
/// Cash is item (一) alone: items (二) to (四) speak of transfers between accounts.
pub(crate) fn item_of(flags: Flags, kind: PartyKind) -> Option<ReportItem> {
    match kind {
        PartyKind::Internal => None,
        _ if flags.has(Flags::CASH) => Some(ReportItem::Cash),
        PartyKind::Organisation | PartyKind::SoleTrader => Some(ReportItem::NonNatural),
        PartyKind::Natural | PartyKind::Unknown if flags.has(Flags::CROSS_BORDER) => Some(ReportItem::NaturalCrossBorder),
        PartyKind::Natural | PartyKind::Unknown => Some(ReportItem::NaturalDomestic),
    }
}

/// BLAKE3-128 over customer, day, direction and item.
pub(crate) fn report_id(party: &str, key: ReportKey) -> String {
    let direction = if key.direction == Direction::Out { "out" } else { "in" };
    hex(&digest128(&[party.as_bytes(), key.day.to_string().as_bytes(), direction.as_bytes(), &[key.item.number()]]))
}

/// A count that goes up or down by one, if `on`.
fn step(count: &mut u32, add: bool, on: bool) {
    *count = if add { *count + u32::from(on) } else { *count - u32::from(on) };
}

impl Beyond {
    fn count(&mut self, amount: LegAmount, add: bool) {
        let signed = |minor: i64| if add { i128::from(minor) } else { -i128::from(minor) };
        let is_foreign = amount.currency != Currency::CNY;
        if is_foreign {
            self.fx_usd += signed(amount.usd.unwrap_or(0));
            self.fx_cny += signed(amount.cny.unwrap_or(0));
            if let (Some(cny), Some(usd)) = (amount.cny, amount.usd) {
                self.rate_cny += signed(cny);
                self.rate_usd += signed(usd);
            }
        } else if amount.usd.is_some() {
            self.cny_with_usd += signed(amount.minor);
        }
        self.combined_usd += signed(amount.usd.unwrap_or(0));
        step(&mut self.legs_fx, add, is_foreign);
        step(&mut self.legs_with_usd, add, amount.usd.is_some());
        step(&mut self.fx_without_cny, add, is_foreign && amount.cny.is_none());
        step(&mut self.fx_without_usd, add, is_foreign && amount.usd.is_none());
    }
}

/// Of a day of RMB alone of which nothing was said.
const NOTHING_BEYOND: Beyond = Beyond {
    sent: None,
    revision: 0,
    cny_high: 0,
    fx_usd: 0,
    fx_cny: 0,
    combined_usd: 0,
    cny_with_usd: 0,
    rate_cny: 0,
    rate_usd: 0,
    legs_fx: 0,
    legs_with_usd: 0,
    fx_without_cny: 0,
    fx_without_usd: 0,
};

impl DayTotal {
    fn new(key: ReportKey) -> Self {
        Self { key, cny_low: 0, legs_cny: 0, kind_unknown: 0, beyond: None }
    }

    /// Of the same key, nothing counted yet, of which the same was said.
    fn emptied(&self) -> Self {
        let mut total = Self::new(self.key);
        if let Some(sent) = self.sent() {
            total.say(sent, self.revision());
        }
        total
    }

    fn beyond(&self) -> &Beyond {
        self.beyond.as_deref().unwrap_or(&NOTHING_BEYOND)
    }

    /// State last sent; `None` before the first.
    pub(crate) fn sent(&self) -> Option<ReportStatus> {
        self.beyond().sent
    }

    /// Of the state last sent.
    pub(crate) fn revision(&self) -> u32 {
        self.beyond().revision
    }

    fn say(&mut self, sent: ReportStatus, revision: u32) {
        let beyond = self.beyond.get_or_insert_default();
        (beyond.sent, beyond.revision) = (Some(sent), revision);
    }

    /// Fen of RMB legs.
    fn cny(&self) -> i128 {
        i128::from(self.beyond().cny_high) << 64 | i128::from(self.cny_low)
    }

    fn set_cny(&mut self, fen: i128) {
        self.cny_low = u64::try_from(fen & i128::from(u64::MAX)).expect("the low half of 128 bits has 64");
        let high = i64::try_from(fen >> 64).expect("the high half of 128 bits has 64");
        if high != self.beyond().cny_high {
            self.beyond.get_or_insert_default().cny_high = high;
        }
    }

    fn count(&mut self, amount: LegAmount, kind: PartyKind, add: bool) {
        let is_foreign = amount.currency != Currency::CNY;
        if !is_foreign {
            self.set_cny(self.cny() + if add { i128::from(amount.minor) } else { -i128::from(amount.minor) });
        }
        step(&mut self.legs_cny, add, !is_foreign);
        step(&mut self.kind_unknown, add, kind == PartyKind::Unknown);
        if is_foreign || amount.usd.is_some() {
            self.beyond.get_or_insert_default().count(amount, add);
        }
        // Totals that say the same are equal.
        if self.beyond.as_deref() == Some(&NOTHING_BEYOND) {
            self.beyond = None;
        }
    }

    /// Legs counted.
    fn legs(&self) -> u64 {
        u64::from(self.legs_cny) + u64::from(self.beyond().legs_fx)
    }

    /// Cents of foreign legs that have an equivalent.
    fn fx_usd(&self) -> i128 {
        self.beyond().fx_usd
    }

    /// Fen of all legs that have an equivalent in RMB.
    fn combined_cny(&self) -> i128 {
        self.cny() + self.beyond().fx_cny
    }

    /// Everything in RMB; `None` where a leg has no equivalent.
    fn all_in_cny(&self) -> Option<i128> {
        (self.beyond().fx_without_cny == 0).then(|| self.combined_cny())
    }

    /// Everything in USD; `None` where a leg has no equivalent and the day shows no rate.
    fn all_in_usd(&self) -> Option<i128> {
        let converted = self.cny_in_usd().filter(|_| self.beyond().fx_without_usd == 0)?;
        Some(self.beyond().combined_usd + converted)
    }

    /// RMB legs without an equivalent in USD, at the rate that the foreign legs of the key show; cut to cents.
    fn cny_in_usd(&self) -> Option<i128> {
        let beyond = self.beyond();
        let without_usd = self.cny() - beyond.cny_with_usd;
        if without_usd == 0 {
            return Some(0);
        }
        // Saturated only beyond 10^38: far above every limit, as the true value is.
        (beyond.rate_cny > 0).then(|| without_usd.saturating_mul(beyond.rate_usd) / beyond.rate_cny)
    }

    /// Whether a limit is reached (第五条; 银发〔2017〕99号 for days with both: everything is taken in RMB and in USD, the lower bar decides). A
    /// leg without an equivalent adds nothing, but takes nothing away either: what is known is enough, or is not. A day of foreign money
    /// alone that cannot be told in dollars is judged in RMB.
    pub(crate) fn is_reached(&self) -> bool {
        let (fen, cents) = (i128::from(self.key.item.limit_fen()), i128::from(self.key.item.limit_cents()));
        if self.cny() >= fen {
            return true;
        }
        let Some(beyond) = &self.beyond else { return false };
        let is_converted = beyond.legs_fx > 0 && (self.legs_cny > 0 || beyond.fx_without_usd > 0);
        let in_usd = beyond.combined_usd + self.cny_in_usd().unwrap_or(0);
        beyond.fx_usd >= cents || is_converted && (self.combined_cny() >= fen || in_usd >= cents)
    }

    /// Whether [`DayTotal::after_change`] has anything to say, now or once the day is over: of nearly all totals it has not.
    fn may_speak(&self) -> bool {
        self.sent().is_some() || self.is_reached()
    }

    /// The status to send after a change of the day's legs; `None` where nothing is to be said.
    pub(crate) fn after_change(&self, is_day_over: bool) -> Option<ReportStatus> {
        let is_standing = self.sent().is_some_and(|status| status != ReportStatus::Withdrawn);
        match (self.is_reached(), is_day_over) {
            (true, true) => Some(ReportStatus::Corrected),
            (true, false) if !is_standing => Some(ReportStatus::Opened),
            (true, false) => None,
            (false, _) if is_standing => Some(ReportStatus::Withdrawn),
            (false, _) => None,
        }
    }
}

/// Live rows of a day that may still change, by whether they state the party's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayKinds {
    pub(crate) day: Day,
    known: u32,
    unknown: u32,
}

impl DayKinds {
    /// Some rows of the day follow others.
    fn is_mixed(self) -> bool {
        self.known > 0 && self.unknown > 0
    }
}

impl Party {
    /// The report key of a row.
    pub(crate) fn report_key(&self, row: &Row, tables: &Tables) -> Option<ReportKey> {
        ReportKey::of(row, self.kind_of(row, tables))
    }

    /// The party's kind as stamped on the row; where it is unknown, as the last row of the day states it that states one.
    fn kind_of(&self, row: &Row, tables: &Tables) -> PartyKind {
        let kind_of = |row: &Row| tables.profile_data(row.profile).kind;
        let day = row.at.day();
        // A settled day is counted no more: its rows still tell.
        let is_unstated = |kinds: &DayKinds| kinds.day == day && kinds.known == 0;
        if kind_of(row) != PartyKind::Unknown || self.day_kinds.iter().any(is_unstated) {
            return kind_of(row);
        }
        let mut stated = self.rows_of(day).iter().rev().filter(|row| row.is_live()).map(kind_of);
        stated.find(|kind| *kind != PartyKind::Unknown).unwrap_or_default()
    }

    fn rows_of(&self, day: Day) -> &[Row] {
        let from = self.rows.partition_point(|row| row.at < day.start());
        let to = self.rows.partition_point(|row| row.at <= day.end());
        &self.rows[from..to]
    }

    /// Rows have entered the history, or left it: the indexes of the totals that changed and of which there may be something to say. Groups have
    /// none.
    pub(crate) fn count_rows(&mut self, rows: &[Row], add: bool, tables: &Tables) -> Vec<usize> {
        if self.is_group() {
            return Vec::new();
        }
        // Nearly always one row comes, and follows no other.
        if let [row] = rows {
            if self.note_kind(row, add, tables) {
                return self.recount_day(row.at.day(), rows, tables);
            }
            let changed = self.count_large_amount(row, add, tables);
            return changed.filter(|at| self.day_totals[*at].may_speak()).into_iter().collect();
        }
        let mixed: BTreeSet<Day> = rows.iter().filter(|row| self.note_kind(row, add, tables)).map(|row| row.at.day()).collect();
        let mut changed = Vec::new();
        for row in rows.iter().filter(|row| !mixed.contains(&row.at.day())) {
            changed.extend(self.count_large_amount(row, add, tables).filter(|at| self.day_totals[*at].may_speak()));
        }
        for day in mixed {
            changed.extend(self.recount_day(day, rows, tables));
        }
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// Counts whether a row states the party's kind; whether rows of its day follow others, before or now.
    pub(crate) fn note_kind(&mut self, row: &Row, add: bool, tables: &Tables) -> bool {
        let day = row.at.day();
        let at = self.day_kinds.iter().position(|kinds| kinds.day == day).unwrap_or_else(|| {
            self.day_kinds.push(DayKinds { day, known: 0, unknown: 0 });
            self.day_kinds.len() - 1
        });
        let kinds = &mut self.day_kinds[at];
        let was_mixed = kinds.is_mixed();
        let count = if tables.profile_data(row.profile).kind == PartyKind::Unknown { &mut kinds.unknown } else { &mut kinds.known };
        *count = if add { *count + 1 } else { *count - 1 };
        was_mixed || kinds.is_mixed()
    }

    /// Counts a whole day anew, where some of its rows follow others, after `rows` have come or gone.
    fn recount_day(&mut self, day: Day, rows: &[Row], tables: &Tables) -> Vec<usize> {
        let before = self.day_totals.clone();
        for total in self.day_totals.iter_mut().filter(|total| total.key.day == day) {
            *total = total.emptied();
        }
        for row in self.rows_of(day).to_vec().iter().filter(|row| row.is_live()) {
            self.count_large_amount(row, true, tables);
        }
        // Legs that are in no total are in a list of their report.
        let own: Vec<ReportKey> = rows.iter().filter_map(|row| self.report_key(row, tables)).filter(|key| key.day == day).collect();
        let is_changed = |at: &usize| before.get(*at) != Some(&self.day_totals[*at]) || own.contains(&self.day_totals[*at].key);
        (0..self.day_totals.len()).filter(is_changed).collect()
    }

    /// Adds a row to its day's total, or takes it out; returns the index of the total it changed. Groups have none.
    pub(crate) fn count_large_amount(&mut self, row: &Row, add: bool, tables: &Tables) -> Option<usize> {
        if self.is_group() {
            return None;
        }
        let kind = self.kind_of(row, tables);
        let at = self.day_total(ReportKey::of(row, kind)?);
        if !row.has(Flags::EXEMPT_TERM) {
            self.day_totals[at].count(tables.extras.amount(row), kind, add);
        }
        Some(at)
    }

    /// Lets totals of days before `day` go, once the first is one of these: days come nearly in order, and none of those that stay behind it changes or
    /// is shown any more. Behind a wrong date years ahead they would stay for good, so where there are many all are looked at.
    pub(crate) fn drop_totals(&mut self, day: Day) {
        let looked_at = if self.day_totals.len().max(self.day_kinds.len()) > FEW_TOTALS { usize::MAX } else { 1 };
        let (mut kinds, mut totals) = (self.day_kinds.iter().take(looked_at), self.day_totals.iter().take(looked_at));
        if kinds.any(|kinds| kinds.day < day) || totals.any(|total| total.key.day < day) {
            self.day_totals.retain(|total| total.key.day >= day);
            self.day_kinds.retain(|kinds| kinds.day >= day);
            // A party rests for weeks with what its last busy day has left.
            if self.day_totals.spilled() && self.day_totals.len() <= self.day_totals.inline_size() {
                self.day_totals.shrink_to_fit();
            }
        }
    }

    /// Puts back what was said of a key before.
    pub(crate) fn note_report(&mut self, key: ReportKey, sent: ReportStatus, revision: u32) {
        let at = self.day_total(key);
        self.day_totals[at].say(sent, revision);
    }

    /// Index of the total of a key, new or known.
    fn day_total(&mut self, key: ReportKey) -> usize {
        self.day_totals.iter().position(|total| total.key == key).unwrap_or_else(|| {
            self.day_totals.push(DayTotal::new(key));
            self.day_totals.len() - 1
        })
    }

    /// Notes that the next revision of a total is sent.
    pub(crate) fn note_next_revision(&mut self, at: usize, status: ReportStatus) {
        let revision = self.day_totals[at].revision() + 1;
        self.day_totals[at].say(status, revision);
    }

    /// The report of a total as it stands, under the revision sent last.
    pub(crate) fn report(&self, at: usize, status: ReportStatus, tables: &Tables, calendar: &Calendar, max: usize) -> LargeAmountReport {
        let total = &self.day_totals[at];
        let key = total.key;
        let due = calendar.working_days_after(key.day, DUE_WORKING_DAYS);
        let mut report = LargeAmountReport {
            report_id: report_id(&self.key, key),
            revision: total.revision(),
            status,
            customer: self.key.to_string(),
            day: key.day.to_string(),
            direction: key.direction,
            item: key.item,
            kind_assumed: total.kind_unknown > 0,
            cny_total: yuan(total.cny()),
            fx_usd_total: yuan(total.fx_usd()),
            combined_cny: total.all_in_cny().map(yuan),
            combined_usd: total.all_in_usd().map(yuan),
            count: total.legs(),
            transactions: Vec::new(),
            exempt_transactions: Vec::new(),
            unconverted: Vec::new(),
            truncated: false,
            basis: key.item.basis().to_owned(),
            due: due.to_string(),
            calendar_assumed: !calendar.knows(due),
        };
        self.list_transactions(key, &mut report, tables, max);
        report
    }

    fn list_transactions(&self, key: ReportKey, report: &mut LargeAmountReport, tables: &Tables, max: usize) {
        let from = self.rows.partition_point(|row| row.at < key.day.start());
        let of_day = self.rows[from..].iter().take_while(|row| row.at <= key.day.end());
        for row in of_day.filter(|row| row.is_live() && self.report_key(row, tables) == Some(key)) {
            let txn_id = tables.txns.text(row.txn).to_owned();
            let amount = tables.extras.amount(row);
            if row.has(Flags::EXEMPT_TERM) {
                let exempt = ExemptTransaction { txn_id, clause: EXEMPT_CLAUSE.to_owned() };
                report.truncated |= !push_below(&mut report.exempt_transactions, max, exempt);
                continue;
            }
            if amount.currency != Currency::CNY && amount.usd.is_none() {
                report.truncated |= !push_below(&mut report.unconverted, max, txn_id.clone());
            }
            let transaction = ReportedTransaction {
                txn_id,
                occurred_at: row.at.to_string(),
                amount: units(amount.minor, amount.currency),
                currency: amount.currency.to_string(),
            };
            report.truncated |= !push_below(&mut report.transactions, max, transaction);
        }
    }
}

/// Adds to a list that holds at most `max`; whether there was room.
fn push_below<T>(list: &mut Vec<T>, max: usize, item: T) -> bool {
    let has_room = list.len() < max;
    if has_room {
        list.push(item);
    }
    has_room
}

/// Minor units as a decimal string in units of the currency.
fn units(minor: i64, currency: Currency) -> String {
    let places = currency.exponent() as usize;
    if places == 0 {
        return minor.to_string();
    }
    let digits = format!("{minor:0width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_exact_however_large_and_holds_nothing_that_it_does_not_need() {
        let key = ReportKey { day: Day(1), direction: Direction::In, item: ReportItem::Cash };
        let mut total = DayTotal::new(key);
        let largest = LegAmount::cny(i64::MAX);
        (0..3).for_each(|_| total.count(largest, PartyKind::Natural, true));
        assert_eq!(total.cny(), 3 * i128::from(i64::MAX));
        total.say(ReportStatus::Opened, 2);
        let emptied = total.emptied();
        assert_eq!((emptied.sent(), emptied.revision(), emptied.cny(), emptied.legs()), (Some(ReportStatus::Opened), 2, 0, 0));
        (0..3).for_each(|_| total.count(largest, PartyKind::Natural, false));
        assert_eq!(total, emptied);

        let mut total = DayTotal::new(key);
        (0..3).for_each(|_| total.count(largest, PartyKind::Natural, true));
        (0..3).for_each(|_| total.count(largest, PartyKind::Natural, false));
        assert_eq!(total, DayTotal::new(key));
        assert!(total.beyond.is_none() && size_of::<DayTotal>() == 32);
    }

    #[test]
    fn totals_of_past_days_do_not_stay_for_good_behind_a_wrong_date() {
        let key = |day| ReportKey { day: Day(day), direction: Direction::In, item: ReportItem::Cash };
        let mut party = Party::new("c:1");
        party.note_report(key(50_000), ReportStatus::Opened, 1);
        for day in 0..100 {
            party.drop_totals(Day(day));
            party.note_report(key(day), ReportStatus::Opened, 1);
        }
        let is_there = |day| party.day_totals.iter().any(|total| total.key == key(day));
        assert!(is_there(50_000) && is_there(99), "what may still change stays");
        assert!(party.day_totals.len() <= FEW_TOTALS + 1, "{} totals are still there", party.day_totals.len());
    }

    #[test]
    fn amounts_show_the_decimals_of_their_currency() {
        assert_eq!(units(123_450, Currency::CNY), "1234.50");
        assert_eq!(units(5, Currency::CNY), "0.05");
        assert_eq!(units(500, Currency::parse("JPY").expect("a code")), "500");
        assert_eq!(units(1500, Currency::parse("KWD").expect("a code")), "1.500");
    }

    #[test]
    fn the_item_follows_the_customers_own_kind() {
        let check = |flags: Flags, kind, expected| assert_eq!(item_of(flags, kind), expected);
        check(Flags::default(), PartyKind::Natural, Some(ReportItem::NaturalDomestic));
        check(Flags::default(), PartyKind::Unknown, Some(ReportItem::NaturalDomestic));
        check(Flags::CROSS_BORDER, PartyKind::Natural, Some(ReportItem::NaturalCrossBorder));
        check(Flags::CROSS_BORDER, PartyKind::Organisation, Some(ReportItem::NonNatural));
        check(Flags::default(), PartyKind::SoleTrader, Some(ReportItem::NonNatural));
        check(Flags::CASH.with(Flags::CROSS_BORDER), PartyKind::Natural, Some(ReportItem::Cash));
        check(Flags::default(), PartyKind::Internal, None);
    }
}

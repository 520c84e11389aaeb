//! What a snapshot says of a party, and how it is made of the party's parts and checked before it becomes them again.
//!
//! Strings stand in full, and numbers are of the record alone: a party's counterparties and profiles by their places in it. Every change of a record raises
//! [`VERSION`](super::VERSION).

use serde::{Deserialize, Serialize};
use weir_model::{
    Agreements, Alert, Currency, Day, Direction, Division, EventTime, Level, PartyKind, Profile, ReportItem, ReportStatus, Span,
};

use super::blocks::damaged;
use crate::SnapshotError;
use crate::detection::{Episode, Figures, Hit, LiveAlert, RuleState, Withdrawn};
use crate::history::PendingRemoval;
use crate::intern::NONE;
use crate::pairs::{NEVER, Pair, Past};
use crate::row::{Bits, Extra, Facts, Row};
use crate::tables::Tables;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartyRecord<'a> {
    pub(super) key: &'a str,
    #[serde(borrow)]
    pub(super) rows: Vec<RowRecord<'a>>,
    #[serde(borrow)]
    pub(super) pairs: Vec<PairRecord<'a>>,
    #[serde(borrow)]
    pub(super) profiles: Vec<ProfileRecord<'a>>,
    pub(super) reports: Vec<ReportRecord>,
    #[serde(borrow)]
    pub(super) pending: Vec<RemovalRecord<'a>>,
    #[serde(borrow)]
    pub(super) rules: Vec<(&'a str, RuleRecord)>,
    pub(super) history_from: i32,
    pub(super) past_active: Option<i32>,
    pub(super) past_profile: Option<u32>,
    pub(super) past_inflow: i128,
    pub(super) dropped_to: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RowRecord<'a> {
    pub(super) at: i64,
    pub(super) amount: i64,
    pub(super) pair: Option<u32>,
    pub(super) txn: Option<&'a str>,
    pub(super) profile: u32,
    #[serde(borrow)]
    pub(super) extra: Option<ExtraRecord<'a>>,
    pub(super) division: u32,
    pub(super) bits: u32,
    pub(super) tags: u16,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExtraRecord<'a> {
    pub(super) currency: &'a str,
    pub(super) minor: i64,
    pub(super) cny: Option<i64>,
    pub(super) usd: Option<i64>,
    pub(super) balance: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PairRecord<'a> {
    pub(super) key: &'a str,
    pub(super) begins: i64,
    pub(super) first_in: i64,
    pub(super) first_out: i64,
    pub(super) past_in: i64,
    pub(super) past_out: i64,
    pub(super) last_day: i32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProfileRecord<'a> {
    pub(super) kind: PartyKind,
    pub(super) division: u32,
    pub(super) industry: &'a str,
    pub(super) opened_at: Option<i32>,
    pub(super) registered: bool,
    pub(super) agreements: u8,
    pub(super) payroll_people: u32,
    pub(super) member: &'a str,
}

/// What was said of a day's total; the total itself is counted anew from the rows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReportRecord {
    pub(super) day: i32,
    pub(super) direction: Direction,
    pub(super) item: ReportItem,
    pub(super) sent: ReportStatus,
    pub(super) revision: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RemovalRecord<'a> {
    pub(super) target: &'a str,
    pub(super) record: u64,
    pub(super) clock: i64,
    pub(super) at: i64,
    pub(super) currency: &'a str,
    pub(super) minor: i64,
    pub(super) cny: Option<i64>,
    pub(super) direction: Direction,
    pub(super) txn_id: &'a str,
    pub(super) has_removed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RuleRecord {
    pub(super) hits: Vec<HitRecord>,
    pub(super) settled_hits: u64,
    pub(super) settled: Option<EpisodeRecord>,
    pub(super) alerts: Vec<AlertRecord>,
    pub(super) withdrawn: Vec<(i64, u32, u64)>,
    pub(super) last_hit: Option<i64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct HitRecord {
    pub(super) t: i64,
    pub(super) score: i64,
    pub(super) level: Level,
    pub(super) variant: u16,
    pub(super) edition: u16,
    pub(super) quiet: i64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EpisodeRecord {
    pub(super) first: HitRecord,
    pub(super) last: HitRecord,
    pub(super) level: Level,
    pub(super) peak_at: i64,
    pub(super) inflow_before: Option<i128>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AlertRecord {
    pub(super) opened: i64,
    pub(super) span: (i64, i64),
    pub(super) quiet: i64,
    pub(super) sent: Alert,
    pub(super) people: u64,
    pub(super) amount_in: i128,
    pub(super) amount_out: i128,
    pub(super) sent_level: Level,
    pub(super) sent_last: i64,
    pub(super) first_record: u64,
    pub(super) settled: Option<(i64, Alert)>,
}

/// A time of the years 1 to 9999: arithmetic on anything else might overflow.
pub(super) fn is_moment(at: i64) -> bool {
    (Day(FIRST_DAY).start().0..=Day(LAST_DAY).end().0).contains(&at)
}

/// Of a day.
fn is_beginning(at: i64) -> bool {
    is_moment(at) && EventTime(at).day().start().0 == at
}

pub(super) fn is_day(day: i32) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&day)
}

/// 0001-01-01 and 9999-12-31.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

impl PartyRecord<'_> {
    /// What the checksums cannot tell, because whoever wrote the bytes was mistaken: nothing here may make the detector stumble later.
    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        let optional = |at: i64| at == NEVER.0 || at == EventTime::MIN.0 || is_moment(at);
        let pairs = self.pairs.iter().flat_map(|pair| [pair.first_in, pair.first_out]);
        let begins = |pair: &PairRecord<'_>| pair.begins == EventTime::MIN.0 || is_beginning(pair.begins);
        if !pairs.chain(self.dropped_to).all(optional) || !self.pairs.iter().all(begins) {
            return Err(damaged("a time of a counterparty is none"));
        }
        let rows = self.rows.iter().map(|row| row.at);
        let removals = self.pending.iter().flat_map(|removal| [removal.clock, removal.at]);
        let rules = self.rules.iter().flat_map(|(_, rule)| rule.moments());
        if !rows.chain(removals).chain(rules).all(is_moment) {
            return Err(damaged("a time is none"));
        }
        let days = self.pairs.iter().map(|pair| pair.last_day).chain([self.history_from]);
        let days = days.filter(|day| *day != i32::MIN && *day != i32::MAX).chain(self.past_active);
        let days =
            days.chain(self.profiles.iter().filter_map(|profile| profile.opened_at)).chain(self.reports.iter().map(|report| report.day));
        if !{ days }.all(is_day) {
            return Err(damaged("a day is none"));
        }
        if !self.rows.is_sorted_by_key(|row| (row.at, Bits(row.bits).is_out())) || !self.rows.iter().all(|row| Bits(row.bits).is_possible())
        {
            return Err(damaged("rows are in no order, or say what no row can"));
        }
        let extras = self.rows.iter().filter_map(|row| row.extra.as_ref());
        let amounts = extras.flat_map(|extra| [Some(extra.minor), extra.cny, extra.usd]).flatten();
        if amounts.chain(self.rows.iter().map(|row| row.amount)).any(|amount| amount < 0) {
            return Err(damaged("an amount is negative"));
        }
        if self.reports.iter().any(|report| report.revision > REVISIONS_MAX) {
            return Err(damaged("a revision beyond any"));
        }
        Ok(())
    }
}

/// No report or alert is revised so often.
const REVISIONS_MAX: u32 = 1 << 30;

impl RuleRecord {
    fn moments(&self) -> impl Iterator<Item = i64> + '_ {
        let settled = self.settled.iter().flat_map(|episode| [episode.first.t, episode.last.t, episode.peak_at]);
        let alerts = self.alerts.iter().flat_map(|alert| [alert.opened, alert.span.0, alert.span.1, alert.sent_last]);
        let past = self.withdrawn.iter().map(|(opened, ..)| *opened).chain(self.last_hit);
        self.hits.iter().map(|hit| hit.t).chain(settled).chain(alerts).chain(past)
    }
}

pub(super) fn load_row(row: &RowRecord<'_>, profile: u32, pairs: usize, tables: &mut Tables) -> Result<Row, SnapshotError> {
    if row.pair.is_some_and(|pair| pair as usize >= pairs) {
        return Err(damaged("a row names no counterparty"));
    }
    let extra = match &row.extra {
        Some(extra) => tables.extras.insert(load_extra(extra)?),
        None => NONE,
    };
    Ok(Row {
        at: EventTime(row.at),
        amount: row.amount,
        pair: row.pair.unwrap_or(NONE),
        txn: row.txn.map_or(NONE, |txn| tables.txns.intern(txn)),
        profile,
        extra,
        facts: Facts::new(Bits(row.bits), division(row.division)?, row.tags),
    })
}

fn division(code: u32) -> Result<Division, SnapshotError> {
    Division::from_code(code).ok_or(damaged("a division has more than six digits"))
}

pub(super) fn load_extra(extra: &ExtraRecord<'_>) -> Result<Extra, SnapshotError> {
    let currency = Currency::parse(extra.currency).ok_or(damaged("a currency"))?;
    Ok(Extra { currency, minor: extra.minor, cny: extra.cny, usd: extra.usd, balance: extra.balance })
}

pub(super) fn extra_record(extra: &Extra) -> ExtraRecord<'_> {
    let Extra { currency, minor, cny, usd, balance } = extra;
    ExtraRecord { currency: currency.code(), minor: *minor, cny: *cny, usd: *usd, balance: *balance }
}

pub(super) fn pair_record<'a>((pair, past): (&Pair, Past), begins: EventTime, tables: &'a Tables) -> PairRecord<'a> {
    PairRecord {
        key: tables.strings.text(pair.key),
        begins: begins.0,
        first_in: pair.first_in.0,
        first_out: pair.first_out.0,
        past_in: past.paid_in,
        past_out: past.paid_out,
        last_day: pair.last_day.0,
    }
}

pub(super) fn profile_record(profile: Profile<'_>) -> ProfileRecord<'_> {
    ProfileRecord {
        kind: profile.kind,
        division: profile.division.code(),
        industry: profile.industry,
        opened_at: profile.opened_at.map(|day| day.0),
        registered: profile.registered,
        agreements: profile.agreements.bits(),
        payroll_people: profile.agreements.payroll_people,
        member: profile.member,
    }
}

impl ProfileRecord<'_> {
    pub(super) fn as_profile(&self) -> Result<Profile<'_>, SnapshotError> {
        Ok(Profile {
            kind: self.kind,
            division: division(self.division)?,
            industry: self.industry,
            opened_at: self.opened_at.map(Day),
            registered: self.registered,
            agreements: Agreements::from_bits(self.agreements, self.payroll_people),
            member: self.member,
        })
    }
}

pub(super) fn removal_record<'a>(removal: &'a PendingRemoval, tables: &'a Tables) -> RemovalRecord<'a> {
    RemovalRecord {
        target: tables.txns.text(removal.target),
        record: removal.record,
        clock: removal.clock.0,
        at: removal.at.0,
        currency: removal.currency.code(),
        minor: removal.minor,
        cny: removal.cny,
        direction: removal.direction,
        txn_id: &removal.txn_id,
        has_removed: removal.has_removed,
    }
}

pub(super) fn hit_record(hit: &Hit) -> HitRecord {
    HitRecord { t: hit.t.0, score: hit.score, level: hit.level, variant: hit.variant, edition: hit.edition, quiet: hit.quiet.0 }
}

pub(super) fn load_hit(hit: HitRecord) -> Hit {
    Hit { t: EventTime(hit.t), score: hit.score, level: hit.level, variant: hit.variant, edition: hit.edition, quiet: Span(hit.quiet) }
}

pub(super) fn episode_record(episode: &Episode) -> EpisodeRecord {
    EpisodeRecord {
        first: hit_record(&episode.first),
        last: hit_record(&episode.last),
        level: episode.level,
        peak_at: episode.peak_at.0,
        inflow_before: episode.inflow_before,
    }
}

pub(super) fn alert_record(live: &LiveAlert) -> AlertRecord {
    AlertRecord {
        opened: live.opened.0,
        span: (live.span.0.0, live.span.1.0),
        quiet: live.quiet.0,
        sent: (*live.sent).clone(),
        people: live.sent_figures.people,
        amount_in: live.sent_figures.amount_in,
        amount_out: live.sent_figures.amount_out,
        sent_level: live.sent_level,
        sent_last: live.sent_last.0,
        first_record: live.first_record,
        settled: live.settled.as_ref().map(|(last, alert)| (last.0, (**alert).clone())),
    }
}

pub(super) fn load_rule(record: RuleRecord) -> RuleState {
    let load_alert = |record: AlertRecord| LiveAlert {
        opened: EventTime(record.opened),
        span: (EventTime(record.span.0), EventTime(record.span.1)),
        quiet: Span(record.quiet),
        sent: Box::new(record.sent),
        sent_figures: Figures { people: record.people, amount_in: record.amount_in, amount_out: record.amount_out },
        sent_level: record.sent_level,
        sent_last: EventTime(record.sent_last),
        first_record: record.first_record,
        settled: record.settled.map(|(last, alert)| (EventTime(last), Box::new(alert))),
    };
    RuleState {
        hits: record.hits.into_iter().map(load_hit).collect(),
        settled_hits: usize::try_from(record.settled_hits).unwrap_or(0),
        settled: record.settled.map(|episode| Episode {
            first: load_hit(episode.first),
            last: load_hit(episode.last),
            level: episode.level,
            peak_at: EventTime(episode.peak_at),
            inflow_before: episode.inflow_before,
        }),
        alerts: record.alerts.into_iter().map(load_alert).collect(),
        withdrawn: record
            .withdrawn
            .into_iter()
            .map(|(opened, revision, first_record)| Withdrawn { opened: EventTime(opened), revision, first_record })
            .collect(),
        last_hit: record.last_hit.map(EventTime),
    }
}

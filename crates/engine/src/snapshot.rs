//! The snapshot codec: the whole state of a partition as bytes, and back.
//!
//! A snapshot is only a cache of the fold at a position of the log, so the reader trusts nothing: a magic number, a format version, and
//! blocks with a BLAKE3 checksum each. Strings stand in full and nothing refers to a number of the shard, so snapshots of any number of
//! shards load into any number of shards. What can be computed from the rest (cursors, identities, totals of open days) is not written.
//!
//! ```text
//! "WEIRSNAP" version:u32le block*        block = length:u32le blake3:32 payload
//! ```
//!
//! The first block is the [`Head`], the others are lists of [`PartyRecord`]s in postcard encoding. Changes since a base have the same form, with
//! the parties that have changed alone; the head still counts them all, so neither is taken for the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use weir_model::{
    Agreements, Alert, Currency, Day, Direction, Division, EventTime, Level, PartyKind, Profile, ReportItem, ReportStatus, Span,
};
use weir_rules::RuleSet;

use crate::detection::{Detection, Episode, Figures, Hit, LiveAlert, RuleState, Withdrawn};
use crate::history::{Party, PendingRemoval};
use crate::intern::NONE;
use crate::large_amount::ReportKey;
use crate::pairs::{NEVER, Pair};
use crate::partition::{Engine, LastTick};
use crate::row::{Bits, Extra, Row};
use crate::tables::Tables;
use crate::{Settings, SnapshotError};

const MAGIC: &[u8; 8] = b"WEIRSNAP";
/// Raised with every change of the records below.
const VERSION: u32 = 4;
/// A block is closed when it has grown past this.
const BLOCK_BYTES: usize = 1 << 20;
const CHECKSUM_BYTES: usize = 32;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    lateness: i64,
    reevaluate_max: u64,
    party_legs_max: u64,
    report_transactions_max: u64,
    /// Instants after which a set is in force, and its hash.
    editions: Vec<(i64, String)>,
    last_tick: Option<(i64, i64)>,
    complete_from: i32,
    day_ends_done: Option<i32>,
    parties: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartyRecord<'a> {
    key: &'a str,
    #[serde(borrow)]
    rows: Vec<RowRecord<'a>>,
    #[serde(borrow)]
    pairs: Vec<PairRecord<'a>>,
    #[serde(borrow)]
    profiles: Vec<ProfileRecord<'a>>,
    reports: Vec<ReportRecord>,
    #[serde(borrow)]
    pending: Vec<RemovalRecord<'a>>,
    #[serde(borrow)]
    rules: Vec<(&'a str, RuleRecord)>,
    history_from: i32,
    past_active: Option<i32>,
    past_profile: Option<u32>,
    past_inflow: i128,
    dropped_to: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RowRecord<'a> {
    at: i64,
    amount: i64,
    pair: Option<u32>,
    txn: Option<&'a str>,
    profile: u32,
    #[serde(borrow)]
    extra: Option<ExtraRecord<'a>>,
    division: u32,
    bits: u32,
    tags: u16,
}

#[derive(Debug, Serialize, Deserialize)]
struct ExtraRecord<'a> {
    currency: &'a str,
    minor: i64,
    cny: Option<i64>,
    usd: Option<i64>,
    balance: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PairRecord<'a> {
    key: &'a str,
    begins: i64,
    first_in: i64,
    first_out: i64,
    past_in: i64,
    past_out: i64,
    last_day: i32,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProfileRecord<'a> {
    kind: PartyKind,
    division: u32,
    industry: &'a str,
    opened_at: Option<i32>,
    registered: bool,
    agreements: u8,
    payroll_people: u32,
}

/// What was said of a day's total; the total itself is counted anew from the rows.
#[derive(Debug, Serialize, Deserialize)]
struct ReportRecord {
    day: i32,
    direction: Direction,
    item: ReportItem,
    sent: ReportStatus,
    revision: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct RemovalRecord<'a> {
    target: &'a str,
    record: u64,
    clock: i64,
    at: i64,
    currency: &'a str,
    minor: i64,
    cny: Option<i64>,
    direction: Direction,
    txn_id: &'a str,
    has_removed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct RuleRecord {
    hits: Vec<HitRecord>,
    settled_hits: u64,
    settled: Option<EpisodeRecord>,
    alerts: Vec<AlertRecord>,
    withdrawn: Vec<(i64, u32, u64)>,
    last_hit: Option<i64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct HitRecord {
    t: i64,
    score: i64,
    level: Level,
    variant: u16,
    edition: u16,
    quiet: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct EpisodeRecord {
    first: HitRecord,
    last: HitRecord,
    level: Level,
    peak_at: i64,
    inflow_before: Option<i128>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AlertRecord {
    opened: i64,
    span: (i64, i64),
    quiet: i64,
    sent: Alert,
    people: u64,
    amount_in: i128,
    amount_out: i128,
    sent_level: Level,
    sent_last: i64,
    first_record: u64,
    settled: Option<(i64, Alert)>,
}

impl Engine {
    /// Writes the whole state: versioned, checksummed, strings in full, independent of the number of shards.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        self.write(|_| true)
    }

    /// The last snapshot is a base from now on: [`Engine::changes`] says what is other than it was then.
    pub fn rebase(&mut self) {
        self.parties.iter_mut().for_each(|party| party.is_changed = false);
        self.has_base = true;
    }

    /// What has changed since the base; `None` where there is none, or where too much is other: a whole snapshot is due.
    #[must_use]
    pub fn changes(&self) -> Option<Vec<u8>> {
        self.has_base.then(|| self.write(|party| party.is_changed))
    }

    fn write(&self, is_wanted: impl Fn(&Party) -> bool) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        write_block(&mut bytes, &encode(&self.head()));
        let mut block: Vec<u8> = Vec::new();
        for party in self.parties.iter().filter(|party| is_wanted(party)) {
            block = encode_after(block, &self.party_record(party));
            if block.len() >= BLOCK_BYTES {
                write_block(&mut bytes, &block);
                block.clear();
            }
        }
        if !block.is_empty() {
            write_block(&mut bytes, &block);
        }
        bytes
    }

    /// Loads the parties of `snapshots` that `owns` claims: any number of snapshots into any number of shards. `rules` is asked for the
    /// rule sets in force at the snapshots, by hash.
    ///
    /// # Errors
    /// A snapshot that is damaged, of another version, taken under other settings, or under a rule set that is not to be had.
    pub fn restore(
        settings: Settings,
        snapshots: &[&[u8]],
        rules: &dyn Fn(&str) -> Option<Arc<RuleSet>>,
        owns: &dyn Fn(&str) -> bool,
    ) -> Result<Self, SnapshotError> {
        let mut engine = Self::empty(settings);
        for bytes in snapshots {
            let (head, blocks) = open(bytes)?;
            engine.load_head(&head, rules)?;
            if engine.load_parties(blocks, owns, false)? != head.parties {
                return Err(damaged("parties are missing at the end"));
            }
        }
        if engine.editions.is_empty() { Err(damaged("there is none")) } else { Ok(engine) }
    }

    /// Loads a whole base and what had changed since, which may be what had changed since an earlier moment than the last one asked for: the
    /// partition goes on as if it had never ended, and the base is still its base.
    ///
    /// # Errors
    /// As [`Engine::restore`], and where the two do not belong together.
    pub fn restore_changed(
        settings: Settings,
        base: &[u8],
        changes: &[u8],
        rules: &dyn Fn(&str) -> Option<Arc<RuleSet>>,
    ) -> Result<Self, SnapshotError> {
        let mut engine = Self::empty(settings);
        let (head, blocks) = open(changes)?;
        engine.load_head(&head, rules)?;
        engine.load_parties(blocks, &|_| true, true)?;
        let (base_head, blocks) = open(base)?;
        if !head.is_later_than(&base_head) {
            return Err(damaged("it is not of the base beside it"));
        }
        let changed: BTreeSet<CompactString> = engine.parties.iter().map(|party| party.key.clone()).collect();
        let parties = engine.load_parties(blocks, &|key| !changed.contains(key), false)?;
        if parties != base_head.parties || engine.parties.len() as u64 != head.parties {
            return Err(damaged("parties are missing"));
        }
        engine.has_base = true;
        Ok(engine)
    }

    fn head(&self) -> Head {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Head {
            lateness: self.settings.lateness.0,
            reevaluate_max: count(self.settings.reevaluate_max),
            party_legs_max: count(self.settings.party_legs_max),
            report_transactions_max: count(self.settings.report_transactions_max),
            editions: self.editions.iter().map(|edition| (edition.after.0, edition.rules.hash.clone())).collect(),
            last_tick: self.last_tick.map(|tick| (tick.clock.0, tick.frontier.0)),
            complete_from: self.complete_from.0,
            day_ends_done: self.day_ends_done.map(|day| day.0),
            parties: count(self.parties.len()),
        }
    }

    fn party_record<'a>(&'a self, party: &'a Party) -> PartyRecord<'a> {
        let tables = &self.tables;
        let mut profiles = BTreeMap::<u32, u32>::new();
        let mut profile_records = Vec::new();
        let mut local = |profile: u32| {
            *profiles.entry(profile).or_insert_with(|| {
                profile_records.push(profile_record(tables.profile_data(profile).as_profile()));
                u32::try_from(profile_records.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let rows = party.rows.iter().map(|row| RowRecord {
            at: row.at.0,
            amount: row.amount,
            pair: (row.pair != NONE).then_some(row.pair),
            txn: (row.txn != NONE).then(|| tables.txns.text(row.txn)),
            profile: local(row.profile),
            extra: tables.extras.get(row.extra).map(extra_record),
            division: row.division.code(),
            bits: row.bits.0,
            tags: row.tags,
        });
        let rows = rows.collect();
        let past_profile = party.past_profile.map(&mut local);
        // What is said of days that may not change any more is no state.
        let open_from = self.open_from();
        let sent = party.day_totals.iter().filter(|total| total.key.day >= open_from).filter_map(|total| {
            let ReportKey { day, direction, item } = total.key;
            total.sent.map(|sent| ReportRecord { day: day.0, direction, item, sent, revision: total.revision })
        });
        let states = party.detection.iter().flat_map(|detection| &detection.rules);
        PartyRecord {
            key: &party.key,
            rows,
            pairs: party.pairs.as_slice().iter().map(|pair| pair_record(pair, tables)).collect(),
            profiles: profile_records,
            reports: sent.collect(),
            pending: party.pending.iter().map(|removal| removal_record(removal, tables)).collect(),
            rules: states.map(|(rule, state)| self.rule_record(*rule, state)).collect(),
            history_from: party.history_from.0,
            past_active: party.past_active.map(|day| day.0),
            past_profile,
            past_inflow: party.past_inflow,
            dropped_to: party.dropped_to.map(|at| at.0),
        }
    }

    fn rule_record(&self, rule: u32, state: &RuleState) -> (&str, RuleRecord) {
        let record = RuleRecord {
            hits: state.hits.iter().map(hit_record).collect(),
            settled_hits: state.settled_hits as u64,
            settled: state.settled.as_ref().map(episode_record),
            alerts: state.alerts.iter().map(alert_record).collect(),
            withdrawn: state.withdrawn.iter().map(|past| (past.opened.0, past.revision, past.first_record)).collect(),
            last_hit: state.last_hit.map(|t| t.0),
        };
        (&self.rules[rule as usize], record)
    }

    /// Loads parties that `owns` claims; returns how many there are.
    fn load_parties(&mut self, blocks: Blocks<'_>, owns: &dyn Fn(&str) -> bool, is_changed: bool) -> Result<u64, SnapshotError> {
        let mut parties = 0;
        for block in blocks {
            let mut rest = block?;
            while !rest.is_empty() {
                let (record, after): (PartyRecord<'_>, &[u8]) = decode(rest, "party")?;
                rest = after;
                parties += 1;
                if owns(record.key) {
                    self.load_party(record, is_changed)?;
                }
            }
        }
        Ok(parties)
    }

    fn load_head(&mut self, head: &Head, rules: &dyn Fn(&str) -> Option<Arc<RuleSet>>) -> Result<(), SnapshotError> {
        let differs = |name, found: String, expected: String| SnapshotError::Settings { name, found, expected };
        if head.lateness != self.settings.lateness.0 {
            return Err(differs("lateness", Span(head.lateness).to_string(), self.settings.lateness.to_string()));
        }
        let bounds = [
            ("reevaluate_max", head.reevaluate_max, self.settings.reevaluate_max),
            ("party_legs_max", head.party_legs_max, self.settings.party_legs_max),
            ("report_transactions_max", head.report_transactions_max, self.settings.report_transactions_max),
        ];
        for (name, found, expected) in bounds {
            if found != expected as u64 {
                return Err(differs(name, found.to_string(), expected.to_string()));
            }
        }
        let last_tick = head.last_tick.map(|(clock, frontier)| LastTick { clock: EventTime(clock), frontier: EventTime(frontier) });
        let day_ends_done = head.day_ends_done.map(Day);
        let moments = head.editions.iter().map(|(after, _)| *after);
        let moments = moments.chain(head.last_tick.into_iter().flat_map(|(clock, frontier)| [clock, frontier]));
        let days = [head.complete_from].into_iter().chain(head.day_ends_done);
        if !moments.filter(|at| *at != EventTime::MIN.0).all(is_moment) || !days.filter(|day| *day != i32::MIN).all(is_day) {
            return Err(damaged("a time of the head is none"));
        }
        let tick_day = last_tick.map_or(Day(i32::MIN), |tick| tick.clock.day());
        let is_past = last_tick.is_none_or(|tick| tick.frontier == tick.clock.minus(self.settings.lateness))
            && day_ends_done == last_tick.map(|_| tick_day.plus(-1))
            && head.complete_from <= tick_day.0;
        if !is_past {
            return Err(damaged("its last tick and days do not belong together"));
        }
        if self.editions.is_empty() {
            for (after, hash) in &head.editions {
                let set = rules(hash).ok_or_else(|| SnapshotError::Rules { hash: hash.clone() })?;
                self.add_edition(EventTime(*after), set);
            }
            (self.last_tick, self.day_ends_done) = (last_tick, day_ends_done);
        }
        let editions = self.editions.iter().map(|edition| (edition.after.0, &edition.rules.hash));
        let is_same = editions.eq(head.editions.iter().map(|(after, hash)| (*after, hash)));
        if !is_same || self.last_tick != last_tick || self.day_ends_done != day_ends_done {
            return Err(damaged("it is of another position than the one beside it"));
        }
        self.complete_from = self.complete_from.max(Day(head.complete_from));
        Ok(())
    }

    fn load_party(&mut self, record: PartyRecord<'_>, is_changed: bool) -> Result<(), SnapshotError> {
        let known = self.parties.len();
        let number = self.party_number(record.key);
        if (number as usize) < known {
            return Err(damaged("a party stands there twice"));
        }
        record.check()?;
        let tables = &mut self.tables;
        let mut party = Party::new(record.key);
        party.is_changed = is_changed;
        for pair in &record.pairs {
            // One that began anew may have older rows, of which it says nothing.
            let has_begun_anew = pair.begins != EventTime::MIN.0;
            if has_begun_anew || pair.first_in != NEVER.0 {
                party.bounds.meet(true);
            }
            if has_begun_anew || pair.first_out != NEVER.0 {
                party.bounds.meet(false);
            }
            party.pairs.push(Pair {
                key: tables.strings.intern(pair.key),
                begins: EventTime(pair.begins),
                first_in: EventTime(pair.first_in),
                first_out: EventTime(pair.first_out),
                past_in: pair.past_in,
                past_out: pair.past_out,
                last_day: Day(pair.last_day),
            });
        }
        let profiles: Vec<u32> = record.profiles.iter().map(|profile| tables.profile(&profile.as_profile())).collect();
        party.rows.reserve_exact(record.rows.len());
        for row in &record.rows {
            let profile = profiles.get(row.profile as usize).ok_or(damaged("a row names no profile"))?;
            let row = load_row(row, *profile, record.pairs.len(), tables)?;
            if row.txn == NONE {
                party.aged = party.rows.len() + 1;
            } else {
                tables.txns.known_mut(row.txn).remember(number, row.direction(), row.at);
            }
            party.bounds.enter(&row);
            party.rows.push(row);
        }
        for removal in record.pending {
            party.pending.push(PendingRemoval {
                target: tables.txns.intern(removal.target),
                record: removal.record,
                clock: EventTime(removal.clock),
                at: EventTime(removal.at),
                currency: Currency::parse(removal.currency).ok_or(damaged("a currency"))?,
                minor: removal.minor,
                cny: removal.cny,
                direction: removal.direction,
                txn_id: removal.txn_id.into(),
                has_removed: removal.has_removed,
            });
        }
        party.history_from = Day(record.history_from);
        party.past_active = record.past_active.map(Day);
        if let Some(profile) = record.past_profile {
            party.past_profile = Some(*profiles.get(profile as usize).ok_or(damaged("a party names no profile"))?);
        }
        party.past_inflow = record.past_inflow;
        party.dropped_to = record.dropped_to.map(EventTime);
        self.recount_days(number, &mut party, &record.reports);
        if !party.pending.is_empty() {
            self.waiting.insert(number);
        }
        self.load_detection(number, &mut party, record.rules)?;
        party.be_due(number, Day(i32::MIN), &mut self.agenda);
        self.parties[number as usize] = party;
        Ok(())
    }

    /// Totals of earlier days may not change any more.
    fn open_from(&self) -> Day {
        self.last_tick.map_or(Day(i32::MIN), |tick| tick.frontier.day())
    }

    /// Counts the totals of days that may still change, and puts back what was said of them.
    fn recount_days(&mut self, number: u32, party: &mut Party, reports: &[ReportRecord]) {
        let open_from = self.open_from();
        let from = party.rows.partition_point(|row| row.at.day() < open_from);
        let rows: Vec<Row> = party.rows[from..].iter().filter(|row| row.is_live()).copied().collect();
        if !party.is_group() {
            rows.iter().for_each(|row| _ = party.note_kind(row, true, &self.tables));
        }
        for row in &rows {
            party.count_large_amount(row, true, &self.tables);
        }
        for report in reports.iter().filter(|report| report.day >= open_from.0) {
            let key = ReportKey { day: Day(report.day), direction: report.direction, item: report.item };
            party.note_report(key, report.sent, report.revision);
            if report.sent == ReportStatus::Opened {
                self.opened_reports.insert((key.day, number));
            }
        }
    }

    fn load_detection(&mut self, number: u32, party: &mut Party, rules: Vec<(&str, RuleRecord)>) -> Result<(), SnapshotError> {
        if rules.is_empty() {
            return Ok(());
        }
        let mut detection = Detection::default();
        let frontier = self.last_tick.map_or(EventTime::MIN, |tick| tick.frontier);
        for (id, record) in rules {
            let state = load_rule(record);
            let rule = self.rule_number(id);
            let is_known = |hit: &Hit| {
                let edition = self.editions.get(usize::from(hit.edition));
                let at = edition.and_then(|edition| edition.numbers.iter().position(|number| *number == rule));
                edition.zip(at).is_some_and(|(edition, at)| usize::from(hit.variant) < edition.rules.rules[at].variants.len())
            };
            if !state.hits().all(is_known) {
                return Err(damaged("a hit of no rule at hand"));
            }
            if !state.is_consistent(frontier) {
                return Err(damaged("hits and alerts do not belong together"));
            }
            detection.rules.insert(rule, state);
        }
        self.active.insert(number);
        party.detection = Some(Box::new(detection));
        Ok(())
    }
}

/// The head of a snapshot, and the blocks after it.
fn open(bytes: &[u8]) -> Result<(Head, Blocks<'_>), SnapshotError> {
    let mut blocks = Blocks::open(bytes)?;
    let (head, rest): (Head, &[u8]) = decode(blocks.next().ok_or(damaged("no head"))??, "head")?;
    if rest.is_empty() { Ok((head, blocks)) } else { Err(damaged("something follows the head")) }
}

impl Head {
    /// Whether it can be of changes since a base with this head.
    fn is_later_than(&self, base: &Self) -> bool {
        let of = |head: &Self| (head.lateness, head.reevaluate_max, head.party_legs_max, head.report_transactions_max);
        of(self) == of(base)
            && self.editions == base.editions
            && self.last_tick >= base.last_tick
            && self.complete_from >= base.complete_from
            && self.parties >= base.parties
    }
}

/// A time of the years 1 to 9999: arithmetic on anything else might overflow.
fn is_moment(at: i64) -> bool {
    (Day(FIRST_DAY).start().0..=Day(LAST_DAY).end().0).contains(&at)
}

fn is_day(day: i32) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&day)
}

/// 0001-01-01 and 9999-12-31.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

impl PartyRecord<'_> {
    /// What the checksums cannot tell, because whoever wrote the bytes was mistaken: nothing here may make the detector stumble later.
    fn check(&self) -> Result<(), SnapshotError> {
        let optional = |at: i64| at == NEVER.0 || at == EventTime::MIN.0 || is_moment(at);
        let pairs = self.pairs.iter().flat_map(|pair| [pair.begins, pair.first_in, pair.first_out]);
        if !pairs.chain(self.dropped_to).all(optional) {
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
        let mut keys: Vec<&str> = self.pairs.iter().map(|pair| pair.key).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(damaged("a counterparty stands there twice"));
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

/// The blocks of a snapshot, each checked as it is handed out.
struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(damaged("it is no weir snapshot"))?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(damaged("it ends within its head"))?;
        let found = u32::from_le_bytes(*version);
        if found == VERSION { Ok(Self { rest }) } else { Err(SnapshotError::Version { found, expected: VERSION }) }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<&'a [u8], SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let block = read_block(self.rest);
        self.rest = block.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(block.map(|(block, _)| block))
    }
}

/// A checked block, and what follows it.
fn read_block(bytes: &[u8]) -> Result<(&[u8], &[u8]), SnapshotError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(damaged("it ends within a block"))?;
    let (checksum, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>().ok_or(damaged("it ends within a block"))?;
    let length = u32::from_le_bytes(*length) as usize;
    let (block, rest) = rest.split_at_checked(length).ok_or(damaged("it ends within a block"))?;
    if blake3::hash(block).as_bytes() == checksum { Ok((block, rest)) } else { Err(damaged("a checksum does not fit")) }
}

fn write_block(bytes: &mut Vec<u8>, block: &[u8]) {
    let length = u32::try_from(block.len()).expect("a party's history is far below 4 GiB");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(blake3::hash(block).as_bytes());
    bytes.extend_from_slice(block);
}

fn encode(record: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(record).expect("plain records always encode into memory")
}

/// The same behind what is there already.
fn encode_after(bytes: Vec<u8>, record: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(record, bytes).expect("plain records always encode into memory")
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<(T, &'a [u8]), SnapshotError> {
    postcard::take_from_bytes(bytes).map_err(|_| damaged(what))
}

fn damaged(what: &'static str) -> SnapshotError {
    SnapshotError::Damaged { what }
}

fn load_row(row: &RowRecord<'_>, profile: u32, pairs: usize, tables: &mut Tables) -> Result<Row, SnapshotError> {
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
        division: Division::from_code(row.division),
        bits: Bits(row.bits),
        tags: row.tags,
    })
}

fn load_extra(extra: &ExtraRecord<'_>) -> Result<Extra, SnapshotError> {
    let currency = Currency::parse(extra.currency).ok_or(damaged("a currency"))?;
    Ok(Extra { currency, minor: extra.minor, cny: extra.cny, usd: extra.usd, balance: extra.balance })
}

fn extra_record(extra: &Extra) -> ExtraRecord<'_> {
    let Extra { currency, minor, cny, usd, balance } = extra;
    ExtraRecord { currency: currency.code(), minor: *minor, cny: *cny, usd: *usd, balance: *balance }
}

fn pair_record<'a>(pair: &Pair, tables: &'a Tables) -> PairRecord<'a> {
    PairRecord {
        key: tables.strings.text(pair.key),
        begins: pair.begins.0,
        first_in: pair.first_in.0,
        first_out: pair.first_out.0,
        past_in: pair.past_in,
        past_out: pair.past_out,
        last_day: pair.last_day.0,
    }
}

fn profile_record(profile: Profile<'_>) -> ProfileRecord<'_> {
    ProfileRecord {
        kind: profile.kind,
        division: profile.division.code(),
        industry: profile.industry,
        opened_at: profile.opened_at.map(|day| day.0),
        registered: profile.registered,
        agreements: profile.agreements.bits(),
        payroll_people: profile.agreements.payroll_people,
    }
}

impl ProfileRecord<'_> {
    fn as_profile(&self) -> Profile<'_> {
        Profile {
            kind: self.kind,
            division: Division::from_code(self.division),
            industry: self.industry,
            opened_at: self.opened_at.map(Day),
            registered: self.registered,
            agreements: Agreements::from_bits(self.agreements, self.payroll_people),
        }
    }
}

fn removal_record<'a>(removal: &'a PendingRemoval, tables: &'a Tables) -> RemovalRecord<'a> {
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

fn hit_record(hit: &Hit) -> HitRecord {
    HitRecord { t: hit.t.0, score: hit.score, level: hit.level, variant: hit.variant, edition: hit.edition, quiet: hit.quiet.0 }
}

fn load_hit(hit: HitRecord) -> Hit {
    Hit { t: EventTime(hit.t), score: hit.score, level: hit.level, variant: hit.variant, edition: hit.edition, quiet: Span(hit.quiet) }
}

fn episode_record(episode: &Episode) -> EpisodeRecord {
    EpisodeRecord {
        first: hit_record(&episode.first),
        last: hit_record(&episode.last),
        level: episode.level,
        peak_at: episode.peak_at.0,
        inflow_before: episode.inflow_before,
    }
}

fn alert_record(live: &LiveAlert) -> AlertRecord {
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

fn load_rule(record: RuleRecord) -> RuleState {
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

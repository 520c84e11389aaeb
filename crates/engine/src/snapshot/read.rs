//! Bytes become the state of a partition again. Nothing in them is trusted: see [`super`].

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

use compact_str::CompactString;
use smallvec::SmallVec;
use weir_model::{Currency, Day, EventTime, ReportStatus, Span};
use weir_rules::RuleSet;

use super::blocks::{Blocks, damaged, decode};
use super::records::{PairRecord, PartyRecord, RemovalRecord, ReportRecord, RuleRecord, is_day, is_moment, load_row, load_rule};
use super::{Head, open};
use crate::detection::{Detection, Hit};
use crate::history::{Gone, Party, PendingRemoval};
use crate::intern::{NONE, hash};
use crate::large_amount::ReportKey;
use crate::pairs::{NEVER, Pair, Past};
use crate::partition::{Engine, LastTick};
use crate::row::Row;
use crate::tables::{Identity, Tables};
use crate::{Settings, SnapshotError};

impl Engine {
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
        let last_tick = head.last_tick.map(|(clock, frontier)| LastTick::new(EventTime(clock), EventTime(frontier)));
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
        look_ahead(&record, tables);
        let mut party = Party::new(record.key);
        party.is_changed = is_changed;
        for pair in &record.pairs {
            load_pair(&mut party, pair, tables)?;
        }
        let profiles = record.profiles.iter().map(|profile| Ok(tables.profile(&profile.as_profile()?, None)));
        let profiles = profiles.collect::<Result<Vec<u32>, SnapshotError>>()?;
        party.rows.reserve_exact(record.rows.len());
        for row in &record.rows {
            let profile = profiles.get(row.profile as usize).ok_or(damaged("a row names no profile"))?;
            let row = load_row(row, *profile, record.pairs.len(), tables)?;
            if row.txn == NONE {
                party.aged = u32::try_from(party.rows.len() + 1).expect("fewer than 2^32 rows fit in memory");
            } else {
                tables.remember(Identity { txn: row.txn, party: number, direction: row.direction() }, row.at);
            }
            party.bounds.enter(&row);
            party.rows.push(row);
        }
        party.pending = record.pending.iter().map(|removal| load_removal(removal, tables)).collect::<Result<_, _>>()?;
        party.history_from = Day(record.history_from);
        let past_profile = record.past_profile.map(|profile| profiles.get(profile as usize).ok_or(damaged("a party names no profile")));
        party.set_gone(Gone {
            active: record.past_active.map(Day),
            profile: past_profile.transpose()?.copied(),
            inflow: record.past_inflow,
            dropped_to: record.dropped_to.map(EventTime),
        });
        self.recount_days(number, &mut party, &record.reports);
        if !party.pending.is_empty() {
            self.waiting.insert(number);
        }
        self.load_detection(number, &mut party, record.rules)?;
        party.be_due(number, Day(i32::MIN), &mut self.agenda);
        self.parties[number as usize] = party;
        Ok(())
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

/// Reads where what a party names will be looked for: one after the other each would be waited for (`partition::ahead`).
fn look_ahead(record: &PartyRecord<'_>, tables: &Tables) {
    let txns: SmallVec<[Option<u32>; 32]> =
        record.rows.iter().filter_map(|row| row.txn).map(|txn| tables.txns.pointed(hash(txn))).collect();
    let keys: SmallVec<[Option<u32>; 32]> = record.pairs.iter().map(|pair| tables.strings.pointed(hash(pair.key))).collect();
    txns.into_iter().flatten().for_each(|txn| _ = black_box(tables.txns.text(txn).len()));
    keys.into_iter().flatten().for_each(|key| _ = black_box(tables.strings.text(key).len()));
}

fn load_pair(party: &mut Party, pair: &PairRecord<'_>, tables: &mut Tables) -> Result<(), SnapshotError> {
    // One that began anew may have older rows, of which it says nothing.
    let has_begun_anew = pair.begins != EventTime::MIN.0;
    if has_begun_anew || pair.first_in != NEVER.0 {
        party.bounds.meet(true);
    }
    if has_begun_anew || pair.first_out != NEVER.0 {
        party.bounds.meet(false);
    }
    let mut known = Pair::new(tables.strings.intern(pair.key));
    if party.pairs.find(known.key).is_some() {
        return Err(damaged("a counterparty stands there twice"));
    }
    (known.first_in, known.first_out) = (EventTime(pair.first_in), EventTime(pair.first_out));
    known.last_day = Day(pair.last_day);
    let at = party.pairs.push(known);
    if has_begun_anew {
        party.pairs.begin(at, EventTime(pair.begins).day());
    }
    party.pairs.set_past(at, Past { paid_in: pair.past_in, paid_out: pair.past_out });
    Ok(())
}

fn load_removal(removal: &RemovalRecord<'_>, tables: &mut Tables) -> Result<PendingRemoval, SnapshotError> {
    Ok(PendingRemoval {
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
    })
}

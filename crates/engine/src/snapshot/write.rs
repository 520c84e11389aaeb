//! The state of a partition becomes bytes, all at once or little by little while the partition goes on.
//!
//! A large partition takes seconds to write, and nobody's alert may wait for that. So a snapshot that is being taken goes through the parties
//! from the first to the last as somebody calls [`Engine::continue_snapshot`], and every party that is about to change is written as it still is
//! ([`Engine::keep`]), out of turn, if its turn has not come. What the bytes say is therefore the state of the one moment when the snapshot was
//! begun. Whatever changes what a record says must call `keep` first; `oracle_agrees` in testkit compares.

use std::collections::BTreeMap;

use weir_model::Day;

use super::blocks::{encode, encode_after, framed};
use super::records::{
    PartyRecord, ReportRecord, RowRecord, RuleRecord, alert_record, episode_record, extra_record, hit_record, pair_record, profile_record,
    removal_record,
};
use super::{MAGIC, VERSION};
use crate::detection::RuleState;
use crate::history::Party;
use crate::intern::NONE;
use crate::large_amount::ReportKey;
use crate::partition::Engine;

/// A block is closed when it has grown past this.
const BLOCK_BYTES: usize = 1 << 20;
/// What looking at a party counts for, beside the bytes it is written as: it takes about the time.
const VISIT_BYTES: usize = 32;

/// A snapshot that is being taken.
#[derive(Debug)]
pub(crate) struct Taking {
    /// Only what has changed since the base.
    is_changes: bool,
    /// It will be a base: everything, and nothing has come between that changes cannot tell.
    is_base: bool,
    /// What is written, as many bytes in all. Pieces: a list that grows to gigabytes is copied each time it does, and somebody's leg waits for it.
    pieces: Vec<Vec<u8>>,
    bytes: usize,
    /// The block that is not closed yet.
    block: Vec<u8>,
    /// The party whose turn it is.
    next: usize,
    /// By party: written out of turn. There are as many as there were parties at the moment of the snapshot.
    is_kept: Vec<bool>,
    /// The first day of that moment whose totals might still change.
    open_from: Day,
}

impl Taking {
    /// Writes a party, unless it is one that the base has already.
    fn write(&mut self, engine: &Engine, number: usize) {
        let party = &engine.parties[number];
        if self.is_changes && !party.is_changed {
            return;
        }
        self.block = encode_after(std::mem::take(&mut self.block), &engine.party_record(party, self.open_from));
        if self.block.len() >= BLOCK_BYTES {
            self.close_block();
        }
    }

    fn written(&self) -> usize {
        self.bytes + self.block.len()
    }

    fn close_block(&mut self) {
        if !self.block.is_empty() {
            self.push(framed(&self.block));
            self.block.clear();
        }
    }

    fn push(&mut self, piece: Vec<u8>) {
        self.bytes += piece.len();
        self.pieces.push(piece);
    }
}

impl Engine {
    /// The whole state at once: versioned, checksummed, strings in full, independent of the number of shards. It is no base, and one that is being taken
    /// is not disturbed.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut taking = self.begin(false);
        (0..self.parties.len()).for_each(|number| taking.write(self, number));
        taking.close_block();
        taking.pieces.concat()
    }

    /// What has just been restored from one whole snapshot is a base from now on.
    pub fn rebase(&mut self) {
        self.parties.iter_mut().for_each(|party| party.is_changed = false);
        self.has_base = true;
    }

    /// Begins to take a snapshot of the whole state as it is now: a base, which [`Engine::begin_changes`] then is about. One that was being taken is
    /// given up.
    pub fn begin_base(&mut self) {
        self.has_base = false;
        self.taking = Some(Box::new(self.begin(false)));
    }

    /// Begins to take what has changed since the base; `false` where there is none. One that was being taken is given up.
    pub fn begin_changes(&mut self) -> bool {
        self.taking = self.has_base.then(|| Box::new(self.begin(true)));
        self.taking.is_some()
    }

    /// Goes on taking a snapshot, until about `bytes` more of it are written or it is complete, which is when they are all returned: in pieces, one after
    /// the other. `None` also where none is being taken.
    pub fn continue_snapshot(&mut self, bytes: usize) -> Option<Vec<Vec<u8>>> {
        let mut taking = self.taking.take()?;
        let mut visited = 0;
        let enough = taking.written().saturating_add(bytes);
        while taking.next < taking.is_kept.len() {
            if taking.written().saturating_add(visited * VISIT_BYTES) >= enough {
                self.taking = Some(taking);
                return None;
            }
            let number = taking.next;
            taking.next += 1;
            visited += 1;
            if !taking.is_kept[number] {
                self.write_party(&mut taking, number);
            }
        }
        taking.close_block();
        self.has_base |= taking.is_base;
        Some(taking.pieces)
    }

    /// A party is about to change: a snapshot that is being taken gets it as it still is.
    pub(crate) fn keep(&mut self, number: u32) {
        let Some(mut taking) = self.taking.take() else { return };
        let number = number as usize;
        if number >= taking.next && taking.is_kept.get(number) == Some(&false) {
            taking.is_kept[number] = true;
            self.write_party(&mut taking, number);
        }
        self.taking = Some(taking);
    }

    /// The same, for a change that a snapshot shows: the next changes since the base have it.
    pub(crate) fn keep_and_change(&mut self, number: u32) {
        self.keep(number);
        self.parties[number as usize].is_changed = true;
    }

    /// Every party is about to change, in a way that changes since a base do not tell.
    pub(crate) fn keep_all(&mut self) {
        for number in 0..self.parties.len() {
            self.keep(u32::try_from(number).expect("parties have numbers of 32 bits"));
        }
        if let Some(taking) = &mut self.taking {
            taking.is_base = false;
        }
        self.has_base = false;
    }

    fn write_party(&mut self, taking: &mut Taking, number: usize) {
        taking.write(self, number);
        // From here on the mark says what is other than in this base.
        self.parties[number].is_changed &= taking.is_changes;
    }

    fn begin(&self, is_changes: bool) -> Taking {
        let (is_kept, open_from) = (vec![false; self.parties.len()], self.open_from());
        let (pieces, block) = (Vec::new(), Vec::new());
        let mut taking = Taking { is_changes, is_base: !is_changes, pieces, bytes: 0, block, next: 0, is_kept, open_from };
        taking.push([MAGIC.as_slice(), &VERSION.to_le_bytes()].concat());
        taking.push(framed(&encode(&self.head())));
        taking
    }

    fn party_record<'a>(&'a self, party: &'a Party, open_from: Day) -> PartyRecord<'a> {
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
            division: row.division().code(),
            bits: row.bits().0,
            tags: row.tags(),
        });
        let rows = rows.collect();
        let gone = party.gone();
        let past_profile = gone.profile.map(&mut local);
        // What is said of days that may not change any more is no state.
        let sent = party.day_totals.iter().filter(|total| total.key.day >= open_from).filter_map(|total| {
            let ReportKey { day, direction, item } = total.key;
            total.sent().map(|sent| ReportRecord { day: day.0, direction, item, sent, revision: total.revision() })
        });
        let states = party.detection.iter().flat_map(|detection| &detection.rules);
        PartyRecord {
            key: &party.key,
            rows,
            pairs: (0..).zip(party.pairs.iter()).map(|(at, pair)| pair_record(pair, party.pairs.begins(at), tables)).collect(),
            profiles: profile_records,
            reports: sent.collect(),
            pending: party.pending.iter().map(|removal| removal_record(removal, tables)).collect(),
            rules: states.map(|(rule, state)| self.rule_record(*rule, state)).collect(),
            history_from: party.history_from.0,
            past_active: gone.active.map(|day| day.0),
            past_profile,
            past_inflow: gone.inflow,
            dropped_to: gone.dropped_to.map(|at| at.0),
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
}

//! The detector: a deterministic state machine over one partition of the leg log.
//!
//! Owns histories, windows, feature values, episodes, large-amount totals and the snapshot codec. It is the fast form of
//! `docs/definition.md`. It never reads a clock, a file, a socket, an environment variable or a random source: time and reference data
//! arrive as input, results leave as plain [`Effects`].

mod agenda;
mod ask;
mod bounds;
mod chunks;
mod cursor;
mod describe;
mod detection;
mod evaluate;
mod feature;
mod few;
mod history;
mod intern;
mod large_amount;
mod pairs;
mod partition;
mod period;
mod row;
mod scans;
mod snapshot;
mod standing;
mod tables;
mod view;

use std::ops::AddAssign;
use std::sync::Arc;

use weir_model::{Alert, Direction, EventTime, LargeAmountReport, Leg, Reason, Span};
use weir_rules::RuleSet;

pub use partition::Engine;

/// Settings that decide what an answer is. The same for every shard of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Allowed lateness.
    pub lateness: Span,
    /// Instants a record may displace.
    pub reevaluate_max: usize,
    /// Legs kept of one party.
    pub party_legs_max: usize,
    /// Transactions listed in a large-amount report.
    pub report_transactions_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lateness: Span::days(3), reevaluate_max: 100_000, party_legs_max: 2_000_000, report_transactions_max: 5_000 }
    }
}

/// Everything that can wake a partition.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly every input is a leg, and a box would be an allocation for each")]
pub enum Input<'a> {
    /// A leg of record `record` with its stamped clock.
    Leg {
        /// Record number, rising.
        record: u64,
        /// Stamped clock.
        clock: EventTime,
        /// The leg.
        leg: Leg<'a>,
    },
    /// Time has passed.
    Tick {
        /// The record it comes before.
        record: u64,
        /// Clock of the tick.
        clock: EventTime,
    },
    /// From now on another rule set.
    Switch {
        /// The record it comes before.
        record: u64,
        /// Instants later than this use the new set.
        clock: EventTime,
        /// The new set.
        rules: Arc<RuleSet>,
    },
}

/// An alert revision with the place of its line. Sort key: (`record`, `tick` first, rule id, party), stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEffect {
    /// Record that caused it.
    pub record: u64,
    /// Whether a tick before that record did.
    pub tick: bool,
    /// The revision. `subject.name`, `subject.accounts`, `detected_from.source`, `addressees` are the sink's to fill in.
    pub alert: Alert,
}

/// A large-amount report revision. Sort key: (`record`, `tick` first, customer, day, direction, item), stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportEffect {
    /// Record that caused it.
    pub record: u64,
    /// Whether a tick before that record did.
    pub tick: bool,
    /// The revision.
    pub report: LargeAmountReport,
}

/// A leg that did not enter a history: a dead letter, or a row of the late output (`Reason::is_late`). Sort key: (`record`, `tick` first,
/// `rejected_record`, party, direction), stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectEffect {
    /// Record being worked on.
    pub record: u64,
    /// Whether a tick before that record did it.
    pub tick: bool,
    /// Record of the rejected leg (an earlier one for a removal that waited).
    pub rejected_record: u64,
    /// Why.
    pub reason: Reason,
    /// Party of the leg.
    pub party: String,
    /// Serial of the leg's transaction.
    pub txn_id: String,
    /// Direction.
    pub direction: Direction,
    /// Event time.
    pub at: EventTime,
    /// Fen, where known.
    pub amount: Option<i64>,
    /// Frontier it missed.
    pub frontier: EventTime,
    /// Large-amount reports it would have belonged to.
    pub report_ids: Vec<String>,
}

/// Counts of what happened, added up over steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Legs offered.
    pub legs: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Legs taken out by removals.
    pub reversed: u64,
    /// Legs that left early (`party_legs_max`).
    pub legs_dropped: u64,
    /// Instants that passed the gates of some rule, so that cheap conditions were evaluated.
    pub instants_gated: u64,
    /// Of them, those for which costly features were computed.
    pub instants_scanned: u64,
    /// Rule hits.
    pub hits: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        let Self { legs, duplicates, reversed, legs_dropped, instants_gated, instants_scanned, hits } = more;
        self.legs += legs;
        self.duplicates += duplicates;
        self.reversed += reversed;
        self.legs_dropped += legs_dropped;
        self.instants_gated += instants_gated;
        self.instants_scanned += instants_scanned;
        self.hits += hits;
    }
}

/// What a step did, each list in order of its sort key; a caller with several shards merges by it. The legs of one record belong in one
/// call per shard; the tick at the end of a log, which bears the last record's number but comes after it, in a call of its own.
#[derive(Debug, Default)]
pub struct Effects {
    /// Alert revisions.
    pub alerts: Vec<AlertEffect>,
    /// Large-amount revisions.
    pub reports: Vec<ReportEffect>,
    /// Dead letters and late legs.
    pub rejects: Vec<RejectEffect>,
    /// Counts.
    pub counts: Counts,
}

/// Why a snapshot was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Checksum or structure is wrong.
    #[error("the snapshot is damaged: {what}")]
    Damaged {
        /// Which part.
        what: &'static str,
    },
    /// Written by another format version.
    #[error("the snapshot has format version {found}, this weir reads {expected}")]
    Version {
        /// In the file.
        found: u32,
        /// Understood.
        expected: u32,
    },
    /// A rule set it was taken under is not to be had.
    #[error("the snapshot needs rule set {hash}, which is not at hand")]
    Rules {
        /// Content hash of the set.
        hash: String,
    },
    /// Taken under other settings: going on would change the meaning of answers.
    #[error("the snapshot was taken with {name} = {found}, this run has {expected}")]
    Settings {
        /// Setting.
        name: &'static str,
        /// In the snapshot.
        found: String,
        /// Of this run.
        expected: String,
    },
}

impl AlertEffect {
    /// What a run's lines are ordered by; stable sorts keep the order within one rule, party and input.
    #[must_use]
    pub fn key(&self) -> (u64, bool, &str, &str) {
        (self.record, !self.tick, &self.alert.rule.id, &self.alert.subject.party)
    }
}

impl ReportEffect {
    /// What a run's lines are ordered by.
    #[must_use]
    pub fn key(&self) -> (u64, bool, &str, &str, Direction, u8) {
        (self.record, !self.tick, &self.report.customer, &self.report.day, self.report.direction, self.report.item.number())
    }
}

impl RejectEffect {
    /// What a run's lines are ordered by.
    #[must_use]
    pub fn key(&self) -> (u64, bool, u64, &str, Direction) {
        (self.record, !self.tick, self.rejected_record, &self.party, self.direction)
    }
}

//! What a service is told: topics, groups, intervals. Plain values; the settings file and its messages belong to the binary.

use std::sync::Arc;
use std::time::Duration;

use weir_feed::Mapping;
use weir_office::Routing;

use crate::client::Connection;
use crate::store::Location;

/// Names of topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// What the bank feeds.
    pub transactions: Arc<str>,
    /// Party data, compacted; empty for none.
    pub parties: Arc<str>,
    /// Rule sets, compacted, one partition.
    pub rules: Arc<str>,
    /// The leg log.
    pub legs: Arc<str>,
    /// Alerts, complete.
    pub alerts: Arc<str>,
    /// Messages to offices.
    pub office: Arc<str>,
    /// Large-amount reports.
    pub large_amount: Arc<str>,
    /// Records set aside.
    pub dead_letter: Arc<str>,
    /// Legs that came too late.
    pub late: Arc<str>,
}

impl Topics {
    /// `PREFIX.transactions` and so on.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |suffix: &str| Arc::from(format!("{prefix}.{suffix}"));
        Self {
            transactions: name("transactions"),
            parties: name("parties"),
            rules: name("rules"),
            legs: name("legs"),
            alerts: name("alerts"),
            office: name("office"),
            large_amount: name("large-amount"),
            dead_letter: name("dead-letter"),
            late: name("late"),
        }
    }

    /// A name that two of them have.
    #[must_use]
    pub fn named_twice(&self) -> Option<&str> {
        let Self { transactions, parties, rules, legs, alerts, office, large_amount, dead_letter, late } = self;
        let all: [&str; 9] = [transactions, parties, rules, legs, alerts, office, large_amount, dead_letter, late];
        all.into_iter().enumerate().find(|(at, name)| !name.is_empty() && all[..*at].contains(name)).map(|(_, name)| name)
    }
}

/// What moves the ticks of the leg log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Wall time, once everything that was received is read: for a bank's own feed.
    Wall,
    /// The records' own time alone: for a feed of the past, and for answers that can be made again from the same records.
    Event,
}

/// Of the *split* role.
#[derive(Debug, Clone)]
pub struct SplitSettings {
    /// How transactions are read.
    pub mapping: Mapping,
    /// What moves time.
    pub time: Time,
}

/// Of the *detect* role.
#[derive(Debug, Clone)]
pub struct DetectSettings {
    /// What decides answers.
    pub engine: weir_engine::Settings,
    /// What is handed to offices.
    pub office: weir_office::Settings,
    /// To which.
    pub routing: Arc<Routing>,
    /// How often a partition is written out.
    pub snapshot_interval: Duration,
    /// Where to.
    pub snapshots: Location,
}

/// Of the *archive* role.
#[derive(Debug, Clone)]
pub struct ArchiveSettings {
    /// Where files go.
    pub folder: Location,
    /// How long records are gathered for a file.
    pub interval: Duration,
}

/// Of a service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How to reach the brokers.
    pub connection: Connection,
    /// Topics.
    pub topics: Topics,
    /// Beginning of the names of groups and transactions.
    pub app: String,
    /// Name of this process among those of the app, the same after a restart.
    pub instance: String,
    /// How long a step gathers records before they are committed.
    pub commit_interval: Duration,
    /// After this long without a sign of life a worker's partitions go to others.
    pub session_timeout: Duration,
    /// After this long a transaction nobody ends is aborted.
    pub transaction_timeout: Duration,
    /// Workers of each role.
    pub workers: usize,
    /// The *split* role, if this process has it.
    pub split: Option<SplitSettings>,
    /// The *detect* role, if this process has it.
    pub detect: Option<DetectSettings>,
    /// The *archive* role, if this process has it.
    pub archive: Option<ArchiveSettings>,
}

impl Settings {
    /// The consumer group of a role.
    #[must_use]
    pub fn group(&self, role: &str) -> String {
        group(&self.app, role)
    }
}

/// The consumer group of a role of an app.
#[must_use]
pub fn group(app: &str, role: &str) -> String {
    format!("{app}.{role}")
}

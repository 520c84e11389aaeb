//! The settings file as written: its tables, each key with its default, and lengths of time.
//!
//! Nothing is decided here; what is accepted, and what it means for the service, the parent says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use weir_kafka::Shape;
use weir_model::{Level, Span};

use super::secret::{Secret, properties, secrets};

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) app: String,
    pub(super) instance: String,
    pub(super) roles: Vec<Role>,
    pub(super) workers: Option<usize>,
    pub(super) kafka: KafkaTable,
    pub(super) topics: TopicsTable,
    pub(super) split: SplitTable,
    pub(super) detect: DetectTable,
    pub(super) office: OfficeTable,
    pub(super) snapshots: SnapshotsTable,
    pub(super) archive: ArchiveTable,
    pub(super) object_store: ObjectStoreTable,
    pub(super) http: HttpTable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Split,
    Detect,
    Archive,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KafkaTable {
    pub(super) brokers: String,
    pub(super) commit_interval: Length,
    pub(super) session_timeout: Length,
    pub(super) transaction_timeout: Length,
    #[serde(deserialize_with = "properties")]
    pub(super) properties: BTreeMap<String, String>,
    #[serde(deserialize_with = "secrets")]
    pub(super) secrets: BTreeMap<String, Secret>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TopicsTable {
    pub(super) prefix: String,
    pub(super) names: BTreeMap<String, String>,
    pub(super) transaction_partitions: i32,
    pub(super) leg_partitions: i32,
    pub(super) output_partitions: i32,
    pub(super) replication: i32,
    pub(super) leg_retention: Length,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SplitTable {
    pub(super) feed: Option<PathBuf>,
    pub(super) time: TimeName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimeName {
    Wall,
    Event,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DetectTable {
    pub(super) lateness: Length,
    pub(super) reevaluate_max: usize,
    pub(super) party_legs_max: usize,
    pub(super) report_transactions_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfficeTable {
    pub(super) release: ReleaseName,
    pub(super) min_level: Level,
    pub(super) bank_contact: String,
    pub(super) routing: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReleaseName {
    Auto,
    Reviewed,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SnapshotsTable {
    pub(super) folder: String,
    pub(super) interval: Length,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ArchiveTable {
    pub(super) folder: String,
    pub(super) interval: Length,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ObjectStoreTable {
    #[serde(deserialize_with = "properties")]
    pub(super) properties: BTreeMap<String, String>,
    #[serde(deserialize_with = "secrets")]
    pub(super) secrets: BTreeMap<String, Secret>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpTable {
    pub(super) listen: String,
}

/// A length of time as people write it: `20ms`, `45s`, `10m`, `6h`, `3d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Length(pub(super) Duration);

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time such as 20ms, 45s, 10m, 6h or 3d");
        if let Some(millis) = text.strip_suffix("ms") {
            return millis.parse().map(|millis| Self(Duration::from_millis(millis))).map_err(|_| wrong());
        }
        let span = Span::parse(&text).ok_or_else(wrong)?;
        Ok(Self(Duration::from_micros(span.0.unsigned_abs())))
    }
}

const fn millis(millis: u64) -> Length {
    Length(Duration::from_millis(millis))
}

const fn seconds(seconds: u64) -> Length {
    Length(Duration::from_secs(seconds))
}

impl Default for File {
    fn default() -> Self {
        Self {
            app: "weir".to_owned(),
            instance: String::new(),
            roles: vec![Role::Split, Role::Detect],
            workers: None,
            kafka: KafkaTable::default(),
            topics: TopicsTable::default(),
            split: SplitTable::default(),
            detect: DetectTable::default(),
            office: OfficeTable::default(),
            snapshots: SnapshotsTable::default(),
            archive: ArchiveTable::default(),
            object_store: ObjectStoreTable::default(),
            http: HttpTable::default(),
        }
    }
}

impl Default for KafkaTable {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            commit_interval: millis(20),
            session_timeout: seconds(45),
            transaction_timeout: seconds(10),
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Default for TopicsTable {
    fn default() -> Self {
        let shape = Shape::default();
        Self {
            prefix: "weir".to_owned(),
            names: BTreeMap::new(),
            transaction_partitions: shape.transaction_partitions,
            leg_partitions: shape.leg_partitions,
            output_partitions: shape.output_partitions,
            replication: shape.replication,
            leg_retention: Length(shape.leg_retention),
        }
    }
}

impl Default for SplitTable {
    fn default() -> Self {
        Self { feed: None, time: TimeName::Wall }
    }
}

impl Default for DetectTable {
    fn default() -> Self {
        let engine = weir_engine::Settings::default();
        Self {
            lateness: Length(Duration::from_micros(engine.lateness.0.unsigned_abs())),
            reevaluate_max: engine.reevaluate_max,
            party_legs_max: engine.party_legs_max,
            report_transactions_max: engine.report_transactions_max,
        }
    }
}

impl Default for OfficeTable {
    fn default() -> Self {
        Self { release: ReleaseName::Auto, min_level: Level::Medium, bank_contact: String::new(), routing: None }
    }
}

impl Default for SnapshotsTable {
    fn default() -> Self {
        Self { folder: "state".to_owned(), interval: seconds(30) }
    }
}

impl Default for ArchiveTable {
    fn default() -> Self {
        Self { folder: "archive".to_owned(), interval: seconds(600) }
    }
}

impl Default for HttpTable {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9464".to_owned() }
    }
}

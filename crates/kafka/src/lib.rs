//! Kafka in, Kafka out, each record once: the only crate that links librdkafka.
//!
//! ```text
//! weir.transactions ──split──▶ weir.legs ──detect──▶ weir.alerts, weir.office, weir.large-amount, weir.late
//!        weir.parties ┘  └ weir.dead-letter   │            └ weir.dead-letter
//!                                              └─archive──▶ Parquet by day
//! ```
//!
//! Of its three roles *split* and *detect* run on one [`worker`]: consume, fold, and commit outputs and offsets in one transaction, with a [`mark`] beside each
//! offset. A partition's state is a fold of its log; a snapshot ([`store`]) only shortens the way there. The third, [`archive`], has no state and no output topic: how far
//! it is, its files say. What a record of the leg log looks like is [`wire`]'s; what a rule set is called and where it is found, [`rules`]'. What an alert *is* belongs to
//! the crates below.

mod archive;
mod client;
mod detect;
mod digest;
mod feeder;
mod letters;
mod mark;
mod metrics;
mod outbox;
mod outlet;
mod readiness;
mod reading;
mod rules;
mod service;
mod settings;
mod split;
mod stop;
mod store;
mod topics;
mod wire;
mod worker;

pub use archive::{ArchiveError, Question, RefoldError, Refolded, archived, refold};
pub use client::{Connection, Decided, PropertyRefused, complaint, decided};
pub use detect::snapshot_written;
pub use feeder::{Feeder, FeederError, put_all};
pub use metrics::Metrics;
pub use rdkafka::error::KafkaError;
pub use reading::{Progress, TopicRecord, read_some, read_topic, standing};
pub use rules::{PublishedRules, RuleLibrary, RulesError, publish};
pub use service::{Service, ServiceError};
pub use settings::{ArchiveSettings, DetectSettings, Settings, SplitSettings, Time, Topics, group};
pub use split::{SplitError, leg_partition};
pub use stop::{Stop, StopCode};
pub use store::{Bucket, Folder, Location, Store};
pub use topics::{Created, Shape, Stranded, TopicProblem, Wanted, check, create};
pub use wire::{Entry, Source, StampedLeg, Unreadable};

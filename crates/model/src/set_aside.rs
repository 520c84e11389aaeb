//! A leg that did not enter a history, as the service writes it: on the late topic, and among the dead letters those the detector refused.
//!
//! For the bank's own eyes. Dead letters of the splitter are the untouched bytes of the record instead.

use serde::{Deserialize, Serialize};

use crate::dead_letter::Reason;
use crate::leg::Direction;

/// A leg set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LegSetAside {
    /// Why.
    pub reason: Reason,
    /// Where its transaction stands; null where it was read before the last snapshot but one.
    pub transaction: Option<TransactionPosition>,
    /// Party key.
    pub party: String,
    /// Serial of its transaction.
    pub txn_id: String,
    /// Direction.
    pub direction: Direction,
    /// Event time.
    pub occurred_at: String,
    /// Yuan, where known.
    pub amount: Option<String>,
    /// The frontier it missed.
    pub frontier: String,
    /// Large-amount reports it would have belonged to.
    pub report_ids: Vec<String>,
}

/// A place in the transactions topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TransactionPosition {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

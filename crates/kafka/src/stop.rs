//! Why a partition, or a worker, does not go on: named, so that a person can look it up and a metric can count it.
//!
//! A stop is never a skip: the partition stays where it is, its offset is not moved, and the others go on.

use std::fmt;

/// A kind of stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopCode {
    /// No offset is committed where one must be.
    OffsetMissing,
    /// The committed offset carries no mark of weir's: somebody else moved it.
    OffsetForeign,
    /// The committed offset lies behind the end of the log: the topic was made anew, or lost records.
    LogShrunk,
    /// Records that must be read again are gone: retention, or a deletion.
    LogTruncated,
    /// The topic was deleted while it was read: the committed offset went with it.
    LogReplaced,
    /// What was read again is not what was read before, or had other effects.
    DigestDiffers,
    /// The leg log has another number of partitions than legs were written to.
    LegsRepartitioned,
    /// The transactions topic has got partitions.
    TransactionsRepartitioned,
    /// A record of the leg log cannot be read by this version.
    RecordUnreadable,
    /// A rule set that the log names is not published, or cannot be loaded.
    RulesMissing,
    /// The store or the rules topic does not answer: that passes, so it ends the worker, and whoever supervises the process starts it again.
    Unavailable,
    /// The last file of a partition's archive is damaged: where it goes on is not known.
    ArchiveUnreadable,
    /// A record that is to be sent is larger than topics take.
    OutputTooLarge,
    /// weir itself failed while it folded records: a mistake in it, which one of them has found.
    FoldFailed,
}

impl StopCode {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::OffsetMissing,
        Self::OffsetForeign,
        Self::LogShrunk,
        Self::LogTruncated,
        Self::LogReplaced,
        Self::DigestDiffers,
        Self::LegsRepartitioned,
        Self::TransactionsRepartitioned,
        Self::RecordUnreadable,
        Self::RulesMissing,
        Self::Unavailable,
        Self::ArchiveUnreadable,
        Self::OutputTooLarge,
        Self::FoldFailed,
    ];

    /// Whether it may pass by itself: a partition is not stopped for good by it.
    pub(crate) const fn is_passing(self) -> bool {
        matches!(self, Self::Unavailable)
    }

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OffsetMissing => "offset_missing",
            Self::OffsetForeign => "offset_foreign",
            Self::LogShrunk => "log_shrunk",
            Self::LogTruncated => "log_truncated",
            Self::LogReplaced => "log_replaced",
            Self::DigestDiffers => "digest_differs",
            Self::LegsRepartitioned => "legs_repartitioned",
            Self::TransactionsRepartitioned => "transactions_repartitioned",
            Self::RecordUnreadable => "record_unreadable",
            Self::RulesMissing => "rules_missing",
            Self::Unavailable => "unavailable",
            Self::ArchiveUnreadable => "archive_unreadable",
            Self::OutputTooLarge => "output_too_large",
            Self::FoldFailed => "fold_failed",
        }
    }
}

/// A stopped partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Kind.
    pub code: StopCode,
    /// What happened and what to do, without a trace of personal data.
    pub text: String,
}

impl Stop {
    pub(crate) fn new(code: StopCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// A number of things as a sentence has it: `1 copy`, `3 copies`.
pub(crate) fn counted<N: PartialEq + From<u8> + fmt::Display>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

/// The leg log has `found` partitions, and legs were written to another number of them.
pub(crate) fn repartitioned(topic: &str, found: i32, written: i32) -> Stop {
    let found = counted(found, "partition", "partitions");
    Stop::new(
        StopCode::LegsRepartitioned,
        format!(
            "{topic} has {found}, and legs were written to {written}: a party's partition follows from that number, so most would go on \
             away from their histories. It cannot be undone in the topic: a new `app` with a leg log of its own (topics.names), `weir topics \
             create`, and the transactions read again"
        ),
    )
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code(), self.text)
    }
}

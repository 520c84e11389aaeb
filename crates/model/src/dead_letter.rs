//! Why a record was set aside: the closed list of reason codes.
//!
//! A code is ASCII, stable, and all that metrics, headers and logs ever carry: the offending value may be personal data and stays in the
//! untouched record bytes.

use serde::{Deserialize, Serialize};

/// The fate of a record or leg that did not enter a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not JSON, not a CSV row, or not an object.
    Malformed,
    /// Bytes that are not text in the feed's encoding.
    BadEncoding,
    /// Longer than the record limit.
    TooLong,
    /// A required field is absent or empty.
    MissingField,
    /// A value is not one of those the field takes.
    BadValue,
    /// No amount.
    BadAmount,
    /// More decimals than the currency has.
    AmountTooPrecise,
    /// Zero.
    AmountZero,
    /// Negative, and the feed maps no reversal.
    AmountNegative,
    /// Above 10^15.
    AmountTooLarge,
    /// No date, or a date that does not exist.
    BadTime,
    /// More than ten minutes after it was received.
    FutureDated,
    /// Neither side is monitored, or none is given.
    NoParty,
    /// Same party, serial and direction as an earlier leg, other content.
    ConflictingDuplicate,
    /// A reversal of another amount than its target's.
    PartialReversal,
    /// Event time before the frontier.
    Late,
    /// The target of a reversal lies before the frontier.
    ReversalTooLate,
    /// The target of a reversal did not come within the allowed lateness.
    ReversalTargetMissing,
    /// Would displace more instants than `reevaluate_max`.
    TooCostly,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::Malformed,
        Self::BadEncoding,
        Self::TooLong,
        Self::MissingField,
        Self::BadValue,
        Self::BadAmount,
        Self::AmountTooPrecise,
        Self::AmountZero,
        Self::AmountNegative,
        Self::AmountTooLarge,
        Self::BadTime,
        Self::FutureDated,
        Self::NoParty,
        Self::ConflictingDuplicate,
        Self::PartialReversal,
        Self::Late,
        Self::ReversalTooLate,
        Self::ReversalTargetMissing,
        Self::TooCostly,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::BadEncoding => "bad_encoding",
            Self::TooLong => "too_long",
            Self::MissingField => "missing_field",
            Self::BadValue => "bad_value",
            Self::BadAmount => "bad_amount",
            Self::AmountTooPrecise => "amount_too_precise",
            Self::AmountZero => "amount_zero",
            Self::AmountNegative => "amount_negative",
            Self::AmountTooLarge => "amount_too_large",
            Self::BadTime => "bad_time",
            Self::FutureDated => "future_dated",
            Self::NoParty => "no_party",
            Self::ConflictingDuplicate => "conflicting_duplicate",
            Self::PartialReversal => "partial_reversal",
            Self::Late => "late",
            Self::ReversalTooLate => "reversal_too_late",
            Self::ReversalTargetMissing => "reversal_target_missing",
            Self::TooCostly => "too_costly",
        }
    }

    /// What it means, in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Malformed => "不是合法的记录",
            Self::BadEncoding => "字符编码不符",
            Self::TooLong => "记录过长",
            Self::MissingField => "缺少必填字段",
            Self::BadValue => "取值不在允许范围",
            Self::BadAmount => "金额不是数字",
            Self::AmountTooPrecise => "金额小数位过多",
            Self::AmountZero => "金额为零",
            Self::AmountNegative => "金额为负",
            Self::AmountTooLarge => "金额过大",
            Self::BadTime => "时间不合法",
            Self::FutureDated => "时间在未来",
            Self::NoParty => "双方均不在监测范围",
            Self::ConflictingDuplicate => "流水号重复且内容不同",
            Self::PartialReversal => "冲正金额与原交易不符",
            Self::Late => "迟到",
            Self::ReversalTooLate => "冲正过迟",
            Self::ReversalTargetMissing => "未见被冲正的交易",
            Self::TooCostly => "重算量超限",
        }
    }

    /// Whether it goes to the late output rather than to the dead letters.
    #[must_use]
    pub const fn is_late(self) -> bool {
        matches!(self, Self::Late | Self::ReversalTooLate | Self::ReversalTargetMissing | Self::TooCostly)
    }
}

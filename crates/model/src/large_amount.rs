//! The large-amount report (大额交易报告) of 令〔2016〕第3号, Article 5: one per customer, day, direction and item.
//!
//! Readable by the bank only: nothing of it may reach the office channel.

use serde::{Deserialize, Serialize};

use crate::leg::Direction;

/// Items (一) to (四) of Article 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(into = "u8", try_from = "u8")]
pub enum ReportItem {
    /// (一) cash, any customer.
    Cash,
    /// (二) transfers of a non-natural customer.
    NonNatural,
    /// (三) domestic transfers of a natural customer.
    NaturalDomestic,
    /// (四) cross-border transfers of a natural customer.
    NaturalCrossBorder,
}

impl ReportItem {
    /// All four, in order.
    pub const ALL: [Self; 4] = [Self::Cash, Self::NonNatural, Self::NaturalDomestic, Self::NaturalCrossBorder];

    /// 1 to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// Limit in fen, inclusive (令〔2016〕第3号 第五条).
    #[must_use]
    pub const fn limit_fen(self) -> i64 {
        match self {
            Self::Cash => 50_000_00,
            Self::NonNatural => 2_000_000_00,
            Self::NaturalDomestic => 500_000_00,
            Self::NaturalCrossBorder => 200_000_00,
        }
    }

    /// Limit in US cents, inclusive.
    #[must_use]
    pub const fn limit_cents(self) -> i64 {
        match self {
            Self::Cash | Self::NaturalCrossBorder => 10_000_00,
            Self::NonNatural => 200_000_00,
            Self::NaturalDomestic => 100_000_00,
        }
    }

    /// The clause, as printed on reports.
    #[must_use]
    pub const fn basis(self) -> &'static str {
        match self {
            Self::Cash => "令〔2016〕第3号 第五条(一)",
            Self::NonNatural => "令〔2016〕第3号 第五条(二)",
            Self::NaturalDomestic => "令〔2016〕第3号 第五条(三)",
            Self::NaturalCrossBorder => "令〔2016〕第3号 第五条(四)",
        }
    }
}

impl From<ReportItem> for u8 {
    fn from(item: ReportItem) -> Self {
        item.number()
    }
}

impl TryFrom<u8> for ReportItem {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|item| item.number() == number).ok_or_else(|| format!("no item {number} in Article 5"))
    }
}

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// The day's total has reached a limit; the day is not over.
    Opened,
    /// The day is over.
    Final,
    /// Changed after the day was over: a late leg or a reversal.
    Corrected,
    /// The total fell below every limit again.
    Withdrawn,
}

/// A transaction within a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReportedTransaction {
    /// The bank's serial.
    pub txn_id: String,
    /// RFC 3339, UTC+8.
    pub occurred_at: String,
    /// In units of `currency`.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

/// A transaction left out of the totals, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExemptTransaction {
    /// The bank's serial.
    pub txn_id: String,
    /// The clause of Article 7.
    pub clause: String,
}

/// One report in one state. Amounts are decimal strings in units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LargeAmountReport {
    /// BLAKE3-128 of customer, day, direction and item, in hex.
    pub report_id: String,
    /// Counts from 1.
    pub revision: u32,
    /// State.
    pub status: ReportStatus,
    /// Party key of the customer.
    pub customer: String,
    /// `YYYY-MM-DD`, Asia/Shanghai.
    pub day: String,
    /// Inflow or outflow.
    pub direction: Direction,
    /// Item of Article 5.
    pub item: ReportItem,
    /// The customer's kind was unknown: the natural limits were assumed.
    pub kind_assumed: bool,
    /// RMB movements.
    pub cny_total: String,
    /// Foreign movements in USD equivalents.
    pub fx_usd_total: String,
    /// Everything in RMB; null where a movement has no equivalent.
    pub combined_cny: Option<String>,
    /// Everything in USD; null where a movement has no equivalent.
    pub combined_usd: Option<String>,
    /// Transactions in the totals.
    pub count: u64,
    /// They themselves, by time; at most `report_transactions_max`.
    pub transactions: Vec<ReportedTransaction>,
    /// Not in the totals.
    pub exempt_transactions: Vec<ExemptTransaction>,
    /// Serials of foreign movements without an equivalent in USD.
    pub unconverted: Vec<String>,
    /// Whether a list above was cut at its bound.
    pub truncated: bool,
    /// Clause.
    pub basis: String,
    /// Last day to report: five working days after the day.
    pub due: String,
    /// The calendar file does not cover the due date's year: weekdays were assumed working.
    pub calendar_assumed: bool,
}

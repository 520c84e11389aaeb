//! A transaction as the mapping of a feed yields it: one row, two sides, one side, or cash.
//!
//! Field names, listed here alone ([`FIELDS`]), types and limits are those of the record table in `docs/records.md`. Text borrows from the
//! input where it can. Checks of a single field are the feed's; a `Transaction` that exists is well formed.

use std::borrow::Cow;

use crate::division::Division;
use crate::money::Currency;
use crate::party::PartyKind;
use crate::time::EventTime;

/// The fields of a transfer record, in the order of the record table: the columns of a feed without a feed file, and of tests
/// inside rules.
pub const FIELDS: [&str; 42] = [
    "txn_id",
    "institution",
    "network_ref",
    "occurred_at",
    "amount",
    "currency",
    "amount_cny",
    "amount_usd",
    "payer_account",
    "payee_account",
    "payer_customer",
    "payee_customer",
    "payer_name",
    "payee_name",
    "payer_bank",
    "payee_bank",
    "payer_kind",
    "payee_kind",
    "payer_division",
    "payee_division",
    "payer_birth_year",
    "payee_birth_year",
    "payer_industry",
    "payee_industry",
    "ultimate_payer",
    "ultimate_payee",
    "payment_institution",
    "merchant_no",
    "agent_name",
    "agent_id_hash",
    "account_class",
    "counter_account_class",
    "channel",
    "cash",
    "cross_border",
    "memo",
    "purpose",
    "balance_after",
    "reverses",
    "reversal_kind",
    "ip",
    "device",
];

/// Borrowed from the record, or owned where decoding had to change it.
pub type Text<'a> = Cow<'a, str>;

/// One row of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction<'a> {
    /// The bank's serial, 1 to 128 bytes.
    pub txn_id: Text<'a>,
    /// Reporting bank; empty where the feed names none.
    pub institution: Text<'a>,
    /// When it happened.
    pub occurred_at: EventTime,
    /// Whether the feed gave a time of day, not only a date.
    pub has_time: bool,
    /// Minor units of `currency`, more than zero.
    pub amount: i64,
    /// Currency of `amount`.
    pub currency: Currency,
    /// Equivalent in fen at the day's rate; for CNY the amount itself.
    pub amount_cny: Option<i64>,
    /// Equivalent in US cents at the day's rate.
    pub amount_usd: Option<i64>,
    /// Who pays.
    pub payer: Side<'a>,
    /// Who is paid.
    pub payee: Side<'a>,
    /// How it was made.
    pub channel: Option<Channel>,
    /// Cash on one side.
    pub cash: bool,
    /// Crosses the border.
    pub cross_border: bool,
    /// 附言.
    pub memo: Text<'a>,
    /// 用途.
    pub purpose: Text<'a>,
    /// Balance of the reporting side after it, minor units of `currency`.
    pub balance_after: Option<i64>,
    /// Which side reports, for rows of one side; `None` where the row is a whole transfer.
    pub reporting: Option<ReportingSide>,
    /// The transaction this one takes back, and how.
    pub reverses: Option<Reversal<'a>>,
}

/// One side of a transaction. Empty text means: not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side<'a> {
    /// Account number.
    pub account: Text<'a>,
    /// Customer number at the reporting bank.
    pub customer: Text<'a>,
    /// Name.
    pub name: Text<'a>,
    /// Bank code (联行号).
    pub bank: Text<'a>,
    /// Kind.
    pub kind: PartyKind,
    /// Division.
    pub division: Division,
    /// Birth year of a natural person.
    pub birth_year: Option<i32>,
    /// GB/T 4754 class.
    pub industry: Text<'a>,
    /// Class of the account.
    pub account_class: Option<AccountClass>,
}

impl Side<'_> {
    /// Whether the row says who this side is.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !self.account.is_empty() || !self.customer.is_empty()
    }
}

/// Which side a one-sided row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportingSide {
    /// The row is the payer's (付, 借).
    Payer,
    /// The row is the payee's (收, 贷).
    Payee,
}

/// A reference to an earlier transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal<'a> {
    /// Serial of the transaction taken back; may be empty for a return that names none.
    pub txn_id: Text<'a>,
    /// How.
    pub kind: ReversalKind,
}

/// How a transaction takes another back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalKind {
    /// 撤销, 冲正: the named transaction never happened.
    Cancel,
    /// 错账冲正, 更正: as `Cancel`.
    Correction,
    /// 退汇, 退货: a real movement the other way.
    Return,
}

/// How a transaction was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// 柜面.
    Counter,
    /// ATM.
    Atm,
    /// 网上银行.
    Online,
    /// 手机银行.
    Mobile,
    /// POS.
    Pos,
    /// 扫码.
    Qr,
    /// 第三方支付.
    ThirdParty,
    /// 批量.
    Batch,
    /// Known to be none of these.
    Other,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 9] =
        [Self::Counter, Self::Atm, Self::Online, Self::Mobile, Self::Pos, Self::Qr, Self::ThirdParty, Self::Batch, Self::Other];

    /// Reads the names used in records.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == text)
    }

    /// The name used in records and rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Atm => "atm",
            Self::Online => "online",
            Self::Mobile => "mobile",
            Self::Pos => "pos",
            Self::Qr => "qr",
            Self::ThirdParty => "third_party",
            Self::Batch => "batch",
            Self::Other => "other",
        }
    }

    /// The name in Chinese sentences.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Counter => "柜面",
            Self::Atm => "自助机具",
            Self::Online => "网银",
            Self::Mobile => "手机银行",
            Self::Pos => "POS",
            Self::Qr => "扫码",
            Self::ThirdParty => "第三方支付",
            Self::Batch => "批量",
            Self::Other => "其他",
        }
    }
}

/// Class of an account, for the deposit roll-over exemption of Article 7 and for what counts as retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountClass {
    /// 活期.
    Current,
    /// 定期.
    Term,
    /// 理财.
    Wealth,
}

impl AccountClass {
    /// Reads the names used in records.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "current" => Some(Self::Current),
            "term" => Some(Self::Term),
            "wealth" => Some(Self::Wealth),
            _ => None,
        }
    }
}

//! A leg: one monitored side of a transaction, keyed by the party it belongs to.
//!
//! Legs are the detector's whole input. Everything a rule may ask of a transaction, its party or its counterparty is stamped here by the
//! splitter; a leg refers to nothing outside itself.

use crate::division::Division;
use crate::money::Currency;
use crate::party::{KeyKind, PartyKind, Profile};
use crate::time::EventTime;
use crate::transaction::Channel;

/// Whether money comes to the party or leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// 收.
    In,
    /// 付.
    Out,
}

/// What the leg does to the party's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegKind<'a> {
    /// Money moved.
    Movement,
    /// 退汇, 退货: money moved, counted in amounts, but the other side is neither payer nor payee by it.
    Return,
    /// 冲正: takes the party's legs of transaction `target` out again. Amount and counterparty of this leg are those of the reversing row.
    Removal {
        /// Serial of the transaction taken back.
        target: &'a str,
    },
}

/// Yes-or-no facts of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// Cash.
    pub const CASH: Self = Self(1);
    /// Crosses the border.
    pub const CROSS_BORDER: Self = Self(1 << 1);
    /// Both sides are this party (for a group: both sides are members). Not counted as inflow or outflow.
    pub const OWN: Self = Self(1 << 2);
    /// The other side bears the party's name at another institution: one outlet together.
    pub const SAME_NAME: Self = Self(1 << 3);
    /// The other side is a securities firm (GB/T 4754 class 67): one outlet together.
    pub const SECURITIES: Self = Self(1 << 4);
    /// Money put into, or taken from, an own term deposit or wealth product. Retained, not an outflow.
    pub const RETAINED: Self = Self(1 << 5);
    /// The other side's age at the time is known.
    pub const AGE_KNOWN: Self = Self(1 << 6);
    /// The other side was 60 or older in the year of the leg.
    pub const ELDERLY: Self = Self(1 << 7);
    /// The feed gave a time of day.
    pub const HAS_TIME: Self = Self(1 << 8);
    /// The record had a memo or a purpose.
    pub const HAS_MEMO: Self = Self(1 << 9);
    /// Exempt from large-amount reporting by Article 7(一): 定期续存、定活互转, same name, same institution.
    pub const EXEMPT_TERM: Self = Self(1 << 10);
    /// In a currency other than CNY and without an equivalent in CNY: counted, but with amount 0 in sums of yuan.
    pub const UNCONVERTED: Self = Self(1 << 11);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the bits of `other` where `on`.
    pub fn set(&mut self, other: Self, on: bool) {
        if on {
            self.0 |= other.0;
        }
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A set of memo tags: bit `i` is the `i`-th tag of the rule set's tag file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tags(pub u16);

/// The amount of a leg, in its own currency and in equivalents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LegAmount {
    /// Currency of the movement.
    pub currency: Currency,
    /// Minor units of `currency`, more than zero.
    pub minor: i64,
    /// Fen; for CNY equal to `minor`, else the day's equivalent where given.
    pub cny: Option<i64>,
    /// US cents; for USD equal to `minor`, else the day's equivalent where given.
    pub usd: Option<i64>,
}

impl LegAmount {
    /// An amount of CNY without an equivalent in USD.
    #[must_use]
    pub const fn cny(fen: i64) -> Self {
        Self { currency: Currency::CNY, minor: fen, cny: Some(fen), usd: None }
    }
}

/// One monitored side of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg<'a> {
    /// The key of a customer, an account or a group ([`KeyKind`]).
    pub party: &'a str,
    /// Serial of the transaction.
    pub txn_id: &'a str,
    /// Direction as the party sees it.
    pub direction: Direction,
    /// What it does to the history.
    pub kind: LegKind<'a>,
    /// Event time.
    pub at: EventTime,
    /// How much.
    pub amount: LegAmount,
    /// The key of the other side: its customer with us, else bank and account, else bank and name, else none.
    pub counterparty: Option<&'a str>,
    /// Kind of the other side.
    pub counterparty_kind: PartyKind,
    /// Division of the other side.
    pub counterparty_division: Division,
    /// How it was made, where known.
    pub channel: Option<Channel>,
    /// Facts.
    pub flags: Flags,
    /// Keyword tags of memo and purpose.
    pub tags: Tags,
    /// Balance of the party's account after it, in fen; only for CNY rows of the reporting side.
    pub balance_after: Option<i64>,
    /// The party, as known when the leg was split.
    pub profile: Profile<'a>,
}

impl Leg<'_> {
    /// Whether the party is a group of related customers.
    #[must_use]
    pub fn is_group(&self) -> bool {
        KeyKind::Group.is_of(self.party)
    }
}

//! The alert: one episode of one rule on one party, in one revision, with everything that explains it.
//!
//! [`Alert`] is the bank's own, complete form; [`OfficeAlert`] is the allow-list that may leave the bank. The projection lists what goes,
//! never what stays, so a new field of [`Alert`] stays inside until someone decides otherwise. [`Subject`], [`WindowSpan`], [`Scope`] and
//! [`Addressee`] go whole: a field that is added to one of them leaves the bank, and `docs/schemas/office-alert.json` shows it. Amounts are decimal
//! strings in yuan.
//!
//! An alert is also kept in snapshots, field by field in their order: a change of fields raises their version too.

use serde::{Deserialize, Serialize};

use crate::digest::{digest128, hex};
use crate::leg::Direction;
use crate::party::PartyKind;
use crate::time::EventTime;

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// 128 bits of BLAKE3 over rule id, party and opening instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub [u8; 16]);

impl AlertId {
    /// The id of the alert that opened for `rule` on `party` at the instant `opened`.
    #[must_use]
    pub fn new(rule: &str, party: &str, opened: EventTime) -> Self {
        Self(digest128(&[rule.as_bytes(), party.as_bytes(), &opened.0.to_le_bytes()]))
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> String {
        hex(&self.0)
    }
}

/// How grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 低.
    Low,
    /// 中.
    Medium,
    /// 高.
    High,
    /// 紧急.
    Urgent,
}

impl Level {
    /// All four, rising.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Urgent];

    /// The name used in records and rule files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// In Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Low => "低",
            Self::Medium => "中",
            Self::High => "高",
            Self::Urgent => "紧急",
        }
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// First revision, or the first after a withdrawal.
    Opened,
    /// Grew.
    Updated,
    /// No hit for the rule's quiet period; this alert changes no more.
    Quiet,
    /// Its ground is gone, or it was merged into another.
    Withdrawn,
}

impl AlertStatus {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Updated, Self::Quiet, Self::Withdrawn];

    /// The name used in records and rule files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Quiet => "quiet",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why an alert was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// A late leg joined two episodes: the other alert goes on.
    Merged {
        /// Id of the alert that goes on.
        into: String,
    },
    /// A late leg or a reversal took the ground away.
    Unfounded,
}

/// The rule that speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AlertRule {
    /// `FZ-001`.
    pub id: String,
    /// Version of the rule file.
    pub version: u32,
    /// Title.
    pub title: String,
    /// Clauses it rests on.
    pub basis: Vec<String>,
    /// Content hash of the rule set.
    pub set_hash: String,
    /// Which of the rule's variants hit; empty for a rule without variants.
    pub variant: String,
    /// Its name for people; may be empty.
    pub variant_zh: String,
    /// A rule on trial (`shadow`) or not yet filled with history (`warming`): for the bank's eyes, never for the office.
    pub shadow: bool,
}

/// The party it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Subject {
    /// Party key.
    pub party: String,
    /// Kind.
    pub kind: PartyKind,
    /// Name, filled in by the sink; empty where none is known.
    pub name: String,
    /// Accounts, of a group those of its members; filled in by the sink.
    pub accounts: Vec<String>,
    /// Reporting bank.
    pub institution: String,
    /// GB/T 2260; empty where unknown.
    pub division: String,
    /// GB/T 4754; empty where unknown.
    pub industry: String,
    /// `YYYY-MM-DD`.
    pub opened_at: Option<String>,
}

/// First and last moment looked at for the last hit, RFC 3339 at UTC+8; `from` is exclusive for windows up to 15 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WindowSpan {
    /// Beginning.
    pub from: String,
    /// The hit.
    pub to: String,
}

/// How far the counterparties are spread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Scope {
    /// Distinct prefectures.
    pub prefectures: u64,
    /// Distinct provinces.
    pub provinces: u64,
    /// More than one province.
    pub cross_province: bool,
    /// Share of the counterparties whose division is known, six decimals.
    pub known_share: Option<String>,
    /// Natural payers by prefecture, in order of it: all that is said of payers outside the bank.
    pub payers_by_prefecture: Vec<PrefectureCount>,
}

/// Payers of one prefecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PrefectureCount {
    /// The first four digits of GB/T 2260; `unknown`, which comes last.
    pub prefecture: String,
    /// People.
    pub people: u64,
}

/// One condition of the rule: what was measured against what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Condition {
    /// The condition as written.
    pub text: String,
    /// Measured value, as people write it; null where it cannot be evaluated.
    pub measured: Option<String>,
    /// Threshold; null where the condition is no comparison.
    pub threshold: Option<String>,
    /// Outcome; null where it cannot be evaluated.
    pub met: Option<bool>,
    /// Points it brings; null for a condition that must hold.
    pub points: Option<i64>,
    /// Clause it rests on.
    pub clause: Option<String>,
    /// One sentence in Chinese.
    pub explain: String,
    /// What it is made of, where it joins several conditions; null otherwise.
    pub parts: Option<Parts>,
}

/// The operands of a condition that joins several, each with its own outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parts {
    /// One of them is enough.
    Any(Vec<Part>),
    /// All of them must hold.
    All(Vec<Part>),
}

/// One operand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Part {
    /// In Chinese, with the values measured.
    pub explain: String,
    /// Outcome; null where it cannot be evaluated.
    pub met: Option<bool>,
}

/// An exclusion that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExclusionConsidered {
    /// The condition as written.
    pub text: String,
    /// Reason given in the rule file.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Last day it may be used.
    pub until: String,
    /// Whether it held; null where it cannot be evaluated. On an alert true only where its last day has passed.
    pub held: Option<bool>,
}

/// A counterparty of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CounterpartyFlow {
    /// Counterparty key.
    pub id: String,
    /// Kind.
    pub kind: PartyKind,
    /// GB/T 2260; empty where unknown.
    pub division: String,
    /// Sum in this direction.
    pub amount: String,
    /// Transactions in this direction.
    pub count: u64,
    /// First in the window.
    pub first: String,
    /// Last in the window.
    pub last: String,
    /// Sum in the other direction, over all history known.
    pub amount_back: String,
}

/// A day on which many were paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Batch {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// Distinct natural payees.
    pub payees: u64,
    /// Paid to them.
    pub amount: String,
    /// How many of them were paid in the batch before; null for the first.
    pub again: Option<u64>,
}

/// A transaction of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EvidenceTransaction {
    /// The bank's serial.
    pub txn_id: String,
    /// Event time.
    pub occurred_at: String,
    /// Inflow or outflow.
    pub direction: Direction,
    /// Amount in yuan.
    pub amount: String,
    /// Counterparty key, where known.
    pub counterparty: Option<String>,
}

/// Where money came from or went, by kind of source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FundClass {
    /// `natural`, `organisation`, `sole_trader`, `internal`, `unknown`, `cash`, `same_name`, `securities`, `cross_border`.
    pub class: String,
    /// Sum.
    pub amount: String,
    /// Transactions.
    pub count: u64,
    /// Distinct counterparties.
    pub people: u64,
}

/// What the alert rests on. Lists are bounded; the totals beside them are true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default, schemars::JsonSchema)]
pub struct Evidence {
    /// Largest payers.
    pub payers: Vec<CounterpartyFlow>,
    /// Distinct payers, all kinds.
    pub payers_total: u64,
    /// Largest payees.
    pub payees: Vec<CounterpartyFlow>,
    /// Distinct payees, all kinds.
    pub payees_total: u64,
    /// Latest batches.
    pub batches: Vec<Batch>,
    /// All batches of the window.
    pub batches_total: u64,
    /// Latest transactions.
    pub transactions: Vec<EvidenceTransaction>,
    /// All transactions of the window.
    pub transactions_total: u64,
    /// Sources.
    pub funds_from: Vec<FundClass>,
    /// Destinations.
    pub funds_to: Vec<FundClass>,
    /// Some list is shorter than its total, or older legs left early.
    pub truncated: bool,
}

/// The record that caused the revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trigger {
    /// Serial.
    pub txn_id: String,
    /// Event time.
    pub occurred_at: String,
}

/// Where the log stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LogPosition {
    /// Topic, or path of the file; filled in by the sink.
    pub source: String,
    /// Partition; 0 for files.
    pub partition: i32,
    /// Offset; for files the record number, from 1.
    pub offset: u64,
}

/// An alert in one revision: the bank's own, complete form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Alert {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// 32 hexadecimal digits.
    pub alert_id: String,
    /// Counts from 1.
    pub revision: u32,
    /// State.
    pub status: AlertStatus,
    /// Why it was withdrawn, where it was.
    pub withdrawal: Option<Withdrawal>,
    /// Rule.
    pub rule: AlertRule,
    /// Party.
    pub subject: Subject,
    /// Highest level reached.
    pub level: Level,
    /// Score at the last hit.
    pub score: i64,
    /// First hit of the episode.
    pub first_hit_at: String,
    /// Last hit of the episode: every value below is as of it.
    pub last_hit_at: String,
    /// First hit of the highest level.
    pub peak_at: String,
    /// The rule's window at the last hit.
    pub window: WindowSpan,
    /// Distinct natural payers.
    pub people_in: u64,
    /// Distinct natural payees.
    pub people_out: u64,
    /// Distinct natural counterparties.
    pub people: u64,
    /// Inflow in the window.
    pub amount_in: String,
    /// Outflow in the window.
    pub amount_out: String,
    /// Inflow from the beginning of the first hit's window to the last hit.
    pub amount_since_first: String,
    /// Σ over counterparties of max(0, in − out), over all history known.
    pub outstanding_estimate: String,
    /// Spread.
    pub scope: Scope,
    /// Conditions, those that must hold first.
    pub conditions: Vec<Condition>,
    /// Exclusions looked at.
    pub exclusions_considered: Vec<ExclusionConsidered>,
    /// Evidence.
    pub evidence: Evidence,
    /// Offices; filled in by the sink.
    pub addressees: Vec<Addressee>,
    /// First day of the party's history still known.
    pub history_from: String,
    /// What could not be evaluated for want of data.
    pub data_gaps: Vec<String>,
    /// One Chinese sentence with the numbers in it.
    pub reason: String,
    /// The record behind this revision; null for one made by the passing of time.
    pub triggered_by: Option<Trigger>,
    /// Where the log stood.
    pub detected_from: LogPosition,
}

/// An office the alert goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Addressee {
    /// GB/T 2260; `unresolved` where no office was found.
    pub division: String,
    /// Name of the office.
    pub office: String,
    /// Which division decided: operation, registration, branch.
    pub basis: String,
    /// Departments by industry.
    pub departments: Vec<String>,
}

/// What may leave the bank: to the leading-group office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OfficeAlert {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// As in the bank's form.
    pub alert_id: String,
    /// As in the bank's form.
    pub revision: u32,
    /// As in the bank's form.
    pub status: AlertStatus,
    /// Title of the pattern.
    pub pattern: String,
    /// Party.
    pub subject: Subject,
    /// Level.
    pub level: Level,
    /// Window.
    pub window: WindowSpan,
    /// Distinct natural payers.
    pub people_in: u64,
    /// Distinct natural payees.
    pub people_out: u64,
    /// Distinct natural counterparties.
    pub people: u64,
    /// Inflow.
    pub amount_in: String,
    /// Outflow.
    pub amount_out: String,
    /// Inflow since the first hit's window began.
    pub amount_since_first: String,
    /// Estimated sum still owed.
    pub outstanding_estimate: String,
    /// Spread.
    pub scope: Scope,
    /// The sentence.
    pub narrative: String,
    /// Why it is handed over: 条例 第十三条.
    pub basis: String,
    /// Addressee of this message.
    pub addressee: Addressee,
    /// Whom to call at the bank.
    pub bank_contact: String,
}

/// Why an alert is handed to the office (国务院令第737号).
const OFFICE_BASIS: &str = "《防范和处置非法集资条例》第十三条";

impl Alert {
    /// The message to one office: an allow-list of fields.
    #[must_use]
    pub fn for_office(&self, addressee: &Addressee, bank_contact: &str) -> OfficeAlert {
        OfficeAlert {
            schema_version: self.schema_version,
            alert_id: self.alert_id.clone(),
            revision: self.revision,
            status: self.status,
            pattern: self.rule.title.clone(),
            subject: self.subject.clone(),
            level: self.level,
            window: self.window.clone(),
            people_in: self.people_in,
            people_out: self.people_out,
            people: self.people,
            amount_in: self.amount_in.clone(),
            amount_out: self.amount_out.clone(),
            amount_since_first: self.amount_since_first.clone(),
            outstanding_estimate: self.outstanding_estimate.clone(),
            scope: self.scope.clone(),
            narrative: self.reason.clone(),
            basis: OFFICE_BASIS.to_owned(),
            addressee: addressee.clone(),
            bank_contact: bank_contact.to_owned(),
        }
    }
}

//! Plain values of the domain: money, time, parties, transactions, legs, alerts, reports.
//!
//! Owns the vocabulary every other crate speaks. Values only: nothing here opens a file, reads a clock, draws a random number or knows
//! Kafka, SQL or HTTP. Money is an integer count of minor units; floating point does not occur.

pub mod alert;
pub mod calendar;
pub mod dead_letter;
pub mod digest;
pub mod division;
pub mod large_amount;
pub mod leg;
pub mod money;
pub mod party;
pub mod set_aside;
pub mod time;
pub mod transaction;

pub use alert::{Alert, AlertId, AlertStatus, Level, OfficeAlert};
pub use calendar::Calendar;
pub use dead_letter::Reason;
pub use division::Division;
pub use large_amount::{LargeAmountReport, ReportItem, ReportStatus};
pub use leg::{Direction, Flags, Leg, LegKind};
pub use money::{AmountError, Currency, Fen};
pub use party::{AgreementKind, Agreements, KeyKind, Party, PartyKind, Profile};
pub use set_aside::{LegSetAside, TransactionPosition};
pub use time::{Day, EventTime, Span};
pub use transaction::{AccountClass, Channel, ReversalKind, Transaction};

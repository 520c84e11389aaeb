//! The lines of the dead-letter file and of the late output.
//!
//! Both are for the bank's own eyes: a dead letter carries the untouched record, which is the only place where personal data may appear.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use weir_engine::RejectEffect;
use weir_model::{Direction, Reason};

use super::place::Place;

/// A record that could not be used.
#[derive(Debug, Serialize)]
pub(crate) struct DeadLetter<'a> {
    /// Reason code.
    pub(crate) reason: Reason,
    /// Field or column at fault, where one is.
    pub(crate) field: Option<&'a str>,
    /// Where it was read; absent for a record of a run before the last one.
    #[serde(flatten)]
    pub(crate) place: Option<&'a Place>,
    /// The record as read; absent as `place`.
    #[serde(flatten)]
    pub(crate) original: Option<Original<'a>>,
}

/// Untouched bytes: as text where they are UTF-8, else in Base64.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Original<'a> {
    /// UTF-8.
    Original(&'a str),
    /// Anything else, RFC 4648 with padding.
    OriginalBase64(String),
}

impl<'a> Original<'a> {
    /// The form that fits.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Original(text),
            Err(_) => Self::OriginalBase64(STANDARD.encode(bytes)),
        }
    }
}

/// A leg behind the frontier.
#[derive(Debug, Serialize)]
pub(crate) struct LateLeg<'a> {
    /// Reason code.
    reason: Reason,
    /// Where its record was read; absent for a record of a run before the last one.
    #[serde(flatten)]
    place: Option<&'a Place>,
    /// Party of the leg.
    party: &'a str,
    /// Serial.
    txn_id: &'a str,
    /// Inflow or outflow.
    direction: Direction,
    /// Event time, RFC 3339.
    occurred_at: String,
    /// Yuan, where known.
    amount: Option<String>,
    /// The frontier it missed, RFC 3339.
    frontier: String,
    /// Large-amount reports it would have belonged to.
    report_ids: &'a [String],
}

impl<'a> LateLeg<'a> {
    /// The row of a reject whose record was read at `place`.
    pub(crate) fn new(reject: &'a RejectEffect, place: Option<&'a Place>) -> Self {
        Self {
            reason: reject.reason,
            place,
            party: &reject.party,
            txn_id: &reject.txn_id,
            direction: reject.direction,
            occurred_at: reject.at.to_string(),
            amount: reject.amount.map(|fen| weir_model::Fen(fen).to_string()),
            frontier: reject.frontier.to_string(),
            report_ids: &reject.report_ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_kept_in_base64() {
        assert_eq!(Original::of("堰".as_bytes()), Original::Original("堰"));
        assert_eq!(Original::of(b"\xff\xfe\x00a"), Original::OriginalBase64("//4AYQ==".to_owned()));
    }
}

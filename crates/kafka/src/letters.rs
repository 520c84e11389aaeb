//! Dead letters: the original bytes, and in the headers why and whence.
//!
//! The headers are those that Kafka Connect gives its dead letters, so that what an operator already has for them works. They hold codes,
//! positions and field names; the only personal data is in the bytes that came with it.

use weir_model::Reason;

use crate::outbox::Header;

/// Which role refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Split,
    Detect,
}

/// Why a record is a dead letter, and where it came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter<'a> {
    /// The transactions topic.
    pub(crate) topic: &'a str,
    /// Partition and offset of the record in it.
    pub(crate) position: Option<(i32, i64)>,
    pub(crate) stage: Stage,
    pub(crate) reason: Reason,
    /// Field at fault; empty where the record as a whole is.
    pub(crate) field: &'a str,
}

impl Letter<'_> {
    pub(crate) fn headers(&self) -> Vec<Header> {
        let mut headers = Vec::with_capacity(7);
        headers.push(("__connect.errors.topic", self.topic.to_owned()));
        if let Some((partition, offset)) = self.position {
            headers.push(("__connect.errors.partition", partition.to_string()));
            headers.push(("__connect.errors.offset", offset.to_string()));
        }
        let (stage, message) = match (self.stage, self.field) {
            (Stage::Split, "") => ("VALUE_CONVERTER", "the record as a whole".to_owned()),
            (Stage::Split, field) => ("VALUE_CONVERTER", format!("field {field}")),
            (Stage::Detect, field) => ("TRANSFORMATION", format!("field {field}")),
        };
        headers.push(("__connect.errors.stage", stage.to_owned()));
        headers.push(("__connect.errors.exception.class.name", self.reason.code().to_owned()));
        headers.push(("__connect.errors.exception.message", message));
        headers.push(("weir.version", env!("CARGO_PKG_VERSION").to_owned()));
        headers
    }
}

//! Dead letters: the original bytes, and in the headers why and whence.
//!
//! The headers are those that Kafka Connect gives its dead letters, so that what an operator already has for them works. They hold codes,
//! positions and field names; the only personal data is in the bytes that came with it. What is longer than any transaction record may be is cut, and a header tells
//! how long it was: a letter that no broker takes would be tried again for ever.

use weir_model::Reason;

use crate::outbox::Header;
use crate::topics::MESSAGE_BYTES_MIN;

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

/// Of a record's key and of its value as much is kept; with some room for headers they fit [`MESSAGE_BYTES_MIN`].
const KEY_BYTES_MAX: usize = 32 << 10;
const VALUE_BYTES_MAX: usize = MESSAGE_BYTES_MIN - KEY_BYTES_MAX - (16 << 10);

impl Letter<'_> {
    /// Key, value and headers of the letter of a record.
    pub(crate) fn of<'r>(&self, key: &'r [u8], value: &'r [u8]) -> (&'r [u8], &'r [u8], Vec<Header>) {
        let mut headers = self.headers();
        for (name, length, most) in [("weir.key.bytes", key.len(), KEY_BYTES_MAX), ("weir.value.bytes", value.len(), VALUE_BYTES_MAX)] {
            if length > most {
                headers.push((name, length.to_string()));
            }
        }
        (&key[..key.len().min(KEY_BYTES_MAX)], &value[..value.len().min(VALUE_BYTES_MAX)], headers)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_topic_takes_is_cut_and_says_how_long_it_was() {
        let letter = Letter { topic: "t", position: Some((i32::MAX, i64::MAX)), stage: Stage::Split, reason: Reason::Malformed, field: "" };
        let size = |(key, value, headers): (&[u8], &[u8], Vec<Header>)| {
            key.len() + value.len() + headers.iter().map(|(name, text)| name.len() + text.len() + 16).sum::<usize>()
        };
        let (key, value, headers) = letter.of(b"k", b"v");
        assert_eq!((key, value, headers.len()), (&b"k"[..], &b"v"[..], letter.headers().len()));
        let long = vec![b'x'; 3 << 20];
        let (.., headers) = letter.of(&long, &long);
        assert_eq!(headers[headers.len() - 2..], [("weir.key.bytes", "3145728".to_owned()), ("weir.value.bytes", "3145728".to_owned())]);
        assert!(size(letter.of(&long, &long)) < MESSAGE_BYTES_MIN);
    }
}

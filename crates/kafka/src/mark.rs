//! The mark: what a committed offset carries beside the number.
//!
//! Kafka keeps a string with every committed offset and commits both in one transaction with the outputs. weir puts there what it must know
//! to go on from that very offset: the state's digest, the clock, and the newest snapshot that can be used. A snapshot therefore becomes
//! current in the same instant as the offset it belongs to, and that of a worker which was fenced never does.
//!
//! Written as URL-safe Base64 without padding (brokers and tools take the string for UTF-8 without NUL bytes), far below the broker's bound
//! of 4096 bytes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use weir_model::EventTime;

use crate::digest::Digest;

const VERSION: u8 = 1;

/// Of a partition, as of a committed offset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Chain over everything read and said.
    pub(crate) digest: Digest,
    /// The stamped clock, microseconds; `None` before the first record.
    pub(crate) clock: Option<i64>,
    /// Whether the end of the log had been reached: what lies behind the offset then are marks of transactions, which nobody is given.
    pub(crate) is_drained: bool,
    /// *split*: content hash of the rule set last announced, and time of the last tick. Empty and 0 in other partitions than the first.
    pub(crate) rules: String,
    pub(crate) ticked: i64,
    /// *split*: offset of the last record read, where there was one, to be read again and compared.
    pub(crate) last: Option<i64>,
    /// *detect*: offset and content hash of the newest snapshot.
    pub(crate) snapshot: Option<(i64, String)>,
}

impl Mark {
    /// The clock as event time.
    pub(crate) fn clock(&self) -> Option<EventTime> {
        self.clock.map(EventTime)
    }

    pub(crate) fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        postcard::to_io(self, &mut bytes).expect("memory takes every byte");
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for a string that this version did not write.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (mark, rest) = postcard::take_from_bytes(rest).ok()?;
        (*version == VERSION && rest.is_empty()).then_some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_and_nothing_else_does() {
        let mark = Mark {
            digest: Digest::default(),
            clock: Some(-5),
            is_drained: true,
            rules: "ab".repeat(16),
            ticked: i64::MAX,
            last: Some(i64::MAX),
            snapshot: Some((i64::MAX, "cd".repeat(32))),
        };
        let text = mark.encode();
        assert!(text.is_ascii() && text.len() < 512, "{}", text.len());
        assert_eq!(Mark::decode(&text), Some(mark));
        for other in ["", "init", "中文", &text[1..], &text[..text.len() - 1]] {
            assert_eq!(Mark::decode(other), None, "{other}");
        }
    }
}

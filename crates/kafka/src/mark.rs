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
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use weir_model::EventTime;

use crate::digest::Digest;

const VERSION: u8 = 4;

/// Of a partition, as of a committed offset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Chain over everything read and said.
    pub(crate) digest: Digest,
    /// The stamped clock, microseconds; `None` before the first record.
    pub(crate) clock: Option<i64>,
    /// Where the log ended, if everything before had been read: what lies between the offset and there are marks of transactions, which nobody is given.
    /// Whoever sees a later end knows that more has come.
    pub(crate) read_to: Option<i64>,
    /// *split*: content hash of the rule set last announced, and time of the last tick. Empty and 0 in other partitions than the first.
    pub(crate) rules: String,
    pub(crate) ticked: i64,
    /// *split*: offset of the last record read, where there was one, to be read again and compared.
    pub(crate) last: Option<i64>,
    /// *split*: partitions of the leg log; 0 where that is not known.
    pub(crate) leg_partitions: i32,
    /// *detect*: offset and content hash of the newest snapshot.
    pub(crate) snapshot: Option<(i64, String)>,
    /// *split*: stamp of the first record, microseconds; `None` before it, or where that is not known. The last field: see [`Mark::decode`].
    pub(crate) first: Option<i64>,
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
        match *version {
            1 => whole::<Version1>(rest).map(Self::from),
            2 => whole::<Version2>(rest).map(Self::from),
            // The same without the last field, whose `None` is a byte of 0.
            3 => whole(&[rest, [0].as_slice()].concat()),
            VERSION => whole(rest),
            _ => None,
        }
    }
}

/// The value that `bytes` are, if they are one and nothing else.
fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}

/// A mark of version 1, which said that the end had been reached and not where it was: nobody can tell whether more has come since.
#[derive(Deserialize)]
struct Version1 {
    digest: Digest,
    clock: Option<i64>,
    _is_drained: bool,
    rules: String,
    ticked: i64,
    last: Option<i64>,
    snapshot: Option<(i64, String)>,
}

impl From<Version1> for Mark {
    fn from(before: Version1) -> Self {
        let Version1 { digest, clock, rules, ticked, last, snapshot, .. } = before;
        Self { digest, clock, rules, ticked, last, snapshot, ..Self::default() }
    }
}

/// A mark of version 2, which did not say how many partitions the leg log had.
#[derive(Deserialize)]
struct Version2 {
    digest: Digest,
    clock: Option<i64>,
    read_to: Option<i64>,
    rules: String,
    ticked: i64,
    last: Option<i64>,
    snapshot: Option<(i64, String)>,
}

impl From<Version2> for Mark {
    fn from(before: Version2) -> Self {
        let Version2 { digest, clock, read_to, rules, ticked, last, snapshot } = before;
        Self { digest, clock, read_to, rules, ticked, last, snapshot, ..Self::default() }
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
            read_to: Some(i64::MAX),
            rules: "ab".repeat(16),
            ticked: i64::MAX,
            last: Some(i64::MAX),
            leg_partitions: i32::MAX,
            snapshot: Some((i64::MAX, "cd".repeat(32))),
            first: Some(i64::MIN),
        };
        let text = mark.encode();
        assert!(text.is_ascii() && text.len() < 512, "{}", text.len());
        assert_eq!(Mark::decode(&text), Some(mark));
        for other in ["", "init", "中文", &text[1..], &text[..text.len() - 1]] {
            assert_eq!(Mark::decode(other), None, "{other}");
        }
    }

    #[test]
    fn a_mark_of_version_1_is_read_and_says_of_no_end() {
        let mark = Mark { clock: Some(7), rules: "ab".to_owned(), last: Some(3), snapshot: Some((2, "cd".to_owned())), ..Mark::default() };
        let before = (mark.digest, mark.clock, true, mark.rules.clone(), mark.ticked, mark.last, mark.snapshot.clone());
        let bytes = [vec![1], postcard::to_stdvec(&before).expect("plain values")].concat();
        assert_eq!(Mark::decode(&URL_SAFE_NO_PAD.encode(bytes)), Some(mark));
    }

    #[test]
    fn a_mark_of_version_2_is_read_and_says_of_no_leg_partitions() {
        let mark = Mark { clock: Some(7), read_to: Some(9), snapshot: Some((2, "cd".to_owned())), ..Mark::default() };
        let before = (mark.digest, mark.clock, mark.read_to, mark.rules.clone(), mark.ticked, mark.last, mark.snapshot.clone());
        let bytes = [vec![2], postcard::to_stdvec(&before).expect("plain values")].concat();
        assert_eq!(Mark::decode(&URL_SAFE_NO_PAD.encode(bytes)), Some(mark));
    }

    #[test]
    fn a_mark_of_version_3_is_read_and_says_of_no_first_record() {
        let mark = Mark { clock: Some(7), leg_partitions: 4, snapshot: Some((2, "cd".to_owned())), ..Mark::default() };
        let Mark { digest, clock, read_to, rules, ticked, last, leg_partitions, snapshot, .. } = mark.clone();
        let before = (digest, clock, read_to, rules, ticked, last, leg_partitions, snapshot);
        let bytes = [vec![3], postcard::to_stdvec(&before).expect("plain values")].concat();
        assert_eq!(Mark::decode(&URL_SAFE_NO_PAD.encode(&bytes)), Some(mark));
        assert_eq!(Mark::decode(&URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() - 1])), None, "nor is one that was cut");
    }
}

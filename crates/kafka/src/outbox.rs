//! What a partition has to say and has not yet committed: records for several topics, in order.
//!
//! Kept until their transaction is known to be committed, so that exactly the same bytes can be sent again. One buffer holds all keys and
//! values: a record costs no allocation of its own. Partitions take turns, and what they say in one transaction is sent in the order of those.

use std::ops::Range;
use std::sync::Arc;

use crate::topics::MESSAGE_BYTES;

/// The largest record that is sent: what topics are made to take, less what a record has around it.
const RECORD_BYTES_MAX: usize = MESSAGE_BYTES - 1024;

/// Records waiting for their transaction.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    records: Vec<Entry>,
    turn: u64,
    /// Topic and bytes of a record that no topic takes.
    too_large: Option<(Arc<str>, usize)>,
}

#[derive(Debug)]
struct Entry {
    topic: Arc<str>,
    partition: Option<i32>,
    key: Range<usize>,
    value: Range<usize>,
    headers: Vec<Header>,
    turn: u64,
}

/// A header's name and text.
pub(crate) type Header = (&'static str, String);

/// A record to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'o> {
    pub(crate) topic: &'o str,
    /// `None`: by the hash of the key.
    pub(crate) partition: Option<i32>,
    pub(crate) key: &'o [u8],
    pub(crate) value: &'o [u8],
    pub(crate) headers: &'o [Header],
    turn: u64,
}

/// Records of several partitions in the order in which those said them.
pub(crate) fn in_turn<'o>(outboxes: impl Iterator<Item = &'o Outbox>) -> Vec<Outgoing<'o>> {
    let mut records: Vec<Outgoing<'o>> = outboxes.flat_map(Outbox::iter).collect();
    records.sort_by_key(|record| record.turn);
    records
}

impl Outbox {
    /// What is said from now on is said in this turn of the worker's.
    pub(crate) fn take_turn(&mut self, turn: u64) {
        self.turn = turn;
    }

    /// Adds a record whose value `write` appends; returns that value.
    pub(crate) fn push(
        &mut self,
        topic: &Arc<str>,
        partition: Option<i32>,
        key: &[u8],
        headers: Vec<Header>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> &[u8] {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let middle = self.bytes.len();
        write(&mut self.bytes);
        let value = middle..self.bytes.len();
        let size = self.bytes.len() - start + headers.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>();
        if size > RECORD_BYTES_MAX {
            self.too_large.get_or_insert_with(|| (Arc::clone(topic), size));
        }
        self.records.push(Entry {
            topic: Arc::clone(topic),
            partition,
            key: start..middle,
            value: value.clone(),
            headers,
            turn: self.turn,
        });
        &self.bytes[value]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Topic and bytes of a record that could never be sent, if there is one.
    pub(crate) fn too_large(&self) -> Option<(&str, usize)> {
        self.too_large.as_ref().map(|(topic, bytes)| (&**topic, *bytes))
    }

    /// Bytes of the keys and values held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Records held.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.too_large = None;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Outgoing<'_>> {
        self.records.iter().map(|entry| Outgoing {
            topic: &entry.topic,
            partition: entry.partition,
            key: &self.bytes[entry.key.clone()],
            value: &self.bytes[entry.value.clone()],
            headers: &entry.headers,
            turn: entry.turn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_heard_in_turn() {
        let topic: Arc<str> = "t".into();
        let mut outboxes = [Outbox::default(), Outbox::default()];
        for (turn, (partition, value)) in (1..).zip([(1, "a"), (0, "b"), (1, "c"), (0, "d")]) {
            outboxes[partition].take_turn(turn);
            outboxes[partition].push(&topic, None, &[], Vec::new(), |bytes| bytes.extend_from_slice(value.as_bytes()));
            outboxes[partition].push(&topic, None, &[], Vec::new(), |bytes| bytes.extend_from_slice(b"+"));
        }
        let values: Vec<&[u8]> = in_turn(outboxes.iter()).into_iter().map(|record| record.value).collect();
        assert_eq!(values.concat(), b"a+b+c+d+");
    }
}

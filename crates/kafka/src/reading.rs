//! Reads a topic as it stands: every committed record from the beginning to the present end, once.
//!
//! For people and tests that want to see what is there; it belongs to no group and commits nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::{Connection, Talk, committed};
use crate::mark::Mark;
use crate::stop::StopCode;
use crate::topics::partitions_of;

const ASK_MAX: Duration = Duration::from_secs(15);
/// Nothing comes any more.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// A record as it lies in its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRecord {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key; empty for none.
    pub key: Vec<u8>,
    /// Value; empty for none.
    pub value: Vec<u8>,
    /// Headers that are text.
    pub headers: BTreeMap<String, String>,
}

/// Every committed record of a topic, partition by partition in order of offset.
///
/// # Errors
/// Where Kafka does not answer.
pub fn read_topic(connection: &Connection, topic: &str) -> Result<Vec<TopicRecord>, KafkaError> {
    read_some(connection, topic, &|_| true)
}

/// The same of those records alone whose value is wanted: a topic that keeps everything may hold more than fits into memory.
///
/// # Errors
/// Where Kafka does not answer.
pub fn read_some(connection: &Connection, topic: &str, is_wanted: &dyn Fn(&[u8]) -> bool) -> Result<Vec<TopicRecord>, KafkaError> {
    let mut config = connection.reader();
    config.set("group.id", "weir-topic-reader").set("enable.partition.eof", "true");
    // That a partition has ended is told after a fetch that found nothing, which a broker holds back for so long.
    config.set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
    let partitions = partitions_of(&consumer, topic)?;
    let mut ends = BTreeSet::new();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        let (low, high) = consumer.fetch_watermarks(topic, partition, ASK_MAX)?;
        if low < high {
            list.add_partition_offset(topic, partition, Offset::Offset(low))?;
            ends.insert(partition);
        }
    }
    consumer.assign(&list)?;
    let mut records = Vec::new();
    let mut last = Instant::now();
    while !ends.is_empty() {
        match consumer.poll(Duration::from_millis(20)) {
            // The end may be the mark of a transaction, which nobody is given: librdkafka tells.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ends.remove(&partition);
            }
            Some(message) => {
                let message = message?;
                last = Instant::now();
                if !is_wanted(message.payload().unwrap_or_default()) {
                    continue;
                }
                let headers = message.headers().map(|headers| {
                    headers
                        .iter()
                        .map(|header| (header.key.to_owned(), String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned()))
                        .collect()
                });
                records.push(TopicRecord {
                    partition: message.partition(),
                    offset: message.offset(),
                    key: message.key().unwrap_or_default().to_vec(),
                    value: message.payload().unwrap_or_default().to_vec(),
                    headers: headers.unwrap_or_default(),
                });
            }
            None if last.elapsed() > SILENCE_MAX => return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)),
            None => {}
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

/// Where a group stands in a topic: committed offset and end of each partition; `None` where nothing is committed.
///
/// # Errors
/// Where Kafka does not answer.
pub fn standing(connection: &Connection, topic: &str, group: &str) -> Result<BTreeMap<i32, Progress>, KafkaError> {
    let mut config = connection.reader();
    config.set("group.id", group);
    let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
    let partitions = partitions_of(&consumer, topic)?;
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(topic, 0, partitions - 1);
    let committed = committed(&consumer, asked, ASK_MAX)?;
    let mut all = BTreeMap::new();
    for element in committed.elements() {
        let (low, end) = consumer.fetch_watermarks(topic, element.partition(), ASK_MAX)?;
        let mark = Mark::decode(element.metadata());
        let committed = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let snapshot = mark.as_ref().and_then(|mark| mark.snapshot.as_ref()).map(|(offset, _)| *offset);
        let clock = mark.as_ref().and_then(Mark::clock);
        let read_to = mark.as_ref().and_then(|mark| mark.read_to);
        let stop = stop(committed, mark.as_ref(), (low, end));
        all.insert(element.partition(), Progress { committed, read_to, end, clock, snapshot, stop });
    }
    Ok(all)
}

/// What a worker would stop a partition for, as far as the committed offset shows it.
fn stop(committed: Option<i64>, mark: Option<&Mark>, (low, end): (i64, i64)) -> Option<StopCode> {
    let Some(offset) = committed else { return Some(StopCode::OffsetMissing) };
    let Some(mark) = mark else { return Some(StopCode::OffsetForeign) };
    if offset > end {
        return Some(StopCode::LogShrunk);
    }
    (mark.read_to.unwrap_or(offset) < low).then_some(StopCode::LogTruncated)
}

/// How far a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The next offset to be read; `None` where nothing is committed.
    pub committed: Option<i64>,
    /// Where the log ended when all of it had been read: behind the committed offset stand marks of transactions, which nobody is given.
    pub read_to: Option<i64>,
    /// The end of the log.
    pub end: i64,
    /// Stamped clock.
    pub clock: Option<weir_model::EventTime>,
    /// Offset of the newest snapshot.
    pub snapshot: Option<i64>,
    /// What a worker of *split* or *detect* would stop it for, as far as its offset shows it; what only folding shows its process tells (`weir_stopped`).
    pub stop: Option<StopCode>,
}

impl Progress {
    /// Offsets not read yet. Marks of transactions among them count, though nobody is given them.
    #[must_use]
    pub fn lag(&self) -> i64 {
        self.committed.max(self.read_to).map_or(self.end, |read| (self.end - read).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_shows_what_a_worker_would_stop_for() {
        let mark = Mark::default();
        assert_eq!(stop(None, None, (0, 9)), Some(StopCode::OffsetMissing));
        assert_eq!(stop(Some(5), None, (0, 9)), Some(StopCode::OffsetForeign));
        assert_eq!(stop(Some(10), Some(&mark), (0, 9)), Some(StopCode::LogShrunk));
        assert_eq!(stop(Some(5), Some(&mark), (6, 9)), Some(StopCode::LogTruncated));
        for offset in [6, 9] {
            assert_eq!(stop(Some(offset), Some(&mark), (6, 9)), None, "{offset}");
        }
        // What was deleted had been read, and marks of transactions behind it.
        let read = Mark { read_to: Some(6), ..mark };
        assert_eq!(stop(Some(5), Some(&read), (6, 9)), None);
        assert_eq!(stop(Some(5), Some(&read), (7, 9)), Some(StopCode::LogTruncated));
    }
}

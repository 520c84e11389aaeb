//! Plays records into the transactions topic, each once, also when it is interrupted and begun again.
//!
//! How many records of a feed were sent is committed with them in one transaction, as the offset of a group of the feed's own, and beside it a hash of the
//! last of them: a file that is another one by now is not taken for the rest of what was sent. So a feeder
//! that was killed goes on where it was, and the bank's real feed need not be imitated for a rehearsal to be exact.
//!
//! Of two feeders of one name the later one goes on, and the earlier one ends: the broker fences it, and what is committed tells it that another was at work
//! (decision 0012). The group has no members, so nothing else would.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::{Connection, Sender, Talk, committed};
use crate::outbox::Outbox;
use crate::outlet::Outlet;
use crate::topics::partitions_of;

const ASK_MAX: Duration = Duration::from_secs(15);
const ATTEMPTS_MAX: u32 = 8;

/// Why a feeder does not go on.
#[derive(Debug, thiserror::Error)]
pub enum FeederError {
    /// The brokers did not answer, or refused.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The feed stands where this feeder has not brought it.
    #[error("the feed stands at record {found} and not at {expected}, where this feeder left it: another one of its name has taken over")]
    Overtaken {
        /// Records sent by all, as committed now.
        found: u64,
        /// Records sent when this feeder committed last.
        expected: u64,
    },
}

/// How far a feed is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Position {
    /// Records sent.
    sent: u64,
    /// Hash of the last one; empty where nothing was sent, or by a version that kept none.
    mark: String,
}

/// What became of a transaction whose outcome was unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Committed,
    Lost,
    /// Somebody else has committed since.
    Overtaken,
}

/// `found` is committed now; `before` was when the transaction began, and it was to make `after` of it.
fn outcome(found: &Position, before: &Position, after: &Position) -> Outcome {
    if found == after {
        Outcome::Committed
    } else if found == before {
        Outcome::Lost
    } else {
        Outcome::Overtaken
    }
}

/// A feeder of one feed.
pub struct Feeder {
    outlet: Outlet,
    consumer: BaseConsumer<Talk>,
    topic: Arc<str>,
    partitions: i32,
    /// As committed.
    position: Position,
    /// The topic has records, though of this feed none is known to have been sent.
    is_among_others: bool,
    /// Hash of the record pushed last.
    last: String,
    outbox: Outbox,
}

impl Feeder {
    /// Goes on where the feed of this name was left.
    ///
    /// # Errors
    /// Where Kafka does not answer.
    pub fn open(connection: &Connection, topic: &Arc<str>, app: &str, name: &str) -> Result<Self, KafkaError> {
        let mut config = connection.reader();
        config.set("group.id", format!("{app}.feed.{name}"));
        let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
        let partitions = partitions_of(&consumer, topic)?;
        let mut config = connection.config();
        config.set("transactional.id", format!("{app}.feed.{name}"));
        config.set("acks", "all").set("compression.type", "zstd").set("linger.ms", "5");
        let mut outlet = Outlet::new(config);
        outlet.renew()?;
        let mut feeder = Self {
            outlet,
            consumer,
            topic: Arc::clone(topic),
            partitions,
            position: Position::default(),
            is_among_others: false,
            last: String::new(),
            outbox: Outbox::default(),
        };
        feeder.position = feeder.committed()?;
        feeder.is_among_others = feeder.position.sent == 0 && feeder.has_records()?;
        Ok(feeder)
    }

    /// Records sent so far, by all runs of this feed.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.position.sent
    }

    /// Whether nothing is known to have been sent of this feed, though the topic has records. They may be other feeds', or this one's from a time that the
    /// broker has forgotten: it keeps the position of a feed that rests for `offsets.retention.minutes` only.
    #[must_use]
    pub fn is_among_others(&self) -> bool {
        self.is_among_others
    }

    /// Whether this may be the record that was sent last.
    #[must_use]
    pub fn was_last(&self, record: &[u8]) -> bool {
        self.position.mark.is_empty() || self.position.mark == mark_of(record)
    }

    /// Adds the next record to the transaction. Records go round the partitions, so where one goes depends on its number alone.
    pub fn push(&mut self, record: &[u8]) {
        let number = self.position.sent + u64::try_from(self.outbox.len()).unwrap_or(0);
        let partition = i32::try_from(number % u64::try_from(self.partitions.max(1)).unwrap_or(1)).unwrap_or(0);
        self.outbox.push(&self.topic, Some(partition), &[], Vec::new(), |bytes| bytes.extend_from_slice(record));
        self.last = mark_of(record);
    }

    /// Sends what was pushed, in one transaction.
    ///
    /// # Errors
    /// Where Kafka does not answer for long, a later run goes on; where another feeder of the name has taken over, that one does.
    pub fn commit(&mut self) -> Result<(), FeederError> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let sent = self.position.sent + u64::try_from(self.outbox.len()).unwrap_or(0);
        let after = Position { sent, mark: self.last.clone() };
        let mut offsets = TopicPartitionList::new();
        let mut offset = offsets.add_partition(&self.topic, 0);
        offset.set_offset(Offset::Offset(i64::try_from(sent).unwrap_or(i64::MAX)))?;
        offset.set_metadata(&after.mark);
        let mut attempt = 0;
        // A new producer for want of trust in the last one fences whoever has taken the name since, too.
        let mut is_uncertain = self.outlet.is_doubtful();
        while let Err(error) = self.try_commit(&after, &offsets, is_uncertain) {
            is_uncertain = true;
            attempt += 1;
            if attempt == ATTEMPTS_MAX || matches!(error, FeederError::Overtaken { .. }) {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(250) * attempt);
        }
        self.position = after;
        self.outbox.clear();
        Ok(())
    }

    /// Where the outcome of the attempt before is unknown, or somebody else may have gone on unnoticed, the committed offset tells. It is read once a new producer
    /// has the name, so that whoever had it in between can commit no more.
    fn try_commit(&mut self, after: &Position, offsets: &TopicPartitionList, is_uncertain: bool) -> Result<(), FeederError> {
        if is_uncertain {
            self.outlet.renew()?;
            let found = self.committed()?;
            match outcome(&found, &self.position, after) {
                Outcome::Committed => return Ok(()),
                Outcome::Lost => {}
                Outcome::Overtaken => return Err(FeederError::Overtaken { found: found.sent, expected: self.position.sent }),
            }
        }
        let group = self.consumer.group_metadata().ok_or(KafkaError::Global(RDKafkaErrorCode::State))?;
        Ok(self.outlet.commit(std::iter::once(&self.outbox), offsets, &group)?)
    }

    fn committed(&self) -> Result<Position, KafkaError> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&self.topic, 0);
        let committed = committed(&self.consumer, asked, ASK_MAX)?;
        let elements = committed.elements();
        let Some(element) = elements.first() else { return Ok(Position::default()) };
        match element.offset() {
            Offset::Offset(offset) => Ok(Position { sent: offset.unsigned_abs(), mark: element.metadata().to_owned() }),
            _ => Ok(Position::default()),
        }
    }

    fn has_records(&self) -> Result<bool, KafkaError> {
        for partition in 0..self.partitions {
            let (low, high) = self.consumer.fetch_watermarks(&self.topic, partition, ASK_MAX)?;
            if low < high {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Half of a hash, which is more than two records will ever have in common.
fn mark_of(record: &[u8]) -> String {
    blake3::hash(record).to_hex()[..32].to_owned()
}

/// Puts keyed records on a compacted topic: party data. Returns how many.
///
/// # Errors
/// Where Kafka refuses.
pub fn put_all<'r>(connection: &Connection, topic: &str, records: impl Iterator<Item = (String, Vec<u8>)> + 'r) -> Result<u64, KafkaError> {
    // A producer alone would look for brokers, and for the topic, for minutes before it said so.
    let reader: BaseConsumer<Talk> = connection.reader().create_with_context(Talk)?;
    partitions_of(&reader, topic)?;
    let mut config = connection.config();
    config.set("enable.idempotence", "true").set("acks", "all").set("linger.ms", "5").set("partitioner", "murmur2_random");
    let sender = Sender::new(&config)?;
    let mut count = 0;
    for (key, value) in records {
        sender.send(BaseRecord::to(topic).key(&key).payload(&value))?;
        count += 1;
    }
    sender.finish(ASK_MAX * 4)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sent: u64, last: &str) -> Position {
        Position { sent, mark: mark_of(last.as_bytes()) }
    }

    #[test]
    fn only_what_stands_where_it_was_is_sent_again() {
        let (before, after) = (at(1000, "a"), at(2000, "b"));
        assert_eq!(outcome(&after, &before, &after), Outcome::Committed);
        assert_eq!(outcome(&before, &before, &after), Outcome::Lost);
        assert_eq!(outcome(&Position::default(), &Position::default(), &after), Outcome::Lost, "of a new feed nothing is committed");
        for found in [Position::default(), at(999, "a"), at(1500, "c"), at(2001, "b"), at(10_000, "d")] {
            assert_eq!(outcome(&found, &before, &after), Outcome::Overtaken, "{found:?}");
        }
        assert_eq!(outcome(&at(2000, "c"), &before, &after), Outcome::Overtaken, "as many, of another file");
    }
}

//! Party data from its topic, as it comes.
//!
//! The topic is compacted: the newest record of a customer is what is known of it, one without a value means that nothing is. It is read from
//! the beginning at every start, and caught up with before the first transaction is split. A record that is no party is noted and passed over:
//! what was known of that customer stays. Where the topic was made anew or cut, librdkafka reads it no further; so the worker ends then, and whoever starts again reads
//! it from the beginning: party data that stand still would look like party data.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use weir_feed::{MessageDecoder, Parties};

use crate::client::{Connection, Talk, metadata};
use crate::worker::{WorkerError, is_of_offset, remedy};

const ASK_MAX: Duration = Duration::from_secs(15);
/// How long one look may take away from splitting once the beginning is caught up with.
const LOOK_MAX: Duration = Duration::from_millis(20);

/// A reader of the parties topic.
pub(super) struct PartyFeed {
    /// `None` without a topic.
    consumer: Option<BaseConsumer<Talk>>,
    /// Ends of the partitions when the reader began: caught up when all are reached.
    ends: Vec<(i32, i64)>,
    topic: String,
    refused: u64,
}

impl PartyFeed {
    pub(super) fn new(connection: &Connection, topic: &str) -> Result<Self, KafkaError> {
        if topic.is_empty() {
            return Ok(Self { consumer: None, ends: Vec::new(), topic: String::new(), refused: 0 });
        }
        let mut config = connection.reader();
        config.set("group.id", "weir-parties-reader").set("enable.partition.eof", "true");
        let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
        let metadata = metadata(&consumer, Some(topic), ASK_MAX)?;
        let partitions: Vec<i32> =
            metadata.topics().iter().flat_map(|topic| topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id)).collect();
        let mut list = TopicPartitionList::new();
        let mut ends = Vec::new();
        for partition in partitions {
            let (low, high) = consumer.fetch_watermarks(topic, partition, ASK_MAX)?;
            list.add_partition_offset(topic, partition, Offset::Offset(low))?;
            if low < high {
                ends.push((partition, high));
            }
        }
        consumer.assign(&list)?;
        Ok(Self { consumer: Some(consumer), ends, topic: topic.to_owned(), refused: 0 })
    }

    /// Whether everything that was there at the start is read.
    pub(super) fn is_caught_up(&self) -> bool {
        self.ends.is_empty()
    }

    /// Takes in what has come.
    ///
    /// # Errors
    /// Where nothing more will come, though something may have been written.
    pub(super) fn read_on(&mut self, decoder: &mut MessageDecoder) -> Result<(), WorkerError> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let until = Instant::now() + LOOK_MAX;
        while Instant::now() < until {
            match consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    if let Err(problems) = take(&message, decoder) {
                        self.refused += 1;
                        let (partition, offset) = (message.partition(), message.offset());
                        tracing::warn!(partition, offset, problems, "a party record is passed over");
                    }
                }
                // Compaction may have taken the last records away, removals of customers: the end that was seen is never reached then, and this told instead.
                Some(Err(KafkaError::PartitionEOF(partition))) => self.ends.retain(|(number, _)| *number != partition),
                Some(Err(error)) if is_final(&error) => return Err(WorkerError::Parties { topic: self.topic.clone(), error }),
                Some(Err(error)) => {
                    tracing::warn!(%error, "reading party data");
                    break;
                }
                None => break,
            }
        }
        if !self.ends.is_empty()
            && let Ok(position) = consumer.position()
        {
            let topic = &self.topic;
            self.ends.retain(|(partition, end)| {
                let at = position.find_partition(topic, *partition).and_then(|element| element.offset().to_raw());
                at.is_none_or(|at| at < *end)
            });
        }
        Ok(())
    }
}

/// Whether the consumer reads some partition no further after this error.
fn is_final(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_))
        || error.rdkafka_error_code().is_some_and(is_of_offset)
        || remedy(error).is_some()
}

/// Takes a record in; else what is wrong with it, without any value of it.
fn take(message: &impl Message, decoder: &mut MessageDecoder) -> Result<(), String> {
    let key = String::from_utf8_lossy(message.key().unwrap_or_default());
    let institution = decoder.institution().to_owned();
    match message.payload() {
        // The key is `institution/customer`, or the customer alone where the feed has one institution.
        None => {
            let (institution, customer) = key.split_once('/').unwrap_or((&institution, &key));
            decoder.remove_party(institution, customer);
            Ok(())
        }
        Some(json) => {
            let party = Parties::read_one(json, &institution).map_err(|problems| problems.join("; "))?;
            decoder.put_party(party)
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::RDKafkaErrorCode as Code;

    use super::*;

    #[test]
    fn party_data_that_would_stand_still_end_the_worker_and_brokers_that_are_away_do_not() {
        let told = |code| is_final(&KafkaError::MessageConsumption(code));
        for code in [Code::AutoOffsetReset, Code::OffsetOutOfRange, Code::UnknownTopicOrPartition, Code::TopicAuthorizationFailed] {
            assert!(told(code), "{code:?}");
        }
        for code in [Code::AllBrokersDown, Code::BrokerTransportFailure, Code::OperationTimedOut] {
            assert!(!told(code), "{code:?}");
        }
    }
}

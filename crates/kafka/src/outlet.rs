//! The way out: one transaction for outputs and offsets, and a new producer after any doubt.
//!
//! librdkafka does not know the broker's defence against requests that arrive late (KIP-890), so a producer that saw an error or a time-out
//! is never used again: a request of its may still be under way and would end a later transaction. A new producer of the same transactional
//! id fences it. Whether a transaction whose outcome is unknown had been committed is not guessed here: the worker reads the offsets.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::client::Talk;
use crate::outbox::{Outbox, Outgoing, in_turn};

/// A call that has not answered by then has an unknown outcome.
const CALL_MAX: Duration = Duration::from_secs(20);
/// How often a wait looks again: a commit takes a millisecond or two, and what librdkafka's own wait rounds up to is 100.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// A transactional producer that is replaced when in doubt.
pub(crate) struct Outlet {
    config: ClientConfig,
    producer: Option<ThreadedProducer<Talk>>,
}

impl Outlet {
    /// Not connected yet; `config` has the transactional id.
    pub(crate) fn new(config: ClientConfig) -> Self {
        Self { config, producer: None }
    }

    /// Drops the producer, which may take its time, and makes a new one: what the old one left open is committed or aborted then, and what it
    /// may still send is refused.
    pub(crate) fn renew(&mut self) -> Result<(), KafkaError> {
        if let Some(old) = self.producer.take() {
            thread::spawn(move || drop(old));
        }
        let producer: ThreadedProducer<Talk> = self.config.create_with_context(Talk)?;
        producer.init_transactions(CALL_MAX)?;
        self.producer = Some(producer);
        Ok(())
    }

    /// Sends outputs and offsets in one transaction and commits it.
    ///
    /// # Errors
    /// After any of them the outcome is unknown, and the producer must be renewed before it is used again.
    pub(crate) fn commit<'o>(
        &mut self,
        outputs: impl Iterator<Item = &'o Outbox>,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), KafkaError> {
        let Some(producer) = &self.producer else {
            return Err(KafkaError::Global(RDKafkaErrorCode::State));
        };
        let deadline = Instant::now() + CALL_MAX;
        producer.begin_transaction()?;
        for record in in_turn(outputs) {
            send(producer, record, deadline)?;
        }
        producer.send_offsets_to_transaction(offsets, group, CALL_MAX)?;
        while producer.in_flight_count() > 0 && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
        }
        producer.commit_transaction(CALL_MAX)
    }
}

fn send(producer: &ThreadedProducer<Talk>, record: Outgoing<'_>, deadline: Instant) -> Result<(), KafkaError> {
    let mut base = BaseRecord::to(record.topic).key(record.key).payload(record.value);
    base.partition = record.partition;
    if !record.headers.is_empty() {
        let headers = record.headers.iter().fold(OwnedHeaders::new_with_capacity(record.headers.len()), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        base = base.headers(headers);
    }
    loop {
        match producer.send(base) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) if Instant::now() < deadline => {
                base = again;
                thread::sleep(LOOK_EVERY);
            }
            Err((error, _)) => return Err(error),
        }
    }
}

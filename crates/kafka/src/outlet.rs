//! The way out: one transaction for outputs and offsets, and a new producer after any doubt.
//!
//! librdkafka does not know the broker's defence against requests that arrive late (KIP-890), so a producer that saw an error or a time-out
//! is never used again: a request of its may still be under way and would end a later transaction. A new producer of the same transactional
//! id fences it. Whether a transaction whose outcome is unknown had been committed is not guessed here: the worker reads the offsets.
//!
//! Of a connection that breaks under a transaction's last two requests librdkafka says nothing: it sends them again, and the first ones may arrive in the next
//! transaction, which they end, or whose offsets they set back. So a producer is not used again either after an answer that took as long as that takes. And offsets
//! are sent last, when all outputs have been taken: what ends a transaction too early may then have outputs said twice, but never offsets without their outputs.

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
/// How long librdkafka waits before it sends a request again, give or take a fifth.
pub(crate) const RETRY_BACKOFF: Duration = Duration::from_millis(100);
/// An answer that took no longer than this was to a request that was sent once.
const SENT_ONCE: Duration = Duration::from_millis(75);
/// How often a wait looks again: a commit takes a millisecond or two, and what librdkafka's own wait rounds up to is 100.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// A transactional producer that is replaced when in doubt.
pub(crate) struct Outlet {
    config: ClientConfig,
    producer: Option<ThreadedProducer<Talk>>,
    /// A request of the last transaction may have been sent twice.
    is_doubtful: bool,
}

impl Outlet {
    /// Not connected yet; `config` has the transactional id.
    pub(crate) fn new(config: ClientConfig) -> Self {
        Self { config, producer: None, is_doubtful: false }
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
        self.is_doubtful = false;
        Ok(())
    }

    /// Whether the next transaction has a new producer, because a request of the last one may have been sent twice.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Sends outputs, then offsets, in one transaction and commits it.
    ///
    /// # Errors
    /// After any of them the outcome is unknown, and the producer must be renewed before it is used again.
    pub(crate) fn commit<'o>(
        &mut self,
        outputs: impl Iterator<Item = &'o Outbox>,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), KafkaError> {
        if self.is_doubtful {
            self.renew()?;
        }
        let Some(producer) = &self.producer else {
            return Err(KafkaError::Global(RDKafkaErrorCode::State));
        };
        let deadline = Instant::now() + CALL_MAX;
        producer.begin_transaction()?;
        for record in in_turn(outputs) {
            send(producer, record, deadline)?;
        }
        while producer.in_flight_count() > 0 {
            if Instant::now() >= deadline {
                return Err(KafkaError::Global(RDKafkaErrorCode::OperationTimedOut));
            }
            thread::sleep(LOOK_EVERY);
        }
        let begun = Instant::now();
        producer.send_offsets_to_transaction(offsets, group, CALL_MAX)?;
        let taken = Instant::now();
        producer.commit_transaction(CALL_MAX)?;
        self.is_doubtful = taken - begun > SENT_ONCE || taken.elapsed() > SENT_ONCE;
        Ok(())
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

//! Clients: what every producer and consumer of weir is configured with, and how librdkafka's own log becomes ours.
//!
//! What protects answers is set here and cannot be overridden: verification of brokers, no automatic commits, no creation of topics by use,
//! an error instead of a jump where an offset is gone. Nor is anything taken that weir's own value would override in silence: [`decided`]
//! knows all of it. Everything else may be passed through.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, ToBytes};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaConfRes;
use rdkafka::{ClientConfig, ClientContext, Statistics, TopicPartitionList};

use crate::topics::MESSAGE_BYTES;

/// Why a settings file must not name a property of librdkafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It decides what an answer is, or who may read it.
    Answers,
    /// This key or variable of weir's own says it.
    By(&'static str),
    /// Every record that weir may write must pass.
    Size,
    /// Weir sets it for every client itself: its steps, latency and memory are measured by it.
    Pace,
}

const SESSION: Decided = Decided::By("kafka.session_timeout");
const GATHER: Decided = Decided::By("kafka.commit_interval");

/// Properties that weir decides, with librdkafka's other names for them.
const DECIDED: [(&str, Decided); 41] = [
    ("acks", Decided::Answers),
    ("allow.auto.create.topics", Decided::Answers),
    ("auto.commit.enable", Decided::Answers),
    ("auto.commit.interval.ms", Decided::Answers),
    ("auto.offset.reset", Decided::Answers),
    ("bootstrap.servers", Decided::By("kafka.brokers")),
    ("compression.codec", Decided::Pace),
    ("compression.type", Decided::Pace),
    ("enable.auto.commit", Decided::Answers),
    ("enable.auto.offset.store", Decided::Answers),
    ("enable.idempotence", Decided::Answers),
    ("enable.partition.eof", Decided::Answers),
    ("enable.ssl.certificate.verification", Decided::Answers),
    ("fetch.min.bytes", Decided::Pace),
    ("fetch.queue.backoff.ms", Decided::Pace),
    ("fetch.wait.max.ms", Decided::Pace),
    ("group.id", Decided::By("app")),
    ("group.instance.id", Decided::By("instance")),
    ("group.protocol", Decided::Answers),
    ("group.protocol.type", Decided::Answers),
    ("group.remote.assignor", Decided::Answers),
    ("heartbeat.interval.ms", SESSION),
    ("isolation.level", Decided::Answers),
    ("linger.ms", GATHER),
    ("log_level", Decided::By("WEIR_LOG")),
    ("max.poll.interval.ms", SESSION),
    ("message.max.bytes", Decided::Size),
    ("metadata.broker.list", Decided::By("kafka.brokers")),
    ("offset.store.method", Decided::Answers),
    ("partition.assignment.strategy", Decided::Answers),
    ("partitioner", Decided::Answers),
    ("queue.buffering.max.ms", GATHER),
    ("queued.max.messages.kbytes", Decided::Pace),
    ("queued.min.messages", Decided::Pace),
    ("request.required.acks", Decided::Answers),
    ("retry.backoff.max.ms", Decided::Answers),
    ("retry.backoff.ms", Decided::Answers),
    ("session.timeout.ms", SESSION),
    ("ssl.endpoint.identification.algorithm", Decided::Answers),
    ("transaction.timeout.ms", Decided::By("kafka.transaction_timeout")),
    ("transactional.id", Decided::By("app")),
];

/// Why weir decides a property and nobody else; `None` where a settings file may name it.
#[must_use]
pub fn decided(property: &str) -> Option<Decided> {
    DECIDED.iter().find(|(name, _)| *name == property).map(|(_, decided)| *decided)
}

/// How long metadata are waited for before librdkafka's log is looked at.
const METADATA_ONCE: Duration = Duration::from_secs(3);
/// Lines of librdkafka's log that are read after a failure.
const LOG_LINES_MAX: usize = 100;

/// How to reach the brokers.
#[derive(Clone, Default)]
pub struct Connection {
    /// `host:port,…`.
    pub brokers: String,
    /// Further properties of librdkafka, secrets among them.
    pub properties: BTreeMap<String, String>,
}

impl std::fmt::Debug for Connection {
    /// Without values: secrets are among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.properties.keys().collect();
        f.debug_struct("Connection").field("brokers", &self.brokers).field("properties", &names).finish()
    }
}

/// A property that librdkafka refuses. What it says of it quotes the value, which may be a secret; so this does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyRefused {
    /// Name of the property.
    pub name: String,
    /// There is none of that name; else its value is none.
    pub is_unknown: bool,
}

impl Connection {
    /// Tries every property by itself. What files they name and what they are together is seen when a client is made.
    ///
    /// # Errors
    /// The first that is refused.
    pub fn check(&self) -> Result<(), PropertyRefused> {
        match self.config().create_native_config() {
            Err(KafkaError::ClientConfig(result, _, name, _)) => {
                Err(PropertyRefused { name, is_unknown: result == RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "weir");
        // Loopback and data centres: a broker that restarts is back in seconds, and what waits for it should notice.
        config.set("reconnect.backoff.max.ms", "2000");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        // What topics of weir's making take. librdkafka's own limit is less than a record may have, and counts before anything is packed.
        config.set("message.max.bytes", MESSAGE_BYTES.to_string());
        config.set("bootstrap.servers", &self.brokers);
        config.set("allow.auto.create.topics", "false");
        config.set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// A consumer that belongs to no group, or that only looks at one.
    pub(crate) fn reader(&self) -> ClientConfig {
        let mut config = self.config();
        config.set("isolation.level", "read_committed");
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "error");
        // Small queues: what is fetched and not yet looked at is memory, and an empty queue must be filled at once.
        config.set("queued.min.messages", "10000");
        config.set("queued.max.messages.kbytes", "16384");
        config.set("fetch.queue.backoff.ms", "10");
        config
    }
}

/// Puts librdkafka's log lines among ours. They name brokers, topics and codes; contents of records are in none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk;

impl ClientContext for Talk {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL)) {
            IS_REFUSED.store(true, Ordering::Relaxed);
        }
    }

    fn stats(&self, _: Statistics) {}
}

impl ConsumerContext for Talk {}

impl ProducerContext for Talk {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        // A record that was not delivered fails its transaction; here it is only noted.
        if let Err((error, _)) = result {
            tracing::debug!(target: "librdkafka", %error, "not delivered");
        }
    }
}

/// A producer outside transactions. An empty queue says only that nothing waits any more: what the broker refused is remembered here, and told.
pub(crate) struct Sender(ThreadedProducer<Deliveries>);

/// The first record that was not delivered.
#[derive(Clone, Default)]
struct Deliveries(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Talk.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        }
    }
}

impl Sender {
    /// # Errors
    /// Where librdkafka refuses the configuration.
    pub(crate) fn new(config: &ClientConfig) -> Result<Self, KafkaError> {
        Ok(Self(config.create_with_context(Deliveries::default())?))
    }

    /// Sends a record, waiting while the queue is full.
    ///
    /// # Errors
    /// Where it cannot be sent, or one before it was not delivered.
    pub(crate) fn send<K: ToBytes + ?Sized, V: ToBytes + ?Sized>(&self, record: BaseRecord<'_, K, V>) -> Result<(), KafkaError> {
        let mut record = record;
        while let Err((error, again)) = self.0.send(record) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(error);
            }
            record = again;
            std::thread::sleep(Duration::from_millis(1));
        }
        self.refused()
    }

    /// Waits until everything is with the broker.
    ///
    /// # Errors
    /// Where something was refused, or the broker does not answer.
    pub(crate) fn finish(&self, wait: Duration) -> Result<(), KafkaError> {
        self.0.flush(wait)?;
        self.refused()
    }

    fn refused(&self) -> Result<(), KafkaError> {
        let refused = self.0.context().0.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.map_or(Ok(()), Err)
    }
}

/// The last line of librdkafka's that told of a failure.
static COMPLAINT: Mutex<Option<String>> = Mutex::new(None);
/// A broker and a client of this process could not agree on who they are.
static IS_REFUSED: AtomicBool = AtomicBool::new(false);

/// What librdkafka complained of last in this process. Its errors are codes ("all brokers down"); what a person can mend, a certificate, a
/// password, a name, stands in its log alone.
#[must_use]
pub fn complaint() -> Option<String> {
    COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What the consumer's group has committed of partitions. A broker may answer for some of them and fail for others: an offset that it could not tell
/// is not one that is not there, so all of it is an error then.
pub(crate) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    asked: TopicPartitionList,
    wait: Duration,
) -> Result<TopicPartitionList, KafkaError> {
    let found = consumer.committed_offsets(asked, wait)?;
    found.elements().iter().try_for_each(TopicPartitionListElem::error)?;
    Ok(found)
}

/// Asks for metadata: of a topic, or of all. What librdkafka logs waits until somebody polls, so where it fails its log is read first; and
/// where a broker has refused a password or shown a wrong certificate, asking again is of no use.
pub(crate) fn metadata<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: Option<&str>,
    patience: Duration,
) -> Result<Metadata, KafkaError> {
    let deadline = Instant::now() + patience;
    // Whatever was refused before: a broker that was just being started, say.
    IS_REFUSED.store(false, Ordering::Relaxed);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match consumer.fetch_metadata(topic, left.min(METADATA_ONCE)) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => {
                (0..LOG_LINES_MAX).for_each(|_| drop(consumer.poll(Duration::ZERO)));
                if left <= METADATA_ONCE || IS_REFUSED.load(Ordering::Relaxed) {
                    return Err(error);
                }
            }
        }
    }
}

pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    if matches!(facility, "FAIL" | "ERROR") {
        *COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.to_owned());
    }
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::warn!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => tracing::info!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In order and once, so that a further one finds its place.
    #[test]
    fn what_is_decided_is_in_order() {
        assert!(DECIDED.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    /// A doubtful answer is told from others by how long librdkafka waits before it sends a request again; each of these can make that less.
    #[test]
    fn no_property_has_requests_sent_again_sooner() {
        for property in ["retry.backoff.ms", "retry.backoff.max.ms"] {
            assert_eq!(decided(property), Some(Decided::Answers), "{property}");
        }
    }

    #[test]
    fn no_property_makes_records_smaller() {
        let properties = BTreeMap::from([("message.max.bytes".to_owned(), "1000".to_owned())]);
        let config = Connection { brokers: String::new(), properties }.config();
        assert_eq!(config.get("message.max.bytes"), Some(MESSAGE_BYTES.to_string().as_str()));
    }
}

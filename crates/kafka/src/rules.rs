//! Rule sets on `weir.rules`: published by content hash, fetched by it, never changed.
//!
//! The topic holds each set under its hash, and under the key `current` the hash that is to be in force. Sets stay for ever: a replay meets
//! the switch records of the leg log again and asks for the sets they name. Which set is in force where is decided by the log alone; this
//! topic only tells the splitter what to announce next.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use weir_rules::diagnostic::SourceFile;
use weir_rules::{Override, RuleSet};

use crate::client::{Connection, Sender, Talk};
use crate::stop::{Stop, StopCode};
use crate::worker::patiently;

/// Key of the record that names the set to be in force.
const CURRENT: &str = "current";
const ASK_MAX: Duration = Duration::from_secs(15);

/// A rule set as texts: what is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRules {
    /// Path and text of each file.
    pub files: Vec<(String, String)>,
    /// Settings of parameters, `RULE.param=value`.
    pub settings: Vec<String>,
}

/// Why a set cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Kafka does not answer.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// Its rules have errors under this version of weir.
    #[error("rule set {hash} cannot be loaded (errors under this version of weir: {errors}); `weir rule check` shows them")]
    Bad {
        /// Content hash.
        hash: String,
        /// How many.
        errors: usize,
    },
    /// The record under a hash is not the set of that hash.
    #[error("the record of rule set {hash} is not that set")]
    Forged {
        /// Content hash.
        hash: String,
    },
}

impl RulesError {
    /// The stop of a partition that cannot go on without the set.
    pub(crate) fn stop(&self) -> Stop {
        let code = if matches!(self, Self::Kafka(_)) { StopCode::Unavailable } else { StopCode::RulesMissing };
        Stop::new(code, self.to_string())
    }
}

impl PublishedRules {
    /// Checks and compiles.
    ///
    /// # Errors
    /// [`RulesError::Bad`].
    pub fn compile(&self) -> Result<RuleSet, RulesError> {
        let files: Vec<SourceFile> = self.files.iter().map(|(path, text)| SourceFile { path: path.clone(), text: text.clone() }).collect();
        let settings: Vec<Override> = self.settings.iter().map(Override::new).collect();
        let loaded = weir_rules::load(&files, &settings);
        loaded.map(|loaded| loaded.rules).map_err(|problems| RulesError::Bad { hash: String::new(), errors: problems.errors() })
    }
}

/// Publishes a set that has been checked, and makes it the one to be in force. `partition` is 0: the topic has one.
///
/// # Errors
/// Where Kafka refuses.
pub fn publish(connection: &Connection, topic: &str, hash: &str, rules: &PublishedRules) -> Result<(), KafkaError> {
    let mut config = connection.config();
    config.set("enable.idempotence", "true");
    let sender = Sender::new(&config)?;
    let text = serde_json::to_vec(rules).unwrap_or_default();
    // In this order: what is current is there already.
    for (key, value) in [(hash, text.as_slice()), (CURRENT, hash.as_bytes())] {
        sender.send(BaseRecord::to(topic).partition(0).key(key).payload(value))?;
        sender.finish(ASK_MAX)?;
    }
    Ok(())
}

/// The topic as far as it was read, and the sets compiled from it. All workers of a process share it: who wants what is on the shelf waits neither for brokers that
/// somebody else asks, nor for a set that somebody else compiles.
pub struct RuleLibrary {
    topic: String,
    /// `None` where there are no others than those at hand.
    reader: Option<Mutex<Reader>>,
    shelf: Mutex<Shelf>,
    /// Held while a set is compiled: those who begin together want the same one, and it is compiled once.
    compiling: Mutex<()>,
    /// The process is to end: brokers are waited for no longer.
    stop: Arc<AtomicBool>,
}

struct Reader {
    consumer: BaseConsumer<Talk>,
    next: i64,
}

/// What is at hand. Nothing that takes long is done while it is locked.
#[derive(Default)]
struct Shelf {
    texts: BTreeMap<String, PublishedRules>,
    compiled: HashMap<String, Arc<RuleSet>>,
    current: Option<String>,
}

impl RuleLibrary {
    /// That of a topic; `stop` ends its waiting for brokers.
    ///
    /// # Errors
    /// Where librdkafka refuses the connection's properties.
    pub fn new(connection: &Connection, topic: &str, stop: Arc<AtomicBool>) -> Result<Self, KafkaError> {
        let mut config = connection.reader();
        config.set("group.id", "weir-rules-reader");
        let reader = Reader { consumer: config.create_with_context(Talk)?, next: 0 };
        Ok(Self { topic: topic.to_owned(), reader: Some(Mutex::new(reader)), shelf: Mutex::default(), compiling: Mutex::default(), stop })
    }

    /// Sets at hand, without a topic.
    #[must_use]
    pub fn of(sets: impl IntoIterator<Item = RuleSet>) -> Self {
        let compiled = sets.into_iter().map(|set| (set.hash.clone(), Arc::new(set))).collect();
        let shelf = Mutex::new(Shelf { compiled, ..Shelf::default() });
        Self { topic: String::new(), reader: None, shelf, compiling: Mutex::default(), stop: Arc::default() }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what has been published since, and tells which set is to be in force.
    pub(crate) fn current(&self) -> Result<Option<String>, RulesError> {
        self.read_on()?;
        Ok(self.shelf().current.clone())
    }

    /// A set by its hash; `None` if it is not published. Brokers that do not answer are waited for: whoever asks cannot go on without it.
    pub(crate) fn get(&self, hash: &str) -> Result<Option<Arc<RuleSet>>, RulesError> {
        if let Some(rules) = self.compiled(hash) {
            return Ok(Some(rules));
        }
        let is_known = self.shelf().texts.contains_key(hash);
        if !is_known {
            patiently(&self.stop, || self.read_on())?;
        }
        let _turn = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = self.compiled(hash) {
            return Ok(Some(rules));
        }
        let texts = self.shelf().texts.get(hash).cloned();
        let Some(texts) = texts else { return Ok(None) };
        let rules = texts.compile().map_err(|error| match error {
            RulesError::Bad { errors, .. } => RulesError::Bad { hash: hash.to_owned(), errors },
            other => other,
        })?;
        if rules.hash != hash {
            return Err(RulesError::Forged { hash: hash.to_owned() });
        }
        let rules = Arc::new(rules);
        self.shelf().compiled.insert(hash.to_owned(), Arc::clone(&rules));
        Ok(Some(rules))
    }

    fn compiled(&self, hash: &str) -> Option<Arc<RuleSet>> {
        self.shelf().compiled.get(hash).cloned()
    }

    fn go_on(&self) -> Result<(), KafkaError> {
        if self.stop.load(Ordering::Relaxed) { Err(KafkaError::Canceled) } else { Ok(()) }
    }

    fn read_on(&self) -> Result<(), KafkaError> {
        let Some(reader) = &self.reader else { return Ok(()) };
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        // Others may have asked meanwhile, one after the other.
        self.go_on()?;
        let Reader { consumer, next } = &mut *reader;
        let ends = consumer.fetch_watermarks(&self.topic, 0, ASK_MAX)?;
        let Some((from, high)) = unread(ends, *next) else { return Ok(()) };
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, 0, Offset::Offset(from))?;
        consumer.assign(&list)?;
        *next = from;
        // The end may be a record of a transaction's, which nobody is given: the position tells.
        let deadline = Instant::now() + ASK_MAX;
        while position(consumer, &self.topic)?.max(*next) < high {
            if Instant::now() > deadline {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
            }
            self.go_on()?;
            let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message?;
            self.shelf().put(message.key().unwrap_or_default(), message.payload().unwrap_or_default());
            *next = message.offset() + 1;
        }
        consumer.unassign()
    }
}

impl Shelf {
    /// Takes in a record of the topic.
    fn put(&mut self, key: &[u8], value: &[u8]) {
        let key = String::from_utf8_lossy(key).into_owned();
        if key == CURRENT {
            self.current = Some(String::from_utf8_lossy(value).into_owned());
        } else if let Ok(rules) = serde_json::from_slice(value) {
            self.texts.insert(key, rules);
        }
    }
}

/// What is to be read of a topic that goes from `low` to `high` and was read up to `next`. One that ends before that was made anew: none of it was read.
fn unread((low, high): (i64, i64), next: i64) -> Option<(i64, i64)> {
    let from = if high < next { low } else { next.max(low) };
    (from < high).then_some((from, high))
}

fn position(consumer: &BaseConsumer<Talk>, topic: &str) -> Result<i64, KafkaError> {
    let position = consumer.position()?;
    Ok(position.find_partition(topic, 0).and_then(|element| element.offset().to_raw()).unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_was_made_anew_is_read_from_its_beginning() {
        assert_eq!(unread((0, 4), 0), Some((0, 4)));
        assert_eq!(unread((0, 6), 4), Some((4, 6)));
        assert_eq!(unread((5, 6), 4), Some((5, 6)), "compacted");
        assert_eq!([unread((0, 4), 4), unread((0, 0), 0), unread((0, 0), 4)], [None; 3]);
        assert_eq!(unread((0, 2), 4), Some((0, 2)), "made anew");
    }
}

//! What the owner of one partition knows of the others: how far they are, and which rule set was announced.
//!
//! There is no channel between splitters but what they commit: every committed offset carries the partition's clock, that of partition 0 also
//! the rule set in force. A partition that is drained does not hold time back; one that lags does, because a tick ahead of its records would
//! make them late.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::TIMEKEEPER;
use crate::client::{Connection, Talk, metadata};
use crate::mark::Mark;

const ASK_MAX: Duration = Duration::from_secs(5);
/// For what may as well be seen the next time.
const GLANCE_MAX: Duration = Duration::from_secs(2);

/// The marks of all partitions, as last looked at.
pub(super) struct Others {
    consumer: BaseConsumer<Talk>,
    topic: String,
    partitions: i32,
    rules: String,
    /// The smallest clock of partitions other than the timekeeper's that are not drained, microseconds; `None` if all are.
    lagging: Option<i64>,
    /// The smallest clock of all partitions that have one.
    earliest: Option<i64>,
    /// Whether the timekeeper's own partition is drained.
    is_drained: bool,
    has_looked: bool,
}

impl Others {
    pub(super) fn new(connection: &Connection, topic: &str, group: &str) -> Result<Self, KafkaError> {
        let mut config = connection.reader();
        config.set("group.id", group);
        let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
        let metadata = metadata(&consumer, Some(topic), ASK_MAX)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        Ok(Self {
            consumer,
            topic: topic.to_owned(),
            partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
            rules: String::new(),
            lagging: None,
            earliest: None,
            is_drained: false,
            has_looked: false,
        })
    }

    /// Reads the marks. Where brokers do not answer, what was known stays.
    pub(super) fn look(&mut self) {
        match self.try_look() {
            Ok(()) => self.has_looked = true,
            Err(error) => tracing::warn!(%error, "the other partitions' offsets cannot be read"),
        }
    }

    fn try_look(&mut self) -> Result<(), KafkaError> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&self.topic, 0, self.partitions - 1);
        let committed = self.consumer.committed_offsets(asked, ASK_MAX)?;
        // Where the timekeeper's own is not to be had, what it announced last stays announced, and the others go on.
        let (mut rules, mut lagging, mut earliest, mut is_drained) = (self.rules.clone(), None, None::<i64>, false);
        for element in committed.elements() {
            let partition = element.partition();
            let mark = Mark::decode(element.metadata());
            let (Offset::Offset(offset), Some(mark)) = (element.offset(), mark) else {
                // It is stopped; until it is mended nobody knows what it holds.
                lagging = Some(i64::MIN);
                continue;
            };
            earliest = earliest.into_iter().chain(mark.clock).min();
            let (_, high) = self.consumer.fetch_watermarks(&self.topic, partition, ASK_MAX)?;
            // All was read, and nothing has come since: its owner may be away.
            let has_nothing_left = offset.max(mark.read_to.unwrap_or(offset)) >= high;
            if partition == TIMEKEEPER {
                rules = mark.rules;
                is_drained = has_nothing_left;
            } else if !has_nothing_left {
                // One that has not begun holds time back altogether.
                let clock = mark.clock.unwrap_or(i64::MIN);
                lagging = Some(lagging.map_or(clock, |least: i64| least.min(clock)));
            }
        }
        (self.rules, self.lagging, self.earliest, self.is_drained) = (rules, lagging, earliest, is_drained);
        Ok(())
    }

    /// Partitions of a topic as brokers say now; `None` where they do not say, or it is not there.
    pub(super) fn partitions_now(&self, topic: &str) -> Option<i32> {
        let metadata = metadata(&self.consumer, Some(topic), GLANCE_MAX).ok()?;
        let found = metadata.topics().first().filter(|topic| topic.error().is_none())?.partitions().len();
        i32::try_from(found).ok().filter(|found| *found > 0)
    }

    /// Partitions of the transactions topic, as the looks count them.
    pub(super) const fn partitions(&self) -> i32 {
        self.partitions
    }

    /// The rule set last announced; empty before the first.
    pub(super) fn rules(&self) -> &str {
        &self.rules
    }

    /// A rule set has been announced by this process, and that is committed.
    pub(super) fn announced(&mut self, rules: &str) {
        if self.rules != rules {
            rules.clone_into(&mut self.rules);
        }
    }

    /// Wall time if everything received is read, else the time that all partitions have reached; `None` before anything was.
    pub(super) fn wall_time(&self, own: Option<i64>) -> Option<i64> {
        if !self.has_looked {
            return None;
        }
        if self.lagging.is_none() && self.is_drained {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            return i64::try_from(now.as_micros()).ok();
        }
        self.event_time(own)
    }

    /// The time that all partitions have reached, given that the timekeeper's has reached `own`; `None` before all have begun or are known to
    /// have nothing.
    pub(super) fn event_time(&self, own: Option<i64>) -> Option<i64> {
        let own = own.filter(|_| self.partitions == 1 || self.has_looked)?;
        match self.lagging {
            Some(i64::MIN) => None,
            Some(lagging) => Some(lagging.min(own)),
            None => Some(own),
        }
    }

    /// The earliest clock of any partition, drained or not; at most `time`.
    pub(super) fn earliest(&self, time: i64) -> i64 {
        self.earliest.map_or(time, |earliest| earliest.min(time))
    }
}

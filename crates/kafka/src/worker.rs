//! The worker: reads partitions of a topic, folds them, and commits what came of it, each record once.
//!
//! One thread, one consumer, one transactional producer. Both roles run on it; what differs is a [`Role`]. The rules it keeps:
//!
//! - There is never an open transaction while the consumer is polled, so a change of ownership cannot fall into one.
//! - Outputs, offsets and marks of a step are committed in one transaction, bound to the consumer's generation: who has lost a partition
//!   cannot commit for it.
//! - On any error there is one way on, [`Worker::recover`]: a new producer, then the committed offsets tell whether the transaction had been
//!   committed (nothing is sent again) or not (the same bytes are sent again).
//! - What was due is void once partitions have changed hands, also where one has come back: somebody else may have gone further meanwhile.
//! - A partition that is taken over is folded from its snapshot to the committed offset with nothing said, and must arrive there with the
//!   digest that was committed. It is in no commit before.
//! - A partition that cannot go on is stopped and said so; the others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::archive::ArchiveError;
use crate::client::log;
use crate::digest::Digest;
use crate::mark::Mark;
use crate::metrics::WorkerMetrics;
use crate::outbox::Outbox;
use crate::outlet::Outlet;
use crate::stop::{Stop, StopCode};

/// How long a question to the brokers may take.
const ASK_MAX: Duration = Duration::from_secs(15);
/// How long questions are repeated while brokers do not answer; then the process ends and whoever supervises it starts it again.
const PATIENCE: Duration = Duration::from_secs(120);
/// Attempts to find out what became of a transaction.
const RECOVERIES_MAX: u32 = 5;
/// How long the state of a partition that went elsewhere is kept, in case it comes back.
const RETAIN_MAX: Duration = Duration::from_secs(60);
/// How long a worker that is told to end may take to write its state out: less than any session time-out.
const CLOSE_MAX: Duration = Duration::from_secs(4);
/// How often progress is committed that caused no output.
const IDLE_COMMIT: Duration = Duration::from_secs(1);
/// Bytes of input that end a step.
const INPUT_BYTES_MAX: usize = 4 << 20;

/// A record of the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'m> {
    pub(crate) offset: i64,
    /// When the broker took it, milliseconds; `None` where it does not say.
    pub(crate) received: Option<i64>,
    pub(crate) key: &'m [u8],
    pub(crate) value: &'m [u8],
}

/// Where a partition begins to be read.
pub(crate) struct Opening<S> {
    pub(crate) state: S,
    /// The first offset to read: at most the committed one.
    pub(crate) from: i64,
}

/// Where a partition stands when it is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) partition: i32,
    /// The committed offset.
    pub(crate) committed: i64,
    /// The first offset that is still there.
    pub(crate) low: i64,
}

/// What a worker does with its records.
pub(crate) trait Role: Send + 'static {
    /// Of one partition.
    type State: Send + 'static;

    /// State and beginning for a partition; `mark` is that of the committed offset.
    fn open(&mut self, standing: Standing, mark: &Mark) -> Result<Opening<Self::State>, Stop>;

    /// Folds records. Where `is_replay`, outputs are thrown away by the caller, and must be made all the same for the digest.
    fn fold(
        &mut self,
        partition: i32,
        state: &mut Self::State,
        records: &[Record<'_>],
        is_replay: bool,
        outbox: &mut Outbox,
    ) -> Result<(), Stop>;

    /// Whether records may be folded yet. A partition that is not ready is not read.
    fn is_ready(&self, _partition: i32, _state: &Self::State) -> bool {
        true
    }

    /// Looks around, once a step, whatever the partitions are at: a partition that waits to be ready waits for this.
    fn look(&mut self) {}

    /// Looks at what no record causes, in a partition that is not being replayed. `true` if the mark changed and wants to be committed.
    fn tend(&mut self, partition: i32, state: &mut Self::State, outbox: &mut Outbox) -> Result<bool, Stop>;

    /// What the next committed offset carries.
    fn mark(&self, state: &Self::State) -> Mark;

    /// Told after every commit: the state is exactly that of the committed offset.
    fn committed(&mut self, partition: i32, state: &mut Self::State, offset: i64);

    /// The worker is about to end, with everything committed: what spares the next one work may be begun now, and [`Role::tend`] asks for
    /// what is to be committed of it.
    fn close(&mut self, _partition: i32, _state: &mut Self::State) {}

    /// Whether all that was begun is done and committed.
    fn is_closed(&self) -> bool {
        true
    }
}

/// A partition this worker owns.
struct Slot<S> {
    state: S,
    /// The next offset to fold.
    next: i64,
    /// What is committed.
    committed: (i64, String),
    /// The digest to arrive with at the committed offset; `None` once it was compared.
    expected: Option<Digest>,
    outbox: Outbox,
    /// Something is to be committed besides `next`.
    is_marked: bool,
    /// Nothing was left to read when it was last polled; and whether the committed mark says so.
    is_drained: bool,
    is_known_drained: bool,
}

struct Retained<S> {
    state: S,
    next: i64,
    since: Instant,
}

/// What the consumer's callbacks and the worker's loop share. They run on one thread, one at a time.
struct Desk<R: Role> {
    role: R,
    topic: Arc<str>,
    slots: BTreeMap<i32, Slot<R::State>>,
    retained: BTreeMap<i32, Retained<R::State>>,
    stops: BTreeMap<i32, Stop>,
    /// Partitions that the consumer reads: those that are ready.
    reading: BTreeSet<i32>,
    group: Option<ConsumerGroupMetadata>,
    /// Counts the assignments of the consumer. Messages polled before the last one are thrown away: partitions are read again from where
    /// their slots stand, and what came before must not be taken for what comes next.
    epoch: u64,
    /// Counts the changes of ownership. What was due before the last one is void, also where a partition came back: its slot begins anew from
    /// what is committed, and whoever had it meanwhile may have gone further.
    tenure: u64,
    /// An assignment that could not be taken up: the worker ends.
    failure: Option<KafkaError>,
    metrics: WorkerMetrics,
    /// The process is to end.
    stop: Arc<AtomicBool>,
}

struct Seat<R: Role>(Mutex<Desk<R>>);

impl<R: Role> Seat<R> {
    fn desk(&self) -> MutexGuard<'_, Desk<R>> {
        // A panic inside a fold ends the worker; until then the desk is still of use for telling so.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Role> ClientContext for Seat<R> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
    }
}

impl<R: Role> ConsumerContext for Seat<R> {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let mut desk = self.desk();
        desk.epoch += 1;
        desk.tenure += 1;
        let is_assignment = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        // A worker that is about to end takes nothing up any more; librdkafka only waits for an answer.
        let done = if is_assignment && !desk.stop.load(Ordering::Relaxed) {
            desk.assigned(consumer, partitions)
        } else {
            desk.revoked();
            consumer.unassign()
        };
        if let Err(error) = done {
            desk.failure = Some(error);
            let _ = consumer.unassign();
        }
    }
}

impl<R: Role> Desk<R> {
    fn assigned(&mut self, consumer: &BaseConsumer<Seat<R>>, partitions: &TopicPartitionList) -> Result<(), KafkaError> {
        let numbers: Vec<i32> =
            partitions.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect();
        self.stops.clear();
        let committed = patiently(&self.stop, || consumer.committed_offsets(partitions.clone(), ASK_MAX))?;
        for element in committed.elements() {
            element.error()?;
            let partition = element.partition();
            let (low, high) = patiently(&self.stop, || consumer.fetch_watermarks(&self.topic, partition, ASK_MAX))?;
            if let Err(stop) = self.open(partition, element.offset(), element.metadata(), (low, high)) {
                self.stop(partition, stop);
            }
        }
        consumer.assign(&self.positions()?)?;
        self.group = consumer.group_metadata();
        self.retained.clear();
        self.metrics.assigned(&self.slots.keys().copied().collect::<Vec<_>>());
        tracing::info!(topic = %self.topic, partitions = ?numbers, "assigned");
        Ok(())
    }

    /// Takes a partition up.
    fn open(&mut self, partition: i32, committed: Offset, metadata: &str, (low, high): (i64, i64)) -> Result<(), Stop> {
        let topic = &self.topic;
        let Offset::Offset(offset) = committed else {
            return Err(Stop::new(
                StopCode::OffsetMissing,
                format!(
                    "no offset is committed for {topic}/{partition}: the group is new, it or the topic was deleted, or it has been idle for \
                     longer than the broker keeps offsets. A new installation: run `weir topics create`. Else restore the offsets; where to, \
                     the newest snapshot says"
                ),
            ));
        };
        let mark = Mark::decode(metadata).ok_or_else(|| {
            Stop::new(
                StopCode::OffsetForeign,
                format!("the offset {offset} committed for {topic}/{partition} was not committed by weir; put back the one that was"),
            )
        })?;
        if offset > high {
            return Err(Stop::new(
                StopCode::LogShrunk,
                format!(
                    "{topic}/{partition} ends at {high}, before the committed offset {offset}: the topic was made anew or has lost records"
                ),
            ));
        }
        let retained = self.retained.remove(&partition);
        let reusable = retained.filter(|old| old.next == offset && self.role.mark(&old.state).digest == mark.digest);
        let opening = match reusable {
            Some(old) => Opening { state: old.state, from: offset },
            None => self.role.open(Standing { partition, committed: offset, low }, &mark)?,
        };
        let from = opening.from;
        if from < low {
            return Err(truncated(topic, partition, from, low));
        }
        let expected = (from < offset).then_some(mark.digest);
        if expected.is_none() && self.role.mark(&opening.state).digest != mark.digest {
            return Err(digest_differs(topic, partition, offset));
        }
        let slot = Slot {
            state: opening.state,
            next: from,
            committed: (offset, metadata.to_owned()),
            expected,
            outbox: Outbox::default(),
            is_marked: false,
            is_drained: false,
            is_known_drained: mark.is_drained,
        };
        self.slots.insert(partition, slot);
        Ok(())
    }

    fn revoked(&mut self) {
        let since = Instant::now();
        self.metrics.revoked(self.slots.keys().chain(self.stops.keys()).copied());
        for (partition, slot) in std::mem::take(&mut self.slots) {
            // What has unsent outputs is ahead of what is committed, and of no use.
            if slot.outbox.is_empty() && slot.expected.is_none() {
                self.retained.insert(partition, Retained { state: slot.state, next: slot.next, since });
            }
        }
        self.reading.clear();
        self.group = None;
        tracing::info!(topic = %self.topic, "revoked");
    }

    fn stop(&mut self, partition: i32, stop: Stop) {
        self.slots.remove(&partition);
        tracing::error!(topic = %self.topic, partition, code = stop.code.code(), "stopped: {}", stop.text);
        self.metrics.stopped(partition, stop.code);
        self.stops.insert(partition, stop);
    }

    /// Folds what was read of a partition. `true` if the partition had to be stopped.
    fn fold(&mut self, partition: i32, records: &[Record<'_>]) -> bool {
        let Some(slot) = self.slots.get_mut(&partition) else { return false };
        let records = &records[records.partition_point(|record| record.offset < slot.next)..];
        let Some(last) = records.last() else { return false };
        let replayed = records.partition_point(|record| record.offset < slot.committed.0);
        let (replay, live) = records.split_at(if slot.expected.is_some() { replayed } else { 0 });
        let done = (|| {
            if !replay.is_empty() {
                self.role.fold(partition, &mut slot.state, replay, true, &mut slot.outbox)?;
                slot.outbox.clear();
            }
            if live.is_empty() {
                return Ok(());
            }
            if let Some(expected) = slot.expected.take()
                && expected != self.role.mark(&slot.state).digest
            {
                return Err(digest_differs(&self.topic, partition, slot.committed.0));
            }
            self.role.fold(partition, &mut slot.state, live, false, &mut slot.outbox)
        })();
        slot.next = last.offset + 1;
        self.metrics.folded(live.len());
        self.metrics.received(partition, last.received);
        done.is_err_and(|stop| {
            self.stop(partition, stop);
            true
        })
    }

    fn drained(&mut self, partition: i32, is_drained: bool) {
        if let Some(slot) = self.slots.get_mut(&partition) {
            slot.is_drained = is_drained;
            if is_drained {
                self.metrics.drained(partition);
            }
        }
    }

    fn tend(&mut self) -> bool {
        self.role.look();
        let mut stops = Vec::new();
        for (partition, slot) in &mut self.slots {
            if slot.expected.is_some() {
                continue;
            }
            match self.role.tend(*partition, &mut slot.state, &mut slot.outbox) {
                Ok(is_marked) => slot.is_marked |= is_marked,
                Err(stop) => stops.push((*partition, stop)),
            }
        }
        self.retained.retain(|_, retained| retained.since.elapsed() < RETAIN_MAX);
        let has_stopped = !stops.is_empty();
        stops.into_iter().for_each(|(partition, stop)| self.stop(partition, stop));
        has_stopped
    }

    fn ready(&self) -> BTreeSet<i32> {
        self.slots
            .iter()
            .filter(|(partition, slot)| self.role.is_ready(**partition, &slot.state))
            .map(|(partition, _)| *partition)
            .collect()
    }

    /// Where reading goes on, for the partitions that are neither stopped nor not ready yet.
    fn positions(&mut self) -> Result<TopicPartitionList, KafkaError> {
        self.reading = self.ready();
        let mut list = TopicPartitionList::with_capacity(self.reading.len());
        for partition in &self.reading {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(self.slots[partition].next))?;
        }
        Ok(list)
    }

    /// Partitions with something to commit, and the offset and mark to commit for each.
    fn due(&self) -> BTreeMap<i32, (i64, String)> {
        let has_news = |slot: &Slot<R::State>| slot.next > slot.committed.0 || slot.is_marked || slot.is_drained != slot.is_known_drained;
        let due = self.slots.iter().filter(|(_, slot)| slot.expected.is_none() && has_news(slot));
        let mark = |slot: &Slot<R::State>| Mark { is_drained: slot.is_drained, ..self.role.mark(&slot.state) }.encode();
        due.map(|(partition, slot)| (*partition, (slot.next, mark(slot)))).collect()
    }

    fn settle(&mut self, done: &BTreeMap<i32, (i64, String)>) {
        for (partition, committed) in done {
            if let Some(slot) = self.slots.get_mut(partition) {
                slot.committed = committed.clone();
                slot.outbox.clear();
                slot.is_marked = false;
                slot.is_known_drained = Mark::decode(&committed.1).is_some_and(|mark| mark.is_drained);
                self.role.committed(*partition, &mut slot.state, committed.0);
                self.metrics.committed(*partition, committed.0);
            }
        }
    }
}

fn digest_differs(topic: &str, partition: i32, offset: i64) -> Stop {
    Stop::new(
        StopCode::DigestDiffers,
        format!(
            "replaying {topic}/{partition} up to the committed offset {offset} did not lead to the committed state: the log, a snapshot or the \
             program is not what it was"
        ),
    )
}

fn truncated(topic: &str, partition: i32, from: i64, low: i64) -> Stop {
    Stop::new(
        StopCode::LogTruncated,
        format!(
            "{topic}/{partition} must be read from {from}, but begins at {low}: records that are needed were deleted. Restore a snapshot at or \
             after {low}, and keep records longer (retention)"
        ),
    )
}

/// How a worker is configured.
pub(crate) struct WorkerSettings {
    pub(crate) topic: Arc<str>,
    pub(crate) consumer: ClientConfig,
    pub(crate) producer: ClientConfig,
    /// How long a step gathers records.
    pub(crate) commit_interval: Duration,
}

/// Why a worker ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The brokers did not answer, or refused.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// A transaction's outcome could not be found out.
    #[error("what became of a transaction could not be found out after {0} attempts")]
    Unresolved(u32),
    /// The archiver's.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
}

/// A worker, ready to run.
pub(crate) struct Worker<R: Role> {
    settings: WorkerSettings,
    consumer: BaseConsumer<Seat<R>>,
    outlet: Outlet,
    /// Records polled while recovering, still to be folded, and the epoch they are of.
    stash: (u64, Vec<OwnedMessage>),
    last_commit: Instant,
    /// When the last step had its records.
    gathered: Instant,
    metrics: WorkerMetrics,
    stop: Arc<AtomicBool>,
}

impl<R: Role> Worker<R> {
    pub(crate) fn new(settings: WorkerSettings, role: R, metrics: WorkerMetrics, stop: Arc<AtomicBool>) -> Result<Self, WorkerError> {
        let desk = Desk {
            role,
            topic: Arc::clone(&settings.topic),
            slots: BTreeMap::new(),
            retained: BTreeMap::new(),
            stops: BTreeMap::new(),
            reading: BTreeSet::new(),
            group: None,
            epoch: 0,
            tenure: 0,
            failure: None,
            metrics: metrics.clone(),
            stop: Arc::clone(&stop),
        };
        let consumer: BaseConsumer<Seat<R>> = settings.consumer.create_with_context(Seat(Mutex::new(desk)))?;
        let outlet = Outlet::new(settings.producer.clone());
        Ok(Self {
            settings,
            consumer,
            outlet,
            stash: (0, Vec::new()),
            last_commit: Instant::now(),
            gathered: Instant::now(),
            metrics,
            stop,
        })
    }

    /// Works until it is told to end. Ends with everything folded committed.
    pub(crate) fn run(mut self) -> Result<(), WorkerError> {
        patiently(&self.stop, || self.outlet.renew())?;
        self.consumer.subscribe(&[&self.settings.topic])?;
        while !self.stop.load(Ordering::Relaxed) {
            self.step()?;
        }
        self.commit()?;
        self.close()
    }

    /// Lets the role finish what spares the next worker work, for as long as may be.
    fn close(&mut self) -> Result<(), WorkerError> {
        {
            let mut desk = self.consumer.context().desk();
            let Desk { role, slots, .. } = &mut *desk;
            let settled = slots.iter_mut().filter(|(_, slot)| slot.expected.is_none() && slot.next == slot.committed.0);
            settled.for_each(|(partition, slot)| role.close(*partition, &mut slot.state));
        }
        let deadline = Instant::now() + CLOSE_MAX;
        while Instant::now() < deadline && !self.consumer.context().desk().role.is_closed() {
            thread::sleep(Duration::from_millis(5));
            self.consumer.context().desk().tend();
            self.commit()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), WorkerError> {
        let (has_changed, gathered) = {
            let (epoch, stash) = std::mem::take(&mut self.stash);
            let batch = self.gather()?;
            let gathered = Instant::now();
            let mut desk = self.consumer.context().desk();
            let is_fresh = epoch == desk.epoch;
            let mut has_stopped = is_fresh && fold_all(&mut desk, stash.iter());
            has_stopped |= fold_all(&mut desk, batch.iter());
            has_stopped |= desk.tend();
            (has_stopped || desk.ready() != desk.reading, gathered)
        };
        self.gathered = gathered;
        self.metrics.alive();
        if let Some(error) = self.consumer.context().desk().failure.take() {
            return Err(error.into());
        }
        if has_changed {
            self.reassign()?;
        }
        let is_urgent = self.consumer.context().desk().slots.values().any(|slot| !slot.outbox.is_empty() || slot.is_marked);
        if is_urgent || self.last_commit.elapsed() >= IDLE_COMMIT {
            self.commit()?;
        }
        Ok(())
    }

    /// Polls until one commit interval has passed since the step before had its records, or until there is enough. What came while they were
    /// folded and committed has waited already: it is given a quarter of the interval more.
    fn gather(&self) -> Result<Vec<BorrowedMessage<'_>>, WorkerError> {
        let interval = self.settings.commit_interval;
        let deadline = (self.gathered + interval).max(Instant::now() + interval / 4);
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut epoch = self.consumer.context().desk().epoch;
        while bytes < INPUT_BYTES_MAX {
            let left = deadline.saturating_duration_since(Instant::now());
            let polled = self.consumer.poll(left);
            let epoch_now = self.consumer.context().desk().epoch;
            if std::mem::replace(&mut epoch, epoch_now) != epoch_now {
                batch.clear();
            }
            match polled {
                Some(Ok(message)) => {
                    self.consumer.context().desk().drained(message.partition(), false);
                    bytes += message.payload_len() + message.key_len();
                    batch.push(message);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => self.consumer.context().desk().drained(partition, true),
                Some(Err(error)) => self.complain(error)?,
                None => {}
            }
            if left.is_zero() {
                break;
            }
        }
        Ok(batch)
    }

    /// An error of the consumer: a partition whose offset is gone is stopped, a fatal one ends the worker, others mend themselves.
    fn complain(&self, error: KafkaError) -> Result<(), WorkerError> {
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(error.into());
        }
        tracing::warn!(topic = %self.settings.topic, %error, "reading");
        let mut desk = self.consumer.context().desk();
        let positions: Vec<(i32, i64)> = desk.slots.iter().map(|(partition, slot)| (*partition, slot.next)).collect();
        let mut has_stopped = false;
        for (partition, next) in positions {
            let Ok((low, high)) = self.consumer.fetch_watermarks(&self.settings.topic, partition, ASK_MAX) else { continue };
            if next < low {
                desk.stop(partition, truncated(&self.settings.topic, partition, next, low));
                has_stopped = true;
            } else if next > high {
                let text = format!("{}/{partition} ends at {high}, before the offset {next} that was read", self.settings.topic);
                desk.stop(partition, Stop::new(StopCode::LogShrunk, text));
                has_stopped = true;
            }
        }
        drop(desk);
        if has_stopped { self.reassign() } else { Ok(()) }
    }

    /// Reads on without the partitions that were stopped.
    fn reassign(&self) -> Result<(), WorkerError> {
        let mut desk = self.consumer.context().desk();
        desk.epoch += 1;
        let positions = desk.positions()?;
        drop(desk);
        Ok(self.consumer.assign(&positions)?)
    }

    fn commit(&mut self) -> Result<(), WorkerError> {
        self.last_commit = Instant::now();
        let due = self.consumer.context().desk().due();
        if due.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        if let Err(error) = self.try_commit(&due) {
            tracing::warn!(topic = %self.settings.topic, %error, "a transaction failed; recovering");
            return self.recover(due);
        }
        self.metrics.commit_took(begun.elapsed());
        self.consumer.context().desk().settle(&due);
        Ok(())
    }

    fn try_commit(&mut self, due: &BTreeMap<i32, (i64, String)>) -> Result<(), KafkaError> {
        let desk = self.consumer.context().desk();
        // Between two assignments nothing is owned, and nothing is due.
        let group = desk.group.as_ref().ok_or(KafkaError::Global(RDKafkaErrorCode::State))?;
        let mut offsets = TopicPartitionList::with_capacity(due.len());
        for (partition, (offset, mark)) in due {
            let mut element = offsets.add_partition(&self.settings.topic, *partition);
            element.set_offset(Offset::Offset(*offset))?;
            element.set_metadata(mark);
        }
        let outboxes = desk.slots.iter().filter(|(partition, _)| due.contains_key(partition)).map(|(_, slot)| &slot.outbox);
        self.outlet.commit(outboxes, &offsets, group)
    }

    /// The only way on after an error: see the module.
    fn recover(&mut self, mut due: BTreeMap<i32, (i64, String)>) -> Result<(), WorkerError> {
        let deadline = Instant::now() + PATIENCE;
        let tenure = self.consumer.context().desk().tenure;
        for attempt in 1..=RECOVERIES_MAX {
            self.metrics.recovering();
            if attempt > 1 {
                thread::sleep(Duration::from_millis(200) * attempt);
            }
            if Instant::now() > deadline {
                break;
            }
            self.serve()?;
            if let Err(error) = self.outlet.renew() {
                tracing::warn!(topic = %self.settings.topic, %error, attempt, "no new producer");
                continue;
            }
            self.serve()?;
            match self.sort_out(&mut due, tenure) {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(topic = %self.settings.topic, %error, attempt, "offsets cannot be read");
                    continue;
                }
            }
            if due.is_empty() {
                return Ok(());
            }
            match self.try_commit(&due) {
                Ok(()) => {
                    self.consumer.context().desk().settle(&due);
                    return Ok(());
                }
                Err(error) => tracing::warn!(topic = %self.settings.topic, %error, attempt, "a transaction failed again"),
            }
        }
        Err(WorkerError::Unresolved(RECOVERIES_MAX))
    }

    /// Takes out of `due` what is committed already, and what is not this worker's any more, or anew: all, if partitions have changed hands
    /// since `tenure`.
    fn sort_out(&self, due: &mut BTreeMap<i32, (i64, String)>, tenure: u64) -> Result<(), KafkaError> {
        let mut asked = TopicPartitionList::with_capacity(due.len());
        due.retain(|partition, _| {
            let desk = self.consumer.context().desk();
            desk.tenure == tenure && desk.slots.contains_key(partition)
        });
        due.keys().for_each(|partition| {
            asked.add_partition(&self.settings.topic, *partition);
        });
        if due.is_empty() {
            return Ok(());
        }
        let found = self.consumer.committed_offsets(asked, ASK_MAX)?;
        let mut desk = self.consumer.context().desk();
        for element in found.elements() {
            element.error()?;
            let partition = element.partition();
            let Offset::Offset(offset) = element.offset() else { continue };
            let found = (offset, element.metadata().to_owned());
            let (Some(wanted), Some(slot)) = (due.get(&partition), desk.slots.get(&partition)) else { continue };
            if found == *wanted {
                let done = BTreeMap::from([(partition, found)]);
                desk.settle(&done);
                due.remove(&partition);
            } else if found != slot.committed {
                // Somebody else has been here since: the next assignment tells where to go on.
                desk.slots.remove(&partition);
                due.remove(&partition);
            }
        }
        Ok(())
    }

    /// Lets the group's changes happen; what is read meanwhile waits.
    fn serve(&mut self) -> Result<(), WorkerError> {
        for _ in 0..4 {
            match self.consumer.poll(Duration::from_millis(5)) {
                Some(Ok(message)) => {
                    let epoch = self.consumer.context().desk().epoch;
                    if self.stash.0 != epoch {
                        self.stash = (epoch, Vec::new());
                    }
                    let message = message.detach();
                    self.stash.1.push(message);
                }
                Some(Err(KafkaError::PartitionEOF(_))) | None => {}
                Some(Err(error)) => self.complain(error)?,
            }
        }
        Ok(())
    }
}

/// Folds messages, those of one partition together; records already folded, or of partitions not owned, are passed over.
fn fold_all<'m, R: Role, M: Message + 'm>(desk: &mut Desk<R>, messages: impl Iterator<Item = &'m M>) -> bool {
    let mut batches: BTreeMap<i32, Vec<Record<'m>>> = BTreeMap::new();
    for message in messages {
        batches.entry(message.partition()).or_default().push(Record {
            offset: message.offset(),
            received: message.timestamp().to_millis(),
            key: message.key().unwrap_or_default(),
            value: message.payload().unwrap_or_default(),
        });
    }
    let mut has_stopped = false;
    for (partition, records) in batches {
        has_stopped |= desk.fold(partition, &records);
    }
    has_stopped
}

/// Asks again while brokers do not answer, unless the process is to end.
pub(crate) fn patiently<T>(stop: &AtomicBool, mut ask: impl FnMut() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) if Instant::now() >= deadline || stop.load(Ordering::Relaxed) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "no answer yet");
                thread::sleep(Duration::from_millis(500));
            }
        }
    }
}

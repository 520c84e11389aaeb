//! The worker: reads partitions of a topic, folds them, and commits what came of it, each record once.
//!
//! One thread, one consumer, one transactional producer. *Split* and *detect* run on it, and what differs between them is a [`Role`]; *archive*, which writes no topic,
//! has a loop of its own ([`archive`](crate::archive)). The rules it keeps:
//!
//! - There is never an open transaction while the consumer is polled, so a change of ownership cannot fall into one.
//! - Outputs, offsets and marks of a step are committed in one transaction, bound to the consumer's generation: who has lost a partition
//!   cannot commit for it.
//! - On any error there is one way on, [`Worker::recover`]: a new producer, then the committed offsets tell whether the transaction had been
//!   committed (nothing is sent again) or not (the same bytes are sent again). A worker that ends has no need of it for the pointer to its newest snapshot.
//! - What was due is void once partitions have changed hands, also where one has come back: somebody else may have gone further meanwhile. Where that is seen
//!   by the offset alone, the partition is taken up anew from there: no change of hands need follow.
//! - A partition that is taken over is folded from its snapshot to the committed offset with nothing said, and must arrive there with the
//!   digest that was committed. It is in no commit before.
//! - A partition that cannot go on is stopped and said so; the others go on.
//! - A role may want its partitions in step ([`Role::time`]): what was read of one that is ahead waits for those that are behind, unless nothing
//!   comes of them. It waits in its [`Slot`](desk::Slot), unfolded and so uncommitted, and is read again whenever partitions are assigned anew.

mod desk;
mod role;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use self::desk::{Desk, Seat, list, replaced, truncated};
pub(crate) use self::role::{Opening, Record, Role, Standing};
use crate::archive::ArchiveError;
use crate::client::committed;
use crate::metrics::WorkerMetrics;
use crate::outlet::Outlet;
use crate::stop::{Stop, StopCode};

/// How long a question to the brokers may take.
const ASK_MAX: Duration = Duration::from_secs(15);
/// How long questions are repeated while brokers do not answer; then the process ends and whoever supervises it starts it again.
const PATIENCE: Duration = Duration::from_secs(120);
/// Attempts to find out what became of a transaction.
const RECOVERIES_MAX: u32 = 5;
/// How long a worker that is told to end may take to write its state out: less than any session time-out.
const CLOSE_MAX: Duration = Duration::from_secs(4);
/// How often the same error of reading is logged.
const SAID_AGAIN: Duration = Duration::from_secs(1);
/// How often progress is committed that caused no output.
const IDLE_COMMIT: Duration = Duration::from_secs(1);
/// Bytes of input that end a step.
const INPUT_BYTES_MAX: usize = 4 << 20;

/// Records after which it is looked at the time though more are at hand.
const RECORDS_A_LOOK: usize = 64;

/// What a step has been given since partitions were assigned last.
#[derive(Default)]
struct Gathered<'c> {
    records: Vec<BorrowedMessage<'c>>,
    bytes: usize,
    /// Per partition that gave something or said that it has nothing: which of both it did last.
    drained: BTreeMap<i32, bool>,
}

/// The memory of a list, for things that live otherwise: what a step needs is several megabytes, and memory that is given back each time is taken from
/// the system again page by page.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.into_iter().map(|_| unreachable!("an empty list has nothing")).collect()
}

impl<'c> Gathered<'c> {
    fn take(&mut self, message: BorrowedMessage<'c>) {
        self.drained.insert(message.partition(), false);
        self.bytes += message.payload_len() + message.key_len();
        self.records.push(message);
    }
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
    /// The brokers refused what will not be otherwise until somebody changes it.
    #[error("Kafka: {error}: {remedy}")]
    Refused {
        /// What they said.
        error: KafkaError,
        /// What to do.
        remedy: &'static str,
    },
    /// Party data stand still.
    #[error(
        "party data cannot be read on from {topic} ({error}). If the topic was made anew or cut: a new start reads it from its beginning, and where it was made anew, \
         send them again with `weir feed --parties`. Else see whether this user may describe and read it"
    )]
    Parties {
        /// Their topic.
        topic: String,
        /// What the consumer said.
        error: KafkaError,
    },
    /// A transaction failed, and whatever was tried since.
    #[error(
        "a transaction over {topic} failed, and what was tried since neither found out what became of it nor sent it again (attempts: {attempts}); the last error: \
         {error}. Nothing is lost: started again, the process finds out and goes on. Where it ends like this again, brokers need help: whether all of them run, and \
         every partition has a leader, those of __consumer_offsets and __transaction_state too; their logs say more"
    )]
    Unresolved {
        /// What the worker reads.
        topic: String,
        /// How often it was tried.
        attempts: u32,
        /// What the last one came to.
        error: KafkaError,
    },
    /// What its role needs is not as it was, or not to be had just now.
    #[error("{0}")]
    Unfit(Stop),
    /// The archiver's.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
}

/// A worker, ready to run.
pub(crate) struct Worker<R: Role> {
    settings: WorkerSettings,
    consumer: BaseConsumer<Seat<R>>,
    outlet: Outlet,
    last_commit: Instant,
    /// When the last step had its records.
    gathered: Instant,
    /// Memory for those of the next.
    spare: Cell<Vec<BorrowedMessage<'static>>>,
    /// Something was said of the topic that may mean that it was deleted.
    is_suspect: Cell<bool>,
    /// What was complained of last, and when.
    complaint: Cell<Option<(Option<RDKafkaErrorCode>, Instant)>>,
    metrics: WorkerMetrics,
    stop: Arc<AtomicBool>,
}

impl<R: Role> Worker<R> {
    pub(crate) fn new(settings: WorkerSettings, role: R, metrics: WorkerMetrics, stop: Arc<AtomicBool>) -> Result<Self, WorkerError> {
        let desk = Desk::new(role, Arc::clone(&settings.topic), metrics.clone(), Arc::clone(&stop));
        let consumer: BaseConsumer<Seat<R>> = settings.consumer.create_with_context(Seat::new(desk))?;
        let outlet = Outlet::new(settings.producer.clone());
        let now = Instant::now();
        Ok(Self {
            settings,
            consumer,
            outlet,
            last_commit: now,
            gathered: now,
            spare: Cell::default(),
            is_suspect: Cell::new(false),
            complaint: Cell::default(),
            metrics,
            stop,
        })
    }

    /// Works until it is told to end. Ends with everything folded committed.
    pub(crate) fn run(mut self) -> Result<(), WorkerError> {
        match patiently(&self.stop, || self.outlet.renew()) {
            Ok(()) => {}
            // Nothing has been taken up yet.
            Err(KafkaError::Canceled) => return Ok(()),
            Err(error) => return Err(refused(error)),
        }
        self.consumer.subscribe(&[&self.settings.topic])?;
        while !self.stop.load(Ordering::Relaxed) {
            self.step()?;
        }
        self.commit()?;
        self.close()
    }

    /// Lets the role finish what spares the next worker work, for as long as may be.
    fn close(&mut self) -> Result<(), WorkerError> {
        let deadline = Instant::now() + CLOSE_MAX;
        {
            let mut desk = self.consumer.context().desk();
            let Desk { role, slots, .. } = &mut *desk;
            let settled = slots.iter_mut().filter(|(_, slot)| slot.expected.is_none() && slot.next == slot.committed.0);
            // A state may be large, and many may be: those for which there is no time cost the next start some.
            settled.take_while(|_| Instant::now() < deadline).for_each(|(partition, slot)| role.close(*partition, &mut slot.state));
        }
        while Instant::now() < deadline && !self.consumer.context().desk().is_closed() {
            thread::sleep(Duration::from_millis(5));
            self.consumer.context().desk().tend();
            let due = self.consumer.context().desk().due();
            if due.is_empty() || !self.is_still_there()? {
                continue;
            }
            // Nearly always only the pointers are left. Brokers that are away are not waited for: either outcome leads the next start to the same state.
            if let Err(error) = self.try_commit(&due) {
                tracing::warn!(topic = %self.settings.topic, %error, "what was left may not be committed; it is read again, and a restart takes longer");
                break;
            }
            self.consumer.context().desk().settle(&due);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), WorkerError> {
        let (has_changed, wait, gathered) = {
            let batch = self.gather()?;
            let gathered = Instant::now();
            let mut desk = self.consumer.context().desk();
            let mut has_stopped = desk.fold_all(batch.iter().map(|message| (message.partition(), Record::of(message))));
            has_stopped |= desk.tend();
            let has_changed = has_stopped || desk.ready() != desk.reading;
            self.spare.set(emptied(batch));
            (has_changed, desk.wait(), gathered)
        };
        self.gathered = gathered;
        self.metrics.alive();
        self.metrics.waits(wait);
        if let Some(error) = self.consumer.context().desk().failure.take() {
            return Err(error);
        }
        if has_changed {
            self.reassign()?;
        }
        self.pause_and_resume()?;
        let is_urgent = self.consumer.context().desk().slots.values().any(|slot| !slot.outbox.is_empty() || slot.is_marked);
        if is_urgent || self.last_commit.elapsed() >= IDLE_COMMIT {
            self.commit()?;
        }
        Ok(())
    }

    /// Polls until one commit interval has passed since the step before had its records, or until there is enough. What came while they were
    /// folded and committed has waited already: it is given a quarter of the interval more.
    ///
    /// Neither is the deadline looked at nor the desk locked for each record: both cost as much as being given one.
    fn gather(&self) -> Result<Vec<BorrowedMessage<'_>>, WorkerError> {
        let interval = self.settings.commit_interval;
        let deadline = (self.gathered + interval).max(Instant::now() + interval / 4);
        let seat = self.consumer.context();
        let mut gathered = Gathered { records: emptied(self.spare.take()), ..Gathered::default() };
        let mut epoch = seat.epoch();
        while gathered.bytes < INPUT_BYTES_MAX {
            // What is at hand is taken at once; only where nothing is, it is waited for.
            let mut polled = self.consumer.poll(Duration::ZERO);
            let is_waiting = polled.is_none();
            let mut left = Duration::MAX;
            // Errors and ends of partitions are few, unless something is wrong: then the deadline matters most.
            let is_record = matches!(polled, Some(Ok(_)));
            if !is_record || gathered.records.len().is_multiple_of(RECORDS_A_LOOK) {
                let begun = Instant::now();
                left = deadline.saturating_duration_since(begun);
                if is_waiting {
                    polled = self.consumer.poll(left);
                }
                // What a change of ownership takes is no idleness.
                if polled.is_none() && seat.epoch() == epoch {
                    seat.desk().idled(begun.elapsed());
                }
            }
            if std::mem::replace(&mut epoch, seat.epoch()) != epoch {
                gathered = Gathered::default();
            }
            match polled {
                Some(Ok(message)) => gathered.take(message),
                Some(Err(KafkaError::PartitionEOF(partition))) => _ = gathered.drained.insert(partition, true),
                Some(Err(error)) => self.complain(error)?,
                None => {}
            }
            if left.is_zero() {
                break;
            }
        }
        // A complaint in the last round may have assigned partitions anew.
        if seat.epoch() != epoch {
            gathered = Gathered::default();
        }
        let ends = self.ends(gathered.drained.values().any(|is_drained| *is_drained))?;
        let mut desk = seat.desk();
        for (partition, is_drained) in gathered.drained {
            desk.drained(partition, is_drained.then(|| end_of(&ends, partition)));
        }
        drop(desk);
        Ok(gathered.records)
    }

    /// Where the consumer stands, if that is wanted: behind the marks of transactions too, which nobody is given.
    fn ends(&self, is_wanted: bool) -> Result<TopicPartitionList, KafkaError> {
        if is_wanted { self.consumer.position() } else { Ok(TopicPartitionList::new()) }
    }

    /// Whether an error is another one than was complained of just now: each partition says the same of a broker that is away, over and over.
    fn is_news(&self, error: &KafkaError) -> bool {
        let (code, now) = (error.rdkafka_error_code(), Instant::now());
        let is_news = self.complaint.get().is_none_or(|(last, at)| last != code || now - at >= SAID_AGAIN);
        if is_news {
            self.complaint.set(Some((code, now)));
        }
        is_news
    }

    /// An error of the consumer: a partition whose offset is gone is stopped, a fatal one and one that somebody must mend end the worker, others mend
    /// themselves. Where an offset was said to be gone and no partition is found whose is (no broker answered, or the log was cut and has grown past it
    /// since), the worker ends too: librdkafka does not go on with such a one, and whoever starts again compares digests.
    fn complain(&self, error: KafkaError) -> Result<(), WorkerError> {
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) || remedy(&error).is_some() {
            return Err(refused(error));
        }
        if self.is_news(&error) {
            tracing::warn!(topic = %self.settings.topic, %error, "reading");
        }
        // A broker that is away says nothing of offsets, and asking all others for theirs would take as long as it is away.
        if !error.rdkafka_error_code().is_some_and(is_of_offset) {
            return Ok(());
        }
        self.is_suspect.set(true);
        let mut desk = self.consumer.context().desk();
        let needs: Vec<(i32, i64)> = desk.slots.iter().map(|(partition, slot)| (*partition, slot.needs())).collect();
        let mut has_stopped = false;
        for (partition, next) in needs {
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
        if has_stopped {
            return self.reassign();
        }
        let is_lost = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset);
        if is_lost { Err(error.into()) } else { Ok(()) }
    }

    /// Whether what is committed is still there, after an error that may mean that the topic was deleted: Kafka forgets offsets with their topic. One that was
    /// made anew under the name, and has as many records, goes on being read in the middle as if nothing had been; nothing of it may be committed.
    fn is_still_there(&self) -> Result<bool, WorkerError> {
        if !self.is_suspect.get() {
            return Ok(true);
        }
        let topic = &self.settings.topic;
        let partitions: Vec<i32> = self.consumer.context().desk().slots.keys().copied().collect();
        let Some(first) = partitions.first() else { return Ok(true) };
        // Offsets may stay a moment longer than their topic: it has to be there itself.
        let asked = self.consumer.fetch_watermarks(topic, *first, ASK_MAX);
        let found = match asked.and_then(|_| committed(&self.consumer, list(topic, &partitions), ASK_MAX)) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%topic, %error, "whether the topic is still there is not known; nothing is committed until it is");
                return Ok(false);
            }
        };
        let offset = |offset: Offset| match offset {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let found: BTreeMap<i32, Option<i64>> =
            found.elements().iter().map(|element| (element.partition(), offset(element.offset()))).collect();
        self.is_suspect.set(false);
        let has_stopped = self.consumer.context().desk().compare(&found);
        if has_stopped {
            self.reassign()?;
        }
        Ok(!has_stopped)
    }

    /// Reads on without the partitions that were stopped.
    fn reassign(&self) -> Result<(), WorkerError> {
        self.consumer.context().begin_epoch();
        let mut desk = self.consumer.context().desk();
        desk.resume_all(&self.consumer)?;
        let positions = desk.positions()?;
        drop(desk);
        Ok(self.consumer.assign(&positions)?)
    }

    /// Reads no further what is too far ahead, and what it waited for has come on.
    fn pause_and_resume(&self) -> Result<(), WorkerError> {
        let (pause, resume) = self.consumer.context().desk().pauses_and_resumes();
        if !pause.is_empty() {
            self.consumer.pause(&list(&self.settings.topic, &pause))?;
        }
        if !resume.is_empty() {
            self.consumer.resume(&list(&self.settings.topic, &resume))?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), WorkerError> {
        self.last_commit = Instant::now();
        let due = self.consumer.context().desk().due();
        if due.is_empty() || !self.is_still_there()? {
            return Ok(());
        }
        let begun = Instant::now();
        if let Err(error) = self.try_commit(&due) {
            tracing::warn!(topic = %self.settings.topic, %error, "a transaction failed; recovering");
            return self.recover(due, error);
        }
        self.metrics.commit_took(begun.elapsed());
        if self.outlet.is_doubtful() {
            self.metrics.producer_replaced();
        }
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

    /// The only way on after an error: see the module. One that does not mend itself ends the worker: nothing of the transaction counts until a new start has found out
    /// what became of it.
    fn recover(&mut self, mut due: BTreeMap<i32, (i64, String)>, mut last: KafkaError) -> Result<(), WorkerError> {
        let deadline = Instant::now() + PATIENCE;
        let tenure = self.consumer.context().desk().tenure;
        let mut attempts = 0;
        for attempt in 1..=RECOVERIES_MAX {
            if remedy(&last).is_some() {
                return Err(refused(last));
            }
            self.metrics.recovering();
            if attempt > 1 {
                thread::sleep(Duration::from_millis(200) * attempt);
            }
            if Instant::now() > deadline {
                break;
            }
            attempts = attempt;
            self.serve()?;
            if let Err(error) = self.outlet.renew() {
                tracing::warn!(topic = %self.settings.topic, %error, attempt, "no new producer");
                last = error;
                continue;
            }
            self.serve()?;
            match self.sort_out(&mut due, tenure) {
                Ok(false) => {}
                Ok(true) => self.reassign()?,
                Err(error) => {
                    tracing::warn!(topic = %self.settings.topic, %error, attempt, "offsets cannot be read");
                    last = error;
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
                Err(error) => {
                    tracing::warn!(topic = %self.settings.topic, %error, attempt, "a transaction failed again");
                    last = error;
                }
            }
        }
        // The last attempt, too, may have come to what somebody must mend.
        if remedy(&last).is_some() {
            return Err(refused(last));
        }
        Err(WorkerError::Unresolved { topic: self.settings.topic.to_string(), attempts, error: last })
    }

    /// Takes out of `due` what is committed already, and what is not this worker's any more, or anew: all, if partitions have changed hands
    /// since `tenure`. `true` if partitions were taken up anew, and are to be read from where they stand now. An error leaves everything as it was, save what is
    /// settled.
    fn sort_out(&self, due: &mut BTreeMap<i32, (i64, String)>, tenure: u64) -> Result<bool, KafkaError> {
        let mut asked = TopicPartitionList::with_capacity(due.len());
        due.retain(|partition, _| {
            let desk = self.consumer.context().desk();
            desk.tenure == tenure && desk.slots.contains_key(partition)
        });
        due.keys().for_each(|partition| {
            asked.add_partition(&self.settings.topic, *partition);
        });
        if due.is_empty() {
            return Ok(false);
        }
        let found = committed(&self.consumer, asked, ASK_MAX)?;
        let mut moved = Vec::new();
        let mut desk = self.consumer.context().desk();
        for element in found.elements() {
            let partition = element.partition();
            let Offset::Offset(offset) = element.offset() else {
                desk.stop(partition, replaced(&self.settings.topic, partition));
                due.remove(&partition);
                continue;
            };
            let found = (offset, element.metadata().to_owned());
            let (Some(wanted), Some(slot)) = (due.get(&partition), desk.slots.get(&partition)) else { continue };
            if found == *wanted {
                let done = BTreeMap::from([(partition, found)]);
                desk.settle(&done);
                due.remove(&partition);
            } else if found != slot.committed {
                let ends = self.consumer.fetch_watermarks(&self.settings.topic, partition, ASK_MAX)?;
                moved.push((partition, found, ends));
            }
        }
        for (partition, (offset, metadata), ends) in &moved {
            desk.reopen(*partition, (*offset, metadata.as_str()), *ends);
            due.remove(partition);
        }
        Ok(!moved.is_empty())
    }

    /// Lets the group's changes happen; what is read meanwhile waits.
    fn serve(&self) -> Result<(), WorkerError> {
        for _ in 0..4 {
            match self.consumer.poll(Duration::from_millis(5)) {
                Some(Ok(message)) => {
                    self.consumer.context().desk().put_by(message.partition(), &Record::of(&message));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    let ends = self.ends(true)?;
                    self.consumer.context().desk().drained(partition, Some(end_of(&ends, partition)));
                }
                Some(Err(error)) => self.complain(error)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Where a partition stands; the beginning where nothing of it was read.
fn end_of(ends: &TopicPartitionList, partition: i32) -> i64 {
    let elements = ends.elements();
    let own = elements.iter().find(|element| element.partition() == partition);
    own.and_then(|element| element.offset().to_raw()).unwrap_or(0).max(0)
}

/// Whether an error of a consumer may mean that what it was to read next is not there: only then are offsets asked for.
pub(crate) const fn is_of_offset(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition
    )
}

/// What to do about an error that does not mend itself, however long it is waited for: the settings, or the rights of this user, must change.
pub(crate) fn remedy(error: &KafkaError) -> Option<&'static str> {
    use RDKafkaErrorCode as Code;
    let remedy = match error.rdkafka_error_code()? {
        Code::InvalidSessionTimeout => {
            "`kafka.session_timeout` must lie between the broker's `group.min.session.timeout.ms` and `group.max.session.timeout.ms`"
        }
        Code::GroupAuthorizationFailed => "this user needs the right to read the groups whose names begin with `app`",
        Code::TopicAuthorizationFailed => {
            "this user needs the rights to describe and to read the topics that its roles read, and to write those that they write"
        }
        Code::InvalidTransactionTimeout => "`kafka.transaction_timeout` must not be longer than the broker's `transaction.max.timeout.ms`",
        Code::TransactionalIdAuthorizationFailed => "this user needs the right to write under transactional ids that begin with `app`",
        Code::ClusterAuthorizationFailed => "this user needs a right on the cluster; the broker's log says which",
        Code::InconsistentGroupProtocol => {
            "another client is in the group and shares partitions out in another way: end it, or give this service another `app`"
        }
        Code::FencedInstanceId => {
            "another process has taken this one's place: give each an `instance` of its own. Where there is no other, brokers that have started again took \
             its return for one: start it again"
        }
        Code::InvalidGroupId => "the broker takes no group of this name: give the service another `app`",
        Code::GroupMaxSizeReached => {
            "the group has as many members as the broker's `group.max.size` lets it: fewer `workers`, or a larger one"
        }
        _ => return None,
    };
    Some(remedy)
}

fn refused(error: KafkaError) -> WorkerError {
    match remedy(&error) {
        Some(remedy) => WorkerError::Refused { error, remedy },
        None => error.into(),
    }
}

/// Asks again while brokers do not answer. Nothing is asked once the process is to end: [`KafkaError::Canceled`], which no broker says, and which is no fault.
pub(crate) fn patiently<T>(stop: &AtomicBool, mut ask: impl FnMut() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    let deadline = Instant::now() + PATIENCE;
    while !stop.load(Ordering::Relaxed) {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) if Instant::now() >= deadline || remedy(&error).is_some() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "no answer yet");
                thread::sleep(Duration::from_millis(500));
            }
        }
    }
    Err(KafkaError::Canceled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_waiting_mends_has_a_remedy_and_the_rest_is_waited_for() {
        use RDKafkaErrorCode as Code;
        let told = |code| remedy(&KafkaError::MessageConsumption(code));
        assert!(told(Code::InvalidSessionTimeout).is_some_and(|text| text.contains("kafka.session_timeout")));
        assert!(told(Code::InvalidTransactionTimeout).is_some_and(|text| text.contains("kafka.transaction_timeout")));
        for code in
            [Code::GroupAuthorizationFailed, Code::TopicAuthorizationFailed, Code::InconsistentGroupProtocol, Code::FencedInstanceId]
        {
            assert!(told(code).is_some(), "{code:?}");
        }
        for code in [Code::AllBrokersDown, Code::BrokerTransportFailure, Code::AutoOffsetReset, Code::RebalanceInProgress] {
            assert_eq!(told(code), None, "{code:?}");
        }
    }

    #[test]
    fn who_is_told_to_end_waits_for_no_broker() {
        let stop = AtomicBool::new(false);
        let mut asked = 0;
        let away = || {
            asked += 1;
            stop.store(true, Ordering::Relaxed);
            Err::<(), KafkaError>(KafkaError::NoMessageReceived)
        };
        assert_eq!(patiently(&stop, away), Err(KafkaError::Canceled));
        assert_eq!(asked, 1);
        assert_eq!(patiently(&stop, || Ok(())), Err(KafkaError::Canceled), "it takes nothing up any more");
    }
}

//! The desk: the partitions a worker owns, what is known of each, and what is folded next.
//!
//! The consumer's callbacks change it when partitions change hands, the worker's loop when records have come or were committed. It asks the consumer
//! where partitions stand and assigns them; it sends and commits nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::role::{Opening, Record, Role, Standing};
use super::{ASK_MAX, WorkerError, emptied, patiently, refused};
use crate::client::{committed, log};
use crate::digest::Digest;
use crate::mark::Mark;
use crate::metrics::WorkerMetrics;
use crate::outbox::Outbox;
use crate::readiness::Wait;
use crate::stop::{Stop, StopCode};
use crate::topics::MESSAGE_BYTES;

/// How long the state of a partition that went elsewhere is kept, in case it comes back.
const RETAIN_MAX: Duration = Duration::from_secs(60);
/// How far a partition may be ahead of another in event time, microseconds, where partitions are kept in step. Live traffic hardly ever is, so it does
/// not wait; and ten minutes are little to the windows of rules.
const AHEAD_MAX: i64 = 600_000_000;
/// Records of one partition that are folded before another's may be, where partitions are kept in step; where they are not, the first that are folded in a step.
const TURN: usize = 64;
/// Records that are folded before it is looked at how much came of them. Nearly nothing does, and then more at a time are faster; but a report of a large day, said
/// again for each record that comes late, is a thousand times as large as the record.
const TURN_MAX: usize = 1024;
/// How long a partition that is behind is waited for while nothing comes of any: one that gives nothing, though it has not said that there is nothing
/// more, must not hold up the others. Time in which others' records come does not count, for its own may be behind those.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Bytes that wait of one partition at which it is read no further, and at which it is again.
const WAITING_BYTES_MAX: usize = 4 << 20;
const WAITING_BYTES_FEW: usize = 1 << 20;
/// Bytes of outputs at which nothing more is folded until they are committed: what all partitions have that waited is more than brokers may take within
/// the time of one transaction, and then never.
const OUTPUT_BYTES_MAX: usize = 16 << 20;

/// A partition this worker owns.
pub(super) struct Slot<S> {
    pub(super) state: S,
    /// The next offset to fold.
    pub(super) next: i64,
    /// What is committed.
    pub(super) committed: (i64, String),
    /// The digest to arrive with at the committed offset; `None` once it was compared.
    pub(super) expected: Option<Digest>,
    pub(super) outbox: Outbox,
    /// Where it stood when it was opened.
    standing: Standing,
    /// The beginning of its log, then.
    begins_at: i64,
    /// It begins again from another state: what comes of it is of no use until it is read from there.
    is_rewound: bool,
    /// Something is to be committed besides `next`.
    pub(super) is_marked: bool,
    /// Read, and waiting for partitions that are behind.
    waiting: Vec<Waiting>,
    /// How long the worker had been idle at the end of the step in which something of it came last.
    came: Duration,
    /// Where its log ended, if nothing was left to read when it was last polled; and what the committed mark says of it.
    pub(super) ended_at: Option<i64>,
    pub(super) known_end: Option<i64>,
}

impl<S> Slot<S> {
    /// Where its log ended, if all of it has been folded; what is committed of that stays true until something else is folded.
    fn read_to(&self) -> Option<i64> {
        let ended_at = self.ended_at.filter(|_| self.waiting.is_empty()).map(|end| end.max(self.next));
        // Of one that is read on from there a consumer that was given nothing does not know where it stands.
        ended_at.max(self.known_end.filter(|end| *end >= self.next))
    }

    /// Where it is read on: what lies before the beginning of its log were marks of transactions, or it would not have been opened.
    pub(super) fn position(&self) -> i64 {
        self.next.max(self.begins_at)
    }

    /// The first offset that it cannot do without: marks of transactions, which follow the last record and may be deleted with it, it can.
    pub(super) fn needs(&self) -> i64 {
        self.read_to().filter(|_| self.expected.is_none()).unwrap_or(self.next)
    }

    /// Whether more is expected of it at once, by a worker that has been idle for so long in all.
    fn is_awaited(&self, idle: Duration) -> bool {
        self.ended_at.is_none() && idle - self.came < WAIT_MAX
    }
}

/// A record that waits.
struct Waiting {
    offset: i64,
    received: Option<i64>,
    key: Box<[u8]>,
    value: Box<[u8]>,
}

impl Waiting {
    fn new(record: &Record<'_>) -> Self {
        Self { offset: record.offset, received: record.received, key: record.key.into(), value: record.value.into() }
    }

    fn record(&self) -> Record<'_> {
        Record { offset: self.offset, received: self.received, key: &self.key, value: &self.value }
    }
}

pub(super) struct Retained<S> {
    state: S,
    next: i64,
    since: Instant,
}

/// What the consumer's callbacks and the worker's loop share. They run on one thread, one at a time.
pub(super) struct Desk<R: Role> {
    pub(super) role: R,
    pub(super) topic: Arc<str>,
    pub(super) slots: BTreeMap<i32, Slot<R::State>>,
    pub(super) retained: BTreeMap<i32, Retained<R::State>>,
    pub(super) stops: BTreeMap<i32, Stop>,
    /// Partitions that the consumer reads: those that are ready.
    pub(super) reading: BTreeSet<i32>,
    /// Those of them that are read no further for now, also where one has been stopped since.
    paused: BTreeSet<i32>,
    pub(super) group: Option<ConsumerGroupMetadata>,
    /// Counts the changes of ownership. What was due before the last one is void, also where a partition came back: its slot begins anew from
    /// what is committed, and whoever had it meanwhile may have gone further.
    pub(super) tenure: u64,
    /// Counts the turns that partitions have had.
    turn: u64,
    /// Where the next step begins, where the order of partitions does not matter: behind the one that had more to say than one transaction takes.
    begin_at: i32,
    /// Memory for the records of a step, a list a partition.
    spare: Vec<Vec<Record<'static>>>,
    /// How long nothing came though it was waited for.
    idle: Duration,
    /// An assignment that could not be taken up, or something the role cannot do without: the worker ends.
    pub(super) failure: Option<WorkerError>,
    pub(super) metrics: WorkerMetrics,
    /// The process is to end.
    pub(super) stop: Arc<AtomicBool>,
}

pub(super) struct Seat<R: Role> {
    desk: Mutex<Desk<R>>,
    /// Counts the assignments of the consumer. Messages polled before the last one are thrown away: partitions are read again from where
    /// their slots stand, and what came before must not be taken for what comes next.
    epoch: AtomicU64,
}

impl<R: Role> Seat<R> {
    pub(super) fn new(desk: Desk<R>) -> Self {
        Self { desk: Mutex::new(desk), epoch: AtomicU64::new(0) }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    pub(super) fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk<R>> {
        // A panic outside of a fold ends the worker; until then the desk is still of use for telling so.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.begin_epoch();
        desk.tenure += 1;
        let is_assignment = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        // A worker that is about to end takes nothing up any more; librdkafka only waits for an answer.
        let done = if is_assignment && !desk.stop.load(Ordering::Relaxed) {
            desk.assigned(consumer, partitions)
        } else {
            let resumed = desk.resume_all(consumer);
            desk.revoked();
            resumed.and(consumer.unassign())
        };
        if let Err(error) = done {
            if error == KafkaError::Canceled {
                // Told to end before all was taken up: whoever comes next begins where this worker would have.
                desk.revoked();
            } else {
                desk.failure = Some(refused(error));
            }
            let _ = consumer.unassign();
        }
    }
}

impl<R: Role> Desk<R> {
    pub(super) fn new(role: R, topic: Arc<str>, metrics: WorkerMetrics, stop: Arc<AtomicBool>) -> Self {
        Self {
            role,
            topic,
            slots: BTreeMap::new(),
            retained: BTreeMap::new(),
            stops: BTreeMap::new(),
            reading: BTreeSet::new(),
            paused: BTreeSet::new(),
            group: None,
            tenure: 0,
            turn: 0,
            begin_at: 0,
            spare: Vec::new(),
            idle: Duration::ZERO,
            failure: None,
            metrics,
            stop,
        }
    }

    fn assigned(&mut self, consumer: &BaseConsumer<Seat<R>>, partitions: &TopicPartitionList) -> Result<(), KafkaError> {
        let numbers: Vec<i32> =
            partitions.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect();
        self.stops.clear();
        // What does not come back makes room for what comes.
        self.retained.retain(|partition, _| numbers.contains(partition));
        self.role.reassigned();
        let committed = patiently(&self.stop, || committed(consumer, partitions.clone(), ASK_MAX))?;
        for element in committed.elements() {
            let partition = element.partition();
            // Many states take longer than any step may: who watches for a worker that hangs is to find one partition that does.
            self.metrics.alive();
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
                     the newest snapshot says. Where that cannot be done, `weir topics create --begin-anew` reads everything again, and says it again; \
                     a leg log it can begin only where that still begins at 0 (this topic begins at {low}), else a new `app` with topics of its own \
                     reads the transactions that are left"
                ),
            ));
        };
        let mark = Mark::decode(metadata).ok_or_else(|| {
            Stop::new(
                StopCode::OffsetForeign,
                format!(
                    "the offset {offset} for {topic}/{partition} was committed by somebody else than weir, or by a later version of it; put back the one that \
                     was, or run that version"
                ),
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
        // Somebody else may have said more since without a record to fold.
        let is_as_marked = |state: &R::State| {
            let Mark { read_to, snapshot, .. } = mark.clone();
            Mark { read_to, snapshot, ..self.role.mark(state) } == mark
        };
        // Behind the last record, up to where the log was read, lie marks of transactions alone: nothing is lost where they were deleted with all before them.
        let begins_at = low;
        let low = if low <= mark.read_to.unwrap_or(offset) { low.min(offset) } else { low };
        let standing = Standing { partition, committed: offset, low };
        let reusable = retained.filter(|old| old.next == offset && is_as_marked(&old.state));
        let opening = match reusable {
            Some(old) => Opening { state: old.state, from: offset },
            None => self.role.open(standing, &mark)?,
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
            standing,
            begins_at,
            is_rewound: false,
            is_marked: false,
            waiting: Vec::new(),
            came: self.idle,
            ended_at: None,
            known_end: mark.read_to,
        };
        self.slots.insert(partition, slot);
        Ok(())
    }

    /// Takes a partition up anew of which somebody else has committed an offset: a worker that was not fenced, or a hand. What is known of it here is of no use, and
    /// an assignment that would tell where to go on need not come. Whose offset is not weir's stops it.
    pub(super) fn reopen(&mut self, partition: i32, (offset, metadata): (i64, &str), ends: (i64, i64)) {
        tracing::warn!(topic = %self.topic, partition, offset, "an offset was committed by somebody else; the partition is taken up anew");
        self.slots.remove(&partition);
        self.retained.remove(&partition);
        if let Err(stop) = self.open(partition, Offset::Offset(offset), metadata, ends) {
            self.stop(partition, stop);
        }
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

    /// Stops the partitions of which no offset is committed any more, as `found` says. `true` if there was one.
    pub(super) fn compare(&mut self, found: &BTreeMap<i32, Option<i64>>) -> bool {
        let is_gone = |partition: &i32| found.get(partition) == Some(&None);
        let gone: Vec<i32> = self.slots.keys().copied().filter(is_gone).collect();
        for partition in &gone {
            let stop = replaced(&self.topic, *partition);
            self.stop(*partition, stop);
        }
        !gone.is_empty()
    }

    pub(super) fn stop(&mut self, partition: i32, stop: Stop) {
        self.slots.remove(&partition);
        if stop.code.is_passing() {
            if self.stop.load(Ordering::Relaxed) {
                // The next start finds that it has passed, or says that it has not.
                tracing::warn!(topic = %self.topic, partition, "left as it is committed, for this process is to end: {}", stop.text);
            } else {
                self.failure.get_or_insert(WorkerError::Unfit(stop));
            }
            return;
        }
        tracing::error!(topic = %self.topic, partition, code = stop.code.code(), "stopped: {}", stop.text);
        self.metrics.stopped(partition, stop.code);
        self.stops.insert(partition, stop);
    }

    /// Begins a partition again from another state than the one that did not lead to what was committed, or tells why it stops: `stop`, for which it was to begin
    /// again, if there is none; what may pass, if that alone hides one.
    fn begin_again(&mut self, partition: i32, stop: Stop) -> Result<(), Stop> {
        if !self.role.distrust(partition) {
            return Err(stop);
        }
        let Some(slot) = self.slots.get_mut(&partition) else { return Err(stop) };
        let Some(mark) = Mark::decode(&slot.committed.1) else { return Err(stop) };
        let Opening { state, from } = match self.role.open(slot.standing, &mark) {
            Ok(opening) => opening,
            Err(other) => return Err(if other.code.is_passing() { other } else { stop }),
        };
        let expected = (from < slot.committed.0).then_some(mark.digest);
        if from < slot.standing.low || (expected.is_none() && self.role.mark(&state).digest != mark.digest) {
            return Err(stop);
        }
        (slot.state, slot.next, slot.expected, slot.is_rewound) = (state, from, expected, true);
        slot.outbox.clear();
        Ok(())
    }

    /// Folds what was read of a partition. `true` if the partition had to be stopped, or begins again elsewhere.
    fn fold(&mut self, partition: i32, records: &[Record<'_>]) -> bool {
        let Some(slot) = self.slots.get_mut(&partition).filter(|slot| !slot.is_rewound) else { return false };
        self.turn += 1;
        slot.outbox.take_turn(self.turn);
        let records = &records[records.partition_point(|record| record.offset < slot.next)..];
        let Some(last) = records.last() else { return false };
        let replayed = records.partition_point(|record| record.offset < slot.committed.0);
        let (replay, live) = records.split_at(if slot.expected.is_some() { replayed } else { 0 });
        let fold = || {
            if !replay.is_empty() {
                self.role.fold(partition, &mut slot.state, replay, true, &mut slot.outbox)?;
                slot.outbox.clear();
            }
            if last.offset + 1 < slot.committed.0 {
                return Ok(());
            }
            // What was committed is all folded, though nothing may have come since.
            if let Some(expected) = slot.expected.take()
                && expected != self.role.mark(&slot.state).digest
            {
                return Err(digest_differs(&self.topic, partition, slot.committed.0));
            }
            if !live.is_empty() {
                self.role.fold(partition, &mut slot.state, live, false, &mut slot.outbox)?;
            }
            // Sent, it would be refused again and again, and every process that takes the partition up would end over it.
            slot.outbox.too_large().map_or(Ok(()), |(topic, bytes)| Err(output_too_large(&self.topic, partition, topic, bytes)))
        };
        // A record that finds a mistake in weir would kill the process again after every restart, and with it all partitions. What the state is
        // after a panic nobody knows: it goes with the partition, and nothing that was not committed is sent.
        let failed = |_| Err(fold_failed(&self.topic, partition, records[0].offset, last.offset));
        let done = catch_unwind(AssertUnwindSafe(fold)).unwrap_or_else(failed);
        slot.next = last.offset + 1;
        self.metrics.folded(live.len());
        self.metrics.received(partition, last.received);
        let Err(stop) = done else { return false };
        let begun = if stop.code == StopCode::DigestDiffers { self.begin_again(partition, stop) } else { Err(stop) };
        if let Err(stop) = begun {
            self.stop(partition, stop);
        }
        true
    }

    /// A record that came at a time at which nothing is folded: it waits for the next step.
    pub(super) fn put_by(&mut self, partition: i32, record: &Record<'_>) {
        self.drained(partition, None);
        if let Some(slot) = self.slots.get_mut(&partition) {
            slot.waiting.push(Waiting::new(record));
        }
    }

    /// Folds what waits and then `batch`, those of one partition in their order, as far as one transaction goes; records already folded, or of partitions not
    /// owned, are passed over. `true` if a partition had to be stopped, or begins again elsewhere.
    pub(super) fn fold_all<'m>(&mut self, batch: impl Iterator<Item = (i32, Record<'m>)>) -> bool {
        let mut waiting: BTreeMap<i32, Vec<Waiting>> =
            self.slots.iter_mut().map(|(partition, slot)| (*partition, std::mem::take(&mut slot.waiting))).collect();
        let mut queues: BTreeMap<i32, Vec<Record<'_>>> = BTreeMap::new();
        for (partition, waiting) in waiting.iter().filter(|(_, waiting)| !waiting.is_empty()) {
            queues.insert(*partition, waiting.iter().map(Waiting::record).collect());
        }
        let mut spare = std::mem::take(&mut self.spare);
        for (partition, record) in batch {
            queues.entry(partition).or_insert_with(|| emptied(spare.pop().unwrap_or_default())).push(record);
        }
        let mut left: BTreeMap<i32, &[Record<'_>]> = queues.iter().map(|(partition, records)| (*partition, records.as_slice())).collect();
        let (mut has_stopped, mut last) = (false, None);
        while self.said() < OUTPUT_BYTES_MAX
            && let Some((partition, count)) = self.next_turn(&left)
        {
            let records = left[&partition];
            let folded = queues[&partition].len() - records.len();
            let (turn, rest) = records.split_at(count.min(folded.clamp(TURN, TURN_MAX)));
            has_stopped |= self.fold(partition, turn);
            last = Some(partition);
            if rest.is_empty() {
                left.remove(&partition);
            } else {
                left.insert(partition, rest);
            }
        }
        if let Some(last) = last.filter(|_| !left.is_empty()) {
            self.begin_at = last.saturating_add(1);
        }
        // What waited already stays where it is; what came now is copied.
        let left: Vec<(i32, usize, Vec<Waiting>)> = left
            .into_iter()
            .map(|(partition, records)| {
                let folded = queues[&partition].len() - records.len();
                let waited = waiting.get(&partition).map_or(0, Vec::len).saturating_sub(folded);
                (partition, folded, records[waited..].iter().map(Waiting::new).collect())
            })
            .collect();
        self.spare = spare;
        self.spare.extend(queues.into_values().map(emptied));
        self.spare.truncate(self.slots.len());
        for (partition, folded, came) in left {
            if let Some(slot) = self.slots.get_mut(&partition) {
                slot.waiting = waiting.remove(&partition).unwrap_or_default();
                slot.waiting.drain(..folded.min(slot.waiting.len()));
                slot.waiting.extend(came);
            }
        }
        has_stopped
    }

    /// Bytes of what is to be sent.
    fn said(&self) -> usize {
        self.slots.values().map(|slot| slot.outbox.bytes()).sum()
    }

    /// Whose records are folded next, of those that have some `left`, and how many at most: all of one where order does not matter, else some of the one
    /// that is furthest behind. `None` where all wait.
    fn next_turn(&self, left: &BTreeMap<i32, &[Record<'_>]>) -> Option<(i32, usize)> {
        let time = |partition: i32| self.slots.get(&partition).and_then(|slot| self.role.time(&slot.state));
        let (partition, records) = left.iter().min_by_key(|(partition, _)| (time(**partition), **partition < self.begin_at))?;
        let Some(own) = time(*partition) else { return Some((*partition, records.len())) };
        let behind = self.slots.iter().filter(|(number, slot)| !left.contains_key(number) && slot.is_awaited(self.idle));
        let behind = behind.filter_map(|(number, _)| time(*number)).min();
        let must_wait = behind.is_some_and(|behind| behind.saturating_add(AHEAD_MAX) < own);
        (!must_wait).then(|| (*partition, records.len().min(TURN)))
    }

    /// Partitions of which more waits than should, and of those that are read no further the ones that may be again.
    pub(super) fn pauses_and_resumes(&mut self) -> (Vec<i32>, Vec<i32>) {
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        for (partition, slot) in &self.slots {
            let bytes: usize = slot.waiting.iter().map(|waiting| waiting.record().bytes()).sum();
            if bytes > WAITING_BYTES_MAX && self.paused.insert(*partition) {
                self.metrics.paused();
                pause.push(*partition);
            } else if bytes < WAITING_BYTES_FEW && self.paused.remove(partition) {
                resume.push(*partition);
            }
        }
        (pause, resume)
    }

    /// Nothing came for so long.
    pub(super) fn idled(&mut self, time: Duration) {
        self.idle += time;
    }

    /// Something of a partition came, or nothing was left: then where it stands, as far as the consumer knows.
    pub(super) fn drained(&mut self, partition: i32, end: Option<i64>) {
        if let Some(slot) = self.slots.get_mut(&partition) {
            slot.ended_at = end;
            slot.came = self.idle;
            if end.is_some() {
                self.metrics.drained(partition);
            }
        }
    }

    pub(super) fn tend(&mut self) -> bool {
        if let Err(error) = self.role.look() {
            self.failure = Some(error);
            return false;
        }
        let mut stops = Vec::new();
        for (partition, slot) in &mut self.slots {
            if slot.expected.is_some() {
                continue;
            }
            self.turn += 1;
            slot.outbox.take_turn(self.turn);
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

    /// Whether nothing is under way any more of what it owns and has told to close.
    pub(super) fn is_closed(&self) -> bool {
        self.slots.iter().all(|(partition, slot)| slot.expected.is_some() || self.role.is_closed(*partition))
    }

    pub(super) fn ready(&self) -> BTreeSet<i32> {
        self.slots
            .iter()
            .filter(|(partition, slot)| self.role.is_ready(**partition, &slot.state))
            .map(|(partition, _)| *partition)
            .collect()
    }

    /// What keeps partitions from being read on, if anything does.
    pub(super) fn wait(&self) -> Option<Wait> {
        if self.slots.values().any(|slot| slot.expected.is_some()) {
            return Some(Wait::Replay);
        }
        let is_ready = |partition: i32, slot: &Slot<R::State>| self.role.is_ready(partition, &slot.state);
        let waits = self.slots.iter().any(|(partition, slot)| !is_ready(*partition, slot));
        waits.then_some(Wait::Beginning)
    }

    /// Nothing is paused any more: librdkafka would remember it of a partition that comes back.
    pub(super) fn resume_all(&mut self, consumer: &BaseConsumer<Seat<R>>) -> Result<(), KafkaError> {
        let paused: Vec<i32> = std::mem::take(&mut self.paused).into_iter().collect();
        if paused.is_empty() { Ok(()) } else { consumer.resume(&list(&self.topic, &paused)) }
    }

    /// Where reading goes on, for the partitions that are neither stopped nor not ready yet.
    pub(super) fn positions(&mut self) -> Result<TopicPartitionList, KafkaError> {
        self.reading = self.ready();
        // What waits is read again, and the end of the partition is told again after it.
        for slot in self.slots.values_mut() {
            slot.waiting.clear();
            slot.is_rewound = false;
            slot.ended_at = None;
            slot.came = self.idle;
        }
        let mut list = TopicPartitionList::with_capacity(self.reading.len());
        for partition in &self.reading {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(self.slots[partition].position()))?;
        }
        Ok(list)
    }

    /// Partitions with something to commit, and the offset and mark to commit for each.
    pub(super) fn due(&self) -> BTreeMap<i32, (i64, String)> {
        let has_news = |slot: &Slot<R::State>| slot.next > slot.committed.0 || slot.is_marked || slot.read_to() != slot.known_end;
        let due = self.slots.iter().filter(|(_, slot)| slot.expected.is_none() && has_news(slot));
        let mark = |slot: &Slot<R::State>| Mark { read_to: slot.read_to(), ..self.role.mark(&slot.state) }.encode();
        due.map(|(partition, slot)| (*partition, (slot.next, mark(slot)))).collect()
    }

    pub(super) fn settle(&mut self, done: &BTreeMap<i32, (i64, String)>) {
        for (partition, committed) in done {
            if let Some(slot) = self.slots.get_mut(partition) {
                slot.committed = committed.clone();
                slot.outbox.clear();
                slot.is_marked = false;
                slot.known_end = Mark::decode(&committed.1).and_then(|mark| mark.read_to);
                self.role.committed(*partition, &mut slot.state, committed.0);
                self.metrics.committed(*partition, committed.0);
            }
        }
    }
}

fn output_too_large(topic: &str, partition: i32, to: &str, bytes: usize) -> Stop {
    Stop::new(
        StopCode::OutputTooLarge,
        format!(
            "a record of {bytes} bytes for {to} comes of {topic}/{partition}, and none may have more than {MESSAGE_BYTES}: lower \
             `detect.report_transactions_max`. Saved states are of the other number then: that needs a leg log that is whole, or a new `app`"
        ),
    )
}

fn fold_failed(topic: &str, partition: i32, first: i64, last: i64) -> Stop {
    Stop::new(
        StopCode::FoldFailed,
        format!(
            "weir failed while it folded {topic}/{partition} from {first} to {last}: a mistake in weir that one of these records has found; where, the \
             line before says. Please report it; until it is mended, the version before may take them"
        ),
    )
}

pub(super) fn digest_differs(topic: &str, partition: i32, offset: i64) -> Stop {
    Stop::new(
        StopCode::DigestDiffers,
        format!(
            "replaying {topic}/{partition} up to the committed offset {offset} did not lead to the committed state: the log, a snapshot or the \
             program is not what it was"
        ),
    )
}

pub(super) fn replaced(topic: &str, partition: i32) -> Stop {
    Stop::new(
        StopCode::LogReplaced,
        format!(
            "no offset is committed for {topic}/{partition} any more, though it was while it was read: the topic, or the group, was deleted. What came since \
             was not committed. Restore topic and offsets; else begin a new `app`"
        ),
    )
}

pub(super) fn truncated(topic: &str, partition: i32, from: i64, low: i64) -> Stop {
    Stop::new(
        StopCode::LogTruncated,
        format!(
            "{topic}/{partition} must be read from {from}, but begins at {low}: records that are needed were deleted. Restore a snapshot at or \
             after {low}, and keep records longer (retention)"
        ),
    )
}

pub(super) fn list(topic: &str, partitions: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    partitions.iter().for_each(|partition| {
        list.add_partition(topic, *partition);
    });
    list
}

#[cfg(test)]
mod tests;

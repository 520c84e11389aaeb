//! The *archive* role: the leg log as Parquet files by day, kept for as long as the law asks, long after Kafka has let it go.
//!
//! ```text
//! day=2026-03-01/00007-00000000000000123456.parquet      partition 7, records from offset 123456 on
//! ```
//!
//! No record of a file is stamped later than the file's day, and a file's day is never before that of the file in front of it. More does not
//! hold: partitions of transactions are not equally far, so that behind the first record of a day may come legs that are stamped a day before,
//! or several, and they lie where they come. Sorting them back would break the order of offsets that everything here rests on. Who asks for
//! a day reads its folder and later ones, and goes by the column `clock`.
//!
//! The files are the only truth about how far the archive is: where a partition goes on is written in its last file, and a file is made only
//! where there is none of that name. So every record is in the archive once, whatever dies when, and two archivers that take each other for
//! dead cannot both write the same stretch. The consumer group only shares partitions out; its offsets are for people to look at.

mod refold;
mod segment;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use rdkafka::types::RDKafkaRespErr;
use weir_model::{Day, EventTime};

pub use self::refold::{Question, RefoldError, Refolded, archived, refold};
use self::segment::{Builder, Head};
use crate::client::log;
use crate::metrics::WorkerMetrics;
use crate::readiness::Wait;
use crate::stop::{Stop, StopCode};
use crate::store::Store;
use crate::wire::{Entry, Unreadable};
use crate::worker::{is_of_offset, patiently, remedy};

const ASK_MAX: Duration = Duration::from_secs(15);
/// Records of a segment: some 100 MB in memory while it is written.
const SEGMENT_RECORDS: usize = 500_000;
const SEGMENT_BYTES: usize = 64 << 20;
/// Bytes of the records that are gathered of all partitions: in a backlog each fills its segment at the same time.
const GATHERED_BYTES: usize = 128 << 20;
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// Each time all partitions are read anew from where they are.
const TAKE_UP_EVERY: Duration = Duration::from_secs(60);

/// A file that no archiver reads, to try the store with.
const PROBE: &str = "written-once";

/// Why an archiver ends.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
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
    /// What is there cannot be read.
    #[error("the archive: {0}")]
    Store(#[from] io::Error),
    /// The store writes over what is there, though it is asked not to.
    #[error(
        "the archive: its store writes over what is there (it ignores `If-None-Match`); two archivers would lose records. Use another store"
    )]
    WritesOver,
}

/// The archiver of a process.
pub(crate) struct Archiver {
    consumer: BaseConsumer<Seat>,
    interval: Duration,
    /// When partitions that could not be taken up are tried again.
    retry_at: Cell<Instant>,
    metrics: WorkerMetrics,
    stop: Arc<AtomicBool>,
}

struct Seat(Mutex<Desk>);

struct Desk {
    store: Arc<dyn Store>,
    topic: Arc<str>,
    slots: BTreeMap<i32, Slot>,
    /// Partitions that are to be taken up where their files end: another archiver wrote what was to be written here, or the store did not say where that is.
    put_off: BTreeSet<i32>,
    /// Partitions that go no further here.
    stopped: BTreeSet<i32>,
    failure: Option<ArchiveError>,
    metrics: WorkerMetrics,
    /// The process is to end.
    stop: Arc<AtomicBool>,
}

/// A partition.
struct Slot {
    /// The first offset that no file has.
    from: i64,
    /// Day of the last file, then that of the one under way: the latest that any record of the partition has been stamped with.
    day: Option<Day>,
    builder: Builder,
    since: Instant,
}

impl Slot {
    /// The first offset that is not gathered.
    fn next(&self) -> i64 {
        self.builder.next().unwrap_or(self.from)
    }
}

impl Seat {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Seat {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }
}

impl ConsumerContext for Seat {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let mut desk = self.desk();
        let is_assignment = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        // An archiver that is about to end takes nothing up any more; librdkafka only waits for an answer.
        let done = if is_assignment && !desk.stop.load(Ordering::Relaxed) {
            desk.assigned(consumer, partitions)
        } else {
            // What is gathered and not written is read again by whoever comes next.
            let (left, stopped, put_off) =
                (std::mem::take(&mut desk.slots), std::mem::take(&mut desk.stopped), std::mem::take(&mut desk.put_off));
            desk.metrics.revoked(left.into_keys().chain(stopped).chain(put_off));
            consumer.unassign().map_err(ArchiveError::from)
        };
        if let Err(error) = done {
            // Told to end before all was taken up, it leaves that to whoever comes next.
            if !matches!(error, ArchiveError::Kafka(KafkaError::Canceled)) {
                desk.failure = Some(error);
            }
            let _ = consumer.unassign();
        }
    }
}

impl Desk {
    fn assigned(&mut self, consumer: &BaseConsumer<Seat>, partitions: &TopicPartitionList) -> Result<(), ArchiveError> {
        self.take_up_all(consumer, partitions.elements().iter().map(TopicPartitionListElem::partition).collect())?;
        let numbers: Vec<i32> = self.slots.keys().copied().collect();
        self.metrics.assigned(&numbers);
        tracing::info!(topic = %self.topic, partitions = ?numbers, "archiving");
        Ok(consumer.assign(&self.positions()?)?)
    }

    /// Where reading goes on, in the partitions that are open.
    fn positions(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::with_capacity(self.slots.len());
        for (partition, slot) in &self.slots {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(slot.next()))?;
        }
        Ok(list)
    }

    /// Takes partitions up. Where the store does not answer they are put off: it stops the archive and nothing else, and ending would end all that the process
    /// does besides.
    ///
    /// # Errors
    /// Where brokers do not answer; what is left is put off, too. Where the process is to end, all of it is left to whoever comes next.
    fn take_up_all(&mut self, consumer: &BaseConsumer<Seat>, mut partitions: BTreeSet<i32>) -> Result<(), KafkaError> {
        while let Some(partition) = partitions.pop_first() {
            // Many take longer than any step may: who watches for a worker that hangs is to find one partition that does.
            self.metrics.alive();
            if let Err(error) = self.take_up(consumer, partition) {
                if let ArchiveError::Kafka(KafkaError::Canceled) = error {
                    return Err(KafkaError::Canceled);
                }
                tracing::error!(partition, %error, "a partition of the archive cannot be taken up; trying again");
                self.metrics.recovering();
                self.put_off.insert(partition);
                // Who says nothing of one says nothing of the others, and each would be waited for.
                self.put_off.append(&mut partitions);
                if let ArchiveError::Kafka(error) = error {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Opens a partition where its files end, or stops it.
    fn take_up(&mut self, consumer: &BaseConsumer<Seat>, partition: i32) -> Result<(), ArchiveError> {
        let (low, high) = patiently(&self.stop, || consumer.fetch_watermarks(&self.topic, partition, ASK_MAX))?;
        match self.open(partition, low, high) {
            Ok(Ok(slot)) => {
                self.metrics.assigned(&[partition]);
                self.slots.insert(partition, slot);
            }
            Ok(Err(stop)) => self.stop(partition, &stop),
            // What is damaged stays so, and the other partitions can do without it.
            Err(ArchiveError::Store(error)) if error.kind() == io::ErrorKind::InvalidData => {
                let text = format!("the last file of {}/{partition} in the archive: {error}", self.topic);
                self.stop(partition, &Stop::new(StopCode::ArchiveUnreadable, text));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn open(&self, partition: i32, low: i64, high: i64) -> Result<Result<Slot, Stop>, ArchiveError> {
        let (mut from, mut day) = (low, None);
        if let Some(last) = last_of(&*self.store, partition)? {
            self.store.sweep(&last.folder(), &format!("{partition:05}-"))?;
            from = checked(segment::head(self.store.get(&last.path())?)?, last)?.next;
            day = Some(last.day);
        } else if low > 0 {
            tracing::warn!(partition, low, "the archive begins in the middle: the leg log no longer has what came before");
        }
        if let Some(stop) = gone(&self.topic, partition, from, low, high) {
            return Ok(Err(stop));
        }
        Ok(Ok(Slot { from, day, builder: Builder::new(), since: Instant::now() }))
    }

    /// What keeps partitions from being archived, if anything does.
    fn wait(&self) -> Option<Wait> {
        (!self.put_off.is_empty()).then_some(Wait::Archive)
    }

    fn stop(&mut self, partition: i32, stop: &Stop) {
        self.slots.remove(&partition);
        self.stopped.insert(partition);
        tracing::error!(topic = %self.topic, partition, code = stop.code.code(), "stopped: {}", stop.text);
        self.metrics.stopped(partition, stop.code);
    }

    /// Takes a record; the file that is finished by it, if it is of a later day or the file is full, is written first. `false` if the
    /// partition was given up.
    fn take(&mut self, partition: i32, offset: i64, value: &[u8]) -> Result<bool, ArchiveError> {
        let bytes_max = SEGMENT_BYTES.min(GATHERED_BYTES / self.slots.len().max(1));
        let Some(slot) = self.slots.get_mut(&partition) else { return Ok(true) };
        if offset < slot.next() {
            return Ok(true);
        }
        let Ok(entry) = Entry::decode(value) else {
            // What lies before it would be gathered in vain by every start, until the log has let it go.
            if self.write(partition)? {
                let text = format!("offset {offset} of partition {partition}: {Unreadable}");
                self.stop(partition, &Stop::new(StopCode::RecordUnreadable, text));
            }
            return Ok(false);
        };
        let clock = match entry {
            Entry::Leg(stamped) => stamped.clock,
            Entry::Tick { clock } | Entry::Switch { clock, .. } => clock,
        };
        let day = Some(clock.day()).filter(|_| clock != EventTime::MIN);
        let is_next_day = slot.day.is_some() && day > slot.day;
        let is_full = slot.builder.len() >= SEGMENT_RECORDS || slot.builder.bytes() >= bytes_max;
        if slot.builder.len() > 0 && (is_next_day || is_full) && !self.write(partition)? {
            return Ok(false);
        }
        let Some(slot) = self.slots.get_mut(&partition) else { return Ok(true) };
        if slot.builder.len() == 0 {
            slot.since = Instant::now();
        }
        slot.day = slot.day.max(day);
        slot.builder.push(offset, &entry, value);
        Ok(true)
    }

    /// Writes what is gathered of a partition. `false` if it could not: the partition is given up for now.
    fn write(&mut self, partition: i32) -> Result<bool, ArchiveError> {
        let Some(slot) = self.slots.get_mut(&partition) else { return Ok(true) };
        // Without a day there is only the announcement of the first rules; it waits for the first leg.
        let Some(day) = slot.day.filter(|_| slot.builder.len() > 0) else { return Ok(true) };
        let count = slot.builder.len();
        let place = Place { day, partition, from: slot.from };
        let (bytes, next) = std::mem::replace(&mut slot.builder, Builder::new()).finish(partition, slot.from, day)?;
        match self.put(place, &bytes) {
            Put::Done => {}
            refused => {
                self.slots.remove(&partition);
                if matches!(refused, Put::Overtaken) {
                    self.put_off.insert(partition);
                }
                return Ok(false);
            }
        }
        if let Some(slot) = self.slots.get_mut(&partition) {
            slot.from = next;
        }
        self.metrics.folded(count);
        self.metrics.committed(partition, next);
        Ok(true)
    }

    /// Writes a file as soon as the store takes it: a full disk stops the archive and nothing else. What is not written is read again by the next
    /// start.
    fn put(&self, place: Place, bytes: &[u8]) -> Put {
        loop {
            match self.store.put_new(&place.path(), bytes) {
                Ok(true) => return Put::Done,
                Ok(false) => {
                    tracing::warn!(
                        partition = place.partition,
                        from = place.from,
                        "another archiver has written here; going on where it ended"
                    );
                    return Put::Overtaken;
                }
                Err(error) => {
                    tracing::error!(partition = place.partition, %error, "the archive cannot be written; trying again");
                    self.metrics.recovering();
                    self.metrics.alive();
                    self.metrics.waits(Some(Wait::Archive));
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                return Put::Ended;
            }
            thread::sleep(RETRY_EVERY);
        }
    }
}

/// What became of a file.
enum Put {
    Done,
    /// Somebody else has written there.
    Overtaken,
    /// The store would not take it until the process was told to end.
    Ended,
}

impl Archiver {
    pub(crate) fn new(
        config: &ClientConfig,
        topic: Arc<str>,
        store: Arc<dyn Store>,
        interval: Duration,
        metrics: WorkerMetrics,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, ArchiveError> {
        let desk = Desk {
            store,
            topic,
            slots: BTreeMap::new(),
            put_off: BTreeSet::new(),
            stopped: BTreeSet::new(),
            failure: None,
            metrics: metrics.clone(),
            stop: Arc::clone(&stop),
        };
        Ok(Self {
            consumer: config.create_with_context(Seat(Mutex::new(desk)))?,
            interval,
            retry_at: Cell::new(Instant::now()),
            metrics,
            stop,
        })
    }

    /// Works until it is told to end; what is gathered then is written first, where the store takes it.
    pub(crate) fn run(self) -> Result<(), ArchiveError> {
        if !self.keeps_what_is_there()? {
            return Ok(());
        }
        let topic = Arc::clone(&self.consumer.context().desk().topic);
        self.consumer.subscribe(&[&topic])?;
        while !self.stop.load(Ordering::Relaxed) {
            self.metrics.alive();
            let mut has_all = true;
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    let value = message.payload().unwrap_or_default();
                    has_all = self.consumer.context().desk().take(message.partition(), message.offset(), value)?;
                }
                Some(Err(KafkaError::PartitionEOF(_))) | None => {}
                Some(Err(error)) => {
                    if let Some(remedy) = remedy(&error) {
                        return Err(ArchiveError::Refused { error, remedy });
                    }
                    if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
                        return Err(error.into());
                    }
                    tracing::warn!(%topic, %error, "reading");
                    if error.rdkafka_error_code().is_some_and(is_of_offset) {
                        self.look_for_what_is_gone(error)?;
                        has_all = false;
                    }
                }
            }
            if let Some(error) = self.consumer.context().desk().failure.take() {
                return Err(error);
            }
            has_all &= self.write_due(self.interval)?;
            if !has_all || self.is_to_be_tried_again() {
                self.read_on()?;
            }
            self.metrics.waits(self.consumer.context().desk().wait());
        }
        self.write_due(Duration::ZERO)?;
        Ok(())
    }

    /// Whether a partition that could not be taken up waits, and has waited long enough.
    fn is_to_be_tried_again(&self) -> bool {
        Instant::now() >= self.retry_at.get() && !self.consumer.context().desk().put_off.is_empty()
    }

    /// Tries what everything rests on: that the store refuses a second file of one name. Waits until the store answers; `false` if the process
    /// is to end before it does.
    fn keeps_what_is_there(&self) -> Result<bool, ArchiveError> {
        let store = Arc::clone(&self.consumer.context().desk().store);
        while !self.stop.load(Ordering::Relaxed) {
            self.metrics.alive();
            match does_keep(&*store) {
                Ok(true) => return Ok(true),
                Ok(false) => return Err(ArchiveError::WritesOver),
                Err(error) => {
                    tracing::error!(%error, "the archive's store does not answer; trying again");
                    self.metrics.recovering();
                    thread::sleep(RETRY_EVERY);
                }
            }
        }
        Ok(false)
    }

    /// An offset was not to be had: stops the partitions whose records are gone. Where none is found whose are, librdkafka reads one of them no further and
    /// does not say which; so the archiver ends, and begins anew.
    fn look_for_what_is_gone(&self, error: KafkaError) -> Result<(), ArchiveError> {
        let mut desk = self.consumer.context().desk();
        let positions: Vec<(i32, i64)> = desk.slots.iter().map(|(partition, slot)| (*partition, slot.next())).collect();
        let mut has_stopped = false;
        for (partition, next) in positions {
            let Ok((low, high)) = self.consumer.fetch_watermarks(&desk.topic, partition, ASK_MAX) else { continue };
            if let Some(stop) = gone(&desk.topic, partition, next, low, high) {
                // What is gathered of a log that was cut is nowhere else any more; of one that was made anew it is no part.
                if stop.code == StopCode::LogShrunk || desk.write(partition)? {
                    desk.stop(partition, &stop);
                }
                has_stopped = true;
            }
        }
        let is_lost = !has_stopped && error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset);
        if is_lost { Err(error.into()) } else { Ok(()) }
    }

    /// Goes on with the partitions that are left, and those that were put off.
    fn read_on(&self) -> Result<(), ArchiveError> {
        let mut desk = self.consumer.context().desk();
        let put_off = std::mem::take(&mut desk.put_off);
        // Brokers are asked again, too: other partitions may have one that answers.
        let _ = desk.take_up_all(&self.consumer, put_off);
        if !desk.put_off.is_empty() {
            self.retry_at.set(Instant::now() + TAKE_UP_EVERY);
        }
        let list = desk.positions()?;
        drop(desk);
        Ok(self.consumer.assign(&list)?)
    }

    /// Writes what has been gathered for as long as `age`. `false` if a partition was given up.
    fn write_due(&self, age: Duration) -> Result<bool, ArchiveError> {
        let mut desk = self.consumer.context().desk();
        let due: Vec<i32> = desk
            .slots
            .iter()
            .filter(|(_, slot)| slot.day.is_some() && slot.builder.len() > 0 && slot.since.elapsed() >= age)
            .map(|(partition, _)| *partition)
            .collect();
        let mut has_all = true;
        let mut list = TopicPartitionList::new();
        for partition in due {
            has_all &= desk.write(partition)?;
            if !has_all && self.stop.load(Ordering::Relaxed) {
                // A store that is away would be waited for once for each, for longer than the process may take to end.
                break;
            }
            if let Some(slot) = desk.slots.get(&partition) {
                list.add_partition_offset(&desk.topic, partition, Offset::Offset(slot.from))?;
            }
        }
        drop(desk);
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, CommitMode::Async)
        {
            tracing::debug!(%error, "the archive's offsets are not shown");
        }
        Ok(has_all)
    }
}

/// Why a partition cannot go on at `next`, where its log does not have that.
fn gone(topic: &str, partition: i32, next: i64, low: i64, high: i64) -> Option<Stop> {
    if next < low {
        let text = format!("the archive of {topic}/{partition} ends before {next}, and the log begins at {low}: what lies between is lost");
        return Some(Stop::new(StopCode::LogTruncated, text));
    }
    let text = || format!("{topic}/{partition} ends at {high}, before {next}, where its archive ends: the topic was made anew");
    (next > high).then(|| Stop::new(StopCode::LogShrunk, text()))
}

fn does_keep(store: &dyn Store) -> io::Result<bool> {
    // Either may be there already, the second from a time when this store wrote over; both cannot be.
    let has_first = store.put_new(PROBE, b"first")?;
    Ok(!(has_first && store.put_new(PROBE, b"second")?))
}

/// Where a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    day: Day,
    partition: i32,
    from: i64,
}

impl Place {
    fn folder(self) -> String {
        format!("day={}", self.day)
    }

    fn path(self) -> String {
        format!("{}/{:05}-{:020}.parquet", self.folder(), self.partition, self.from)
    }

    fn file(day: Day, name: &str) -> Option<Self> {
        let (partition, from) = name.strip_suffix(".parquet")?.split_once('-')?;
        Some(Self { day, partition: partition.parse().ok()?, from: from.parse().ok()? })
    }
}

/// The head of the file at `place`, if it is that file's: one that was exchanged would lead on from elsewhere.
fn checked(head: Head, place: Place) -> io::Result<Head> {
    if (head.partition, head.from) == (place.partition, place.from) && head.day.is_none_or(|day| day == place.day.0) {
        return Ok(head);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is another file under this name", place.path())))
}

fn days(store: &dyn Store) -> io::Result<Vec<Day>> {
    let mut days: Vec<Day> = store.list("")?.iter().filter_map(|name| Day::parse(name.strip_prefix("day=")?)).collect();
    days.sort_unstable();
    Ok(days)
}

fn places(store: &dyn Store, day: Day, partition: i32) -> io::Result<Vec<Place>> {
    let names = store.list(&format!("day={day}"))?;
    let mut places: Vec<Place> =
        names.iter().filter_map(|name| Place::file(day, name)).filter(|place| place.partition == partition).collect();
    places.sort_unstable();
    Ok(places)
}

/// The last file of a partition.
fn last_of(store: &dyn Store, partition: i32) -> io::Result<Option<Place>> {
    for day in days(store)?.into_iter().rev() {
        if let Some(last) = places(store, day, partition)?.pop() {
            return Ok(Some(last));
        }
    }
    Ok(None)
}

/// All files of a partition, in order.
fn all_of(store: &dyn Store, partition: i32) -> io::Result<Vec<Place>> {
    let mut all = Vec::new();
    for day in days(store)? {
        all.extend(places(store, day, partition)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;

//! A run's records in log order: inputs merged by event time, numbered, stamped, with ticks in their place.
//!
//! The only sequential part of the pipeline, and the only one with state. Within one input the order of reading is kept, so an input that
//! is itself in disorder stays so (its late records are the detector's to judge) unless sorting is asked for. A rejected record has no event
//! time; it goes on as soon as its input's turn comes.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use weir_model::time::MICROS_PER_DAY;
use weir_model::{EventTime, Reason, Span};

use crate::batch::{Block, Entry, Outcome, RecordBatch};
use crate::block::{Context, InputContext};
use crate::clock::{Clock, Tick};
use crate::error::Error;
use crate::frame::RawBlock;
use crate::inputs::{Format, Input};
use crate::mapping::{From, Mapping, Own};
use crate::opening::{BlockSource, open_feed};
use crate::parties::Parties;
use crate::row::Names;
use crate::sort::{Sort, Sorted, Sorter};
use crate::tags::Tagger;

/// Rejects kept as samples.
const SAMPLES: usize = 3;
/// With more inputs than this a file is opened only when its first record's turn comes: a folder of a year's daily files needs neither a
/// thousand open files nor a thousand blocks in memory.
const EAGER_INPUTS_MAX: usize = 64;
/// Bytes of blocks a batch may hold on to: records of a megabyte each must not add up to gigabytes.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// Settings of a run. None of them but `tags`, `now`, `sort` and `resume` changes what is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Format of all inputs; else that of the feed file, else by name.
    pub format: Option<Format>,
    /// Records a batch.
    pub batch_records: usize,
    /// Time the records were received: what lies more than ten minutes after it is rejected as future-dated. `None`: nothing is.
    pub now: Option<EventTime>,
    /// Sort all records by event time first.
    pub sort: Option<Sort>,
    /// Go on where an earlier run ended.
    pub resume: Option<Resume>,
    /// Keyword lists for memo tags: the i-th owns bit i.
    pub tags: Vec<(String, Vec<String>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: None, batch_records: 10_000, now: None, sort: None, resume: None, tags: Vec::new() }
    }
}

/// Where an earlier run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// Its clock; `None` if it saw no record.
    pub clock: Option<EventTime>,
    /// Number of its last record.
    pub last_record: u64,
}

/// What was read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records: the good and the rejected.
    pub records: u64,
    /// Records that yielded legs.
    pub good: u64,
    /// Legs.
    pub legs: u64,
    /// Blank lines passed over.
    pub blanks: u64,
    /// Good records more than a day ahead of all before them: gaps in the data, or wrong dates.
    pub ahead: u64,
    /// Rejected records, in the order of [`Reason::ALL`].
    rejected: [u64; Reason::ALL.len()],
}

impl Counts {
    /// Rejected records.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// Rejected records by reason, only those that occurred.
    pub fn by_reason(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.rejected).filter(|(_, count)| *count > 0)
    }

    fn reject(&mut self, reason: Reason) {
        if let Some(at) = Reason::ALL.iter().position(|known| *known == reason) {
            self.rejected[at] += 1;
        }
    }
}

/// One of the first rejects, for a message to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectSample {
    /// Why.
    pub reason: Reason,
    /// Record field; empty where the record as a whole is meant.
    pub field: &'static str,
    /// Source columns of that field.
    pub columns: String,
    /// Path of the input.
    pub source: String,
    /// Line in it; the row for Parquet.
    pub line: u64,
}

/// Bytes taken from the inputs, readable from any thread.
#[derive(Debug, Clone)]
pub struct Progress {
    bytes: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// Bytes read, as they lie in the files (compressed where they are).
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes of all inputs; `None` where one has no size.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

/// Reads a run. An iterator of batches; an error comes after everything readable before it, and the other inputs go on after it.
pub struct Reader {
    context: Arc<Context>,
    format: Option<Format>,
    inputs: Vec<Input>,
    sources: Vec<Source>,
    /// Next record of every source that has one: its event time (rejects: the beginning of time) and the source.
    heads: BinaryHeap<Reverse<(EventTime, usize)>>,
    is_started: bool,
    /// A source whose stream pauses: its next record is looked for when the batch before it has been handed on.
    deferred: Option<usize>,
    sort: Option<Sort>,
    batch_records: usize,
    clock: Clock,
    last_record: u64,
    counts: Counts,
    samples: Vec<RejectSample>,
    errors: VecDeque<Error>,
    progress: Progress,
    names: Arc<[String]>,
}

/// Where blocks come from.
enum Blocks {
    /// An input not opened yet, or closed again after a look at its first record.
    Waiting(u32),
    Input(Box<BlockSource>),
    Sorted(Sorted),
    Done,
}

struct Source {
    blocks: Blocks,
    /// The first block, read when the run was opened.
    peeked: Option<RawBlock>,
    block: Arc<Block>,
    /// Index of the next record in `block`.
    next: usize,
    /// Index of `block` in the batch being made.
    in_batch: Option<usize>,
}

impl Reader {
    /// Opens all inputs, checks their columns against the mapping, and reads the first block of each.
    ///
    /// # Errors
    /// What opening can meet; a feed whose serials are row numbers refuses standard input and inputs of one name.
    pub fn open(inputs: &[Input], mapping: Mapping, parties: Arc<Parties>, options: Options) -> Result<Self, Error> {
        let names = Names::new(mapping.columns.iter().map(|column| column.name.as_str()));
        let bytes = Arc::new(AtomicU64::new(0));
        let progress = Progress { bytes: Arc::clone(&bytes), total: inputs.iter().map(Input::size).sum() };
        let labels = labels(inputs, &mapping)?;
        let is_eager = inputs.len() <= EAGER_INPUTS_MAX;
        let own = mapping.own.clone().unwrap_or(Own::All);
        let tagger = Tagger::new(&options.tags);
        let mut context = Context { mapping, names, own, parties, tagger, now: options.now, inputs: Vec::new() };
        let mut sources = Vec::new();
        let mut has_customer_numbers = false;
        for (index, (input, label)) in (0..).zip(inputs.iter().zip(labels)) {
            let stays_open = is_eager || input.is_stream();
            let count = if stays_open { Arc::clone(&bytes) } else { Arc::default() };
            let mut source = open_feed(input, index, &context.mapping, options.format, &context.names, &count)?;
            context.inputs.push(InputContext { label, encoding: source.encoding(), binding: source.binding().clone() });
            let peeked = source.next_block()?;
            source.be_prompt();
            has_customer_numbers |= has_customers(&context, &source, peeked.as_ref());
            sources.push(if stays_open {
                Source::new(Blocks::Input(Box::new(source)), peeked)
            } else {
                Source::new(Blocks::Waiting(index), None)
            });
        }
        if context.mapping.own.is_none() && has_customer_numbers {
            context.own = Own::Customer;
        }
        let resume = options.resume.unwrap_or(Resume { clock: None, last_record: 0 });
        Ok(Self {
            context: Arc::new(context),
            format: options.format,
            inputs: inputs.to_vec(),
            sources,
            heads: BinaryHeap::new(),
            is_started: false,
            deferred: None,
            sort: options.sort,
            batch_records: options.batch_records.max(1),
            clock: resume.clock.map_or_else(Clock::default, Clock::resume),
            last_record: resume.last_record,
            counts: Counts::default(),
            samples: Vec::new(),
            errors: VecDeque::new(),
            progress,
            names: inputs.iter().map(Input::name).collect(),
        })
    }

    /// Whom this run monitors: the feed file's choice, or what the columns suggest.
    #[must_use]
    pub fn own(&self) -> &Own {
        &self.context.own
    }

    /// The mapping of the run.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.context.mapping
    }

    /// What was read so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The first rejects, at most three.
    #[must_use]
    pub fn samples(&self) -> &[RejectSample] {
        &self.samples
    }

    /// Record `number` of a batch of this reader as a message for a [`crate::MessageDecoder`] of the same mapping: a delimited line as an object of
    /// its mapped columns, everything else as it stands, what is no row included. `None` if it is not of the batch.
    #[must_use]
    pub fn message<'b>(&self, batch: &'b RecordBatch, number: u64) -> Option<Cow<'b, [u8]>> {
        let bytes = batch.original(number)?;
        let object = batch.input_of(number).and_then(|input| self.context.object(input, &bytes));
        Some(object.map_or(bytes, Cow::Owned))
    }

    /// A handle on the bytes read.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Where the run stands: what a later run resumes from.
    #[must_use]
    pub fn position(&self) -> Resume {
        Resume { clock: self.clock.now(), last_record: self.last_record }
    }

    /// The tick at the very end of a run, for a caller that reads nothing after it; `None` if no record ever set the clock.
    #[must_use]
    pub fn end_tick(&self) -> Option<Tick> {
        self.clock.now().map(|clock| Tick { record: self.last_record, clock })
    }

    fn start(&mut self) {
        if let Some(sort) = self.sort.take() {
            match self.sorted(sort) {
                Ok(sorted) => self.sources = vec![Source::new(Blocks::Sorted(sorted), None)],
                Err(error) => {
                    self.sources.clear();
                    self.errors.push_front(error);
                }
            }
        }
        for at in 0..self.sources.len() {
            let waiting = match self.sources[at].blocks {
                Blocks::Waiting(index) => Some(index),
                _ => None,
            };
            match waiting {
                Some(index) => self.look_ahead(at, index),
                None => self.load_head(at),
            }
        }
    }

    /// Puts the first record of a waiting input into the heap and closes the input again. Nothing of this look is counted.
    fn look_ahead(&mut self, at: usize, index: u32) {
        let counts = self.counts;
        match self.opened(index, &Arc::default()) {
            Ok(source) => self.sources[at].blocks = Blocks::Input(Box::new(source)),
            Err(error) => {
                self.sources[at].blocks = Blocks::Done;
                self.errors.push_back(error);
                return;
            }
        }
        self.load_head(at);
        self.counts = counts;
        self.sources[at] = Source::new(Blocks::Waiting(index), None);
    }

    fn opened(&self, index: u32, bytes: &Arc<AtomicU64>) -> Result<BlockSource, Error> {
        let input = usize::try_from(index).ok().and_then(|index| self.inputs.get(index));
        let input = input.ok_or_else(|| Error::NotFound { pattern: index.to_string() })?;
        open_feed(input, index, &self.context.mapping, self.format, &self.context.names, bytes)
    }

    /// The next raw block of a source, which is opened for it if it waits.
    fn next_raw(&mut self, at: usize) -> Result<Option<RawBlock>, Error> {
        if let Blocks::Waiting(index) = self.sources[at].blocks {
            self.sources[at].blocks = Blocks::Done;
            self.sources[at].blocks = Blocks::Input(Box::new(self.opened(index, &Arc::clone(&self.progress.bytes))?));
        }
        self.sources[at].next_raw()
    }

    /// Reads everything into a sorter. What an input failed with comes after all records.
    fn sorted(&mut self, sort: Sort) -> Result<Sorted, Error> {
        let context = Arc::clone(&self.context);
        let mut sorter = Sorter::new(&context, sort);
        for at in 0..self.sources.len() {
            sorter.next_input();
            loop {
                match self.next_raw(at) {
                    Ok(Some(block)) => sorter.add(&block)?,
                    Ok(None) => break,
                    Err(error) => {
                        self.errors.push_back(error);
                        break;
                    }
                }
            }
        }
        sorter.finish()
    }

    /// Decodes blocks of a source until its next record is there; `false` at its end.
    fn load_block(&mut self, at: usize) -> bool {
        while self.sources[at].next >= self.sources[at].block.outcomes.len() {
            match self.next_raw(at) {
                Ok(Some(raw)) => {
                    self.counts.blanks += raw.blanks;
                    let block = Arc::new(self.context.decode(raw));
                    self.sources[at].set_block(block);
                }
                Ok(None) => return false,
                Err(error) => {
                    self.errors.push_back(error);
                    return false;
                }
            }
        }
        true
    }

    /// Puts the next record of a source into the heap.
    fn load_head(&mut self, at: usize) {
        if !self.load_block(at) {
            return;
        }
        let source = &self.sources[at];
        let key = match source.block.outcomes[source.next] {
            Outcome::Good { at, .. } => at,
            Outcome::Bad { .. } => EventTime::MIN,
        };
        self.heads.push(Reverse((key, at)));
    }

    /// Moves the next record into the batch; `false` when there is none.
    fn take(&mut self, batch: &mut RecordBatch) -> bool {
        let Some(Reverse((_, at))) = self.heads.pop() else { return false };
        // Only a waiting input has a head and no block; should it be gone by now, its error is on the way.
        if !self.load_block(at) {
            return true;
        }
        let source = &mut self.sources[at];
        let index = source.next;
        source.next += 1;
        let block = *source.in_batch.get_or_insert_with(|| {
            batch.blocks.push(Arc::clone(&source.block));
            batch.blocks.len() - 1
        });
        self.last_record += 1;
        self.counts.records += 1;
        let clock = match batch.blocks[block].outcomes[index] {
            Outcome::Good { at, first, end } => {
                self.counts.good += 1;
                self.counts.legs += u64::try_from(end - first).unwrap_or(0);
                self.counts.ahead += u64::from(self.clock.now().is_some_and(|clock| at > clock.plus(Span(MICROS_PER_DAY))));
                let (clock, tick) = self.clock.stamp(self.last_record, at);
                batch.ticks.extend(tick.map(|tick| (batch.entries.len(), tick)));
                clock
            }
            Outcome::Bad { reason, field } => {
                self.counts.reject(reason);
                let place = batch.blocks[block].raw.records[index].place;
                self.sample(reason, field, place.input, place.line);
                self.clock.now().unwrap_or(EventTime::MIN)
            }
        };
        batch.entries.push(Entry { block, index, clock });
        if self.sources[at].may_wait() {
            self.deferred = Some(at);
        } else {
            self.load_head(at);
        }
        true
    }

    fn sample(&mut self, reason: Reason, field: &'static str, input: u32, line: u64) {
        if self.samples.len() < SAMPLES {
            let source = usize::try_from(input).ok().and_then(|input| self.names.get(input)).cloned().unwrap_or_default();
            let columns = if field.is_empty() { String::new() } else { self.context.mapping.columns_of(field) };
            self.samples.push(RejectSample { reason, field, columns, source, line });
        }
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.is_started {
            self.is_started = true;
            self.start();
        }
        if let Some(at) = self.deferred.take() {
            self.load_head(at);
        }
        let is_sorted_run = self.sources.iter().any(|source| matches!(source.blocks, Blocks::Sorted(_)));
        for source in &mut self.sources {
            source.in_batch = None;
        }
        let mut batch = RecordBatch { first: self.last_record + 1, inputs: Arc::clone(&self.names), ..RecordBatch::default() };
        let mut counted = 0;
        let mut bytes = 0;
        while batch.entries.len() < self.batch_records && bytes < BATCH_BYTES_MAX && (self.errors.is_empty() || is_sorted_run) {
            if !self.take(&mut batch) {
                break;
            }
            if self.deferred.is_some() {
                break;
            }
            bytes += batch.blocks[counted..].iter().map(|block| block.raw.size()).sum::<usize>();
            counted = batch.blocks.len();
        }
        if batch.is_empty() { self.errors.pop_front().map(Err) } else { Some(Ok(batch)) }
    }
}

impl Source {
    fn new(blocks: Blocks, peeked: Option<RawBlock>) -> Self {
        Self { blocks, peeked, block: Arc::default(), next: 0, in_batch: None }
    }

    fn set_block(&mut self, block: Arc<Block>) {
        self.block = block;
        self.next = 0;
        self.in_batch = None;
    }

    /// Whether the next record may have to wait for a stream.
    fn may_wait(&self) -> bool {
        let is_used_up = self.next >= self.block.outcomes.len() && self.peeked.is_none();
        is_used_up && matches!(&self.blocks, Blocks::Input(source) if source.may_wait())
    }

    fn next_raw(&mut self) -> Result<Option<RawBlock>, Error> {
        if let Some(peeked) = self.peeked.take() {
            return Ok(Some(peeked));
        }
        let next = match &mut self.blocks {
            Blocks::Input(source) => source.next_block(),
            Blocks::Sorted(sorted) => sorted.next_block(),
            Blocks::Waiting(_) | Blocks::Done => Ok(None),
        };
        if !matches!(next, Ok(Some(_))) {
            self.blocks = Blocks::Done;
        }
        next
    }
}

/// Names of inputs in serials of row numbers; they must tell inputs apart there, and matter nowhere else.
fn labels(inputs: &[Input], mapping: &Mapping) -> Result<Vec<String>, Error> {
    let labels: Vec<String> = inputs.iter().map(|input| input.label().unwrap_or_default().to_owned()).collect();
    if mapping.plan.txn_id.from != From::RowNumber {
        return Ok(labels);
    }
    let refuse = |input: &Input, what: &str| Error::Unsupported { path: input.name(), what: what.to_owned() };
    for (at, (input, label)) in inputs.iter().zip(&labels).enumerate() {
        if label.is_empty() {
            return Err(refuse(input, "serials made of row numbers need a file: standard input has no name to tell its rows by"));
        }
        if label.len() > 100 {
            return Err(refuse(input, "serials made of row numbers need a file name of at most 100 bytes"));
        }
        if labels[..at].contains(label) {
            return Err(refuse(input, "serials made of row numbers need inputs of different names; give the folder above them"));
        }
    }
    Ok(labels)
}

/// Whether an input has customer numbers: a column in its header or schema, a mapped name, or, without a feed file, a value in the first
/// block of a JSON input.
fn has_customers(context: &Context, source: &BlockSource, peeked: Option<&RawBlock>) -> bool {
    let slots = context.mapping.customer_slots();
    match source.columns() {
        Some(columns) => slots.iter().any(|slot| columns.contains(&context.mapping.columns[*slot].name)),
        None if context.mapping.is_default => peeked.is_some_and(|block| context.any_value(block, &slots)),
        None => !slots.is_empty(),
    }
}

//! What the reader hands on: numbered, stamped records with their legs, rejects with their bytes, ticks in their place.
//!
//! A batch refers to the blocks its records lie in; they stay in memory as long as some batch does, so that a dead letter can still be
//! written with untouched bytes after the engine has seen the legs. How records are cut into batches means nothing.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use weir_model::{EventTime, Reason};

use crate::clock::Tick;
use crate::frame::{RawBlock, RawPlace};
use crate::legs::{LegBatch, LegView, shard_of_hash};

/// A decoded block: raw records, what became of each, and the legs of all.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) raw: RawBlock,
    /// Parallel to `raw.records`.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) legs: LegBatch,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its event time, and its legs from the first to before the last.
    Good { at: EventTime, first: usize, end: usize },
    /// Why and for which field; empty for the record as a whole.
    Bad { reason: Reason, field: &'static str },
}

/// A record of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Index in `RecordBatch::blocks`.
    pub(crate) block: usize,
    /// Index in the block.
    pub(crate) index: usize,
    /// The stamped clock; for a rejected record the stamp of the one before, which nothing uses.
    pub(crate) clock: EventTime,
}

/// Records in log order.
#[derive(Debug, Clone, Default)]
pub struct RecordBatch {
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) entries: Vec<Entry>,
    /// Ticks, each with the index of the entry it comes before.
    pub(crate) ticks: Vec<(usize, Tick)>,
    /// Number of the first record.
    pub(crate) first: u64,
    pub(crate) inputs: Arc<[String]>,
}

/// Where a record stands in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'b> {
    /// Path of the input; `-` for standard input.
    pub source: &'b str,
    /// Number of the record within it, from 1; blank lines are not counted, rejected records are.
    pub record: u64,
    /// Line, from 1; the row for Parquet.
    pub line: u64,
    /// Bytes of (unpacked) text before it; 0 for Parquet.
    pub offset: u64,
}

/// A record that yielded no legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord<'b> {
    /// Number in the run.
    pub number: u64,
    /// Where it stands.
    pub place: Place<'b>,
    /// Why.
    pub reason: Reason,
    /// Record field; empty where the record as a whole is meant.
    pub field: &'static str,
    /// Its bytes, untouched; of a record that is too long the first [`crate::RECORD_BYTES_MAX`]; of a row of Parquet the JSON object it would be.
    pub original: Cow<'b, [u8]>,
}

/// What a shard sees of a batch.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "nearly all are legs, and none is kept")]
pub enum Step<'b> {
    /// A leg of one of its parties; the legs of one record follow each other.
    Leg {
        /// Number of its record.
        record: u64,
        /// Stamped clock of its record.
        clock: EventTime,
        /// The leg, with name and account of its party.
        view: LegView<'b>,
    },
    /// Comes before the next record; every shard sees every tick.
    Tick(Tick),
}

/// What a shard sees of a batch, one after the other. Nearly all of it are legs, and a chain of adapters would copy each of them several times.
struct Steps<'b> {
    batch: &'b RecordBatch,
    shard: usize,
    shards: usize,
    /// Index of the next record.
    next: usize,
    /// Those not seen yet.
    ticks: &'b [(usize, Tick)],
    /// The record whose turn it is, and its legs not seen yet.
    of_record: Option<(u64, EventTime, &'b LegBatch, Range<usize>)>,
}

impl<'b> Iterator for Steps<'b> {
    type Item = Step<'b>;

    fn next(&mut self) -> Option<Step<'b>> {
        loop {
            if let Some((record, clock, legs, range)) = &mut self.of_record {
                for leg in range {
                    let is_own = |hash| self.shards == 1 || shard_of_hash(hash, self.shards) == self.shard;
                    if legs.hash(leg).is_some_and(is_own)
                        && let Some(view) = legs.get(leg)
                    {
                        return Some(Step::Leg { record: *record, clock: *clock, view });
                    }
                }
                self.of_record = None;
            }
            let at = self.next;
            let entry = self.batch.entries.get(at)?;
            self.next += 1;
            if let Outcome::Good { first, end, .. } = self.batch.outcome(entry) {
                self.of_record = Some((self.batch.number(at), entry.clock, &self.batch.blocks[entry.block].legs, first..end));
            }
            if let [(before, tick), ticks @ ..] = self.ticks
                && *before == at
            {
                self.ticks = ticks;
                return Some(Step::Tick(*tick));
            }
        }
    }
}

impl RecordBatch {
    /// Records, rejected ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of the first record.
    #[must_use]
    pub fn first_record(&self) -> u64 {
        self.first
    }

    /// What shard `shard` of `shards` sees, in order: ticks before the record they precede, and legs. One shard of one sees all there is.
    pub fn steps(&self, shard: usize, shards: usize) -> impl Iterator<Item = Step<'_>> {
        Steps { batch: self, shard, shards, next: 0, ticks: &self.ticks, of_record: None }
    }

    /// The rejected records in order.
    pub fn rejects(&self) -> impl Iterator<Item = RejectedRecord<'_>> {
        self.entries.iter().enumerate().filter_map(|(at, entry)| match self.outcome(entry) {
            Outcome::Bad { reason, field } => Some(self.rejected(at, entry, reason, field)),
            Outcome::Good { .. } => None,
        })
    }

    /// The bytes of record `number` as [`RejectedRecord::original`] has them; `None` if it is not of this batch.
    #[must_use]
    pub fn original(&self, number: u64) -> Option<Cow<'_, [u8]>> {
        self.entry(number).map(|entry| self.blocks[entry.block].raw.original(entry.index))
    }

    /// The stamped clock of record `number`, for a rejected one that of the record before; `None` if it is not of this batch.
    #[must_use]
    pub fn clock(&self, number: u64) -> Option<EventTime> {
        self.entry(number).map(|entry| entry.clock)
    }

    /// The input of record `number`.
    pub(crate) fn input_of(&self, number: u64) -> Option<usize> {
        let entry = self.entry(number)?;
        usize::try_from(self.blocks[entry.block].raw.records[entry.index].place.input).ok()
    }

    /// Where record `number` stands; `None` if it is not of this batch.
    #[must_use]
    pub fn place(&self, number: u64) -> Option<Place<'_>> {
        self.entry(number).map(|entry| self.place_of(entry))
    }

    fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn number(&self, at: usize) -> u64 {
        self.first + u64::try_from(at).unwrap_or(u64::MAX)
    }

    fn outcome(&self, entry: &Entry) -> Outcome {
        self.blocks[entry.block].outcomes[entry.index]
    }

    fn rejected(&self, at: usize, entry: &Entry, reason: Reason, field: &'static str) -> RejectedRecord<'_> {
        let original = self.blocks[entry.block].raw.original(entry.index);
        RejectedRecord { number: self.number(at), place: self.place_of(entry), reason, field, original }
    }

    fn place_of(&self, entry: &Entry) -> Place<'_> {
        let RawPlace { input, record, line, offset } = self.blocks[entry.block].raw.records[entry.index].place;
        let source = usize::try_from(input).ok().and_then(|input| self.inputs.get(input)).map_or("", String::as_str);
        Place { source, record, line, offset }
    }
}

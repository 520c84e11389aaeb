//! The pure middle of the pipeline: a block of raw records → outcomes and legs.
//!
//! Depends on nothing but the block and a [`Context`] that no record changes, so blocks may be worked on anywhere in any order.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_model::{EventTime, Reason, Span, Transaction};

use crate::batch::{Block, Outcome};
use crate::decode::{Reject, transaction};
use crate::frame::{RECORD_BYTES_MAX, RawBlock};
use crate::legs::LegBatch;
use crate::mapping::{Mapping, Origin, Own};
use crate::message::Message;
use crate::opening::Binding;
use crate::parties::Parties;
use crate::row::{Cell, Names, Row};
use crate::split::Splitter;
use crate::tags::Tagger;
use crate::text::Encoding;

/// How far event time may lie ahead of the time a record was received.
const FUTURE_MAX: Span = Span(10 * 60 * 1_000_000);

/// Everything a run knows before its first record.
pub(crate) struct Context {
    pub(crate) mapping: Mapping,
    pub(crate) names: Names,
    pub(crate) own: Own,
    pub(crate) parties: Arc<Parties>,
    pub(crate) tagger: Tagger,
    /// Time the records were received, where the caller knows it.
    pub(crate) now: Option<EventTime>,
    pub(crate) inputs: Vec<InputContext>,
}

/// What differs from input to input.
pub(crate) struct InputContext {
    pub(crate) label: String,
    pub(crate) encoding: Encoding,
    pub(crate) binding: Binding,
}

/// Buffers used from record to record.
struct Scratch {
    row: Row,
    text: String,
    key: String,
}

impl Context {
    /// Decodes and splits a block.
    pub(crate) fn decode(&self, raw: RawBlock) -> Block {
        let splitter = Splitter { rows: self.mapping.plan.rows, own: &self.own, parties: &self.parties, tagger: &self.tagger };
        let mut legs = LegBatch::for_records(raw.records.len(), raw.size());
        let mut scratch = self.scratch();
        let outcomes = (0..raw.records.len())
            .map(|index| {
                let first = legs.len();
                match self.record(&raw, index, &mut scratch, |txn, key| splitter.split(txn, &mut legs, key)) {
                    Ok(at) => Outcome::Good { at, first, end: legs.len() },
                    Err(Reject { reason, field }) => Outcome::Bad { reason, field },
                }
            })
            .collect();
        Block { raw, outcomes, legs }
    }

    /// Decodes and splits records that come one by one, all of the first input; `now` of the context does not count, theirs do.
    pub(crate) fn decode_messages<'m>(&self, messages: impl Iterator<Item = Message<'m>>) -> (Vec<Outcome>, LegBatch) {
        let splitter = Splitter { rows: self.mapping.plan.rows, own: &self.own, parties: &self.parties, tagger: &self.tagger };
        let mut legs = LegBatch::default();
        let mut scratch = self.scratch();
        let outcomes = messages.map(|message| {
            let first = legs.len();
            let is_too_long = message.bytes.len() > RECORD_BYTES_MAX;
            let decoded = if is_too_long {
                Err(Reject::whole(Reason::TooLong))
            } else {
                self.message(&message, &mut scratch, |txn, key| splitter.split(txn, &mut legs, key))
            };
            match decoded {
                Ok(at) => Outcome::Good { at, first, end: legs.len() },
                Err(Reject { reason, field }) => Outcome::Bad { reason, field },
            }
        });
        (outcomes.collect(), legs)
    }

    fn message(
        &self,
        message: &Message<'_>,
        scratch: &mut Scratch,
        split: impl FnMut(&Transaction<'_>, &mut String) -> Result<(), Reason>,
    ) -> Result<EventTime, Reject> {
        let input = self.inputs.first().ok_or(Reject::whole(Reason::Malformed))?;
        let Scratch { row, text, .. } = scratch;
        input.binding.read(message.bytes, input.encoding, &self.names, row, text).map_err(Reject::whole)?;
        self.row(input, 0, message.received, scratch, split)
    }

    /// The event times of a block's records, `None` for those that are no transactions: what sorting needs.
    pub(crate) fn event_times(&self, raw: &RawBlock) -> Vec<Option<EventTime>> {
        let mut scratch = self.scratch();
        (0..raw.records.len()).map(|index| self.record(raw, index, &mut scratch, |_, _| Ok(())).ok()).collect()
    }

    fn scratch(&self) -> Scratch {
        Scratch { row: Row::new(self.mapping.columns.len()), text: String::new(), key: String::new() }
    }

    fn record(
        &self,
        raw: &RawBlock,
        index: usize,
        scratch: &mut Scratch,
        split: impl FnMut(&Transaction<'_>, &mut String) -> Result<(), Reason>,
    ) -> Result<EventTime, Reject> {
        let input = self.read(raw, index, scratch)?;
        self.row(input, raw.records[index].place.record, self.now, scratch, split)
    }

    /// Reads a record of a block into the scratch row; returns the input it is of.
    fn read(&self, raw: &RawBlock, index: usize, scratch: &mut Scratch) -> Result<&InputContext, Reject> {
        let input = usize::try_from(raw.records[index].place.input).ok().and_then(|input| self.inputs.get(input));
        let input = input.ok_or(Reject::whole(Reason::Malformed))?;
        let Scratch { row, text, .. } = scratch;
        input.binding.read_record(raw, index, input.encoding, &self.names, row, text).map_err(Reject::whole)?;
        Ok(input)
    }

    /// The record in the scratch row, the `record`-th of its input, received at `now`.
    fn row(
        &self,
        input: &InputContext,
        record: u64,
        now: Option<EventTime>,
        scratch: &mut Scratch,
        mut split: impl FnMut(&Transaction<'_>, &mut String) -> Result<(), Reason>,
    ) -> Result<EventTime, Reject> {
        let txn = transaction(&self.mapping, &scratch.row, Origin { label: &input.label, record })?;
        if now.is_some_and(|now| txn.occurred_at > now.plus(FUTURE_MAX)) {
            return Err(Reject { reason: Reason::FutureDated, field: "occurred_at" });
        }
        split(&txn, &mut scratch.key).map_err(Reject::whole)?;
        Ok(txn.occurred_at)
    }

    /// A delimited line as a JSON object of its mapped columns; `None` for JSON, and for what is no row.
    pub(crate) fn object(&self, input: usize, bytes: &[u8]) -> Option<Vec<u8>> {
        let input = self.inputs.get(input)?;
        if matches!(input.binding, Binding::Json) {
            return None;
        }
        let mut scratch = self.scratch();
        input.binding.read(bytes, input.encoding, &self.names, &mut scratch.row, &mut scratch.text).ok()?;
        let cells = self.mapping.columns.iter().enumerate().filter_map(|(slot, column)| match scratch.row.cell(slot) {
            Cell::Text(text) => Some((column.name.as_str(), text)),
            _ => None,
        });
        serde_json::to_vec(&cells.collect::<BTreeMap<_, _>>()).ok()
    }

    /// Whether some record of a block has a value in one of `slots`.
    pub(crate) fn any_value(&self, raw: &RawBlock, slots: &[usize]) -> bool {
        let mut scratch = self.scratch();
        (0..raw.records.len())
            .any(|index| self.read(raw, index, &mut scratch).is_ok() && slots.iter().any(|slot| scratch.row.cell(*slot) != Cell::Absent))
    }
}

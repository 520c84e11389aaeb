//! The thread that reads: batches to every shard, and a stop for an input that is plainly not what its feed says.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;

use weir_feed::{Counts, Error, Reader, RecordBatch, RejectSample, Resume};

use super::settings::BAD_RATIO_FROM;
use super::shard::{Event, Work};
use crate::input_error::PlainlyWrong;

/// How reading ended.
#[derive(Debug)]
pub(crate) enum ReaderEnd {
    /// Everything is read.
    Complete {
        /// What was read.
        counts: Box<Counts>,
        /// The first bad records.
        samples: Vec<RejectSample>,
        /// Where a later run goes on.
        position: Resume,
    },
    /// More bad records than tolerated.
    TooBad(PlainlyWrong),
    /// An input failed.
    Failed(Error),
}

/// Settings of the thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Bad records tolerated, in millionths.
    pub(crate) max_bad_millionths: u64,
    /// Whether the state is saved for a run that goes on: then no time passes at the end.
    pub(crate) to_be_continued: bool,
}

impl Reading {
    /// Reads until the end, a failure, or until a shard is gone.
    pub(crate) fn spawn(self, reader: Reader, shards: Vec<SyncSender<Work>>, events: SyncSender<Event>) -> std::io::Result<()> {
        thread::Builder::new().name("reader".to_owned()).spawn(move || {
            if let Some(end) = self.read(reader, &shards) {
                // The listener is gone only when the run has failed elsewhere.
                let _ = events.send(Event::Reader(end));
            }
        })?;
        Ok(())
    }

    /// `None` when a shard is gone: whoever ended it has told.
    fn read(self, mut reader: Reader, shards: &[SyncSender<Work>]) -> Option<ReaderEnd> {
        let mut bad = BadRatio::new(self.max_bad_millionths, reader.position().last_record);
        while let Some(next) = reader.next() {
            let batch = match next {
                Ok(batch) => Arc::new(batch),
                Err(error) => return Some(ReaderEnd::Failed(error)),
            };
            if let Some((bad, records)) = bad.exceeded_in(&batch) {
                return Some(ReaderEnd::TooBad(PlainlyWrong { bad, records, is_all: false, samples: reader.samples().to_vec() }));
            }
            for shard in shards {
                shard.send(Work::Batch(Arc::clone(&batch))).ok()?;
            }
        }
        if let Some((bad, records)) = bad.exceeded_at_end(reader.counts().records) {
            return Some(ReaderEnd::TooBad(PlainlyWrong { bad, records, is_all: true, samples: reader.samples().to_vec() }));
        }
        let tick = if self.to_be_continued { None } else { reader.end_tick() };
        let position = reader.position();
        for shard in shards {
            shard.send(Work::End { tick, last_record: position.last_record, save: self.to_be_continued }).ok()?;
        }
        let counts = Box::new(*reader.counts());
        Some(ReaderEnd::Complete { counts, samples: reader.samples().to_vec(), position })
    }
}

/// Looks at the share of bad records after every record from the thousandth on, so that the outcome does not depend on batches; of a shorter
/// input at its end.
#[derive(Debug)]
struct BadRatio {
    max_millionths: u64,
    /// Records before this run.
    before: u64,
    bad: u64,
    is_past_start: bool,
}

impl BadRatio {
    fn new(max_millionths: u64, before: u64) -> Self {
        Self { max_millionths, before, bad: 0, is_past_start: false }
    }

    /// The bad records and all records up to the one that went too far.
    fn exceeded_in(&mut self, batch: &RecordBatch) -> Option<(u64, u64)> {
        let records_before = batch.first_record() - 1 - self.before;
        let last = records_before + u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let before = self.before;
        self.exceeded_at(batch.rejects().map(|reject| reject.number - before), last)
    }

    /// `bad_records` are the numbers of the bad ones among the records up to `last`. The share rises at bad records only, so it need be looked
    /// at only there, and at the first record that counts.
    fn exceeded_at(&mut self, bad_records: impl Iterator<Item = u64>, last: u64) -> Option<(u64, u64)> {
        for record in bad_records {
            if record > BAD_RATIO_FROM
                && let Some(exceeded) = self.start()
            {
                return Some(exceeded);
            }
            self.bad += 1;
            if record >= BAD_RATIO_FROM && self.is_exceeded(record) {
                return Some((self.bad, record));
            }
        }
        if last >= BAD_RATIO_FROM { self.start() } else { None }
    }

    /// The same of a whole input of `records`.
    fn exceeded_at_end(&self, records: u64) -> Option<(u64, u64)> {
        (records < BAD_RATIO_FROM && self.is_exceeded(records)).then_some((self.bad, records))
    }

    fn start(&mut self) -> Option<(u64, u64)> {
        let is_first = !std::mem::replace(&mut self.is_past_start, true);
        (is_first && self.is_exceeded(BAD_RATIO_FROM)).then_some((self.bad, BAD_RATIO_FROM))
    }

    fn is_exceeded(&self, records: u64) -> bool {
        u128::from(self.bad) * 1_000_000 > u128::from(records) * u128::from(self.max_millionths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the run stops, whatever the batches.
    fn check(is_bad: impl Fn(u64) -> bool, records: u64, expected: Option<(u64, u64)>) {
        for batch in [1, 7, 1000, 5000] {
            let mut ratio = BadRatio::new(500_000, 0);
            let mut stopped = None;
            let mut first = 1;
            while first <= records && stopped.is_none() {
                let last = records.min(first + batch - 1);
                stopped = ratio.exceeded_at((first..=last).filter(|record| is_bad(*record)), last);
                first = last + 1;
            }
            let stopped = stopped.or_else(|| ratio.exceeded_at_end(records));
            assert_eq!(stopped, expected, "batches of {batch}");
        }
    }

    #[test]
    fn a_wrong_feed_stops_at_the_same_record_for_any_batch() {
        check(|_| true, 5000, Some((1000, 1000)));
        check(|_| true, 999, Some((999, 999)));
        check(|record| record <= 2, 3, Some((2, 3)));
        check(|record| record <= 2, 4, None);
        check(|_| false, 0, None);
        check(|record| record <= 501, 5000, Some((501, 1000)));
        check(|record| record <= 500, 5000, None);
        check(|record| record > 1000, 5000, Some((1001, 2001)));
        check(|record| record == 1000 || record <= 500, 5000, Some((501, 1000)));
    }
}

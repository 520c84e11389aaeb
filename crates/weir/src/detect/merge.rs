//! From what shards report, each in its own time, to one run in order.
//!
//! Every shard reports every batch, in order of batches; a batch is complete when all have. Its effects are then brought into the order of
//! the log by the engine's own keys, which makes the outputs independent of the number of shards. Bounded: a shard is ahead of the slowest
//! by no more batches than its queue holds.

use std::collections::VecDeque;
use std::sync::Arc;

use weir_engine::Effects;
use weir_feed::RecordBatch;

use super::shard::Report;

/// A batch that all shards have worked on.
#[derive(Debug)]
pub(crate) struct Complete {
    /// The records.
    pub(crate) batch: Arc<RecordBatch>,
    /// What they caused, in order.
    pub(crate) report: Report,
}

/// Batches that some shards have worked on.
#[derive(Debug)]
pub(crate) struct Merge {
    shards: usize,
    /// Oldest first.
    partial: VecDeque<Partial>,
    /// How many batches each shard has reported beyond those taken out.
    ahead: Vec<usize>,
}

#[derive(Debug)]
struct Partial {
    batch: Arc<RecordBatch>,
    reports: Vec<Report>,
}

impl Merge {
    /// Of `shards` shards.
    pub(crate) fn new(shards: usize) -> Self {
        Self { shards, partial: VecDeque::new(), ahead: vec![0; shards] }
    }

    /// Takes in the report of a shard on its next batch; returns the oldest batch if that completes it.
    pub(crate) fn push(&mut self, shard: usize, batch: Arc<RecordBatch>, report: Report) -> Option<Complete> {
        let at = self.ahead[shard];
        self.ahead[shard] += 1;
        if at == self.partial.len() {
            self.partial.push_back(Partial { batch, reports: Vec::with_capacity(self.shards) });
        }
        self.partial[at].reports.push(report);
        let is_complete = self.partial.front().is_some_and(|oldest| oldest.reports.len() == self.shards);
        let oldest = if is_complete { self.partial.pop_front() } else { None }?;
        for ahead in &mut self.ahead {
            *ahead -= 1;
        }
        Some(Complete { batch: oldest.batch, report: join(oldest.reports) })
    }
}

fn join(reports: Vec<Report>) -> Report {
    let mut joined = Report::default();
    let mut effects = Vec::with_capacity(reports.len());
    for report in reports {
        joined.removals.extend(report.removals);
        joined.last_tick = joined.last_tick.max(report.last_tick);
        effects.push(report.effects);
    }
    joined.effects = in_order(effects);
    joined
}

/// The effects of all shards in the order of the log.
pub(crate) fn in_order(shards: Vec<Effects>) -> Effects {
    let mut all = Effects::default();
    for effects in shards {
        all.alerts.extend(effects.alerts);
        all.reports.extend(effects.reports);
        all.rejects.extend(effects.rejects);
        all.counts += effects.counts;
    }
    // A party is in one shard, and keys name the party: equal keys come from one shard, whose order a stable sort keeps.
    all.alerts.sort_by(|a, b| a.key().cmp(&b.key()));
    all.reports.sort_by(|a, b| a.key().cmp(&b.key()));
    all.rejects.sort_by(|a, b| a.key().cmp(&b.key()));
    all
}

#[cfg(test)]
mod tests {
    use weir_engine::Counts;

    use super::*;

    #[test]
    fn a_batch_is_complete_when_every_shard_has_reported_it() {
        let mut merge = Merge::new(2);
        let batches: Vec<Arc<RecordBatch>> = (0..3).map(|_| Arc::default()).collect();
        let mut push = |shard, number: usize| {
            let effects = Effects { counts: Counts { legs: 1, ..Counts::default() }, ..Effects::default() };
            let report = Report { effects, ..Report::default() };
            let complete = merge.push(shard, Arc::clone(&batches[number]), report)?;
            assert_eq!(complete.report.effects.counts.legs, 2);
            batches.iter().position(|batch| Arc::ptr_eq(batch, &complete.batch))
        };
        assert_eq!(push(0, 0), None);
        assert_eq!(push(0, 1), None);
        assert_eq!(push(1, 0), Some(0));
        assert_eq!(push(1, 1), Some(1));
        assert_eq!(push(1, 2), None);
        assert_eq!(push(0, 2), Some(2));
    }
}

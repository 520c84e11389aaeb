//! From merged effects to lines: every effect gets its place in the inputs, every rejected record its bytes.

use std::collections::BTreeMap;

use weir_engine::{AlertEffect, Counts, Effects, RejectEffect, ReportEffect};
use weir_feed::{RecordBatch, RejectedRecord};
use weir_model::alert::LogPosition;
use weir_model::{EventTime, Reason, Span};

use super::place::Place;
use super::rows::{DeadLetter, LateLeg, Original};
use super::shard::Report;
use super::sinks::Sinks;
use super::state::WaitingRemoval;
use crate::failure::Failure;

/// The writing end of a run.
#[derive(Debug)]
pub(crate) struct Writing {
    /// Where lines go.
    pub(crate) sinks: Sinks,
    /// Removals that may still wait for their targets, longer than their batches are kept. Bounded by the allowed lateness.
    removals: BTreeMap<u64, WaitingRemoval>,
    lateness: Span,
    counts: Counts,
    records: u64,
    /// Place of the last record written of: where the tick at the end stands.
    last_place: Option<Place>,
    /// The last dead letter, so that a record whose two legs fail alike is one line.
    last_dead: Option<(u64, Reason)>,
}

impl Writing {
    /// Begins with what an earlier run left waiting.
    pub(crate) fn new(sinks: Sinks, removals: Vec<WaitingRemoval>, lateness: Span) -> Self {
        let removals = removals.into_iter().map(|removal| (removal.record, removal)).collect();
        Self { sinks, removals, lateness, counts: Counts::default(), records: 0, last_place: None, last_dead: None }
    }

    /// Records written of.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// What the detectors counted.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether anybody still reads.
    pub(crate) fn is_wanted(&self) -> bool {
        self.sinks.is_wanted()
    }

    /// What still waits.
    pub(crate) fn removals(&self) -> Vec<WaitingRemoval> {
        self.removals.values().cloned().collect()
    }

    /// Writes everything that a batch caused.
    pub(crate) fn batch(&mut self, batch: &RecordBatch, report: Report) -> Result<(), Failure> {
        self.records += u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.remember_removals(batch, &report.removals);
        self.counts += report.effects.counts;
        self.rejects(batch, &report.effects.rejects)?;
        for effect in report.effects.alerts {
            self.alert(batch, effect)?;
        }
        for effect in report.effects.reports {
            self.sinks.report(effect)?;
        }
        let last = batch.first_record() + u64::try_from(batch.len().saturating_sub(1)).unwrap_or(u64::MAX);
        if let Some(place) = batch.place(last) {
            self.last_place = Some(place.into());
        }
        if let Some(tick) = report.last_tick {
            self.sinks.settle(tick.minus(self.lateness))?;
            self.removals.retain(|_, removal| EventTime(removal.clock).plus(self.lateness) >= tick);
        }
        self.sinks.flush()
    }

    /// Writes what the tick at the end caused, and the alerts and reports that are not settled then.
    pub(crate) fn end(&mut self, effects: Effects, live: &[AlertEffect], open: Vec<ReportEffect>) -> Result<(), Failure> {
        self.counts += effects.counts;
        let none = RecordBatch::default();
        self.rejects(&none, &effects.rejects)?;
        for effect in effects.alerts {
            self.alert(&none, effect)?;
        }
        for effect in effects.reports {
            self.sinks.report(effect)?;
        }
        for effect in live {
            self.sinks.live_alert(effect.clone())?;
        }
        open.into_iter().try_for_each(|effect| self.sinks.open_report(effect))?;
        Ok(())
    }

    fn remember_removals(&mut self, batch: &RecordBatch, removals: &[(u64, EventTime)]) {
        for (record, clock) in removals {
            let (Some(place), Some(original)) = (batch.place(*record), batch.original(*record)) else { continue };
            let removal = WaitingRemoval { record: *record, clock: clock.0, place: place.into(), original: original.into_owned() };
            self.removals.insert(*record, removal);
        }
    }

    fn alert(&mut self, batch: &RecordBatch, mut effect: AlertEffect) -> Result<(), Failure> {
        let place = batch.place(effect.record).map(Place::from).or_else(|| self.last_place.clone());
        if let Some(Place { source, record, .. }) = place {
            effect.alert.detected_from = LogPosition { source, partition: 0, offset: record };
        }
        self.sinks.alert(effect)
    }

    /// Records that the reader refused and legs that the detectors did, in order of the log.
    fn rejects(&mut self, batch: &RecordBatch, effects: &[RejectEffect]) -> Result<(), Failure> {
        let mut effects = effects.iter().peekable();
        for record in batch.rejects() {
            while let Some(effect) = effects.next_if(|effect| effect.record <= record.number) {
                self.reject(batch, effect)?;
            }
            self.refused_record(&record)?;
        }
        effects.try_for_each(|effect| self.reject(batch, effect))
    }

    fn refused_record(&mut self, record: &RejectedRecord<'_>) -> Result<(), Failure> {
        let Some(output) = &mut self.sinks.dead_letters else { return Ok(()) };
        output.json(&DeadLetter {
            reason: record.reason,
            field: Some(record.field).filter(|field| !field.is_empty()),
            place: Some(&record.place.into()),
            original: Some(Original::of(&record.original)),
        })
    }

    fn reject(&mut self, batch: &RecordBatch, effect: &RejectEffect) -> Result<(), Failure> {
        let number = effect.rejected_record;
        let waiting = self.removals.get(&number);
        let place = batch.place(number).map(Place::from).or_else(|| waiting.map(|removal| removal.place.clone()));
        if effect.reason.is_late() {
            self.sinks.summary.count_reject(effect.reason);
            let Some(output) = &mut self.sinks.late else { return Ok(()) };
            return output.json(&LateLeg::new(effect, place.as_ref()));
        }
        if self.last_dead.replace((number, effect.reason)) == Some((number, effect.reason)) {
            return Ok(());
        }
        self.sinks.summary.count_reject(effect.reason);
        let original = batch.original(number).or_else(|| waiting.map(|removal| removal.original.as_slice().into()));
        let Some(output) = &mut self.sinks.dead_letters else { return Ok(()) };
        output.json(&DeadLetter {
            reason: effect.reason,
            field: Some(if effect.reason == Reason::PartialReversal { "amount" } else { "txn_id" }),
            place: place.as_ref(),
            original: original.as_deref().map(Original::of),
        })
    }
}

//! What ops see: counters and gauges of all roles, in Prometheus' form.
//!
//! Labels are codes, topics, partitions and rule ids; never a party, an account or a name. Every bound and every way a record can end has a
//! counter.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder, exponential_buckets,
};

use crate::readiness::{Wait, Work};
use crate::stop::StopCode;

/// All of them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    records: IntCounterVec,
    pub(crate) legs: IntCounterVec,
    pub(crate) unmonitored: IntCounterVec,
    pub(crate) rules_refused: IntCounterVec,
    pub(crate) dead_letters: IntCounterVec,
    pub(crate) late: IntCounterVec,
    pub(crate) alerts: IntCounterVec,
    pub(crate) office_messages: IntCounterVec,
    pub(crate) large_amounts: IntCounterVec,
    pub(crate) duplicates: IntCounterVec,
    pub(crate) bounds: IntCounterVec,
    committed: IntGaugeVec,
    stopped: IntGaugeVec,
    recoveries: IntCounterVec,
    producers_replaced: IntCounterVec,
    commit_seconds: HistogramVec,
    owned: IntGaugeVec,
    alive: GaugeVec,
    pub(crate) clock: GaugeVec,
    snapshot_offset: IntGaugeVec,
    snapshot_time: GaugeVec,
    pub(crate) snapshot_failures: IntCounterVec,
    pub(crate) parties: IntGaugeVec,
    lag: IntGaugeVec,
    lag_seconds: GaugeVec,
    /// What each worker is at.
    workers: Arc<Mutex<BTreeMap<String, Work>>>,
}

impl Metrics {
    /// A registry with everything in it.
    ///
    /// # Panics
    /// If two metrics here had one name.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntCounterVec::new(Opts::new(name, help), labels).expect("a valid metric");
            registry.register(Box::new(metric.clone())).expect("names differ");
            metric
        };
        let int_gauge = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntGaugeVec::new(Opts::new(name, help), labels).expect("a valid metric");
            registry.register(Box::new(metric.clone())).expect("names differ");
            metric
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let metric = GaugeVec::new(Opts::new(name, help), labels).expect("a valid metric");
            registry.register(Box::new(metric.clone())).expect("names differ");
            metric
        };
        let buckets = exponential_buckets(0.001, 2.0, 14).expect("valid buckets");
        let commit = HistogramOpts::new("weir_commit_seconds", "Time a transaction took, from begin to committed").buckets(buckets);
        let commit_seconds = HistogramVec::new(commit, &["role"]).expect("a valid metric");
        registry.register(Box::new(commit_seconds.clone())).expect("names differ");
        Self {
            records: counter("weir_records_total", "Records folded, replayed ones not counted", &["role"]),
            legs: counter("weir_legs_total", "Legs written to the leg log", &[]),
            unmonitored: counter("weir_unmonitored_total", "Transactions neither side of which is monitored: no leg came of them", &[]),
            rules_refused: counter("weir_rules_refused_total", "Published rule sets that were not put in force", &[]),
            dead_letters: counter("weir_dead_letters_total", "Records set aside", &["role", "reason"]),
            late: counter("weir_late_total", "Legs that came too late to be counted", &["reason"]),
            alerts: counter("weir_alert_revisions_total", "Alert revisions", &["rule", "level", "status"]),
            office_messages: counter("weir_office_messages_total", "Messages to offices", &["resolved"]),
            large_amounts: counter("weir_large_amount_revisions_total", "Revisions of large-amount reports", &["item", "status"]),
            duplicates: counter("weir_duplicates_total", "Legs that were there already", &[]),
            bounds: counter("weir_bound_reached_total", "Legs that left early, and other bounds reached", &["bound"]),
            committed: int_gauge("weir_committed_offset", "Next offset to be read, as committed", &["role", "partition"]),
            stopped: int_gauge("weir_stopped", "1 while a partition is stopped", &["role", "partition", "code"]),
            recoveries: counter("weir_recoveries_total", "Attempts to find out what became of a transaction", &["role"]),
            producers_replaced: counter(
                "weir_producers_replaced_total",
                "Producers given up because a request of their last transaction may have been sent twice",
                &["role"],
            ),
            owned: int_gauge("weir_owned", "1 while this process owns the partition", &["role", "partition"]),
            alive: gauge("weir_worker_step_timestamp_seconds", "When a worker last finished a step", &["role", "worker"]),
            clock: gauge("weir_clock_timestamp_seconds", "Stamped clock of a partition: event time, not wall time", &["role", "partition"]),
            snapshot_offset: int_gauge("weir_snapshot_offset", "Offset of the newest snapshot", &["partition"]),
            snapshot_time: gauge("weir_snapshot_timestamp_seconds", "When the newest snapshot was written", &["partition"]),
            snapshot_failures: counter("weir_snapshot_failures_total", "Snapshots that could not be written", &["partition"]),
            parties: int_gauge("weir_parties", "Parties with a history", &["partition"]),
            lag: int_gauge("weir_lag_records", "Records not yet committed", &["role", "partition"]),
            lag_seconds: gauge(
                "weir_lag_seconds",
                "How long the record folded last had lain in its topic; 0 where all are read",
                &["role", "partition"],
            ),
            workers: Arc::default(),
            commit_seconds,
            registry,
        }
    }

    /// The present values, in Prometheus' text form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        // Encoding into memory fails only for a metric without a name.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// The handle of one worker.
    pub(crate) fn worker(&self, role: &'static str, number: usize) -> WorkerMetrics {
        let worker = WorkerMetrics { all: self.clone(), role, number: number.to_string() };
        worker.alive();
        worker
    }

    /// A worker that has not finished a step for so long.
    pub(crate) fn silent(&self, time: Duration) -> Option<String> {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.iter().find(|(_, work)| work.stepped.elapsed() > time).map(|(worker, _)| worker.clone())
    }

    /// Why some worker is not at work, if one is not; partitions that are stopped apart.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.iter().find_map(|(worker, work)| Some(format!("{worker} {}", work.obstacle()?)))
    }

    /// A worker that has ended is not silent.
    pub(crate) fn ended(&self, worker: &str) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).remove(worker);
    }

    /// Notes how far a role is behind in a partition.
    pub fn lag(&self, role: &str, partition: i32, records: i64) {
        self.lag.with_label_values(&[role, &partition.to_string()]).set(records);
    }

    /// The newest snapshot of a partition, and when it was written, where that is known.
    pub(crate) fn snapshot(&self, partition: i32, offset: i64, written: Option<SystemTime>) {
        let label = partition.to_string();
        self.snapshot_offset.with_label_values(&[&label]).set(offset);
        if let Some(written) = written {
            self.snapshot_time.with_label_values(&[&label]).set(seconds_of(written));
        }
    }

    /// Partitions stopped at present.
    #[must_use]
    pub fn stopped(&self) -> usize {
        use prometheus::core::Collector;
        self.stopped
            .collect()
            .iter()
            .flat_map(prometheus::proto::MetricFamily::get_metric)
            .filter(|m| m.get_gauge().get_value() > 0.0)
            .count()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// What one worker tells.
#[derive(Clone)]
pub(crate) struct WorkerMetrics {
    all: Metrics,
    role: &'static str,
    number: String,
}

impl WorkerMetrics {
    /// A partition is read no further for now: too much of it waits for others.
    pub(crate) fn paused(&self) {
        self.all.bounds.with_label_values(&["waiting"]).inc();
    }

    pub(crate) fn assigned(&self, partitions: &[i32]) {
        self.note(|work| work.is_assigned = true);
        // A process with several workers of one role: each clears only what it had, so nothing is reset here but on the way in.
        for partition in partitions {
            let partition = partition.to_string();
            self.all.owned.with_label_values(&[self.role, &partition]).set(1);
            for code in StopCode::ALL {
                let _ = self.all.stopped.remove_label_values(&[self.role, &partition, code.code()]);
            }
        }
    }

    /// Partitions go elsewhere, or nobody knows where: until it is told which are its own, a worker is not at work.
    pub(crate) fn revoked(&self, partitions: impl Iterator<Item = i32>) {
        self.note(|work| work.is_assigned = false);
        for partition in partitions {
            let partition = partition.to_string();
            let labels = [self.role, &partition];
            let _ = (self.all.owned.remove_label_values(&labels), self.all.lag_seconds.remove_label_values(&labels));
            // What was known of it here grows old, and would look like a partition that stands still.
            let _ = (self.all.clock.remove_label_values(&labels), self.all.committed.remove_label_values(&labels));
            if self.role == "detect" {
                let of_partition = [partition.as_str()];
                for gauge in [&self.all.snapshot_offset, &self.all.parties] {
                    let _ = gauge.remove_label_values(&of_partition);
                }
                let _ = self.all.snapshot_time.remove_label_values(&of_partition);
            }
            // Whoever takes it up says whether it is stopped there.
            for code in StopCode::ALL {
                let _ = self.all.stopped.remove_label_values(&[self.role, &partition, code.code()]);
            }
        }
    }

    pub(crate) fn stopped(&self, partition: i32, code: StopCode) {
        self.all.stopped.with_label_values(&[self.role, &partition.to_string(), code.code()]).set(1);
    }

    /// The record folded last was taken by the broker at this time, milliseconds.
    pub(crate) fn received(&self, partition: i32, millis: Option<i64>) {
        let Some(millis) = millis else { return };
        let received = UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs());
        let lain = SystemTime::now().duration_since(received).unwrap_or_default();
        self.behind(partition, lain.as_secs_f64());
    }

    /// Everything of a partition is read.
    pub(crate) fn drained(&self, partition: i32) {
        self.behind(partition, 0.0);
    }

    fn behind(&self, partition: i32, seconds: f64) {
        self.all.lag_seconds.with_label_values(&[self.role, &partition.to_string()]).set(seconds);
    }

    pub(crate) fn folded(&self, records: usize) {
        self.all.records.with_label_values(&[self.role]).inc_by(u64::try_from(records).unwrap_or(u64::MAX));
    }

    pub(crate) fn committed(&self, partition: i32, offset: i64) {
        self.all.committed.with_label_values(&[self.role, &partition.to_string()]).set(offset);
    }

    pub(crate) fn commit_took(&self, time: Duration) {
        self.all.commit_seconds.with_label_values(&[self.role]).observe(time.as_secs_f64());
    }

    pub(crate) fn recovering(&self) {
        self.all.recoveries.with_label_values(&[self.role]).inc();
    }

    pub(crate) fn producer_replaced(&self) {
        self.all.producers_replaced.with_label_values(&[self.role]).inc();
    }

    pub(crate) fn alive(&self) {
        self.all.alive.with_label_values(&[self.role, &self.number]).set(seconds_of(SystemTime::now()));
        self.note(|work| work.stepped = Instant::now());
    }

    /// What keeps partitions from being read on, as of the last step.
    pub(crate) fn waits(&self, wait: Option<Wait>) {
        self.note(|work| work.wait = wait);
    }

    fn note(&self, change: impl FnOnce(&mut Work)) {
        let mut workers = self.all.workers.lock().unwrap_or_else(PoisonError::into_inner);
        change(workers.entry(format!("{} {}", self.role, self.number)).or_insert_with(Work::begin));
    }
}

/// Wall time, for gauges only.
fn seconds_of(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_documented() {
        let documented = include_str!("../../../docs/service.md");
        let mut count = 0;
        let is_name =
            |text: &&str| text.len() > 5 && text.starts_with("weir_") && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
        for name in include_str!("metrics.rs").split('"').filter(is_name) {
            assert!(documented.contains(&format!("`{name}`")), "{name}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn a_service_is_ready_once_all_its_workers_are() {
        let metrics = Metrics::new();
        let (split, detect) = (metrics.worker("split", 0), metrics.worker("detect", 0));
        split.assigned(&[0]);
        assert!(metrics.obstacle().is_some_and(|told| told.starts_with("detect 0 has not been assigned")));
        // Also none: others have them all.
        detect.assigned(&[]);
        assert_eq!(metrics.obstacle(), None);
        split.waits(Some(Wait::Beginning));
        assert!(metrics.obstacle().is_some_and(|told| told.starts_with("split 0 has partitions that wait")));
        split.waits(None);
        assert_eq!(metrics.obstacle(), None);
        // Brokers that are away for longer than its session take an idle worker's partitions, and it goes on stepping.
        detect.revoked(std::iter::empty());
        assert!(metrics.obstacle().is_some_and(|told| told.starts_with("detect 0 has not been assigned")));
    }

    #[test]
    fn a_stopped_partition_that_goes_elsewhere_is_not_stopped_here() {
        let metrics = Metrics::new();
        let worker = metrics.worker("detect", 0);
        worker.stopped(5, StopCode::LogTruncated);
        worker.stopped(6, StopCode::LogTruncated);
        assert_eq!(metrics.stopped(), 2);
        worker.revoked([5].into_iter());
        assert_eq!(metrics.stopped(), 1);
    }
}

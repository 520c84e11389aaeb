//! The *detect* role: a partition of the leg log in; alerts, office messages, large-amount reports, late legs and dead letters out.
//!
//! What it says depends on the log alone: legs with their stamped clock, ticks and switches of rule sets are all records of it. Names and
//! addressees are part of a partition's state, because a revision must say the same when it is made again.

mod partition;
mod say;
mod snapshot;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use weir_engine::{Effects, Engine, Input};
use weir_rules::RuleSet;

pub(crate) use self::partition::State;
use self::say::Sayer;
pub use self::snapshot::snapshot_written;
use self::snapshot::{Found, Snapshots};
use crate::mark::Mark;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::rules::RuleLibrary;
use crate::settings::{DetectSettings, Topics};
use crate::stop::{Stop, StopCode};
use crate::store::Store;
use crate::wire::Entry;
use crate::worker::{Opening, Record, Role, Standing};

/// How much of a snapshot is taken between two steps of the worker. Some milliseconds, far less than a step may take.
const SLICE_BYTES: usize = 4 << 20;
/// In so many parts of the interval the first snapshots of partitions are spread.
const SPREAD: u32 = 16;

/// One worker's detect role.
pub(crate) struct Detect {
    settings: DetectSettings,
    library: Arc<RuleLibrary>,
    sayer: Sayer,
    snapshots: Snapshots,
    /// The snapshot each partition was opened with last, where it was one; and those that did not lead to what was committed.
    opened: BTreeMap<i32, String>,
    distrusted: BTreeSet<(i32, String)>,
    metrics: Metrics,
    effects: Effects,
}

impl Detect {
    pub(crate) fn new(
        settings: DetectSettings,
        app: &str,
        topics: &Topics,
        library: Arc<RuleLibrary>,
        store: Arc<dyn Store>,
        metrics: Metrics,
    ) -> Self {
        let sayer = Sayer::new(topics, &settings, metrics.clone());
        let snapshots = Snapshots::new(store, (app, &*topics.legs), metrics.clone());
        let (opened, distrusted) = (BTreeMap::new(), BTreeSet::new());
        Self { settings, library, sayer, snapshots, opened, distrusted, metrics, effects: Effects::default() }
    }

    fn rules(&self, hash: &str) -> Result<Arc<RuleSet>, Stop> {
        match self.library.get(hash) {
            Ok(Some(rules)) => Ok(rules),
            Ok(None) => Err(Stop::new(
                StopCode::RulesMissing,
                format!(
                    "the leg log switches to rule set {hash}, which is not on the rules topic; publish it again with `weir rules publish`"
                ),
            )),
            Err(error) => Err(error.stop()),
        }
    }

    /// The partition at the beginning of its log, for want of a snapshot; why none was of use, `hindrance` says, if there is one. Where the log has lost its
    /// beginning, something that did not answer may pass, and a rule set can be published again.
    fn beginning(standing: Standing, hindrance: Option<Stop>) -> Result<Opening<State>, Stop> {
        let Standing { partition, low, .. } = standing;
        if low == 0 {
            return Ok(Opening { state: State::default(), from: 0 });
        }
        let why = match hindrance {
            Some(Stop { code: StopCode::LogTruncated, text }) => format!(" ({text})"),
            Some(Stop { code, text }) => {
                let text = format!("partition {partition}, whose log begins at {low}, cannot be taken up without its snapshots: {text}");
                return Err(Stop::new(code, text));
            }
            None => String::new(),
        };
        Err(Stop::new(
            StopCode::LogTruncated,
            format!(
                "no usable snapshot of partition {partition}{why}, and its log begins at {low}, not at 0: what came before cannot be folded again. Put \
                 back a snapshot at or after {low}, and at or before the committed offset; without one, a new `app` with topics of its own reads the \
                 transactions that are left"
            ),
        ))
    }
}

impl Role for Detect {
    type State = State;

    fn open(&mut self, standing: Standing, mark: &Mark) -> Result<Opening<State>, Stop> {
        self.opened.remove(&standing.partition);
        let pointer = mark.snapshot.as_ref().map(|(offset, hash)| (*offset, hash.as_str()));
        let candidates = match self.snapshots.candidates(standing.partition, standing.committed, pointer) {
            Ok(candidates) => candidates,
            Err(error) => {
                tracing::warn!(partition = standing.partition, %error, "snapshots cannot be listed");
                let text = format!("the store does not say which there are: {error}");
                return Self::beginning(standing, Some(Stop::new(StopCode::Unavailable, text)));
            }
        };
        // What passes, else what somebody can mend, else what became of the newest.
        let hindrance: RefCell<Option<Stop>> = RefCell::new(None);
        let rank = |stop: &Stop| (stop.code.is_passing(), stop.code == StopCode::RulesMissing);
        let hinder = |stop: Stop| {
            let mut known = hindrance.borrow_mut();
            if known.as_ref().is_none_or(|known| rank(&stop) > rank(known)) {
                *known = Some(stop);
            }
        };
        for found in candidates {
            if found.offset < standing.low || self.distrusted.contains(&(standing.partition, found.name.clone())) {
                continue;
            }
            let position = (standing.partition, found.offset);
            let rules = |hash: &str| self.rules(hash).map_err(&hinder).ok();
            let read = self.snapshots.read(standing.partition, &found);
            let base_of = |offset: i64, hash: &str| self.snapshots.base(standing.partition, offset, hash);
            let state = match read.and_then(|bytes| State::decode((&bytes, &found.hash), position, self.settings.engine, &rules, &base_of))
            {
                Ok(state) if found.offset == standing.committed && state.digest != mark.digest => {
                    tracing::warn!(partition = standing.partition, snapshot = found.name, "snapshot passed over: it is of another log");
                    continue;
                }
                Ok(state) => self.restored(standing.partition, state, &found),
                Err(error) => {
                    tracing::warn!(partition = standing.partition, snapshot = found.name, "snapshot passed over: {error}");
                    let code = if error.is_passing() { StopCode::Unavailable } else { StopCode::LogTruncated };
                    hinder(Stop::new(code, format!("snapshot {}: {error}", found.name)));
                    continue;
                }
            };
            tracing::info!(partition = standing.partition, snapshot = found.name, committed = standing.committed, "restored");
            self.opened.insert(standing.partition, found.name);
            return Ok(Opening { state, from: found.offset });
        }
        Self::beginning(standing, hindrance.into_inner())
    }

    fn distrust(&mut self, partition: i32) -> bool {
        let Some(name) = self.opened.remove(&partition) else { return false };
        tracing::warn!(
            partition,
            snapshot = name,
            "snapshot passed over: it did not lead to what was committed; it is of another log, or the log is"
        );
        self.distrusted.insert((partition, name))
    }

    fn fold(
        &mut self,
        partition: i32,
        state: &mut State,
        records: &[Record<'_>],
        is_replay: bool,
        outbox: &mut Outbox,
    ) -> Result<(), Stop> {
        state.committed = None;
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            state.digest.read(record.offset, record.value);
            let entry = Entry::decode(record.value).map_err(|error| {
                Stop::new(StopCode::RecordUnreadable, format!("offset {} of partition {partition}: {error}", record.offset))
            })?;
            entries.push((record.offset.unsigned_abs(), entry));
        }
        state.learn(&entries);
        let mut inputs = Vec::with_capacity(entries.len());
        for (number, entry) in entries {
            match entry {
                Entry::Leg(stamped) => inputs.push(Input::Leg { record: number, clock: stamped.clock, leg: stamped.leg }),
                Entry::Tick { clock } => inputs.push(Input::Tick { record: number, clock }),
                Entry::Switch { clock, rules } => {
                    let rules = self.rules(rules)?;
                    if state.engine.is_none() {
                        // The first record of a log: nothing is pending that a later set could be switched from.
                        state.engine = Some(Engine::new(self.settings.engine, rules));
                    } else {
                        inputs.push(Input::Switch { record: number, clock, rules });
                    }
                }
            }
        }
        let Some(engine) = &mut state.engine else {
            if inputs.is_empty() {
                return Ok(());
            }
            let text = format!(
                "partition {partition} has legs before any rule set was announced: the leg log was made anew while splitters were at work, or not written by weir"
            );
            return Err(Stop::new(StopCode::RecordUnreadable, text));
        };
        self.effects.alerts.clear();
        self.effects.reports.clear();
        self.effects.rejects.clear();
        self.effects.counts = weir_engine::Counts::default();
        engine.step(&inputs, &mut self.effects);
        state.note_time(&inputs);
        let source_of = |number: u64| {
            let at = records.binary_search_by_key(&number, |record| record.offset.unsigned_abs()).ok()?;
            match Entry::decode(records[at].value) {
                Ok(Entry::Leg(stamped)) => Some(stamped.source),
                _ => None,
            }
        };
        self.sayer.say(partition, state, &mut self.effects, &source_of, is_replay, outbox);
        state.forget(&inputs, self.settings.engine.lateness);
        Ok(())
    }

    fn tend(&mut self, partition: i32, state: &mut State, _: &mut Outbox) -> Result<bool, Stop> {
        if let Some(finished) = self.snapshots.finished(partition)
            && state.take_up(finished, SystemTime::now())
        {
            return Ok(true);
        }
        if self.snapshots.has_failed(partition) {
            // Even of an offset from which nothing moves on: a quiet partition whose disk was full once would never have one else.
            state.written = None;
        }
        self.write_if_due(partition, state);
        self.go_on(partition, state, SLICE_BYTES);
        Ok(false)
    }

    fn mark(&self, state: &State) -> Mark {
        Mark { digest: state.digest, clock: state.clock.map(|clock| clock.0), snapshot: state.snapshot.clone(), ..Mark::default() }
    }

    fn committed(&mut self, partition: i32, state: &mut State, offset: i64) {
        let label = partition.to_string();
        if let Some(clock) = state.clock {
            self.metrics.clock.with_label_values(&["detect", &label]).set(seconds(clock.0));
        }
        let parties = state.engine.as_ref().map_or(0, Engine::parties);
        self.metrics.parties.with_label_values(&[&label]).set(i64::try_from(parties).unwrap_or(i64::MAX));
        // A partition that went elsewhere and came back has it from before.
        if let Some((at, _)) = &state.snapshot {
            self.metrics.snapshot(partition, *at, state.snapshot_time);
        }
        state.committed = Some(offset);
        self.write_if_due(partition, state);
    }

    fn close(&mut self, partition: i32, state: &mut State) {
        self.begin(partition, state);
        self.go_on(partition, state, usize::MAX);
    }

    fn is_closed(&self, partition: i32) -> bool {
        self.snapshots.is_idle(partition)
    }
}

impl Detect {
    /// What a state was restored from is its newest snapshot: who watches for one that grows old must not see none instead.
    fn restored(&self, partition: i32, state: State, found: &Found) -> State {
        let snapshot_time = self.snapshots.written(partition, found);
        self.metrics.snapshot(partition, found.offset, snapshot_time);
        State { snapshot: Some((found.offset, found.hash.clone())), snapshot_time, ..state }
    }

    fn write_if_due(&mut self, partition: i32, state: &mut State) {
        // Partitions that are taken up together are not written out together: each write costs a copy of a partition's state for a while.
        let interval = self.settings.snapshot_interval;
        let ahead = interval * (partition.unsigned_abs() % SPREAD) / SPREAD;
        let since = *state.last_snapshot.get_or_insert_with(|| Instant::now().checked_sub(ahead).unwrap_or_else(Instant::now));
        if since.elapsed() >= interval {
            self.begin(partition, state);
        }
    }

    /// Begins to take a snapshot of a partition, if it stands at a committed offset that is not written yet.
    fn begin(&self, partition: i32, state: &mut State) {
        let Some(offset) = state.committed.filter(|offset| state.written != Some(*offset)) else { return };
        if state.taking.is_some() || self.snapshots.is_busy(partition) {
            return;
        }
        state.last_snapshot = Some(Instant::now());
        state.written = Some(offset);
        state.begin_snapshot((partition, offset));
    }

    /// Goes on with the snapshot that is being taken, by about so many bytes; what is complete is packed and written in the background.
    fn go_on(&mut self, partition: i32, state: &mut State, bytes: usize) {
        if let Some((offset, parts)) = state.continue_snapshot(bytes) {
            self.snapshots.write(partition, offset, parts);
        }
    }
}

fn seconds(micros: i64) -> f64 {
    Duration::from_micros(micros.unsigned_abs()).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_does_not_stop_a_partition_for_good() {
        let opened = |low, hindrance: Option<StopCode>| {
            let hindrance = hindrance.map(|code| Stop::new(code, "timed out"));
            let opening = Detect::beginning(Standing { partition: 0, committed: 9, low }, hindrance);
            opening.map(|opening| opening.from).map_err(|stop| (stop.code, stop.text.contains("timed out")))
        };
        assert_eq!(opened(5, Some(StopCode::Unavailable)), Err((StopCode::Unavailable, true)));
        assert_eq!(opened(5, Some(StopCode::RulesMissing)), Err((StopCode::RulesMissing, true)), "they can be published again");
        assert_eq!(opened(5, Some(StopCode::LogTruncated)), Err((StopCode::LogTruncated, true)), "why a snapshot is of no use");
        assert_eq!(opened(5, None), Err((StopCode::LogTruncated, false)));
        // All of it can be folded again without the store.
        assert_eq!([opened(0, Some(StopCode::Unavailable)), opened(0, None)], [Ok(0), Ok(0)]);
    }
}

//! One shard of a run: a detector with its thread, and the names of its parties.
//!
//! A shard sees every batch in order, takes the legs of its parties and all ticks, and hands back what they caused. Names are filled in here,
//! because the directory of a party lives where its legs go.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

use weir_engine::{AlertEffect, Effects, Engine, Input, ReportEffect};
use weir_feed::{Parties, RecordBatch, Step, Tick};
use weir_model::{EventTime, LegKind};
use weir_office::{Directory, Routing, SavedParty, Side};

use super::reading::ReaderEnd;

/// Batches that may wait for a shard.
pub(crate) const QUEUE_BATCHES: usize = 2;

/// Inputs handed to the detector at a time: few enough that they are still in the cache when it looks at them.
const STRETCH: usize = 128;
/// Legs of one record at most: two sides, each with its group.
const LEGS_OF_A_RECORD: usize = 4;

/// What a shard is told.
#[derive(Debug)]
pub(crate) enum Work {
    /// The next batch.
    Batch(Arc<RecordBatch>),
    /// Nothing more comes: fire the last tick, if one is due, and report.
    End {
        /// The tick at the end of the log; `None` where a later run goes on.
        tick: Option<Tick>,
        /// Number of the last record.
        last_record: u64,
        /// Whether the state is to be saved.
        save: bool,
    },
}

/// What the run hears from its threads.
#[derive(Debug)]
pub(crate) enum Event {
    /// From the shard of that number.
    Shard(usize, Done),
    /// From the reader, once.
    Reader(ReaderEnd),
}

/// What a shard reports.
#[derive(Debug)]
pub(crate) enum Done {
    /// What a batch caused in this shard.
    Batch {
        /// The batch itself: its bytes are kept until everything it caused is written.
        batch: Arc<RecordBatch>,
        /// What it caused.
        report: Report,
    },
    /// The shard has ended.
    End(Box<ShardEnd>),
}

/// What a batch, or part of it, caused.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Effects, alerts named.
    pub(crate) effects: Effects,
    /// Records with a removal, which may wait for its target: with their stamps.
    pub(crate) removals: Vec<(u64, EventTime)>,
    /// Time of the last tick within.
    pub(crate) last_tick: Option<EventTime>,
}

/// The last words of a shard.
#[derive(Debug)]
pub(crate) struct ShardEnd {
    /// What the last tick caused.
    pub(crate) effects: Effects,
    /// Alerts live at the end, named.
    pub(crate) live: Vec<AlertEffect>,
    /// Large-amount reports of days that are not over.
    pub(crate) open: Vec<ReportEffect>,
    /// Parties with a history.
    pub(crate) parties: usize,
    /// Snapshot and names, where asked for.
    pub(crate) saved: Option<(Vec<u8>, Vec<SavedParty>)>,
}

/// A detector with what it needs to name its alerts.
pub(crate) struct Shard {
    /// Which.
    pub(crate) number: usize,
    /// Of how many.
    pub(crate) count: usize,
    /// The only party that is looked at.
    pub(crate) only: Option<Box<str>>,
    /// The detector.
    pub(crate) engine: Engine,
    /// Names learned.
    pub(crate) directory: Directory,
    /// Party data.
    pub(crate) parties: Arc<Parties>,
    /// Where alerts go.
    pub(crate) routing: Arc<Routing>,
}

impl Shard {
    /// Works until told to end, or until nobody listens.
    pub(crate) fn spawn(mut self, work: Receiver<Work>, events: SyncSender<Event>) -> std::io::Result<()> {
        thread::Builder::new().name(format!("shard {}", self.number)).spawn(move || {
            let number = self.number;
            for work in work {
                let report = match work {
                    Work::Batch(batch) => {
                        let report = self.step(&batch);
                        Done::Batch { batch, report }
                    }
                    Work::End { tick, last_record, save } => {
                        // The listener is gone only when the run has failed elsewhere. It does not wait until all that the shard holds is given back.
                        let _ = events.send(Event::Shard(number, Done::End(Box::new(self.end(tick, last_record, save)))));
                        return;
                    }
                };
                if events.send(Event::Shard(number, report)).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    fn step(&mut self, batch: &RecordBatch) -> Report {
        let mut report = Report::default();
        let (mut inputs, mut sides) = (Vec::with_capacity(STRETCH + LEGS_OF_A_RECORD), Vec::with_capacity(STRETCH + LEGS_OF_A_RECORD));
        let mut last = 0;
        for step in batch.steps(self.number, self.count) {
            let record = match &step {
                Step::Leg { record, .. } | Step::Tick(Tick { record, .. }) => *record,
            };
            // The legs of one record stay together.
            if inputs.len() >= STRETCH && record != last {
                self.take(&mut inputs, &mut sides, &mut report.effects);
            }
            last = record;
            match step {
                Step::Leg { record, clock, view } if self.only.as_deref().is_none_or(|only| view.leg.party == only) => {
                    sides.push(Side { party: view.leg.party, record, name: view.name, account: view.account, basis: view.basis });
                    if matches!(view.leg.kind, LegKind::Removal { .. }) {
                        report.removals.push((record, clock));
                    }
                    inputs.push(Input::Leg { record, clock, leg: view.leg });
                }
                Step::Leg { .. } => {}
                Step::Tick(Tick { record, clock }) => {
                    report.last_tick = Some(clock);
                    inputs.push(Input::Tick { record, clock });
                }
            }
        }
        self.take(&mut inputs, &mut sides, &mut report.effects);
        self.name(&mut report.effects.alerts);
        report
    }

    /// Hands a stretch of inputs to the detector, and what they say of parties to the directory.
    fn take(&mut self, inputs: &mut Vec<Input<'_>>, sides: &mut Vec<Side<'_>>, effects: &mut Effects) {
        self.directory.learn(sides);
        self.engine.step(inputs, effects);
        inputs.clear();
        sides.clear();
    }

    fn end(&mut self, tick: Option<Tick>, last_record: u64, save: bool) -> ShardEnd {
        let mut effects = Effects::default();
        if let Some(Tick { record, clock }) = tick {
            self.engine.step(&[Input::Tick { record, clock }], &mut effects);
            self.name(&mut effects.alerts);
        }
        let mut live = self.engine.live_alerts();
        for effect in &mut live {
            self.name_as_of(effect, last_record);
        }
        let open = self.engine.open_reports();
        ShardEnd {
            effects,
            live,
            open,
            parties: self.engine.parties(),
            saved: save.then(|| (self.engine.snapshot(), self.directory.save())),
        }
    }

    fn name(&self, alerts: &mut [AlertEffect]) {
        for effect in alerts {
            let record = effect.record;
            self.name_as_of(effect, record);
        }
    }

    /// Fills in the subject's name and accounts as known at `record`, party data first, then what transactions said; and who is told.
    fn name_as_of(&self, effect: &mut AlertEffect, record: u64) {
        let subject = &mut effect.alert.subject;
        let party = self.parties.by_key(&subject.party);
        let name = party.map(|party| party.name.as_str()).filter(|name| !name.is_empty());
        subject.name = name.unwrap_or_else(|| self.directory.name(&subject.party, record)).to_owned();
        let mut accounts = self.directory.accounts(&subject.party, record);
        if let Some(party) = party {
            accounts.extend(party.accounts.iter().cloned());
            accounts.sort();
            accounts.dedup();
        }
        subject.accounts = accounts;
        let basis = self.directory.basis(&subject.party, record);
        effect.alert.addressees = self.routing.addressees(&subject.division, basis, &subject.industry);
    }
}

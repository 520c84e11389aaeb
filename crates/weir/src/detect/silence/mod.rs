//! `weir detect --explain-silence PARTY`: why a party did not alert.
//!
//! ```text
//! reader ──batches──▶ legs of the party and all ticks ──▶ one detector ──alerts and probes──▶ explanation ──▶ standard output
//! ```
//!
//! The inputs are read as for any run, and the detector is the same; its rule set has the copies of [`crate::probe`] beside the rules, so
//! that one run says both what alerted and how near the rest came. Only the party's own legs are looked at and kept, whatever else the inputs
//! hold. This module writes no output file and must not change what a run without the option does.

mod acquaintance;
mod explanation;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use weir_engine::{Effects, Engine, Input};
use weir_feed::{RecordBatch, Step, Tick};
use weir_model::{Alert, Direction, EventTime, LegKind, PartyKind};

use self::acquaintance::Acquaintance;
use self::explanation::Explanation;
use super::progress::Bar;
use super::reading::Reading;
use super::settings::Settings;
use super::setup::Sources;
use super::shard::{Event, QUEUE_BATCHES, Work};
use super::{SIGNAL_INTERVAL, internal, read_completely};
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::language::{Lang, say};
use crate::outputs::{Output, publish};
use crate::probe::Probe;
use crate::terminal::{Palette, columns, mention};

/// Runs over the inputs and explains the party; for an account that party data knows, its customer.
pub(super) fn run(settings: &Settings, asked: &str, lang: Lang) -> Result<Exit, Failure> {
    let mut sources = Sources::open(settings, None, lang)?;
    let holder = acquaintance::holder(asked, &sources.parties);
    if let Some(customer) = &holder {
        let text = say!(
            lang,
            "提示：{asked} 是客户 {customer} 的账户，以下说明该客户",
            "note: {asked} is an account of customer {customer}, who is explained"
        );
        mention("note", "account", &text, settings.json);
    }
    let party = holder.as_deref().unwrap_or(asked);
    let probe = Probe::put_into(&mut sources.rules, |_| true);
    let rules = Arc::new(sources.rules);
    let mut listener = Listener {
        party,
        engine: Engine::new(settings.engine(), Arc::clone(&rules)),
        effects: Effects::default(),
        alerts: BTreeMap::new(),
        seen: Seen::default(),
        acquaintance: Acquaintance::new(party),
    };
    let interrupt = Interrupt::install(lang)?;
    let bar = Bar::new(sources.reader.progress(), !settings.json, lang);
    let (work_sender, work) = sync_channel(QUEUE_BATCHES);
    let (event_sender, events) = sync_channel(1);
    let reading = Reading { max_bad_millionths: settings.max_bad_millionths, to_be_continued: false };
    reading.spawn(sources.reader, vec![work_sender], event_sender).map_err(|error| internal(&error, lang))?;
    listener.listen(&work, &interrupt, &bar, lang)?;
    bar.clear();
    match events.recv() {
        Ok(Event::Reader(end)) => read_completely(end, lang)?,
        _ => return Err(internal(&io::Error::other("a thread ended early"), lang)),
    };
    if listener.seen.legs == 0 {
        return Err(listener.acquaintance.unknown(&sources.parties, lang));
    }
    listener.keep_live_alerts();
    let explanation = Explanation::new(party, &listener.seen, &listener.alerts, &rules, &probe, &sources.parties);
    let mut output = Output::stdout(lang);
    if settings.json {
        output.json(&explanation)?;
    } else {
        output.bytes(text::text(&explanation, lang, Palette::of(&io::stdout()), columns()).as_bytes())?;
    }
    interrupt.check(lang)?;
    publish(vec![output])?;
    Ok(Exit::Ok)
}

/// What the inputs hold of the party.
#[derive(Debug, Default)]
struct Seen {
    legs: u64,
    inward: u64,
    outward: u64,
    /// Times of the first and last leg.
    span: Option<(EventTime, EventTime)>,
    kinds: BTreeSet<PartyKind>,
    /// Legs that did not enter the history, by reason code.
    rejected: BTreeMap<&'static str, u64>,
    /// As the latest record that names it has it.
    name: String,
}

/// Picks the party's legs, and hands them to its detector.
struct Listener<'p> {
    party: &'p str,
    engine: Engine,
    effects: Effects,
    /// In their last state, by id: of the rules, and of the probes.
    alerts: BTreeMap<String, Alert>,
    seen: Seen,
    acquaintance: Acquaintance<'p>,
}

impl Listener<'_> {
    /// Until the reader has ended, for whatever reason.
    fn listen(&mut self, work: &Receiver<Work>, interrupt: &Interrupt, bar: &Bar, lang: Lang) -> Result<(), Failure> {
        let mut records = 0;
        loop {
            interrupt.check(lang)?;
            match work.recv_timeout(SIGNAL_INTERVAL) {
                Ok(Work::Batch(batch)) => {
                    self.hear(&batch);
                    records += batch.len() as u64;
                    bar.update(records);
                }
                Ok(Work::End { tick, .. }) => {
                    if let Some(Tick { record, clock }) = tick {
                        self.step(&[Input::Tick { record, clock }]);
                    }
                    return Ok(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                // The reader says why.
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn hear(&mut self, batch: &RecordBatch) {
        let mut inputs = Vec::new();
        for step in batch.steps(0, 1) {
            match step {
                Step::Leg { record, clock, view } if view.leg.party == self.party => {
                    self.seen.leg(view.leg.at, view.leg.direction, view.leg.profile.kind);
                    if !view.name.is_empty() && !matches!(view.leg.kind, LegKind::Removal { .. }) {
                        view.name.clone_into(&mut self.seen.name);
                    }
                    inputs.push(Input::Leg { record, clock, leg: view.leg });
                }
                Step::Tick(Tick { record, clock }) => inputs.push(Input::Tick { record, clock }),
                // Whoever else there is matters only as long as the party itself has not been met.
                Step::Leg { view, .. } if self.seen.legs == 0 => self.acquaintance.meet(&view),
                Step::Leg { .. } => {}
            }
        }
        self.step(&inputs);
    }

    fn step(&mut self, inputs: &[Input<'_>]) {
        self.engine.step(inputs, &mut self.effects);
        for reject in self.effects.rejects.drain(..) {
            *self.seen.rejected.entry(reject.reason.code()).or_default() += 1;
        }
        // Probes are asked for their last state only, which their live alerts have.
        let said = self.effects.alerts.drain(..).map(|effect| effect.alert).filter(|alert| !Probe::is_copy(&alert.rule.id));
        self.alerts.extend(said.map(|alert| (alert.alert_id.clone(), alert)));
        self.effects.reports.clear();
    }

    fn keep_live_alerts(&mut self) {
        self.alerts.extend(self.engine.live_alerts().into_iter().map(|effect| (effect.alert.alert_id.clone(), effect.alert)));
    }
}

impl Seen {
    fn leg(&mut self, at: EventTime, direction: Direction, kind: PartyKind) {
        self.legs += 1;
        match direction {
            Direction::In => self.inward += 1,
            Direction::Out => self.outward += 1,
        }
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        self.kinds.insert(kind);
    }
}

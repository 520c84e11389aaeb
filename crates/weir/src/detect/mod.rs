//! `weir detect`: a batch run over files.
//!
//! One thread reads, one for each shard detects, and this one writes:
//!
//! ```text
//! reader ──batches──▶ shard 0 … n ──effects──▶ merge ──▶ sinks ──▶ outputs, published together at the end
//! ```
//!
//! All queues are bounded, so memory does not grow with the input; nothing in the outputs depends on the number of shards, the size of
//! batches or the speed of a thread. If anything fails, or the run is interrupted, no output appears.

mod merge;
mod place;
mod progress;
mod reading;
mod rows;
mod settings;
mod setup;
mod shard;
mod silence;
mod sinks;
mod state;
mod writing;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use weir_engine::Counts as EngineCounts;
use weir_feed::{Counts, Resume};
use weir_model::Reason;
use weir_rules::RuleSet;

use self::merge::Merge;
pub(crate) use self::progress::Bar;
use self::reading::{ReaderEnd, Reading};
use self::settings::Settings;
use self::setup::Setup;
pub(crate) use self::setup::format_of;
use self::shard::{Done, Event, QUEUE_BATCHES, ShardEnd};
use self::sinks::Sinks;
use self::state::{Header, ReaderState, RuleSource, State};
use self::writing::Writing;
use crate::arguments::DetectArgs;
use crate::failure::{Exit, Failure};
use crate::input_error::{self, PlainlyWrong};
use crate::interrupt::Interrupt;
use crate::language::{Lang, plural, say};
use crate::outputs::{Output, publish};
use crate::rule::{ended, mention_ended};
use crate::summary::Summary;
use crate::terminal::{self, mention};

/// How often a run that waits looks for signals.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the verb.
pub(crate) fn run(raw: DetectArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let settings = Settings::check(raw, json, lang)?;
    if let Some(party) = &settings.explained {
        return silence::run(&settings, party, lang);
    }
    from_begin_to_end(&settings, begun, lang)
}

/// Runs over one party alone, without a word: its alerts go to the file that `raw` names.
pub(crate) fn run_for_one(raw: DetectArgs, party: &str, lang: Lang) -> Result<(), Failure> {
    let settings = Settings { only: Some(party.to_owned()), ..Settings::check(raw, false, lang)? };
    from_begin_to_end(&settings, Instant::now(), lang).map(|_| ())
}

fn from_begin_to_end(settings: &Settings, begun: Instant, lang: Lang) -> Result<Exit, Failure> {
    let setup = Setup::new(settings, lang)?;
    // Not before: up to here there is nothing to clean up, and a signal may end the process as it always does.
    let interrupt = Interrupt::install(lang)?;
    Run::start(settings, setup, interrupt, lang)?.drive()?.publish(settings, begun, lang)
}

/// A run under way.
struct Run {
    lang: Lang,
    events: Receiver<Event>,
    merge: Merge,
    ends: Vec<Option<ShardEnd>>,
    writing: Writing,
    bar: Bar,
    closing: Closing,
}

/// A run whose every record is written.
struct Finished {
    input_bytes: u64,
    counts: Box<Counts>,
    position: Resume,
    ends: Vec<ShardEnd>,
    writing: Writing,
    closing: Closing,
}

/// What a run is begun with and needs at its end.
struct Closing {
    interrupt: Interrupt,
    state_output: Option<Output>,
    summary_output: Option<Output>,
    rule_sources: Vec<RuleSource>,
    rules: Arc<RuleSet>,
}

impl Run {
    /// Begins the outputs and starts the threads.
    fn start(settings: &Settings, setup: Setup, interrupt: Interrupt, lang: Lang) -> Result<Self, Failure> {
        let open = |path: &Option<std::path::PathBuf>| path.as_deref().map(|path: &Path| Output::open(path, lang)).transpose();
        let mut sinks = Sinks::open(&settings.outputs, &settings.office, lang)?;
        let mut removals = Vec::new();
        if let Some(state) = setup.state {
            state.header.alerts.iter().for_each(|alert| sinks.recall(alert));
            removals = state.header.removals;
        }
        let closing = Closing {
            interrupt,
            state_output: open(&settings.to_state)?,
            summary_output: open(&settings.summary)?,
            rule_sources: setup.rule_sources,
            rules: setup.rules,
        };
        // Alerts printed while the run goes on would tear the bar apart.
        let tears = settings.outputs.revisions && io::stdout().is_terminal();
        let is_bar_shown = !(settings.json || tears || settings.only.is_some());
        let bar = Bar::new(setup.reader.progress(), is_bar_shown, lang);
        let shards = setup.shards.len();
        let (event_sender, events) = sync_channel(shards * QUEUE_BATCHES);
        let mut work_senders = Vec::with_capacity(shards);
        for shard in setup.shards {
            let (sender, work) = sync_channel(QUEUE_BATCHES);
            shard.spawn(work, event_sender.clone()).map_err(|error| internal(&error, lang))?;
            work_senders.push(sender);
        }
        let reading = Reading { max_bad_millionths: settings.max_bad_millionths, to_be_continued: settings.to_state.is_some() };
        reading.spawn(setup.reader, work_senders, event_sender).map_err(|error| internal(&error, lang))?;
        Ok(Self {
            lang,
            events,
            merge: Merge::new(shards),
            ends: (0..shards).map(|_| None).collect(),
            writing: Writing::new(sinks, removals, settings.lateness),
            bar,
            closing,
        })
    }

    /// Writes what the threads report until all have ended.
    fn drive(mut self) -> Result<Finished, Failure> {
        let mut complete = None;
        while complete.is_none() || self.ends.iter().any(Option::is_none) {
            self.closing.interrupt.check(self.lang)?;
            match self.events.recv_timeout(SIGNAL_INTERVAL) {
                Ok(Event::Shard(shard, Done::Batch { batch, report })) => {
                    if let Some(done) = self.merge.push(shard, batch, report) {
                        self.writing.batch(&done.batch, done.report)?;
                        self.bar.update(self.writing.records());
                    }
                }
                Ok(Event::Shard(shard, Done::End(end))) => self.ends[shard] = Some(*end),
                Ok(Event::Reader(end)) => complete = Some(read_completely(end, self.lang)?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(internal(&io::Error::other("a thread ended early"), self.lang));
                }
            }
            if self.closing.state_output.is_none() && self.closing.summary_output.is_none() && !self.writing.is_wanted() {
                return Err(Failure::silent(Exit::Ok));
            }
        }
        self.bar.clear();
        let (counts, position) = complete.expect("the loop ends only once the reader has");
        let ends = self.ends.into_iter().flatten().collect();
        Ok(Finished { input_bytes: self.bar.bytes(), counts, position, ends, writing: self.writing, closing: self.closing })
    }
}

/// What was read, or why the run fails.
fn read_completely(end: ReaderEnd, lang: Lang) -> Result<(Box<Counts>, Resume), Failure> {
    match end {
        ReaderEnd::Failed(error) => Err(input_error::failure(&error, lang)),
        ReaderEnd::TooBad(wrong) => Err(input_error::plainly_wrong(&wrong, lang)),
        // Whatever share is tolerated: without a single good record nothing has been looked at.
        ReaderEnd::Complete { counts, samples, .. } if counts.records > 0 && counts.good == 0 => {
            let wrong = PlainlyWrong { bad: counts.rejected(), records: counts.records, is_all: true, samples };
            Err(input_error::plainly_wrong(&wrong, lang))
        }
        ReaderEnd::Complete { counts, position, .. } => Ok((counts, position)),
    }
}

impl Finished {
    /// Writes what stands at the end only, gives the outputs their names, and tells the numbers.
    fn publish(self, settings: &Settings, begun: Instant, lang: Lang) -> Result<Exit, Failure> {
        let Self { input_bytes, counts, position, ends, mut writing, closing } = self;
        let Closing { interrupt, mut state_output, summary_output, rule_sources, rules } = closing;
        let (mut live, mut open) = (Vec::new(), Vec::new());
        let mut saved = Vec::new();
        let mut effects = Vec::new();
        let mut parties = 0;
        for end in ends {
            effects.push(end.effects);
            live.extend(end.live);
            open.extend(end.open);
            saved.extend(end.saved);
            parties += end.parties;
        }
        live.sort_by(|a, b| a.key().cmp(&b.key()));
        writing.end(merge::in_order(effects), &live, open)?;
        let remembered = live.iter().map(|effect| writing.sinks.remember(effect)).collect();
        if let Some(output) = &mut state_output {
            let reader = ReaderState { records: position.last_record, clock: position.clock.map(|clock| clock.0) };
            let header = Header { rules: rule_sources, reader, alerts: remembered, removals: writing.removals() };
            let (snapshots, directories): (Vec<_>, Vec<_>) = saved.into_iter().unzip();
            State { header, snapshots, directory: directories.into_iter().flatten().collect() }.write(output)?;
        }
        let engine_counts = writing.counts();
        let (mut outputs, mut summary) = writing.sinks.finish()?;
        count(&mut summary, &counts, &engine_counts);
        summary.parties = u64::try_from(parties).unwrap_or(u64::MAX);
        summary.input_bytes = input_bytes;
        summary.rule_set.clone_from(&rules.hash);
        summary.finish(begun.elapsed());
        if let Some(mut output) = summary_output {
            output.json(&summary)?;
            outputs.push(output);
        }
        outputs.extend(state_output);
        interrupt.check(lang)?;
        publish(outputs)?;
        if settings.only.is_some() {
            return Ok(Exit::Ok);
        }
        tell(&summary, settings.json, lang);
        if let Some(clock) = position.clock {
            mention_ended(&ended(&rules, clock.day()), settings.json, lang);
        }
        Ok(verdict(&summary, counts.ahead, settings.json, lang))
    }
}

fn count(summary: &mut Summary, read: &Counts, engine: &EngineCounts) {
    summary.records = read.records;
    summary.blank_lines = read.blanks;
    summary.legs = read.legs;
    for (reason, records) in read.by_reason() {
        *summary.dead_letters.entry(reason.code()).or_default() += records;
    }
    summary.duplicates = engine.duplicates;
    summary.reversed = engine.reversed;
    summary.legs_dropped = engine.legs_dropped;
    summary.instants_gated = engine.instants_gated;
    summary.instants_scanned = engine.instants_scanned;
    summary.hits = engine.hits;
}

/// The numbers, to standard error.
fn tell(summary: &Summary, json: bool, lang: Lang) {
    terminal::tell(&if json { serde_json::to_string(summary).unwrap_or_default() } else { summary.table(lang).trim_fmt() });
}

/// More than one leg in a thousand late: the outputs stand, but somebody should look. `ahead` records were dated more than a day after all
/// before them: a wrong date among them pulls the clock with it, and what comes after seems late.
fn verdict(summary: &Summary, ahead: u64, json: bool, lang: Lang) -> Exit {
    mention_other_late(summary, json, lang);
    if !summary.is_too_late() {
        return Exit::Ok;
    }
    let (late, legs) = (summary.too_late(), summary.legs);
    let (noun, were) = (plural(legs, "leg", "legs"), plural(late, "was", "were"));
    let mut text = say!(
        lang,
        "警告：{legs} 条流水腿中有 {late} 条迟到（超过千分之一），未计入检测；输入若未按时间排序请加 --sort，否则放宽 --lateness",
        "warning: {late} of {legs} {noun} came too late (more than one in a thousand) and {were} not looked at; use --sort if the input is not \
         in order of time, else a longer --lateness"
    );
    if ahead > 0 {
        let dated = plural(ahead, "record was dated", "records were dated");
        text += &say!(
            lang,
            "；有 {ahead} 次时间比此前全部记录晚一天以上：若日期有误，请用 --now 写明收到数据的时间，来自未来的记录即转为死信",
            "; {ahead} {dated} more than a day after all before it: if such dates are wrong, say with --now when the data \
             were received, and records from the future become dead letters"
        );
    }
    mention("warning", "late", &text, json);
    Exit::Findings
}

/// Legs in the late output that no order of reading and no lateness would have saved: their own words, and no finding.
fn mention_other_late(summary: &Summary, json: bool, lang: Lang) {
    let count = |reason: Reason| summary.late.get(reason.code()).copied().unwrap_or(0);
    let reversals = count(Reason::ReversalTooLate) + count(Reason::ReversalTargetMissing);
    if reversals > 0 {
        let found = plural(reversals, "reversal of a leg found", "reversals of legs found");
        let text = say!(
            lang,
            "提示：有 {reversals} 条冲正找不到原交易或来得太晚，未能撤销；见迟到输出（--late）",
            "note: {reversals} {found} no original, or came too late to take it out; see the late output (--late)"
        );
        mention("note", "reversals", &text, json);
    }
    let costly = count(Reason::TooCostly);
    if costly > 0 {
        let noun = plural(costly, "leg", "legs");
        let text = say!(
            lang,
            "提示：有 {costly} 条流水腿过旧且所属主体流水过多，未重新计算；见迟到输出（--late）",
            "note: {costly} {noun} would have made too much be looked at again; see the late output (--late)"
        );
        mention("note", "too_costly", &text, json);
    }
}

fn internal(error: &io::Error, lang: Lang) -> Failure {
    Failure::usage(say!(lang, "内部错误：{error}；没有留下输出文件", "internal error: {error}; no output file is left"))
}

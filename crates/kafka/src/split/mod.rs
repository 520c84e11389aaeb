//! The *split* role: a partition of the transactions topic in; legs, ticks, switches of rule sets and dead letters out.
//!
//! Everything that is not in the records themselves is decided here, once, and written down: what party data says of a customer today, which
//! words of a memo have a tag, what time it is, which rule set is in force. After that the leg log is all there is.
//!
//! The owner of partition 0 keeps time for all: it writes a tick or a switch into every leg partition, in its own transaction. What it must
//! know of the other partitions (how far they are, whether they are drained) it reads from their committed offsets. The others wait for the
//! first switch, which is in the log when the mark of partition 0 says so: no leg is ever there before a rule set. Whoever makes the log anew takes the
//! announcement back (`topics create --begin-anew`).

mod parties;
mod time;

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_feed::{Clock, Decoded, Message, MessageDecoder, shard_of};
use weir_model::EventTime;

use self::parties::PartyFeed;
use self::time::Others;
use crate::letters::{Letter, Stage};
use crate::mark::Mark;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::rules::{RuleLibrary, RulesError};
use crate::settings::{Settings, SplitSettings, Topics};
use crate::stop::{Stop, StopCode, counted, repartitioned};
use crate::wire::{Entry, Source, StampedLeg};
use crate::worker::{Opening, Record, Role, Standing};
use crate::{digest::Digest, worker::WorkerError};

/// The partition whose owner keeps time.
const TIMEKEEPER: i32 = 0;
/// How often published rule sets, party data and the other partitions are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether topics have got partitions: nobody does that often.
const COUNT_EVERY: Duration = Duration::from_secs(5);
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// Ticks announced at a time; the next look goes on.
const TICKS_MAX: usize = 1000;

/// One worker's split role.
pub(crate) struct Split {
    topics: Topics,
    decoder: MessageDecoder,
    library: Arc<RuleLibrary>,
    parties: PartyFeed,
    others: Others,
    /// Partitions of the leg log: a party's is a function of its key and of this number.
    leg_partitions: i32,
    /// The rule set whose tags the decoder has.
    tags_of: String,
    next_look: Instant,
    /// A step is over: what is folded next may have been read after the last look.
    is_step_over: bool,
    last_count: Instant,
    /// The rule set that is to be in force, as last looked at.
    wanted: Option<String>,
    /// The published set that was refused last.
    refused: String,
    metrics: Metrics,
}

/// A partition of the transactions topic.
#[derive(Default)]
pub(crate) struct State {
    clock: Clock,
    /// Records in the order they were read, for the clock alone.
    record: u64,
    digest: Digest,
    /// Offset of the last record.
    last: Option<i64>,
    /// The rule set last announced, where this is partition 0.
    rules: String,
    /// Hour of the last tick, where this is partition 0.
    ticked: i64,
    /// Stamp of the first record, where there was one: the first tick comes no later.
    first: Option<i64>,
}

impl State {
    /// The time that the log is known to have come to: that of the last tick, or of this partition where it is ahead; the beginning of time before either.
    fn time(&self) -> EventTime {
        let ticked = Some(self.ticked).filter(|ticked| *ticked != 0).map(EventTime);
        self.clock.now().max(ticked).unwrap_or(EventTime::MIN)
    }
}

impl Split {
    pub(crate) fn new(
        settings: &Settings,
        split: &SplitSettings,
        library: Arc<RuleLibrary>,
        leg_partitions: i32,
        metrics: Metrics,
    ) -> Result<Self, SplitError> {
        let topics = settings.topics.clone();
        let decoder = MessageDecoder::new(split.mapping.clone())?;
        let parties = PartyFeed::new(&settings.connection, &topics.parties)?;
        let others = Others::new(&settings.connection, &topics.transactions, &settings.group("split"), split.time)?;
        Ok(Self::of(topics, decoder, library, parties, others, leg_partitions, metrics))
    }

    /// Before its first look.
    fn of(
        topics: Topics,
        decoder: MessageDecoder,
        library: Arc<RuleLibrary>,
        parties: PartyFeed,
        others: Others,
        leg_partitions: i32,
        metrics: Metrics,
    ) -> Self {
        Self {
            topics,
            decoder,
            library,
            parties,
            others,
            leg_partitions,
            tags_of: String::new(),
            next_look: Instant::now(),
            is_step_over: false,
            last_count: Instant::now(),
            wanted: None,
            refused: String::new(),
            metrics,
        }
    }

    /// Writes a control record into every leg partition.
    fn announce(&self, entry: Entry<'_>, outbox: &mut Outbox) {
        for partition in 0..self.leg_partitions {
            outbox.push(&self.topics.legs, Some(partition), &[], Vec::new(), |bytes| entry.encode(bytes));
        }
    }

    /// Ticks up to the last full hour before `time`. Where that is far, a tick comes for every day: what is forgotten at a tick was then
    /// described at one before it. The first one comes at the earliest stamp of any partition: while others were waited for, all may have gone on
    /// by weeks.
    fn tick(&self, state: &mut State, time: i64, outbox: &mut Outbox) {
        let hour = time.div_euclid(HOUR) * HOUR;
        if state.ticked == 0 {
            let earliest = self.others.earliest(time);
            let first = state.first.map_or(earliest, |first| first.min(earliest));
            state.ticked = first.div_euclid(HOUR) * HOUR - DAY;
        }
        for _ in 0..TICKS_MAX {
            if state.ticked >= hour {
                break;
            }
            state.ticked = hour.min(state.ticked + DAY);
            self.announce(Entry::Tick { clock: EventTime(state.ticked) }, outbox);
        }
    }

    /// Ends the worker where topics have got partitions since it began: legs would go on where their parties' histories are not, and ticks not wait
    /// for records that are still to be read.
    fn count_partitions(&mut self) -> Result<(), Stop> {
        if self.last_count.elapsed() < COUNT_EVERY {
            return Ok(());
        }
        self.last_count = Instant::now();
        if let Some(found) = self.others.partitions_now(&self.topics.legs).filter(|found| *found != self.leg_partitions) {
            return Err(repartitioned(&self.topics.legs, found, self.leg_partitions));
        }
        let known = self.others.partitions();
        let found = self.others.partitions_now(&self.topics.transactions).filter(|found| *found != known);
        found.map_or(Ok(()), |found| {
            let topic = &self.topics.transactions;
            let found = counted(found, "partition", "partitions");
            let text = format!("{topic} has {found} now, and had {known}; `weir topics check` says what to do");
            Err(Stop::new(StopCode::TransactionsRepartitioned, text))
        })
    }

    fn use_tags_of(&mut self, hash: &str) -> Result<(), Stop> {
        if self.tags_of == hash || hash.is_empty() {
            return Ok(());
        }
        let rules = self.library.get(hash).map_err(|error| error.stop())?;
        let rules = rules.ok_or_else(|| {
            Stop::new(StopCode::RulesMissing, format!("rule set {hash} is in force but not on the rules topic; publish it again"))
        })?;
        self.decoder.set_tags(&rules.tags.keywords());
        self.tags_of = hash.to_owned();
        Ok(())
    }

    /// Says, once, why a set is not announced.
    fn refuse(&mut self, wanted: &str, reason: &str, state: &State) -> bool {
        if self.refused != wanted {
            tracing::error!(set = wanted, in_force = state.rules, "a published rule set is refused, the one in force stays: {reason}");
            self.metrics.rules_refused.with_label_values(&[] as &[&str]).inc();
            wanted.clone_into(&mut self.refused);
        }
        false
    }

    /// Announces the rule set that is to be in force, if it is another one. A set that cannot be loaded is not announced; the last good one
    /// stays.
    fn switch(&mut self, state: &mut State, outbox: &mut Outbox) -> bool {
        if self.wanted.as_ref() == Some(&state.rules) {
            self.refused.clear();
        }
        let Some(wanted) = self.wanted.take_if(|wanted| *wanted != state.rules) else { return false };
        match self.library.get(&wanted) {
            Ok(Some(_)) => {}
            // Nothing is wrong with the set: the next look asks for it again.
            Err(RulesError::Kafka(error)) => {
                tracing::warn!(set = wanted, %error, "a published rule set cannot be had just now; the one in force stays");
                return false;
            }
            Ok(None) => return self.refuse(&wanted, "it is to be in force and is not on the rules topic; publish it again", state),
            Err(error) => return self.refuse(&wanted, &error.to_string(), state),
        }
        self.refused.clear();
        // What was said up to the last tick was said by the set before, also where this partition has been quiet since long, or the announcement of that set was
        // taken back: a leg partition that was not lost with others has been judged by it.
        self.announce(Entry::Switch { clock: state.time(), rules: &wanted }, outbox);
        tracing::info!(from = state.rules, to = wanted, "rule set announced");
        state.rules = wanted;
        true
    }
}

/// Why a split role cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// The mapping is not for messages.
    #[error("{0}")]
    Feed(#[from] weir_feed::Error),
    /// Kafka.
    #[error("Kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// Its worker.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

impl Role for Split {
    type State = State;

    fn reassigned(&mut self) {
        // Who had partitions meanwhile may have gone on since this worker looked.
        self.others.reassigned();
        self.next_look = Instant::now();
    }

    fn open(&mut self, standing: Standing, mark: &Mark) -> Result<Opening<State>, Stop> {
        if mark.leg_partitions != 0 && mark.leg_partitions != self.leg_partitions {
            return Err(repartitioned(&self.topics.legs, self.leg_partitions, mark.leg_partitions));
        }
        if standing.partition == TIMEKEEPER {
            // Who had it before may have read on since this worker looked.
            self.others.has_read();
        }
        let clock = mark.clock().map_or_else(Clock::default, Clock::resume);
        // The last record is read once more, where it is still there: the topic must be the one it was.
        let from = mark.last.filter(|last| *last >= standing.low).unwrap_or(standing.committed);
        let digest = if from < standing.committed { Digest::default() } else { mark.digest };
        let state = State { clock, record: 0, digest, last: mark.last, rules: mark.rules.clone(), ticked: mark.ticked, first: mark.first };
        Ok(Opening { state, from })
    }

    fn fold(
        &mut self,
        partition: i32,
        state: &mut State,
        records: &[Record<'_>],
        is_replay: bool,
        outbox: &mut Outbox,
    ) -> Result<(), Stop> {
        if let Some(last) = records.last() {
            state.digest = Digest::default();
            state.digest.read(last.offset, last.value);
            state.last = Some(last.offset);
        }
        if is_replay {
            return Ok(());
        }
        if partition == TIMEKEEPER && std::mem::take(&mut self.is_step_over) {
            self.others.has_read();
        }
        let in_force = if partition == TIMEKEEPER { state.rules.clone() } else { self.others.rules().to_owned() };
        self.use_tags_of(&in_force)?;
        let messages = records
            .iter()
            .map(|record| Message { bytes: record.value, received: record.received.map(|millis| EventTime(millis.saturating_mul(1000))) });
        let decoded = self.decoder.decode(messages);
        let shards = usize::try_from(self.leg_partitions).unwrap_or(1);
        for (record, outcome) in records.iter().zip(decoded.iter()) {
            let source = Source { partition, offset: record.offset };
            match outcome {
                Decoded::Rejected { reason, field } => {
                    let topic = &*self.topics.transactions;
                    let letter = Letter { topic, position: Some((partition, record.offset)), stage: Stage::Split, reason, field };
                    let (key, value, headers) = letter.of(record.key, record.value);
                    outbox.push(&self.topics.dead_letter, None, key, headers, |bytes| bytes.extend_from_slice(value));
                    self.metrics.dead_letters.with_label_values(&["split", reason.code()]).inc();
                }
                Decoded::Legs { at, legs } => {
                    state.record += 1;
                    let is_first = state.clock.now().is_none();
                    let (clock, tick) = state.clock.stamp(state.record, at);
                    if is_first {
                        state.first = Some(clock.0);
                    }
                    let own = tick.filter(|_| partition == TIMEKEEPER).map(|tick| tick.clock.0);
                    if let Some(time) = self.others.time(own, state.ticked) {
                        self.tick(state, time, outbox);
                    }
                    if legs.is_empty() {
                        self.metrics.unmonitored.with_label_values(&[] as &[&str]).inc();
                    }
                    self.metrics.legs.with_label_values(&[] as &[&str]).inc_by(u64::try_from(legs.len()).unwrap_or(0));
                    for view in legs.filter_map(|number| decoded.leg(number)) {
                        let to = i32::try_from(view.shard(shards)).unwrap_or(0);
                        let stamped =
                            StampedLeg { clock, source, leg: view.leg, name: view.name, account: view.account, basis: view.basis };
                        let key = view.leg.party.as_bytes();
                        outbox.push(&self.topics.legs, Some(to), key, Vec::new(), |bytes| Entry::Leg(stamped).encode(bytes));
                    }
                }
            }
        }
        Ok(())
    }

    /// A backlog comes from brokers a stretch of one partition and a stretch of the next, hours and days apart. Legs in that order are as right as in
    /// any other and cost the detector many times as much, for each displaces the instants after it.
    fn time(&self, state: &State) -> Option<i64> {
        Some(state.clock.now().map_or(i64::MIN, |clock| clock.0))
    }

    fn is_ready(&self, partition: i32, state: &State) -> bool {
        // The timekeeper's own legs come behind what it announces; the others wait until that is in the log.
        let rules = if partition == TIMEKEEPER { state.rules.as_str() } else { self.others.rules() };
        !rules.is_empty() && self.parties.is_caught_up()
    }

    /// At what is published, at party data and at the other partitions, if it is time to.
    fn look(&mut self) -> Result<(), WorkerError> {
        self.is_step_over = true;
        if !self.parties.is_caught_up() {
            self.parties.read_on(&mut self.decoder)?;
        }
        let begun = Instant::now();
        if begun >= self.next_look {
            self.parties.read_on(&mut self.decoder)?;
            self.others.look();
            self.wanted = self.library.current().unwrap_or_else(|error| {
                tracing::warn!(%error, "the rules topic cannot be read; the rule set in force stays");
                None
            });
            // A broker that does not answer is waited for each time: no more of the time than splitting has.
            self.next_look = Instant::now() + LOOK_EVERY.max(begun.elapsed());
        }
        self.count_partitions().map_err(WorkerError::Unfit)
    }

    fn tend(&mut self, partition: i32, state: &mut State, outbox: &mut Outbox) -> Result<bool, Stop> {
        if partition != TIMEKEEPER {
            return Ok(false);
        }
        let ticked = state.ticked;
        let has_switched = self.switch(state, outbox);
        if state.rules.is_empty() {
            // A leg log begins with the first rule set.
            return Ok(has_switched);
        }
        let own = state.clock.now().map(|clock| clock.0);
        if let Some(time) = self.others.time(own, state.ticked).max(self.others.drained_time()) {
            self.tick(state, time, outbox);
        }
        Ok(has_switched || state.ticked > ticked)
    }

    fn mark(&self, state: &State) -> Mark {
        Mark {
            digest: state.digest,
            clock: state.clock.now().map(|clock| clock.0),
            rules: state.rules.clone(),
            ticked: state.ticked,
            last: state.last,
            leg_partitions: self.leg_partitions,
            first: state.first,
            ..Mark::default()
        }
    }

    fn committed(&mut self, partition: i32, state: &mut State, _: i64) {
        if partition == TIMEKEEPER {
            // This worker's other partitions need not wait for the next look to begin.
            self.others.announced(&state.rules);
        }
        if let Some(clock) = state.clock.now() {
            let micros = Duration::from_micros(clock.0.unsigned_abs());
            self.metrics.clock.with_label_values(&["split", &partition.to_string()]).set(micros.as_secs_f64());
        }
    }
}

/// The leg partition of a party, for those who want to look it up.
#[must_use]
pub fn leg_partition(party: &str, partitions: i32) -> i32 {
    i32::try_from(shard_of(party, usize::try_from(partitions).unwrap_or(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use weir_feed::Mapping;

    use super::*;
    use crate::client::Connection;

    /// Of two partitions of transactions, with nobody to ask.
    fn split() -> Split {
        let decoder = MessageDecoder::new(Mapping::default()).expect("the default mapping");
        let library = Arc::new(RuleLibrary::of(std::iter::empty()));
        let parties = PartyFeed::new(&Connection::default(), "").expect("without a topic nobody is asked");
        Split::of(Topics::with_prefix("weir"), decoder, library, parties, Others::unasked(2), 2, Metrics::new())
    }

    /// Who slept meanwhile may have slept over a leg log that was made anew.
    #[test]
    fn who_comes_back_reads_nothing_before_it_has_looked_whether_a_rule_set_is_announced() {
        let mut split = split();
        let is_ready = |split: &Split| split.is_ready(1, &State::default());
        assert!(!is_ready(&split));
        split.others.announced("ab");
        assert!(is_ready(&split));
        split.next_look = Instant::now() + LOOK_EVERY;
        split.reassigned();
        assert!(!is_ready(&split));
        assert!(split.next_look <= Instant::now(), "it looks with the next step");
        split.others.announced("ab");
        assert!(is_ready(&split));
    }

    #[test]
    fn a_rule_set_is_in_force_no_earlier_than_the_last_tick() {
        let time = |clock: Option<i64>, ticked: i64| {
            State { clock: clock.map_or_else(Clock::default, |at| Clock::resume(EventTime(at))), ticked, ..State::default() }.time()
        };
        assert_eq!(time(None, 0), EventTime::MIN, "the first set judges everything");
        assert_eq!(time(Some(5 * DAY), 9 * DAY), EventTime(9 * DAY), "this partition has been quiet");
        assert_eq!(time(Some(9 * DAY + 1), 9 * DAY), EventTime(9 * DAY + 1));
        assert_eq!(time(None, 9 * DAY), EventTime(9 * DAY));
    }
}

//! What the owner of one partition knows of the others: how far they are, and which rule set was announced.
//!
//! There is no channel between splitters but what they commit: every committed offset carries the partition's clock, that of partition 0 also
//! the rule set in force. A partition that is drained does not hold time back; one that lags does, because a tick ahead of its records would
//! make them late.
//!
//! Drained is a partition as of a look, and a look is soon old: where a feed of the past comes all at once, weeks of another partition lie
//! between two of them. So with event time a look lets time pass a drained partition's clock only by records that had been read *before* it.
//! What is read later waits for another look, at most one a step, and none while no full hour lies between (`Sight`).
//!
//! The timekeeper's partition is one like the others: where a look finds it drained it holds nothing back either, and time goes on as far as the others
//! have come. Of what was read by then that stays true, whatever is read afterwards.
//!
//! With the wall's time all is the same, but that a drained partition has come as far as the wall had before the look: looks that fail for a while let
//! time stand, and not run on over what has come meanwhile.
//!
//! What such a look can rely on: a feeder sends all of a transaction and has it acknowledged before it commits, so whoever was given a record of
//! it finds the log of every other partition to reach behind that transaction's records. That holds of the log's very end, not of the last
//! stable offset: each partition's moves when the mark of the transaction has come there, and those come one by one. Therefore ends are asked for
//! with uncommitted records here. A transaction that hangs holds time until brokers abort it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::{HOUR, TIMEKEEPER};
use crate::client::{Connection, Talk, metadata};
use crate::mark::Mark;
use crate::settings::Time;

const ASK_MAX: Duration = Duration::from_secs(5);
/// For what may as well be seen the next time.
const GLANCE_MAX: Duration = Duration::from_secs(2);

/// The marks of all partitions, as last looked at.
pub(super) struct Others {
    consumer: BaseConsumer<Talk>,
    /// Asked where logs end, with what is not committed yet; `None` where only what is committed counts.
    ends: Option<BaseConsumer<Talk>>,
    topic: String,
    partitions: i32,
    time: Time,
    announced: Announced,
    sight: Sight,
}

impl Others {
    pub(super) fn new(connection: &Connection, topic: &str, group: &str, time: Time) -> Result<Self, KafkaError> {
        let mut config = connection.reader();
        config.set("group.id", group);
        let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
        let metadata = metadata(&consumer, Some(topic), ASK_MAX)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        let is_alone = partitions == 1;
        let ends = if time == Time::Event && !is_alone { Some(reader_of_ends(connection)?) } else { None };
        Ok(Self {
            consumer,
            ends,
            topic: topic.to_owned(),
            partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
            time,
            announced: Announced::default(),
            sight: Sight { is_alone, ..Sight::default() },
        })
    }

    /// Of so many partitions, with nobody to ask.
    #[cfg(test)]
    pub(super) fn unasked(partitions: i32) -> Self {
        let connection = Connection { brokers: "127.0.0.1:1".to_owned(), ..Connection::default() };
        let consumer = connection.reader().create_with_context(Talk).expect("a client is made without a broker");
        let (topic, announced, sight) = ("weir.transactions".to_owned(), Announced::default(), Sight::default());
        Self { consumer, ends: None, topic, partitions, time: Time::Event, announced, sight }
    }

    /// Records of the timekeeper's partition have been read since the last look, or it was taken over from somebody who has read some.
    pub(super) fn has_read(&mut self) {
        self.sight.has_read();
    }

    /// Partitions have changed hands: until the next look nobody knows whether a rule set is announced still.
    pub(super) fn reassigned(&mut self) {
        self.announced.is_current = false;
    }

    /// Reads the marks. Where brokers do not answer, what was known stays.
    pub(super) fn look(&mut self) {
        self.sight.has_tried = true;
        if let Err(error) = self.try_look() {
            tracing::warn!(%error, "the other partitions' offsets cannot be read");
        }
    }

    fn try_look(&mut self) -> Result<(), KafkaError> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&self.topic, 0, self.partitions - 1);
        // Before marks and ends: what had come by then is read, where they say that nothing is left.
        let wall = if self.time == Time::Wall { wall_time() } else { None };
        let committed = self.consumer.committed_offsets(asked, ASK_MAX)?;
        let elements = committed.elements();
        // What is announced is known by now, also where some partition does not say where it ends. Where the timekeeper's own mark is not to be had, what it
        // announced last stays announced, and the others go on.
        let timekeepers = elements.iter().find(|element| element.partition() == TIMEKEEPER).and_then(mark_of);
        let rules = timekeepers.map_or_else(|| self.announced.rules.clone(), |(_, mark)| mark.rules);
        self.announced.are(&rules);
        let mut seen = Seen { wall, ..Seen::default() };
        for element in &elements {
            let partition = element.partition();
            let Some((offset, mark)) = mark_of(element) else {
                seen.stopped();
                continue;
            };
            // After the mark: what has come since the mark was read is not missed.
            let end = self.end(partition)?;
            // All was read, and nothing has come since: its owner may be away.
            let has_nothing_left = offset.max(mark.read_to.unwrap_or(offset)) >= end;
            seen.add(partition, mark.first, mark.clock, has_nothing_left);
        }
        self.sight.saw(seen);
        Ok(())
    }

    fn end(&self, partition: i32) -> Result<i64, KafkaError> {
        let (_, end) = self.ends.as_ref().unwrap_or(&self.consumer).fetch_watermarks(&self.topic, partition, ASK_MAX)?;
        Ok(end)
    }

    /// Partitions of a topic as brokers say now; `None` where they do not say, or it is not there.
    pub(super) fn partitions_now(&self, topic: &str) -> Option<i32> {
        let metadata = metadata(&self.consumer, Some(topic), GLANCE_MAX).ok()?;
        let found = metadata.topics().first().filter(|topic| topic.error().is_none())?.partitions().len();
        i32::try_from(found).ok().filter(|found| *found > 0)
    }

    /// Partitions of the transactions topic, as the looks count them.
    pub(super) const fn partitions(&self) -> i32 {
        self.partitions
    }

    /// The rule set last announced; empty before the first, and while that is not known.
    pub(super) fn rules(&self) -> &str {
        self.announced.rules()
    }

    /// A rule set has been announced by this process, and that is committed.
    pub(super) fn announced(&mut self, rules: &str) {
        self.announced.are(rules);
    }

    /// The time that everybody had come to at the last look, where the timekeeper's partition had nothing left then, be it that it never had anything.
    pub(super) fn drained_time(&self) -> Option<i64> {
        self.sight.drained_time()
    }

    /// The time that no record of another partition is still to come before, given that the timekeeper's has reached `own` and the last tick was
    /// at `ticked`; `None` before all have begun or are known to have nothing. Looks once more where that lets a tick come.
    pub(super) fn time(&mut self, own: Option<i64>, ticked: i64) -> Option<i64> {
        let own = own?;
        if self.sight.wants_look(own, ticked) {
            self.look();
        }
        self.sight.time(own)
    }

    /// The earliest stamp of any partition, drained or not; at most `time`.
    pub(super) fn earliest(&self, time: i64) -> i64 {
        self.sight.seen.and_then(|seen| seen.earliest).map_or(time, |earliest| earliest.min(time))
    }
}

/// The rule set last announced, as committed.
#[derive(Debug, Default)]
struct Announced {
    rules: String,
    /// It was found so since partitions changed hands last. Who slept meanwhile may have slept over a leg log that was made anew, and an announcement
    /// that was taken back: what it writes then would lie there before any rule set.
    is_current: bool,
}

impl Announced {
    fn rules(&self) -> &str {
        if self.is_current { &self.rules } else { "" }
    }

    fn are(&mut self, rules: &str) {
        if self.rules != rules {
            rules.clone_into(&mut self.rules);
        }
        self.is_current = true;
    }
}

/// A committed offset and the mark beside it, where both are weir's.
fn mark_of(element: &TopicPartitionListElem<'_>) -> Option<(i64, Mark)> {
    let Offset::Offset(offset) = element.offset() else { return None };
    Some((offset, Mark::decode(element.metadata())?))
}

/// Microseconds since 1970 by the clock of this host; `None` before that, and time follows records then.
fn wall_time() -> Option<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(now.as_micros()).ok()
}

/// A consumer that belongs to no group and is told of uncommitted records too. It reads none.
fn reader_of_ends(connection: &Connection) -> Result<BaseConsumer<Talk>, KafkaError> {
    let mut config = connection.reader();
    config.set("isolation.level", "read_uncommitted");
    config.create_with_context(Talk)
}

/// What a look has found. Clocks are in microseconds; that of a partition which has not begun is `i64::MIN`: it holds time back altogether.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// The wall's time before the look, where time follows it: that of all partitions that are drained.
    wall: Option<i64>,
    /// The smallest clock of partitions other than the timekeeper's that have something unread; `None` if none has.
    lagging: Option<i64>,
    /// The smallest time of those that are drained.
    drained: Option<i64>,
    /// The first stamp of all partitions that have one, as far as it is known, and the largest clock.
    earliest: Option<i64>,
    latest: Option<i64>,
    /// Whether the timekeeper's own partition is drained.
    is_drained: bool,
}

impl Seen {
    /// A partition is stopped; until it is mended nobody knows what it holds.
    fn stopped(&mut self) {
        self.lagging = Some(i64::MIN);
    }

    fn add(&mut self, partition: i32, first: Option<i64>, clock: Option<i64>, has_nothing_left: bool) {
        self.earliest = self.earliest.into_iter().chain(first.or(clock)).min();
        self.latest = self.latest.max(clock);
        if partition == TIMEKEEPER {
            self.is_drained = has_nothing_left;
            return;
        }
        let (least, time) = if has_nothing_left { (&mut self.drained, self.wall.or(clock)) } else { (&mut self.lagging, clock) };
        let time = time.unwrap_or(i64::MIN);
        *least = Some(least.map_or(time, |least: i64| least.min(time)));
    }
}

/// What the last look is worth, now that more has been read. Asks nobody, so that it can be tried without brokers.
#[derive(Debug, Default)]
struct Sight {
    /// There is no partition but the timekeeper's.
    is_alone: bool,
    /// `None` before the first look.
    seen: Option<Seen>,
    /// Everything of the timekeeper's partition that has moved its clock had been read before the last look.
    is_fresh: bool,
    /// It has been looked, perhaps in vain, since records were read last.
    has_tried: bool,
}

impl Sight {
    fn has_read(&mut self) {
        (self.is_fresh, self.has_tried) = (false, false);
    }

    fn saw(&mut self, seen: Seen) {
        (self.seen, self.is_fresh) = (Some(seen), true);
    }

    fn time_as_seen(&self, own: i64) -> Option<i64> {
        if self.is_alone {
            return Some(own);
        }
        bounded(own, self.seen?.lagging)
    }

    /// Before another look a drained partition's own time is a bound, too: it may have been given something since.
    fn time(&self, own: i64) -> Option<i64> {
        if self.is_alone || self.is_fresh {
            return self.time_as_seen(own);
        }
        bounded(self.time_as_seen(own)?, self.seen?.drained)
    }

    /// As far as the last look lets time come without regard to the timekeeper's partition, of which nothing was left then; `None` where something was, or
    /// where another one that had something left has not begun.
    fn drained_time(&self) -> Option<i64> {
        let seen = self.seen.filter(|seen| seen.is_drained)?;
        bounded(seen.wall.or(seen.latest)?, seen.lagging)
    }

    /// Whether a tick may come by a look: if drained partitions are so still, time moves on by a full hour, for less than which there is no tick.
    fn wants_look(&self, own: i64, ticked: i64) -> bool {
        if self.is_alone || self.is_fresh || self.has_tried {
            return false;
        }
        let hour = |time: i64| time.div_euclid(HOUR);
        let (hoped, sure) = (self.time_as_seen(own), self.time(own));
        hoped.is_some_and(|hoped| hour(hoped) > hour(ticked) && sure.is_none_or(|sure| hour(hoped) > hour(sure)))
    }
}

/// At most the clock of who is behind; `None` where that one has not begun.
fn bounded(time: i64, behind: Option<i64>) -> Option<i64> {
    match behind {
        Some(i64::MIN) => None,
        Some(behind) => Some(behind.min(time)),
        None => Some(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * HOUR;

    /// The timekeeper's partition and others: each one's clock, and whether nothing of it is left.
    fn seen(others: &[(Option<i64>, bool)]) -> Seen {
        seen_beside(None, (Some(0), false), others)
    }

    fn seen_beside(wall: Option<i64>, (clock, is_drained): (Option<i64>, bool), others: &[(Option<i64>, bool)]) -> Seen {
        let mut seen = Seen { wall, ..Seen::default() };
        seen.add(TIMEKEEPER, None, clock, is_drained);
        others.iter().zip(1..).for_each(|((clock, has_nothing_left), partition)| seen.add(partition, None, *clock, *has_nothing_left));
        seen
    }

    fn seen_by(others: &[(Option<i64>, bool)]) -> Sight {
        let mut sight = Sight::default();
        sight.saw(seen(others));
        sight
    }

    /// As [`Others::time`] asks: the time, and whether a look was wanted. `now` is what brokers would say; `None` if they do not answer.
    fn ask(sight: &mut Sight, own: i64, ticked: i64, now: Option<&[(Option<i64>, bool)]>) -> (Option<i64>, bool) {
        let has_looked = sight.wants_look(own, ticked);
        if has_looked {
            sight.has_tried = true;
            if let Some(now) = now {
                sight.saw(seen(now));
            }
        }
        (sight.time(own), has_looked)
    }

    #[test]
    fn time_does_not_pass_who_was_drained_and_has_been_given_something_since() {
        let mut sight = seen_by(&[(Some(DAY), true)]);
        assert_eq!(sight.time(DAY + HOUR), Some(DAY + HOUR), "what moved time had been read when it was looked");
        sight.has_read();
        let now = [(Some(DAY), false)];
        assert_eq!(ask(&mut sight, 30 * DAY, DAY, Some(&now)), (Some(DAY), true));
        assert_eq!(ask(&mut sight, 31 * DAY, DAY, Some(&now)), (Some(DAY), false), "its clock is a bound now, whoever looks");
        sight.has_read();
        assert_eq!(ask(&mut sight, 32 * DAY, DAY, Some(&now)), (Some(DAY), false));
    }

    #[test]
    fn who_has_never_begun_holds_time_back_once_it_has_something() {
        let mut sight = seen_by(&[(None, true)]);
        sight.has_read();
        assert_eq!(ask(&mut sight, 30 * DAY, 0, Some(&[(None, false)])), (None, true));
        sight.saw(seen(&[(Some(2 * DAY), false)]));
        assert_eq!(sight.time(30 * DAY), Some(2 * DAY));
    }

    #[test]
    fn who_is_idle_for_ever_holds_nothing_and_costs_a_look_an_hour() {
        let mut sight = seen_by(&[(None, true), (Some(DAY), true)]);
        let now = [(None, true), (Some(DAY), true)];
        let (mut ticked, mut looks) = (0, 0);
        for minute in 1..=10 * 60 {
            let own = 2 * DAY + minute * HOUR / 60;
            sight.has_read();
            for _ in 0..3 {
                let (time, has_looked) = ask(&mut sight, own, ticked, Some(&now));
                looks += usize::from(has_looked);
                ticked = time.map_or(ticked, |time| ticked.max(time.div_euclid(HOUR) * HOUR));
            }
            assert_eq!(ticked, own.div_euclid(HOUR) * HOUR);
        }
        assert_eq!(looks, 11, "one for each full hour, and one for the first tick of all");
    }

    #[test]
    fn partitions_that_flow_cost_no_look() {
        let mut sight = seen_by(&[(Some(DAY), false)]);
        for hours in 0..100 {
            sight.has_read();
            let others = DAY + hours * HOUR - HOUR / 120;
            assert!(!ask(&mut sight, DAY + hours * HOUR, DAY + (hours - 1) * HOUR, None).1);
            sight.saw(seen(&[(Some(others), false)]));
        }
        // One of them is drained for a moment, and not behind: nothing but the hour in between asks for a look.
        sight.saw(seen(&[(Some(9 * DAY + HOUR / 4), true)]));
        sight.has_read();
        assert_eq!(ask(&mut sight, 9 * DAY + HOUR / 2, 9 * DAY - HOUR, None), (Some(9 * DAY + HOUR / 4), false));
    }

    #[test]
    fn a_look_in_vain_lets_nothing_pass_and_is_repeated_with_the_next_step() {
        let mut sight = seen_by(&[(Some(DAY), true)]);
        sight.has_read();
        assert_eq!(ask(&mut sight, 30 * DAY, DAY, None), (Some(DAY), true));
        assert_eq!(ask(&mut sight, 30 * DAY, DAY, None), (Some(DAY), false), "brokers that do not answer are waited for once a step");
        sight.has_read();
        assert_eq!(ask(&mut sight, 30 * DAY, DAY, Some(&[(Some(DAY), true)])), (Some(30 * DAY), true));
    }

    #[test]
    fn a_stopped_partition_holds_time_and_a_single_one_asks_nobody() {
        let mut stopped = seen(&[(Some(DAY), true)]);
        stopped.stopped();
        let mut sight = Sight::default();
        assert_eq!(ask(&mut sight, DAY, 0, None), (None, false), "nothing is known yet");
        sight.saw(stopped);
        assert_eq!(ask(&mut sight, DAY, 0, None), (None, false));
        let mut alone = Sight { is_alone: true, ..Sight::default() };
        assert_eq!(ask(&mut alone, DAY, 0, None), (Some(DAY), false));
    }

    /// Of the timekeeper's partition nothing is left, and may never have been: time is that of the others.
    #[test]
    fn a_timekeeper_with_nothing_left_holds_nobody_back() {
        let check = |own: (Option<i64>, bool), others: &[(Option<i64>, bool)], expected: Option<i64>| {
            let drained_time = |wall| Sight { seen: Some(seen_beside(wall, own, others)), ..Sight::default() }.drained_time();
            assert_eq!(drained_time(None), expected, "{own:?} {others:?}");
            // With the wall's time the same partitions are waited for.
            let (wall, is_behind) = (Some(90 * DAY), others.iter().any(|(_, has_nothing_left)| !has_nothing_left));
            let expected_wall = if own.1 && !is_behind { wall } else { expected };
            assert_eq!(drained_time(wall), expected_wall, "{own:?} {others:?}");
        };
        check((Some(DAY), true), &[(Some(9 * DAY), true)], Some(9 * DAY));
        check((None, true), &[(Some(9 * DAY), true), (Some(3 * DAY), true)], Some(9 * DAY));
        check((None, true), &[(Some(9 * DAY), true), (Some(3 * DAY), false)], Some(3 * DAY));
        check((Some(DAY), true), &[(Some(9 * DAY), false), (None, true)], Some(9 * DAY));
        check((Some(DAY), true), &[(Some(9 * DAY), true), (None, false)], None);
        check((Some(DAY), false), &[(Some(9 * DAY), true)], None);
        check((Some(20 * DAY), true), &[(Some(9 * DAY), true)], Some(20 * DAY));
    }

    #[test]
    fn the_earliest_stamp_is_that_of_a_first_record_where_it_is_known() {
        let mut seen = Seen::default();
        assert_eq!(seen.earliest, None);
        seen.add(TIMEKEEPER, None, Some(9 * DAY), true);
        assert_eq!(seen.earliest, Some(9 * DAY), "by a version that kept none");
        seen.add(1, Some(2 * DAY), Some(30 * DAY), false);
        seen.add(2, None, None, true);
        assert_eq!(seen.earliest, Some(2 * DAY));
    }

    #[test]
    fn with_wall_time_who_is_drained_has_come_as_far_as_the_wall() {
        let mut sight = Sight::default();
        let mut time = |others: &[(Option<i64>, bool)]| {
            sight.saw(seen_beside(Some(30 * DAY), (Some(0), false), others));
            sight.has_read();
            sight.time(9 * DAY)
        };
        assert_eq!(time(&[(Some(DAY), true), (Some(2 * DAY), false)]), Some(2 * DAY));
        assert_eq!(time(&[(Some(DAY), true), (None, true)]), Some(9 * DAY), "though it has never begun");
    }

    /// A broker that has some partition is away, say, and looks fail; those who read the others go on, and may die.
    #[test]
    fn with_wall_time_nothing_passes_the_last_look() {
        let mut sight = Sight::default();
        sight.saw(seen_beside(Some(20 * DAY), (Some(DAY), true), &[(Some(DAY), true)]));
        for day in 21..25 {
            sight.has_read();
            assert_eq!(sight.drained_time(), Some(20 * DAY), "whatever the wall's time is now");
            assert_eq!(ask(&mut sight, day * DAY, 20 * DAY, None), (Some(20 * DAY), true));
        }
    }
}

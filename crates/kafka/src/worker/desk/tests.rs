//! What a worker's partitions do with records, assignments and offsets, played on roles of a few lines. No broker: what only that can show stands in
//! `crates/weir/tests/kafka`.

use super::*;
use crate::metrics::Metrics;

/// Partitions whose time is that of their last record, and what was folded, in its order.
#[derive(Default)]
struct Clocks {
    /// What it cannot do without is gone.
    is_blind: bool,
    folded: Vec<(i32, i64)>,
    /// Their order among each other does not matter.
    is_unordered: bool,
    /// Records before the committed offset that are read once more.
    again: i64,
    /// States to open with, the last one first.
    starts: Vec<i64>,
    /// Where they lie does not answer.
    is_away: bool,
}

impl Role for Clocks {
    type State = i64;

    fn open(&mut self, standing: Standing, _: &Mark) -> Result<Opening<i64>, Stop> {
        if self.is_away {
            return Err(Stop::new(StopCode::Unavailable, "the store does not answer"));
        }
        Ok(Opening { state: self.starts.last().copied().unwrap_or(i64::MIN), from: standing.committed - self.again })
    }

    fn distrust(&mut self, _: i32) -> bool {
        self.starts.pop();
        !self.starts.is_empty()
    }

    fn fold(&mut self, partition: i32, time: &mut i64, records: &[Record<'_>], _: bool, outbox: &mut Outbox) -> Result<(), Stop> {
        assert!(records.iter().all(|record| record.value != POISON), "this record has found a mistake");
        if records.iter().any(|record| record.value == HUGE) {
            outbox.push(&"t".into(), None, &[], Vec::new(), |bytes| bytes.resize(bytes.len() + MESSAGE_BYTES, 0));
        }
        for _ in records.iter().filter(|record| record.value == LOUD) {
            outbox.push(&"t".into(), None, &[], Vec::new(), |bytes| bytes.resize(bytes.len() + OUTPUT_BYTES_MAX / TURN, 0));
        }
        self.folded.extend(records.iter().map(|record| (partition, record.offset)));
        *time = records.iter().filter_map(|record| record.received).max().map_or(*time, |at| at.max(*time));
        Ok(())
    }

    fn time(&self, time: &i64) -> Option<i64> {
        (!self.is_unordered).then_some(*time)
    }

    fn look(&mut self) -> Result<(), WorkerError> {
        if self.is_blind { Err(WorkerError::Kafka(KafkaError::Canceled)) } else { Ok(()) }
    }

    fn tend(&mut self, _: i32, _: &mut i64, _: &mut Outbox) -> Result<bool, Stop> {
        Ok(false)
    }

    fn mark(&self, time: &i64) -> Mark {
        let mut mark = Mark::default();
        if *time == FOREIGN {
            mark.digest.read(0, b"another log");
        }
        mark
    }

    fn committed(&mut self, _: i32, _: &mut i64, _: i64) {}
}

const HOUR: i64 = 3_600_000_000;
/// A state that leads nowhere else.
const FOREIGN: i64 = i64::MAX;
const POISON: &[u8] = b"poison";
/// What comes of it is larger than any topic takes.
const HUGE: &[u8] = b"huge";
/// Of a turn of these comes as much as one transaction takes.
const LOUD: &[u8] = b"loud";
const VALUE: [u8; 1000] = [0; 1000];

/// The desk of a worker with these partitions, all of which are being read.
fn desk(partitions: &[i32]) -> Desk<Clocks> {
    let metrics = Metrics::new().worker("test", 0);
    let mut desk = Desk::new(Clocks::default(), "t".into(), metrics, Arc::new(AtomicBool::new(false)));
    for partition in partitions {
        desk.open(*partition, Offset::Offset(0), &Mark::default().encode(), (0, i64::MAX)).unwrap_or_else(|stop| panic!("{}", stop.text));
    }
    desk.positions().expect("partitions have positions");
    desk
}

/// Records of a partition, an hour apart.
fn records(partition: i32, offsets: std::ops::Range<i64>) -> impl Iterator<Item = (i32, Record<'static>)> {
    offsets.map(move |offset| (partition, Record { offset, received: Some(offset * HOUR), key: &[], value: &VALUE }))
}

#[test]
fn who_is_behind_comes_first() {
    let mut desk = desk(&[0, 1]);
    let turn = i64::try_from(TURN).expect("a turn is short");
    desk.fold_all(records(0, 0..3 * turn).chain(records(1, 0..3 * turn)));
    let turns: Vec<i32> = desk.role.folded.iter().step_by(TURN).map(|(partition, _)| *partition).collect();
    assert_eq!(turns, [0, 1, 0, 1, 0, 1]);
    assert!(desk.slots.values().all(|slot| slot.waiting.is_empty()));
}

#[test]
fn a_record_that_finds_a_mistake_stops_its_partition_and_no_other() {
    let mut desk = desk(&[0, 1]);
    let poison = Record { offset: 2, received: Some(2 * HOUR), key: &[], value: POISON };
    let has_stopped = desk.fold_all(records(0, 0..2).chain([(0, poison)]).chain(records(0, 3..4)).chain(records(1, 0..4)));
    assert!(has_stopped);
    assert_eq!(desk.stops[&0].code, StopCode::FoldFailed);
    assert_eq!(desk.slots.keys().collect::<Vec<_>>(), [&1], "nothing of it is due any more");
    desk.drained(1, Some(0));
    desk.fold_all(records(1, 4..5));
    assert_eq!(desk.role.folded.iter().filter(|(of, _)| *of == 1).count(), 5);
}

#[test]
fn a_record_that_could_not_be_sent_stops_its_partition_and_no_other() {
    let mut desk = desk(&[0, 1]);
    let huge = Record { offset: 2, received: Some(2 * HOUR), key: &[], value: HUGE };
    assert!(desk.fold_all(records(0, 0..2).chain([(0, huge)]).chain(records(1, 0..4))));
    assert_eq!(desk.stops[&0].code, StopCode::OutputTooLarge);
    assert_eq!(desk.slots.keys().collect::<Vec<_>>(), [&1]);
}

#[test]
fn a_role_that_cannot_go_on_ends_its_worker() {
    let mut desk = desk(&[0]);
    desk.tend();
    assert!(desk.failure.is_none());
    desk.role.is_blind = true;
    desk.tend();
    assert!(matches!(desk.failure, Some(WorkerError::Kafka(KafkaError::Canceled))));
}

#[test]
fn a_replay_ends_with_the_last_record_that_was_committed() {
    let mut desk = desk(&[]);
    desk.role.again = 2;
    desk.open(0, Offset::Offset(5), &Mark::default().encode(), (0, 5)).unwrap_or_else(|stop| panic!("{}", stop.text));
    desk.positions().expect("it has a position");
    desk.fold_all(records(0, 3..4));
    assert!(desk.slots[&0].expected.is_some(), "one is still to come");
    assert_eq!(desk.wait(), Some(Wait::Replay), "nothing new is read yet");
    desk.fold_all(records(0, 4..5));
    assert!(desk.slots[&0].expected.is_none(), "though nothing has come since");
    assert_eq!(desk.wait(), None);
    desk.drained(0, Some(0));
    assert_eq!(desk.due().keys().collect::<Vec<_>>(), [&0], "others may know that nothing is left");
}

/// A partition that reads two records once more, from the last of these states.
fn begun_from(starts: &[i64]) -> Desk<Clocks> {
    let mut desk = desk(&[]);
    (desk.role.again, desk.role.starts) = (2, starts.to_vec());
    desk.open(0, Offset::Offset(5), &Mark::default().encode(), (0, 9)).unwrap_or_else(|stop| panic!("{}", stop.text));
    desk.positions().expect("it has a position");
    desk
}

#[test]
fn a_partition_whose_offset_has_gone_while_it_was_read_stops() {
    let mut desk = desk(&[0, 1, 2]);
    desk.fold_all(records(0, 0..2).chain(records(1, 0..2)));
    assert!(desk.compare(&BTreeMap::from([(0, None), (1, Some(0))])));
    assert_eq!(desk.stops[&0].code, StopCode::LogReplaced);
    assert_eq!(desk.slots.keys().collect::<Vec<_>>(), [&1, &2], "of what was not asked nothing is known");
    assert!(!desk.due().contains_key(&0), "it is not committed over");
    assert!(!desk.compare(&BTreeMap::from([(1, Some(0))])));
}

#[test]
fn what_passes_ends_the_worker_and_stops_no_partition() {
    let mut desk = desk(&[0, 1]);
    desk.stop(0, Stop::new(StopCode::Unavailable, "the store does not answer"));
    assert!(desk.stops.is_empty() && matches!(desk.failure, Some(WorkerError::Unfit(_))));
}

#[test]
fn what_passes_is_no_fault_of_a_worker_that_is_told_to_end() {
    let mut desk = desk(&[0, 1]);
    desk.fold_all(records(0, 0..2).chain(records(1, 0..2)));
    desk.stop.store(true, Ordering::Relaxed);
    desk.stop(0, Stop::new(StopCode::Unavailable, "the store does not answer"));
    assert!(desk.stops.is_empty() && desk.failure.is_none());
    assert_eq!(desk.due().keys().collect::<Vec<_>>(), [&1], "what was folded of others is committed");
}

#[test]
fn a_state_of_another_log_costs_time_where_there_is_another_one() {
    let mut desk = begun_from(&[i64::MIN, FOREIGN]);
    assert!(desk.fold_all(records(0, 3..7)), "it is to be read from elsewhere");
    assert!(desk.stops.is_empty() && desk.due().is_empty());
    desk.fold_all(records(0, 7..8));
    assert_eq!(desk.role.folded, [(0, 3), (0, 4)], "what was read before that is of no use");
    let positions = desk.positions().expect("it has a position");
    assert_eq!(positions.elements()[0].offset(), Offset::Offset(3));
    assert!(!desk.fold_all(records(0, 3..7)));
    assert!(desk.slots[&0].expected.is_none() && desk.slots[&0].next == 7);
}

#[test]
fn a_state_that_leads_elsewhere_stops_the_partition_where_there_is_no_other() {
    let mut desk = begun_from(&[FOREIGN]);
    assert!(desk.fold_all(records(0, 3..7)));
    assert_eq!(desk.stops[&0].code, StopCode::DigestDiffers);
}

#[test]
fn a_store_that_is_away_when_another_state_is_wanted_stops_no_partition() {
    let mut desk = begun_from(&[i64::MIN, FOREIGN]);
    desk.role.is_away = true;
    assert!(desk.fold_all(records(0, 3..7)));
    assert!(desk.stops.is_empty() && matches!(desk.failure, Some(WorkerError::Unfit(_))), "a new start finds it");
}

#[test]
fn who_is_ahead_waits_until_the_other_comes_or_has_nothing_left() {
    let mut desk = desk(&[0, 1]);
    desk.fold_all(records(0, 0..2));
    assert_eq!(desk.role.folded, [(0, 0), (0, 1)], "nobody knows yet what time it is");
    desk.fold_all(records(0, 2..4));
    assert_eq!(desk.role.folded.len(), 2, "the other may be further behind");
    desk.fold_all(records(1, 0..3));
    assert_eq!(desk.role.folded[2..], [(1, 0), (1, 1), (1, 2), (0, 2), (0, 3)]);
    desk.fold_all(records(0, 4..6));
    assert_eq!(desk.role.folded.len(), 7, "an hour ahead of one that may go on");
    assert!(desk.slots[&0].read_to().is_none());
    desk.drained(0, Some(0));
    assert!(desk.slots[&0].read_to().is_none(), "it has what waits");
    desk.drained(1, Some(0));
    desk.fold_all(std::iter::empty());
    assert_eq!(desk.role.folded[7..], [(0, 4), (0, 5)]);
    assert_eq!(desk.slots[&0].read_to(), Some(6));
}

#[test]
fn who_says_nothing_holds_nobody_up() {
    let mut desk = desk(&[0, 1]);
    desk.fold_all(records(0, 0..2).chain(records(1, 0..1)));
    desk.idled(WAIT_MAX / 2);
    desk.fold_all(records(0, 2..4));
    assert_eq!(desk.role.folded.len(), 3);
    desk.idled(WAIT_MAX / 2);
    desk.fold_all(std::iter::empty());
    assert_eq!(desk.role.folded[3..], [(0, 2), (0, 3)]);
}

#[test]
fn a_partition_whose_offset_another_has_committed_is_taken_up_anew_or_stopped_by_name() {
    let mut desk = desk(&[0, 1]);
    desk.drained(1, Some(0));
    desk.fold_all(records(0, 0..4));
    desk.drained(0, Some(0));
    assert!(desk.due().contains_key(&0));
    desk.reopen(0, (2, Mark::default().encode().as_str()), (0, 9));
    assert_eq!((desk.slots[&0].next, desk.slots[&0].committed.0), (2, 2));
    assert!(!desk.due().contains_key(&0), "what was due is void");
    let positions = desk.positions().expect("partitions have positions");
    assert_eq!(positions.elements()[0].offset(), Offset::Offset(2));

    desk.reopen(1, (3, ""), (0, 9));
    assert_eq!(desk.stops[&1].code, StopCode::OffsetForeign, "not a partition that has vanished");
    assert!(!desk.slots.contains_key(&1) && desk.ready() != desk.reading, "it is read no further");
}

/// All records of a partition that has been quiet for long, and the mark of the transaction behind the last one.
#[test]
fn what_was_read_to_its_end_goes_on_though_all_of_it_was_deleted() {
    let mut desk = desk(&[]);
    let open = |desk: &mut Desk<Clocks>, low: i64| {
        let read = Mark { read_to: Some(7), ..Mark::default() }.encode();
        desk.open(0, Offset::Offset(5), &read, (low, low.max(7))).map_err(|stop| stop.code)
    };
    assert_eq!(open(&mut desk, 8), Err(StopCode::LogTruncated), "a record has come and gone");
    let position = |desk: &mut Desk<Clocks>| desk.positions().expect("it has a position").elements()[0].offset();
    assert_eq!(open(&mut desk, 4), Ok(()));
    assert_eq!(position(&mut desk), Offset::Offset(5), "what is still there is read");
    assert_eq!(desk.slots[&0].needs(), 7, "and not missed where it goes");
    assert_eq!(open(&mut desk, 7), Ok(()));
    for _ in 0..2 {
        assert_eq!(position(&mut desk), Offset::Offset(7), "before that nothing is left to read");
        assert!(desk.due().is_empty(), "nor has anything changed");
        desk.drained(0, Some(0));
        assert!(desk.due().is_empty(), "though the consumer does not know where it stands");
    }
    desk.drained(0, None);
    desk.fold_all(records(0, 7..8));
    let due = desk.due();
    let (offset, mark) = &due[&0];
    assert_eq!((*offset, Mark::decode(mark).expect("a mark").read_to), (8, None));
}

#[test]
fn too_much_that_waits_is_read_no_further() {
    let mut desk = desk(&[0, 1]);
    desk.fold_all(records(0, 0..5000));
    assert_eq!(desk.pauses_and_resumes(), (vec![0], vec![]));
    assert_eq!(desk.pauses_and_resumes(), (vec![], vec![]), "said once");
    desk.fold_all(records(1, 0..4999));
    assert_eq!(desk.pauses_and_resumes(), (vec![], vec![0]));
    assert_eq!(desk.role.folded.len(), 9999);
    let of = |partition: i32| desk.role.folded.iter().filter(move |(of, _)| *of == partition).map(|(_, offset)| *offset);
    assert!(of(0).eq(0..5000) && of(1).eq(0..4999), "each once, in order");
}

#[test]
fn what_waits_is_read_again_after_an_assignment() {
    let mut desk = desk(&[0, 1]);
    desk.fold_all(records(0, 0..2));
    desk.fold_all(records(0, 2..4));
    assert_eq!(desk.slots[&0].waiting.len(), 2);
    desk.drained(0, Some(0));
    let positions = desk.positions().expect("partitions have positions");
    assert!(desk.slots[&0].waiting.is_empty() && desk.slots[&0].read_to().is_none(), "it is to be read again");
    assert_eq!(positions.elements()[0].offset(), Offset::Offset(2));
}

#[test]
fn what_one_transaction_would_not_take_waits_for_the_next() {
    let mut desk = desk(&[0, 1]);
    desk.drained(1, Some(0));
    for slot in desk.slots.values_mut() {
        slot.outbox.push(&"t".into(), None, &[], Vec::new(), |bytes| bytes.resize(bytes.len() + OUTPUT_BYTES_MAX / 2, 0));
    }
    desk.fold_all(records(0, 0..2));
    assert_eq!((desk.role.folded.len(), desk.slots[&0].waiting.len()), (0, 2));
    desk.slots.values_mut().for_each(|slot| slot.outbox.clear());
    desk.fold_all(records(0, 2..3));
    assert_eq!(desk.role.folded, [(0, 0), (0, 1), (0, 2)]);
    assert!(desk.slots[&0].waiting.is_empty());
}

#[test]
fn what_one_transaction_would_not_take_waits_though_all_of_it_came_at_once() {
    let mut desk = desk(&[0]);
    desk.role.is_unordered = true;
    let loud = |offsets: std::ops::Range<i64>| offsets.map(|offset| (0, Record { offset, received: None, key: &[], value: LOUD }));
    let turn = i64::try_from(TURN).expect("a turn is short");
    desk.fold_all(loud(0..4 * turn));
    for turns in 1..=4 {
        assert_eq!(desk.role.folded.len(), turns * TURN);
        assert_eq!(desk.said(), OUTPUT_BYTES_MAX);
        desk.slots.values_mut().for_each(|slot| slot.outbox.clear());
        desk.fold_all(std::iter::empty());
    }
    assert!(desk.role.folded.iter().map(|(_, offset)| *offset).eq(0..4 * turn), "each once, in order");
    // Where nothing comes of them more are folded at a time: a turn, another, twice and four times as many, and so on.
    desk.fold_all(records(0, 4 * turn..40 * turn));
    assert_eq!(desk.turn, 4 + 2 + 5);
}

#[test]
fn who_has_much_to_say_does_not_keep_others_from_saying_anything() {
    let mut desk = desk(&[0, 1]);
    desk.role.is_unordered = true;
    let turn = i64::try_from(TURN).expect("a turn is short");
    let loud = (0..4 * turn).map(|offset| (0, Record { offset, received: None, key: &[], value: LOUD }));
    desk.fold_all(loud.chain(records(1, 0..4)));
    assert_eq!((desk.role.folded.len(), desk.slots[&1].waiting.len()), (TURN, 4));
    desk.slots.values_mut().for_each(|slot| slot.outbox.clear());
    desk.fold_all(std::iter::empty());
    assert_eq!(desk.role.folded[TURN..TURN + 4], [(1, 0), (1, 1), (1, 2), (1, 3)]);
    assert_eq!(desk.role.folded.len(), 2 * TURN + 4);
}

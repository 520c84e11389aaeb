//! What an archiver does with records and files, in a folder. No broker: what only that can show stands in `crates/weir/tests/kafka`.

use std::ops::Range;
use std::path::Path;

use weir_model::Span;

use super::*;
use crate::metrics::Metrics;
use crate::store::Folder;

/// A store that was told not to write over, and does.
struct Careless(Folder);

impl Store for Careless {
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.put(name, bytes)
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        self.0.put(name, bytes).map(|()| true)
    }

    fn get(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.get(name)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn delete(&self, name: &str) -> io::Result<()> {
        self.0.delete(name)
    }
}

#[test]
fn a_store_that_writes_over_is_found_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let good = Folder(folder.path().join("good"));
    assert!(does_keep(&good).expect("tried"));
    assert!(does_keep(&good).expect("tried again after a restart"));
    let mended = Folder(folder.path().join("careless"));
    assert!(!does_keep(&Careless(Folder(mended.0.clone()))).expect("tried"));
    assert!(does_keep(&mended).expect("tried again once somebody has mended it"));
    assert_eq!(days(&good).expect("listed"), []);
}

/// The desk of an archiver with these partitions, all of whose logs are empty yet.
fn desk(folder: &Path, partitions: Range<i32>) -> Desk {
    let mut desk = Desk {
        store: Arc::new(Folder(folder.to_owned())),
        topic: Arc::from("weir.legs"),
        slots: BTreeMap::new(),
        put_off: BTreeSet::new(),
        stopped: BTreeSet::new(),
        failure: None,
        metrics: Metrics::new().worker("archive", 0),
        stop: Arc::default(),
    };
    for partition in partitions {
        let slot = desk.open(partition, 0, 0).expect("the store answers").unwrap_or_else(|stop| panic!("{}", stop.text));
        desk.slots.insert(partition, slot);
    }
    desk
}

fn bytes_of(entry: Entry<'_>) -> Vec<u8> {
    let mut record = Vec::new();
    entry.encode(&mut record);
    record
}

fn tick(day: i64) -> Vec<u8> {
    bytes_of(Entry::Tick { clock: EventTime(0).plus(Span::days(day)) })
}

/// Day and offsets of the files of partition 0, in order.
fn files(desk: &Desk) -> Vec<(Day, Vec<i64>)> {
    let offsets = |place: &Place| -> Vec<i64> {
        let (_, records) = segment::records(desk.store.get(&place.path()).expect("read"), None).expect("a segment");
        records.into_iter().map(|(offset, _)| offset).collect()
    };
    all_of(&*desk.store, 0).expect("listed").iter().map(|place| (place.day, offsets(place))).collect()
}

/// Of two partitions of transactions one is a day behind: what it brings lies in the folder of the day that has begun.
#[test]
fn no_record_is_stamped_later_than_its_folder_says_and_some_are_stamped_earlier() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut desk = desk(folder.path(), 0..1);
    for (offset, at) in (0..).zip([0, 1, 0, 1]) {
        assert!(desk.take(0, offset, &tick(at)).expect("the store answers"));
    }
    assert!(desk.write(0).expect("the store answers"));
    let day = |day: i64| EventTime(0).plus(Span::days(day)).day();
    assert_eq!(files(&desk), [(day(0), vec![0]), (day(1), vec![1, 2, 3])]);
}

#[test]
fn what_lies_before_a_record_that_cannot_be_read_is_archived() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut desk = desk(folder.path(), 0..1);
    for offset in 0..2 {
        assert!(desk.take(0, offset, &tick(0)).expect("the store answers"));
    }
    assert!(!desk.take(0, 2, b"not weir's").expect("the store answers"));
    assert!(desk.slots.is_empty() && desk.stopped.contains(&0));
    assert_eq!(files(&desk), [(EventTime(0).day(), vec![0, 1])]);
}

#[test]
fn a_file_that_was_exchanged_leads_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut desk = desk(folder.path(), 0..1);
    assert!(desk.take(0, 0, &tick(0)).expect("the store answers"));
    assert!(desk.write(0).expect("the store answers"));
    let own = Place { day: EventTime(0).day(), partition: 0, from: 0 };
    let bytes = desk.store.get(&own.path()).expect("it was written");
    assert!(desk.open(0, 0, 9).is_ok_and(|slot| slot.is_ok_and(|slot| slot.from == 1)));
    // The last one lies under a later day as well, and would be taken for the partition's last file.
    for exchanged in [Place { partition: 1, ..own }, Place { from: 7, ..own }, Place { day: own.day.plus(1), ..own }] {
        assert!(desk.store.put_new(&exchanged.path(), &bytes).expect("written"));
        let refused = desk.open(exchanged.partition, 0, 9).map(|_| ()).expect_err("it is another file");
        assert!(matches!(refused, ArchiveError::Store(error) if error.kind() == io::ErrorKind::InvalidData));
    }
}

/// Two records of half as much as may be gathered of each partition, and a third.
#[test]
fn many_partitions_gather_no_more_than_a_few() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let count = 128;
    let half = "x".repeat(GATHERED_BYTES / count / 2);
    let half = bytes_of(Entry::Switch { clock: EventTime(0), rules: &half });
    for (partitions, expected) in [(0..1, 0), (0..i32::try_from(count).expect("a few"), 1)] {
        let mut desk = desk(folder.path(), partitions);
        for offset in 0..3 {
            assert!(desk.take(0, offset, &half).expect("the store answers"));
        }
        assert_eq!(files(&desk).len(), expected);
    }
}

/// A store that is away.
struct Away;

impl Store for Away {
    fn put(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::TimedOut.into())
    }

    fn put_new(&self, _: &str, _: &[u8]) -> io::Result<bool> {
        Err(io::ErrorKind::TimedOut.into())
    }

    fn get(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::TimedOut.into())
    }

    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::TimedOut.into())
    }

    fn delete(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

#[test]
fn who_asks_whether_the_service_is_at_work_hears_of_a_store_that_is_away() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let metrics = Metrics::new();
    let mut desk = desk(folder.path(), 0..1);
    desk.metrics = metrics.worker("archive", 0);
    desk.metrics.assigned(&[0]);
    assert!(desk.take(0, 0, &tick(0)).expect("nothing is written yet"));
    assert_eq!((metrics.obstacle(), desk.wait()), (None, None));
    desk.store = Arc::new(Away);
    // It would be tried until it is back.
    desk.stop.store(true, Ordering::Relaxed);
    assert!(!desk.write(0).expect("that is no mistake of the archiver's"));
    assert!(metrics.obstacle().is_some_and(|told| told.contains("wait for their store")));
    desk.put_off.insert(0);
    assert_eq!(desk.wait(), Some(Wait::Archive));
}

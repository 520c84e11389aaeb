//! Snapshots of partitions: written in the background, named by offset and content, read with distrust.
//!
//! ```text
//! {app}/{leg log}/{partition}/{offset}-{BLAKE3 of the bytes}.base
//! {app}/{leg log}/{partition}/{offset}-{offset of the base}-{BLAKE3 of the bytes}.delta
//! ```
//!
//! App and leg log stand in the name because several may share a folder: a snapshot of another log is of no use, and nobody else's to delete.
//!
//! A snapshot becomes current when a committed mark points to it, which the worker sees to; until then it is a file nobody relies on. The two
//! newest that a mark has pointed to stay, and the bases they rest on; older ones are deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::SystemTime;

use super::partition::{Parts, StateError};
use crate::metrics::Metrics;
use crate::store::Store;

/// Snapshots kept of a partition, the newest one included.
const KEPT: usize = 3;
const BASE: &str = ".base";
const DELTA: &str = ".delta";

/// A snapshot that lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: i64,
    /// Offset of the base it rests on; `None` for a base.
    base: Option<i64>,
    pub(crate) hash: String,
    pub(crate) name: String,
}

impl Found {
    fn parse(name: String) -> Option<Self> {
        let (offset, rest) = name.split_once('-')?;
        let (base, hash) = match rest.strip_suffix(BASE) {
            Some(hash) => (None, hash),
            None => {
                let (base, hash) = rest.strip_suffix(DELTA)?.split_once('-')?;
                (Some(base.parse().ok()?), hash)
            }
        };
        Some(Self { offset: offset.parse().ok()?, base, hash: hash.to_owned(), name })
    }

    fn new(offset: i64, base: Option<i64>, hash: String) -> Self {
        let name = match base {
            Some(base) => format!("{offset:020}-{base:020}-{hash}{DELTA}"),
            None => format!("{offset:020}-{hash}{BASE}"),
        };
        Self { offset, base, hash, name }
    }
}

/// The snapshots of one worker's partitions.
pub(crate) struct Snapshots {
    store: Arc<dyn Store>,
    /// Where those of this app's leg log are: `{app}/{leg log}`.
    home: String,
    metrics: Metrics,
    done: (Sender<Written>, Receiver<Written>),
    /// Partitions whose snapshot is being written, and offsets and hashes of those that are ready to be pointed to.
    busy: BTreeSet<i32>,
    ready: BTreeMap<i32, Finished>,
    /// Partitions whose last snapshot could not be written.
    failed: BTreeSet<i32>,
}

struct Written {
    partition: i32,
    result: std::io::Result<Finished>,
}

/// A snapshot that has been written.
pub(crate) struct Finished {
    pub(crate) offset: i64,
    pub(crate) hash: String,
    /// How much it held, where it is a base.
    pub(crate) base_size: Option<usize>,
}

impl Snapshots {
    pub(crate) fn new(store: Arc<dyn Store>, of: (&str, &str), metrics: Metrics) -> Self {
        Self { store, home: home(of), metrics, done: channel(), busy: BTreeSet::new(), ready: BTreeMap::new(), failed: BTreeSet::new() }
    }

    /// The folder of a partition.
    fn folder(&self, partition: i32) -> String {
        format!("{}/{partition}", self.home)
    }

    pub(crate) fn is_busy(&self, partition: i32) -> bool {
        self.busy.contains(&partition)
    }

    /// Whether nothing of a partition is being written, nor waits to be pointed to.
    pub(crate) fn is_idle(&self, partition: i32) -> bool {
        !self.is_busy(partition) && !self.ready.contains_key(&partition)
    }

    /// Begins to pack and write a snapshot.
    pub(crate) fn write(&mut self, partition: i32, offset: i64, parts: Parts) {
        self.busy.insert(partition);
        self.failed.remove(&partition);
        let (store, folder, done) = (Arc::clone(&self.store), self.folder(partition), self.done.0.clone());
        thread::spawn(move || {
            let (base, size) = (parts.base, parts.size());
            let written = caught(|| parts.pack().and_then(|bytes| write(&*store, &folder, (offset, base), &bytes)));
            let result = written.map(|hash| Finished { offset, hash, base_size: base.is_none().then_some(size) });
            // Nobody listens any more when the worker has ended.
            let _ = done.send(Written { partition, result });
        });
    }

    /// The snapshot of a partition that has been written since the last call: it wants to be pointed to.
    pub(crate) fn finished(&mut self, partition: i32) -> Option<Finished> {
        while let Ok(written) = self.done.1.try_recv() {
            self.busy.remove(&written.partition);
            match written.result {
                // It is told as the newest once a mark points to it: its partition may have gone elsewhere meanwhile.
                Ok(finished) => drop(self.ready.insert(written.partition, finished)),
                Err(error) => {
                    self.failed.insert(written.partition);
                    self.metrics.snapshot_failures.with_label_values(&[&written.partition.to_string()]).inc();
                    tracing::error!(partition = written.partition, %error, "a snapshot could not be written; work goes on, a restart takes longer");
                }
            }
        }
        self.ready.remove(&partition)
    }

    /// Whether a snapshot of the partition could not be written since the last call: it is to be tried again.
    pub(crate) fn has_failed(&mut self, partition: i32) -> bool {
        self.failed.remove(&partition)
    }

    /// Snapshots at or before `committed`, the one the mark points to first, then the newest.
    pub(crate) fn candidates(&self, partition: i32, committed: i64, pointer: Option<(i64, &str)>) -> std::io::Result<Vec<Found>> {
        let folder = self.folder(partition);
        if let Err(error) = self.store.sweep(&folder, "") {
            tracing::warn!(partition, %error, "half-written snapshots cannot be removed");
        }
        let mut usable: Vec<Found> = list(&*self.store, &folder)?.into_iter().filter(|found| found.offset <= committed).collect();
        usable.sort_by_key(|found| {
            let is_pointed_to = pointer.is_some_and(|(offset, hash)| found.offset == offset && found.hash == hash);
            (!is_pointed_to, std::cmp::Reverse(found.offset), found.hash.clone())
        });
        Ok(usable)
    }

    /// The bytes of a snapshot, checked against its name.
    pub(crate) fn read(&self, partition: i32, found: &Found) -> Result<Vec<u8>, StateError> {
        let bytes = self.store.get(&format!("{}/{}", self.folder(partition), found.name))?;
        if blake3::hash(&bytes).to_hex().as_str() == found.hash { Ok(bytes) } else { Err(StateError::Hash) }
    }

    /// When a snapshot was written, where the store knows.
    pub(crate) fn written(&self, partition: i32, found: &Found) -> Option<SystemTime> {
        let written = self.store.written(&format!("{}/{}", self.folder(partition), found.name));
        written.inspect_err(|error| tracing::debug!(partition, %error, "when a snapshot was written is not known")).ok()
    }

    /// The bytes of a base, checked too.
    pub(crate) fn base(&self, partition: i32, offset: i64, hash: &str) -> Result<Vec<u8>, StateError> {
        self.read(partition, &Found::new(offset, None, hash.to_owned()))
    }
}

/// The folder of an app's leg log.
fn home((app, legs): (&str, &str)) -> String {
    format!("{}/{}", plain(app), plain(legs))
}

/// When the snapshot of an offset of an app's leg log was written; `None` where there is none.
///
/// # Errors
/// Where the store does not answer, or does not know.
pub fn snapshot_written(store: &dyn Store, of: (&str, &str), partition: i32, offset: i64) -> std::io::Result<Option<SystemTime>> {
    let mut newest: Option<SystemTime> = None;
    let folder = format!("{}/{partition}", home(of));
    for found in list(store, &folder)?.into_iter().filter(|found| found.offset == offset) {
        newest = newest.max(Some(store.written(&format!("{folder}/{}", found.name))?));
    }
    Ok(newest)
}

/// What `work` comes to. A mistake of weir's in it is a failure like others: where its thread just died, its partition would be busy for ever, without a snapshot and with
/// nothing that says so.
fn caught<T>(work: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    let panicked = |_| Err(std::io::Error::other("weir itself failed over it (where, an earlier line says); please report it"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}

/// Writes a snapshot of an offset, and the offset of the base it rests on; returns its hash.
fn write(store: &dyn Store, folder: &str, (offset, base): (i64, Option<i64>), bytes: &[u8]) -> std::io::Result<String> {
    let own = Found::new(offset, base, blake3::hash(bytes).to_hex().to_string());
    let name = format!("{folder}/{}", own.name);
    store.put(&name, bytes)?;
    // What was written is what can be read: a medium that lies is found out while the older ones are still there.
    if blake3::hash(&store.get(&name)?).to_hex().as_str() != own.hash {
        return Err(std::io::Error::other("what was written reads back differently"));
    }
    if let Err(error) = clear_away(store, folder, offset) {
        tracing::warn!(folder, %error, "older snapshots cannot be removed, and their store grows; this one counts all the same");
    }
    Ok(own.hash)
}

/// Deletes what nobody needs any more once the snapshot of `offset` is there.
fn clear_away(store: &dyn Store, folder: &str, offset: i64) -> std::io::Result<()> {
    let old = dispensable(list(store, folder)?, offset);
    old.iter().try_for_each(|found| store.delete(&format!("{folder}/{}", found.name)))
}

/// What nobody needs any more once the snapshot of `offset` is there: all but the newest before it and the bases that those which stay rest on.
fn dispensable(mut found: Vec<Found>, offset: i64) -> Vec<Found> {
    found.sort_by_key(|found| std::cmp::Reverse(found.offset));
    let newer = found.iter().filter(|found| found.offset >= offset).count();
    let old = found.split_off((newer + KEPT - 1).min(found.len()));
    let bases: Vec<Option<i64>> = found.iter().map(|found| found.base).collect();
    old.into_iter().filter(|found| !(found.base.is_none() && bases.contains(&Some(found.offset)))).collect()
}

fn list(store: &dyn Store, folder: &str) -> std::io::Result<Vec<Found>> {
    Ok(store.list(folder)?.into_iter().filter_map(Found::parse).collect())
}

/// A name as one part of a path that every disk and object store takes as it is; different names stay different, for what is written otherwise begins with
/// `=`.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        // A leading dot would hide it, or lead elsewhere.
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && at > 0) {
            plain.push(char::from(byte));
        } else {
            plain.push_str(&format!("={byte:02X}"));
        }
    }
    if plain.is_empty() { "=".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Folder;

    #[test]
    fn a_name_says_what_it_is() {
        for found in [Found::new(7, None, "ab".to_owned()), Found::new(9, Some(7), "cd".to_owned())] {
            assert_eq!(Found::parse(found.name.clone()), Some(found));
        }
        for other in ["00000000000000000007-ab", "7.base", "x-ab.base", "9-ab.delta", "note"] {
            assert_eq!(Found::parse(other.to_owned()), None);
        }
    }

    #[test]
    fn a_base_stays_as_long_as_something_rests_on_it() {
        let of = |offset, base| Found::new(offset, base, "ab".to_owned());
        let all = vec![of(1, None), of(2, Some(1)), of(3, None), of(4, Some(3)), of(5, Some(3)), of(6, Some(3)), of(9, None)];
        let gone = |offset| dispensable(all.clone(), offset).into_iter().map(|found| found.offset).collect::<Vec<_>>();
        assert_eq!(gone(6), [2, 1]);
        assert_eq!(gone(9), [4, 2, 1], "3 is needed by 5 and 6");
        assert_eq!(gone(3), [0; 0], "what is newer belongs to somebody else");
    }

    /// A store that lets nothing be deleted.
    struct Keeping(Folder);

    impl Store for Keeping {
        fn put(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
            self.0.put(name, bytes)
        }

        fn put_new(&self, name: &str, bytes: &[u8]) -> std::io::Result<bool> {
            self.0.put_new(name, bytes)
        }

        fn get(&self, name: &str) -> std::io::Result<Vec<u8>> {
            self.0.get(name)
        }

        fn list(&self, folder: &str) -> std::io::Result<Vec<String>> {
            self.0.list(folder)
        }

        fn delete(&self, _: &str) -> std::io::Result<()> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }

    #[test]
    fn a_snapshot_counts_though_older_ones_cannot_be_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Keeping(Folder(folder.path().to_owned()));
        for offset in 1..9 {
            write(&store, "app/legs/0", (offset, None), b"bytes").expect("written");
        }
        assert_eq!(list(&store, "app/legs/0").expect("a list").len(), 8);
    }

    #[test]
    fn when_a_snapshot_was_written_is_what_the_store_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Folder(folder.path().to_owned());
        write(&store, "app/legs/3", (7, None), b"bytes").expect("written");
        let age = snapshot_written(&store, ("app", "legs"), 3, 7).expect("a folder knows").map(|at| at.elapsed().unwrap_or_default());
        assert!(age.is_some_and(|age| age.as_secs() < 60));
        assert_eq!(snapshot_written(&store, ("app", "legs"), 3, 8).expect("none of this offset"), None);
        assert_eq!(snapshot_written(&store, ("app", "legs"), 4, 7).expect("none of this partition"), None);
    }

    #[test]
    fn a_name_becomes_one_part_of_a_path_and_no_two_the_same() {
        for (name, expected) in [
            ("weir.legs", "weir.legs"),
            ("a_b-1", "a_b-1"),
            ("..", "=2E."),
            ("a/b", "a=2Fb"),
            ("a=b", "a=3Db"),
            ("户", "=E6=88=B7"),
            ("", "="),
        ] {
            assert_eq!(plain(name), expected);
        }
    }

    /// Two apps, or two leg logs of one, in one folder.
    #[test]
    fn snapshots_of_another_log_are_neither_found_nor_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(Folder(folder.path().to_owned()));
        let of = |app, legs| Snapshots::new(Arc::clone(&store), (app, legs), Metrics::new());
        let (own, other, another) = (of("app", "legs"), of("other", "legs"), of("app", "more.legs"));
        for offset in 1..9 {
            for snapshots in [&own, &other] {
                write(&*store, &snapshots.folder(0), (offset, None), b"bytes").expect("written");
            }
        }
        let found = |snapshots: &Snapshots| snapshots.candidates(0, 100, None).expect("a list").len();
        assert_eq!([found(&own), found(&other), found(&another)], [KEPT, KEPT, 0]);
    }

    #[test]
    fn what_could_not_be_written_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut snapshots = Snapshots::new(Arc::new(Folder(folder.path().to_owned())), ("app", "legs"), Metrics::new());
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        snapshots.done.0.send(Written { partition: 3, result: Err(full) }).expect("it listens");
        assert!(snapshots.finished(3).is_none() && snapshots.is_idle(3));
        assert_eq!([snapshots.has_failed(2), snapshots.has_failed(3), snapshots.has_failed(3)], [false, true, false]);
    }

    #[test]
    fn a_mistake_over_a_snapshot_is_told_as_a_failure() {
        assert!(caught(|| -> std::io::Result<()> { panic!("a mistake") }).is_err_and(|error| error.to_string().contains("report it")));
        assert_eq!(caught(|| Ok(7)).expect("no mistake"), 7);
    }

    /// Whoever ends would wait for it in vain.
    #[test]
    fn what_is_ready_of_a_partition_that_went_elsewhere_is_nobodys_business() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut snapshots = Snapshots::new(Arc::new(Folder(folder.path().to_owned())), ("app", "legs"), Metrics::new());
        let finished = Finished { offset: 7, hash: "ab".to_owned(), base_size: None };
        snapshots.done.0.send(Written { partition: 4, result: Ok(finished) }).expect("it listens");
        assert!(snapshots.finished(3).is_none());
        assert_eq!([snapshots.is_idle(3), snapshots.is_idle(4)], [true, false]);
    }
}

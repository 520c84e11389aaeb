//! Snapshots of partitions: written in the background, named by offset and content, read with distrust.
//!
//! `{partition}/{offset}-{BLAKE3 of the bytes}.base`. A snapshot becomes current when a committed mark points to it, which the worker sees to;
//! until then it is a file nobody relies on. The two newest that a mark has pointed to stay, older ones are deleted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::partition::{Parts, StateError};
use crate::metrics::Metrics;
use crate::store::Store;

/// Snapshots kept of a partition, the newest one included.
const KEPT: usize = 3;
const SUFFIX: &str = ".base";

/// A snapshot that lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: i64,
    pub(crate) hash: String,
    pub(crate) name: String,
}

/// The snapshots of one worker's partitions.
pub(crate) struct Snapshots {
    store: Arc<dyn Store>,
    metrics: Metrics,
    done: (Sender<Written>, Receiver<Written>),
    /// Partitions whose snapshot is being written, and offsets and hashes of those that are ready to be pointed to.
    busy: BTreeMap<i32, ()>,
    ready: BTreeMap<i32, (i64, String)>,
}

struct Written {
    partition: i32,
    result: std::io::Result<(i64, String)>,
}

impl Snapshots {
    pub(crate) fn new(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        Self { store, metrics, done: channel(), busy: BTreeMap::new(), ready: BTreeMap::new() }
    }

    pub(crate) fn is_busy(&self, partition: i32) -> bool {
        self.busy.contains_key(&partition)
    }

    /// Whether nothing is being written, nor waits to be pointed to.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.is_empty() && self.ready.is_empty()
    }

    /// Begins to pack and write a snapshot.
    pub(crate) fn write(&mut self, partition: i32, offset: i64, parts: Parts) {
        self.busy.insert(partition, ());
        let (store, done) = (Arc::clone(&self.store), self.done.0.clone());
        thread::spawn(move || {
            let result = parts.pack().and_then(|bytes| write(&*store, partition, offset, &bytes));
            // Nobody listens any more when the worker has ended.
            let _ = done.send(Written { partition, result });
        });
    }

    /// The snapshot of a partition that has been written since the last call: it wants to be pointed to.
    pub(crate) fn finished(&mut self, partition: i32) -> Option<(i64, String)> {
        while let Ok(written) = self.done.1.try_recv() {
            self.busy.remove(&written.partition);
            match written.result {
                Ok((offset, hash)) => {
                    Self::note(&self.metrics, written.partition, offset);
                    self.ready.insert(written.partition, (offset, hash));
                }
                Err(error) => {
                    self.metrics.snapshot_failures.with_label_values(&[&written.partition.to_string()]).inc();
                    tracing::error!(partition = written.partition, %error, "a snapshot could not be written; work goes on, a restart takes longer");
                }
            }
        }
        self.ready.remove(&partition)
    }

    /// Snapshots at or before `committed`, the one the mark points to first, then the newest.
    pub(crate) fn candidates(&self, partition: i32, committed: i64, pointer: Option<(i64, &str)>) -> std::io::Result<Vec<Found>> {
        if let Err(error) = self.store.sweep(&partition.to_string(), "") {
            tracing::warn!(partition, %error, "half-written snapshots cannot be removed");
        }
        let mut usable: Vec<Found> = list(&*self.store, partition)?.into_iter().filter(|found| found.offset <= committed).collect();
        usable.sort_by_key(|found| {
            let is_pointed_to = pointer.is_some_and(|(offset, hash)| found.offset == offset && found.hash == hash);
            (!is_pointed_to, std::cmp::Reverse(found.offset), found.hash.clone())
        });
        Ok(usable)
    }

    /// The bytes of a snapshot, checked against its name.
    pub(crate) fn read(&self, partition: i32, found: &Found) -> Result<Vec<u8>, StateError> {
        let bytes = self.store.get(&format!("{partition}/{}", found.name))?;
        if blake3::hash(&bytes).to_hex().as_str() == found.hash { Ok(bytes) } else { Err(StateError::Hash) }
    }
}

fn write(store: &dyn Store, partition: i32, offset: i64, bytes: &[u8]) -> std::io::Result<(i64, String)> {
    let hash = blake3::hash(bytes).to_hex().to_string();
    let name = format!("{partition}/{offset:020}-{hash}{SUFFIX}");
    store.put(&name, bytes)?;
    // What was written is what can be read: a medium that lies is found out while the older ones are still there.
    if blake3::hash(&store.get(&name)?).to_hex().as_str() != hash {
        return Err(std::io::Error::other("what was written reads back differently"));
    }
    let mut old = list(store, partition)?;
    old.sort_by_key(|found| std::cmp::Reverse(found.offset));
    for found in old.into_iter().filter(|found| found.offset < offset).skip(KEPT - 1) {
        store.delete(&format!("{partition}/{}", found.name))?;
    }
    Ok((offset, hash))
}

fn list(store: &dyn Store, partition: i32) -> std::io::Result<Vec<Found>> {
    let names = store.list(&partition.to_string())?;
    let found = names.into_iter().filter_map(|name| {
        let (offset, hash) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        Some(Found { offset: offset.parse().ok()?, hash: hash.to_owned(), name: name.clone() })
    });
    Ok(found.collect())
}

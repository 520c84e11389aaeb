//! The final states of a run, kept on disk until its end.
//!
//! A file run writes one line a key (an alert, a large-amount report) in an order that is known only at the end. Evidence makes a line up to
//! a quarter of a megabyte, so the lines wait in an unnamed temporary file and only their order waits in memory. A key put twice keeps the
//! later line; the earlier one is dead weight in the file until the run ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

/// Lines by key `K`, to be read in order of `O`.
#[derive(Debug)]
pub(crate) struct Spool<K, O> {
    file: BufWriter<File>,
    end: u64,
    entries: BTreeMap<K, Entry<O>>,
    line: Vec<u8>,
}

#[derive(Debug)]
struct Entry<O> {
    order: O,
    offset: u64,
    bytes: usize,
}

impl<K: Ord, O: Ord> Spool<K, O> {
    /// An empty spool in `folder`, which should be where the output goes, so that one full disk is one error.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile_in(folder)?);
        Ok(Self { file, end: 0, entries: BTreeMap::new(), line: Vec::new() })
    }

    /// Puts the JSON line of `value`, in place of an earlier one of the same key.
    pub(crate) fn put(&mut self, key: K, order: O, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.file.write_all(&self.line)?;
        self.entries.insert(key, Entry { order, offset: self.end, bytes: self.line.len() });
        self.end += self.line.len() as u64;
        Ok(())
    }

    /// Forgets a key; nothing happens where it is absent.
    pub(crate) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Reads every line in order, newline included.
    pub(crate) fn drain<E: From<io::Error>>(self, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut entries: Vec<_> = self.entries.into_values().collect();
        entries.sort_by(|a, b| a.order.cmp(&b.order));
        let mut line = Vec::new();
        for entry in entries {
            line.resize(entry.bytes, 0);
            file.seek(SeekFrom::Start(entry.offset))?;
            file.read_exact(&mut line)?;
            each(&line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_key_comes_out_in_order() {
        let mut spool = Spool::new(&std::env::temp_dir()).expect("a temporary file");
        spool.put("a", 3, &"first").expect("writes");
        spool.put("b", 2, &"second").expect("writes");
        spool.put("c", 1, &"gone").expect("writes");
        spool.put("a", 1, &"third").expect("writes");
        spool.remove(&"c");
        let mut text = Vec::new();
        spool.drain(|line| -> io::Result<()> { text.write_all(line) }).expect("reads");
        assert_eq!(String::from_utf8(text).expect("is text"), "\"third\"\n\"second\"\n");
    }
}

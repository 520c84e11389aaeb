//! The last states of a run, kept on disk until their turn comes.
//!
//! A file run writes one line a key (an alert, a large-amount report), in its final state and in an order that is known only later. Evidence
//! makes a line up to a quarter of a megabyte, so the lines wait in an unnamed temporary file and only their places wait in memory. A key put
//! twice keeps the later line; the earlier one is dead weight until the spool is empty.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Lines in order of `K`.
#[derive(Debug)]
pub(crate) struct Spool<K> {
    folder: PathBuf,
    file: BufWriter<File>,
    end: u64,
    entries: BTreeMap<K, Entry>,
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u64,
    bytes: usize,
}

impl<K: Ord> Spool<K> {
    /// An empty spool in `folder`, which should be where the output goes, so that one full disk is one error.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile_in(folder)?);
        Ok(Self { folder: folder.to_owned(), file, end: 0, entries: BTreeMap::new(), line: Vec::new() })
    }

    /// Where its file lies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts the JSON line of `value`, in place of an earlier one of the same key.
    pub(crate) fn put(&mut self, key: K, value: &impl Serialize) -> io::Result<()> {
        if self.entries.is_empty() && self.end > 0 {
            self.file.flush()?;
            self.file.get_ref().set_len(0)?;
            self.file.get_mut().rewind()?;
            self.end = 0;
        }
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.file.write_all(&self.line)?;
        self.entries.insert(key, Entry { offset: self.end, bytes: self.line.len() });
        self.end += self.line.len() as u64;
        Ok(())
    }

    /// Takes out the lines of all keys below `bound` (without one: all), newline included.
    pub(crate) fn take_below(&mut self, bound: Option<&K>) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
        let kept = bound.map(|bound| self.entries.split_off(bound)).unwrap_or_default();
        let taken = std::mem::replace(&mut self.entries, kept);
        if !taken.is_empty() {
            self.file.flush()?;
        }
        let file = self.file.get_ref();
        Ok(taken.into_values().map(move |entry| {
            let mut line = vec![0; entry.bytes];
            file.read_exact_at(&mut line, entry.offset)?;
            Ok(line)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(spool: &mut Spool<i32>, bound: Option<i32>) -> Vec<String> {
        let lines = spool.take_below(bound.as_ref()).expect("flushes");
        lines.map(|line| String::from_utf8(line.expect("reads")).expect("is text").trim_end().to_owned()).collect()
    }

    #[test]
    fn the_last_line_of_a_key_comes_out_in_its_turn() {
        let mut spool = Spool::new(&std::env::temp_dir()).expect("a temporary file");
        spool.put(2, &"b").expect("writes");
        spool.put(1, &"gone").expect("writes");
        spool.put(3, &"c").expect("writes");
        spool.put(1, &"a").expect("writes");
        assert_eq!(take(&mut spool, Some(3)), ["\"a\"", "\"b\""]);
        spool.put(4, &"d").expect("writes");
        assert_eq!(take(&mut spool, None), ["\"c\"", "\"d\""]);
        spool.put(5, &"e").expect("writes");
        assert_eq!(spool.end, 4, "an empty spool begins anew");
        assert_eq!(take(&mut spool, None), ["\"e\""]);
    }
}

//! Sorting a run by event time in bounded memory, before anything is stamped.
//!
//! 1. Every record is decoded for its event time; its untouched bytes and place go into a buffer.
//! 2. A full buffer is sorted and written to a temporary file: a run.
//! 3. The runs are merged, smallest (time, input, record) first, into blocks that are decoded again like any others.
//!
//! Decoding twice costs less than a format for half-finished transactions would. A record without an event time keeps its place behind the
//! record that comes before it in its input. Temporary files have no name, so nothing is left behind however a run ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

use weir_model::{EventTime, Reason};

use crate::block::Context;
use crate::error::Error;
use crate::frame::{BLOCK_BYTES, RawBlock, RawPlace, RawRecord};

/// How to sort.
#[derive(Debug, Clone)]
pub struct Sort {
    /// Folder for temporary files; `None` for the system's.
    pub folder: Option<PathBuf>,
    /// Bytes of records held in memory.
    pub memory_bytes_max: usize,
}

impl Default for Sort {
    fn default() -> Self {
        Self { folder: None, memory_bytes_max: 256 << 20 }
    }
}

/// Order of a sorted run.
type Key = (EventTime, u32, u64);

struct Record {
    at: EventTime,
    start: usize,
    len: usize,
    place: RawPlace,
    fault: Option<Reason>,
}

impl Record {
    fn key(&self) -> Key {
        (self.at, self.place.input, self.place.record)
    }
}

/// Collects records and sorts them.
pub(crate) struct Sorter<'c> {
    context: &'c Context,
    sort: Sort,
    bytes: Vec<u8>,
    records: Vec<Record>,
    runs: Vec<File>,
    /// Blank lines seen: they are counted, not sorted.
    blanks: u64,
    /// Event time of the last good record of the input being read.
    last: EventTime,
}

impl<'c> Sorter<'c> {
    pub(crate) fn new(context: &'c Context, sort: Sort) -> Self {
        Self { context, sort, bytes: Vec::new(), records: Vec::new(), runs: Vec::new(), blanks: 0, last: EventTime::MIN }
    }

    /// From here on records are those of another input.
    pub(crate) fn next_input(&mut self) {
        self.last = EventTime::MIN;
    }

    pub(crate) fn add(&mut self, block: &RawBlock) -> Result<(), Error> {
        self.blanks += block.blanks;
        for ((index, record), at) in block.records.iter().enumerate().zip(self.context.event_times(block)) {
            self.last = at.unwrap_or(self.last);
            let text = block.original(index);
            let start = self.bytes.len();
            self.bytes.extend_from_slice(&text);
            self.records.push(Record { at: self.last, start, len: text.len(), place: record.place, fault: record.fault });
        }
        let held = self.bytes.len() + self.records.len() * size_of::<Record>();
        if held >= self.sort.memory_bytes_max {
            self.spill()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Sorted, Error> {
        if !self.records.is_empty() {
            self.spill()?;
        }
        let folder = self.folder();
        let mut sorted = Sorted { runs: Vec::new(), heads: BinaryHeap::new(), blanks: self.blanks, folder };
        for run in std::mem::take(&mut self.runs) {
            let mut run = Run { file: BufReader::with_capacity(64 << 10, run), text: Vec::new(), head: None };
            run.advance().map_err(|source| sorted.fail(source))?;
            if let Some(head) = &run.head {
                sorted.heads.push(Reverse((head.key(), sorted.runs.len())));
            }
            sorted.runs.push(run);
        }
        Ok(sorted)
    }

    fn folder(&self) -> String {
        self.sort.folder.clone().unwrap_or_else(std::env::temp_dir).display().to_string()
    }

    fn spill(&mut self) -> Result<(), Error> {
        let run = self.write_run().map_err(|source| Error::Temporary { path: self.folder(), source })?;
        self.runs.push(run);
        self.bytes.clear();
        self.records.clear();
        Ok(())
    }

    fn write_run(&mut self) -> io::Result<File> {
        self.records.sort_by_key(Record::key);
        let file = match &self.sort.folder {
            Some(folder) => tempfile::tempfile_in(folder)?,
            None => tempfile::tempfile()?,
        };
        let mut out = BufWriter::with_capacity(1 << 20, file);
        for record in &self.records {
            write_head(&mut out, record)?;
            out.write_all(&self.bytes[record.start..record.start + record.len])?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// Fixed part of a record in a run: time, input, record, line, offset, fault, length.
const HEAD_BYTES: usize = 8 + 4 + 8 + 8 + 8 + 1 + 4;

fn write_head(out: &mut impl Write, record: &Record) -> io::Result<()> {
    let fault = record.fault.and_then(|fault| Reason::ALL.iter().position(|reason| *reason == fault));
    let fault = fault.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0);
    let len = u32::try_from(record.len).map_err(io::Error::other)?;
    out.write_all(&record.at.0.to_le_bytes())?;
    out.write_all(&record.place.input.to_le_bytes())?;
    out.write_all(&record.place.record.to_le_bytes())?;
    out.write_all(&record.place.line.to_le_bytes())?;
    out.write_all(&record.place.offset.to_le_bytes())?;
    out.write_all(&[fault])?;
    out.write_all(&len.to_le_bytes())
}

fn read_array<const N: usize>(head: &mut &[u8]) -> io::Result<[u8; N]> {
    let mut array = [0; N];
    head.read_exact(&mut array)?;
    Ok(array)
}

struct Run {
    file: BufReader<File>,
    text: Vec<u8>,
    head: Option<Record>,
}

impl Run {
    /// Reads the next record of the run into `head` and `text`.
    fn advance(&mut self) -> io::Result<()> {
        self.head = None;
        let mut bytes = [0; HEAD_BYTES];
        let mut filled = 0;
        while filled < HEAD_BYTES {
            match self.file.read(&mut bytes[filled..])? {
                0 if filled == 0 => return Ok(()),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
        }
        let mut head = &bytes[..];
        let at = EventTime(i64::from_le_bytes(read_array(&mut head)?));
        let place = RawPlace {
            input: u32::from_le_bytes(read_array(&mut head)?),
            record: u64::from_le_bytes(read_array(&mut head)?),
            line: u64::from_le_bytes(read_array(&mut head)?),
            offset: u64::from_le_bytes(read_array(&mut head)?),
        };
        let [fault] = read_array(&mut head)?;
        let fault = usize::from(fault).checked_sub(1).and_then(|at| Reason::ALL.get(at)).copied();
        let len = usize::try_from(u32::from_le_bytes(read_array(&mut head)?)).map_err(io::Error::other)?;
        self.text.resize(len, 0);
        self.file.read_exact(&mut self.text)?;
        self.head = Some(Record { at, start: 0, len, place, fault });
        Ok(())
    }
}

/// Sorted records, block by block.
pub(crate) struct Sorted {
    runs: Vec<Run>,
    /// The head of every run that has one.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    blanks: u64,
    folder: String,
}

impl Sorted {
    pub(crate) fn next_block(&mut self) -> Result<Option<RawBlock>, Error> {
        let mut block = RawBlock { blanks: std::mem::take(&mut self.blanks), ..RawBlock::default() };
        while block.bytes.len() < BLOCK_BYTES {
            let Some(Reverse((_, at))) = self.heads.pop() else { break };
            let run = &mut self.runs[at];
            if let Some(head) = &run.head {
                let start = block.bytes.len();
                block.bytes.extend_from_slice(&run.text);
                block.records.push(RawRecord { range: start..block.bytes.len(), place: head.place, fault: head.fault });
            }
            let advanced = run.advance();
            let key = run.head.as_ref().map(Record::key);
            advanced.map_err(|source| self.fail(source))?;
            if let Some(key) = key {
                self.heads.push(Reverse((key, at)));
            }
        }
        Ok((!block.records.is_empty() || block.blanks > 0).then_some(block))
    }

    fn fail(&self, source: io::Error) -> Error {
        Error::Temporary { path: self.folder.clone(), source }
    }
}

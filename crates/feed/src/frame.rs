//! Framing: a stream of bytes → blocks of raw records, each with its place.
//!
//! A block owns its bytes and knows where records begin and end in them; nothing is decoded here and nothing is copied but the piece of a
//! record that a block boundary cuts. What is decided here depends on the bytes alone, never on how the operating system hands them over.
//! Blocks of a column store have rows instead, which `table` makes.
//!
//! Lines of JSON end at a line feed. A delimited record may hold line feeds inside quotes, and a stray quote would swallow everything up to
//! the next one. So a record of several lines is believed only if its quotes close properly within [`RECORD_BYTES_MAX`] and it has as many
//! fields as the header; else its first line alone is the bad record and reading goes on with the next line.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use weir_model::Reason;

use crate::inputs::{ByteCount, Bytes};
use crate::table::Rows;
use crate::text::{Quoting, split_fields};

/// The longest record accepted. The first this many bytes of a longer one are kept for its dead letter.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Bytes asked for at a time: small enough for the cache, large enough that cut records do not matter.
pub(crate) const BLOCK_BYTES: usize = 256 << 10;
/// Bytes of a usual record, for the room of their list.
const USUAL_BYTES: usize = 256;
/// Bytes asked for in one read: what a pipe holds.
const READ_BYTES: usize = 64 << 10;

/// A block of raw records and the bytes they lie in.
#[derive(Debug, Default)]
pub(crate) struct RawBlock {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: Vec<RawRecord>,
    /// Of a column store: its rows, one a record. There are no bytes then.
    pub(crate) rows: Option<Rows>,
    /// Blank lines passed over since the block before.
    pub(crate) blanks: u64,
}

/// Where a raw record lies, in its block and in its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRecord {
    pub(crate) range: Range<usize>,
    pub(crate) place: RawPlace,
    /// What is wrong with it already.
    pub(crate) fault: Option<Reason>,
}

/// Where a record stands in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawPlace {
    pub(crate) input: u32,
    /// From 1, rejected records included, blank lines not.
    pub(crate) record: u64,
    /// From 1; the row for Parquet.
    pub(crate) line: u64,
    /// Bytes of unpacked text before it; 0 for Parquet.
    pub(crate) offset: u64,
}

impl RawBlock {
    /// The bytes of a record: as they stand in its input, or the JSON object that its row would be.
    pub(crate) fn original(&self, index: usize) -> Cow<'_, [u8]> {
        match &self.rows {
            Some(rows) => Cow::Owned(rows.json(index).into_bytes()),
            None => Cow::Borrowed(&self.bytes[self.records[index].range.clone()]),
        }
    }

    /// Bytes it holds.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.rows.as_ref().map_or(0, Rows::size)
    }
}

/// How records are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Lines,
    /// `fields` of the header; `None` while the header itself is read.
    Delimited {
        quoting: Quoting,
        fields: Option<usize>,
    },
}

enum End {
    Open,
    Done,
    /// Reading failed; the error waits until the records before it are delivered.
    Failed(Option<io::Error>),
}

/// Reads blocks from a stream.
pub(crate) struct Framer {
    source: Bytes,
    pub(crate) shape: Shape,
    input: u32,
    /// Bytes not yet in a block; those before `at` belong to the block being made.
    buffer: Vec<u8>,
    at: usize,
    offset: u64,
    line: u64,
    record: u64,
    blanks: u64,
    end: End,
    /// Inside the rest of a line that was too long.
    skipping: bool,
    /// Set for a stream whose records are wanted as soon as they are there.
    pub(crate) pauses_with: Option<ByteCount>,
}

/// A record found at the front of the buffer.
struct Found {
    /// Bytes of content.
    content: usize,
    /// Bytes up to the next record.
    consumed: usize,
    fault: Option<Reason>,
    /// The line goes on beyond `consumed`.
    cut: bool,
}

impl Framer {
    pub(crate) fn new(source: Bytes, input: u32) -> Self {
        Self {
            source,
            shape: Shape::Lines,
            input,
            buffer: Vec::new(),
            at: 0,
            offset: 0,
            line: 1,
            record: 0,
            blanks: 0,
            end: End::Open,
            skipping: false,
            pauses_with: None,
        }
    }

    /// Unpacked bytes consumed so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The line of the next record.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The first bytes of the input, at least `count` of them unless it is shorter.
    pub(crate) fn front(&mut self, count: usize) -> &[u8] {
        while self.buffer.len() < count && matches!(self.end, End::Open) {
            self.fill();
        }
        &self.buffer
    }

    /// Passes over bytes at the front that belong to no line: a byte order mark.
    pub(crate) fn skip_bytes(&mut self, count: usize) {
        self.advance(count.min(self.buffer.len() - self.at));
    }

    /// Passes over one line; `false` at the end of the input.
    pub(crate) fn skip_line(&mut self) -> bool {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[self.at..]) {
                self.advance(end + 1);
                self.line += 1;
                self.drop_consumed();
                return true;
            }
            if !matches!(self.end, End::Open) {
                let rest = self.buffer.len() - self.at;
                self.advance(rest);
                return rest > 0;
            }
            let rest = self.buffer.len() - self.at;
            self.advance(rest);
            self.drop_consumed();
            self.fill();
        }
    }

    /// One record that is not counted as one: the header. `None` at the end of the input.
    pub(crate) fn header(&mut self) -> Result<Option<Vec<u8>>, io::Error> {
        loop {
            while let Some(found) = self.find() {
                let content = self.buffer[self.at..self.at + found.content].to_vec();
                self.consume(&found);
                self.drop_consumed();
                if !is_blank(&content) {
                    return Ok(Some(content));
                }
            }
            match &mut self.end {
                End::Open => self.fill(),
                End::Done => return Ok(None),
                End::Failed(error) => return error.take().map_or(Ok(None), Err),
            }
        }
    }

    /// The next block with at least one record; `None` at the end.
    ///
    /// # Errors
    /// What the stream said, once, after all records before it have been delivered.
    pub(crate) fn next_block(&mut self) -> Result<Option<RawBlock>, io::Error> {
        let mut records = Vec::new();
        loop {
            records.reserve((self.buffer.len() - self.at) / USUAL_BYTES);
            self.skip_rest_of_line();
            while let Some(found) = self.find() {
                self.take(&found, &mut records);
                self.skip_rest_of_line();
            }
            if !records.is_empty() {
                let rest = self.buffer.split_off(self.at);
                let bytes = std::mem::replace(&mut self.buffer, rest);
                self.at = 0;
                return Ok(Some(RawBlock { bytes, records, rows: None, blanks: std::mem::take(&mut self.blanks) }));
            }
            self.drop_consumed();
            match &mut self.end {
                End::Open => self.fill(),
                End::Done if self.blanks > 0 => {
                    return Ok(Some(RawBlock { blanks: std::mem::take(&mut self.blanks), ..RawBlock::default() }));
                }
                End::Done => return Ok(None),
                End::Failed(error) => return error.take().map_or(Ok(None), Err),
            }
        }
    }

    fn take(&mut self, found: &Found, records: &mut Vec<RawRecord>) {
        let range = self.at..self.at + found.content;
        if found.fault.is_none() && is_blank(&self.buffer[range.clone()]) {
            self.blanks += 1;
        } else {
            self.record += 1;
            let place = RawPlace { input: self.input, record: self.record, line: self.line, offset: self.offset };
            records.push(RawRecord { range, place, fault: found.fault });
        }
        self.consume(found);
    }

    fn consume(&mut self, found: &Found) {
        let bytes = &self.buffer[self.at..self.at + found.consumed];
        let line_feeds = match self.shape {
            Shape::Lines => usize::from(bytes.last() == Some(&b'\n')),
            Shape::Delimited { .. } => memchr::memchr_iter(b'\n', bytes).count(),
        };
        self.line += u64::try_from(line_feeds).unwrap_or(u64::MAX);
        self.advance(found.consumed);
        self.skipping = found.cut;
    }

    fn advance(&mut self, count: usize) {
        self.at += count;
        self.offset += u64::try_from(count).unwrap_or(u64::MAX);
    }

    fn drop_consumed(&mut self) {
        self.buffer.drain(..self.at);
        self.at = 0;
    }

    fn skip_rest_of_line(&mut self) {
        if !self.skipping {
            return;
        }
        let rest = &self.buffer[self.at..];
        if let Some(end) = memchr::memchr(b'\n', rest) {
            self.advance(end + 1);
            self.line += 1;
            self.skipping = false;
        } else {
            let count = rest.len();
            self.advance(count);
        }
    }

    /// Reads until [`BLOCK_BYTES`] more are there, so that blocks do not depend on the sizes in which bytes come; or, where records are wanted
    /// promptly, until the stream pauses. Where blocks are cut means nothing for what comes out.
    fn fill(&mut self) {
        use io::Read;
        let wanted = self.buffer.len() + BLOCK_BYTES;
        self.buffer.reserve(BLOCK_BYTES);
        while self.buffer.len() < wanted {
            let before = self.buffer.len();
            let piece = (wanted - before).min(READ_BYTES);
            self.buffer.resize(before + piece, 0);
            let read = self.source.read(&mut self.buffer[before..]);
            self.buffer.truncate(before + read.as_ref().ok().copied().unwrap_or(0));
            match read {
                Ok(0) => self.end = End::Done,
                Ok(_) if self.pauses_with.as_ref().is_some_and(ByteCount::is_paused) => return,
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => self.end = End::Failed(Some(error)),
            }
            return;
        }
    }

    /// The record at the front, if it is all there.
    fn find(&self) -> Option<Found> {
        if self.skipping {
            return None;
        }
        let rest = &self.buffer[self.at..];
        let mut found = match self.shape {
            Shape::Lines => find_line(rest, 0),
            Shape::Delimited { quoting, fields } => find_delimited(rest, quoting, fields, !matches!(self.end, End::Open)),
        };
        if found.is_none() && !matches!(self.end, End::Open) && !rest.is_empty() {
            // The last line has no line feed. After a failure nobody knows how it would have gone on.
            let fault = matches!(self.end, End::Failed(_)).then_some(Reason::Malformed);
            found = Some(Found { content: rest.len(), consumed: rest.len(), fault, cut: false });
        }
        found.map(|found| limited(found, rest))
    }
}

/// Takes off a carriage return and enforces the length limit.
fn limited(mut found: Found, rest: &[u8]) -> Found {
    let ends_in_cr = found.content > 0 && rest[found.content - 1] == b'\r';
    if ends_in_cr && !found.cut {
        found.content -= 1;
    }
    if found.content > RECORD_BYTES_MAX {
        found.content = RECORD_BYTES_MAX;
        found.fault = Some(Reason::TooLong);
    }
    found
}

fn is_blank(content: &[u8]) -> bool {
    content.iter().all(u8::is_ascii_whitespace)
}

/// As many bytes as decide whether a line is too long: the limit, a carriage return and a line feed.
fn window(rest: &[u8]) -> &[u8] {
    &rest[..rest.len().min(RECORD_BYTES_MAX + 2)]
}

/// The line at the front, looking for its end from `from` on. `None`: its end is not there yet.
fn find_line(rest: &[u8], from: usize) -> Option<Found> {
    let window = window(rest);
    if let Some(end) = memchr::memchr(b'\n', &window[from.min(window.len())..]) {
        let end = from + end;
        return Some(Found { content: end, consumed: end + 1, fault: None, cut: false });
    }
    (window.len() > RECORD_BYTES_MAX + 1).then_some(Found {
        content: RECORD_BYTES_MAX,
        consumed: RECORD_BYTES_MAX,
        fault: Some(Reason::TooLong),
        cut: true,
    })
}

/// What stands at the closing of a quoted field.
enum Closing {
    /// The field is closed and the record goes on at this byte.
    At(usize),
    /// Something stands behind the quote that may not stand there.
    Bad,
    /// The closing is not there (yet).
    Unfinished,
}

/// The delimited record at the front.
fn find_delimited(rest: &[u8], quoting: Quoting, fields: Option<usize>, is_end: bool) -> Option<Found> {
    let Some(quote) = quoting.quote else { return find_line(rest, 0) };
    let window = window(rest);
    // The first line feed inside quotes: where the record is cut if the quotes turn out to be stray.
    let mut first_line = None;
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'\n', quote, &window[from..]) {
        let found = from + found;
        if window[found] == b'\n' {
            let believable = first_line.is_none() || has_fields(trim_cr(&window[..found]), quoting, fields);
            return if believable { find_line(rest, found) } else { cut_at(first_line) };
        }
        if !starts_field(&window[..found], quoting) {
            from = found + 1;
            continue;
        }
        match closing(window, found + 1, quote, quoting.delimiter, is_end, &mut first_line) {
            Closing::At(next) => from = next,
            Closing::Bad if first_line.is_some() => return cut_at(first_line),
            // The line is bad, but where it ends is clear; decoding will call it malformed.
            Closing::Bad => return find_line(rest, found),
            Closing::Unfinished => {
                from = window.len();
                break;
            }
        }
    }
    let too_long = window.len() > RECORD_BYTES_MAX + 1;
    if first_line.is_some() && (too_long || (is_end && !has_fields(trim_cr(window), quoting, fields))) {
        return cut_at(first_line);
    }
    find_line(rest, from.min(window.len()))
}

/// Follows a quoted field from behind its opening quote.
fn closing(window: &[u8], start: usize, quote: u8, delimiter: u8, is_end: bool, first_line: &mut Option<usize>) -> Closing {
    let mut from = start;
    while let Some(found) = memchr::memchr2(b'\n', quote, &window[from..]) {
        let found = from + found;
        if window[found] == b'\n' {
            first_line.get_or_insert(found);
            from = found + 1;
            continue;
        }
        match &window[found + 1..] {
            [next, ..] if *next == quote => from = found + 2,
            [next, ..] if *next == delimiter || *next == b'\n' => return Closing::At(found + 1),
            [b'\r', b'\n', ..] => return Closing::At(found + 1),
            [] | [b'\r'] if !is_end => return Closing::Unfinished,
            [] | [b'\r'] => return Closing::At(found + 1),
            _ => return Closing::Bad,
        }
    }
    Closing::Unfinished
}

fn cut_at(first_line: Option<usize>) -> Option<Found> {
    first_line.map(|end| Found { content: end, consumed: end + 1, fault: Some(Reason::Malformed), cut: false })
}

fn trim_cr(content: &[u8]) -> &[u8] {
    content.strip_suffix(b"\r").unwrap_or(content)
}

/// Whether the quotes are sound and there are as many fields as in the header; empty ones may follow.
fn has_fields(content: &[u8], quoting: Quoting, fields: Option<usize>) -> bool {
    let mut count = 0;
    for field in split_fields(content, quoting) {
        match field {
            Ok(field) if fields.is_none_or(|fields| count < fields) || is_blank(&content[field.range.clone()]) => count += 1,
            _ => return false,
        }
    }
    fields.is_none_or(|fields| count >= fields)
}

/// Whether a byte behind `before` begins a field.
fn starts_field(before: &[u8], quoting: Quoting) -> bool {
    match before.last() {
        None => true,
        Some(last) if *last != quoting.delimiter => false,
        Some(_) if !quoting.multibyte => true,
        // The last byte looks like a delimiter but may be the second half of a character.
        Some(_) => {
            let unquoted = Quoting { quote: None, ..quoting };
            split_fields(before, unquoted).last().is_some_and(|field| field.is_ok_and(|field| field.range.is_empty()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands bytes over in pieces of one size, then fails if told to.
    struct Pieces {
        bytes: Vec<u8>,
        at: usize,
        size: usize,
        fails: bool,
    }

    impl io::Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.size.min(buffer.len()).min(self.bytes.len() - self.at);
            if count == 0 && self.fails && !buffer.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
            self.at += count;
            Ok(count)
        }
    }

    const CSV: Quoting = Quoting { delimiter: b',', quote: Some(b'"'), multibyte: false };

    fn frame(bytes: &[u8], shape: Shape, size: usize, fails: bool) -> (Vec<String>, u64, bool) {
        let source = Pieces { bytes: bytes.to_vec(), at: 0, size, fails };
        let mut framer = Framer::new(Box::new(source), 0);
        framer.shape = shape;
        let mut shown = Vec::new();
        let mut blanks = 0;
        loop {
            match framer.next_block() {
                Ok(Some(block)) => {
                    blanks += block.blanks;
                    for (index, record) in block.records.iter().enumerate() {
                        let text = String::from_utf8_lossy(&block.original(index)).into_owned();
                        let text = if text.len() > 100 { format!("{} bytes", text.len()) } else { text };
                        let fault = record.fault.map_or(String::new(), |reason| format!(" [{}]", reason.code()));
                        shown.push(format!("{}@{}+{} {text}{fault}", record.place.record, record.place.line, record.place.offset));
                    }
                }
                Ok(None) => return (shown, blanks, false),
                Err(_) => return (shown, blanks, true),
            }
        }
    }

    fn check(bytes: &[u8], shape: Shape, expected: &[&str], blanks: u64) {
        for size in [1, 7, 1 << 30] {
            let (shown, counted, failed) = frame(bytes, shape, size, false);
            assert_eq!((shown, counted, failed), (expected.iter().map(|s| (*s).to_owned()).collect(), blanks, false), "pieces of {size}");
        }
    }

    #[test]
    fn lines_end_at_line_feeds_and_blank_ones_are_counted() {
        check(b"a\r\n\n \t\r\nb\n\"c\nd", Shape::Lines, &["1@1+0 a", "2@4+8 b", "3@5+10 \"c", "4@6+13 d"], 2);
        check(b"", Shape::Lines, &[], 0);
        check(b"\n\n", Shape::Lines, &[], 2);
    }

    #[test]
    fn a_line_too_long_is_one_record_and_the_next_line_is_read() {
        let mut bytes = b"a\n".to_vec();
        bytes.extend(vec![b'x'; RECORD_BYTES_MAX]);
        bytes.extend(b"\r\n");
        bytes.extend(vec![b'y'; RECORD_BYTES_MAX + 1]);
        bytes.extend(b"\n");
        bytes.extend(vec![b'z'; 3 * RECORD_BYTES_MAX]);
        bytes.extend(b"\nb\n");
        for shape in [Shape::Lines, Shape::Delimited { quoting: CSV, fields: Some(1) }] {
            for size in [100_000, 1 << 30] {
                let (shown, ..) = frame(&bytes, shape, size, false);
                let limit = RECORD_BYTES_MAX;
                assert_eq!(
                    shown,
                    [
                        "1@1+0 a".to_owned(),
                        format!("2@2+2 {limit} bytes"),
                        format!("3@3+{} {limit} bytes [too_long]", limit + 4),
                        format!("4@4+{} {limit} bytes [too_long]", 2 * limit + 6),
                        format!("5@5+{} b", 5 * limit + 7),
                    ]
                );
            }
        }
    }

    #[test]
    fn quoted_line_feeds_belong_to_the_record() {
        let shape = Shape::Delimited { quoting: CSV, fields: Some(2) };
        check(b"a,\"x\ny\"\r\nb,\"z\"\"\n\"\nc,d", shape, &["1@1+0 a,\"x\ny\"", "2@3+9 b,\"z\"\"\n\"", "3@5+18 c,d"], 0);
        check(b"\"a\nb\",c", shape, &["1@1+0 \"a\nb\",c"], 0);
    }

    #[test]
    fn a_stray_quote_costs_its_own_line_only() {
        let shape = Shape::Delimited { quoting: CSV, fields: Some(2) };
        // Never closed; closed by a quote that is another record's; closed in the middle of a field.
        check(b"a,\"b\nc,d\ne,f\n", shape, &["1@1+0 a,\"b [malformed]", "2@2+5 c,d", "3@3+9 e,f"], 0);
        check(b"a,\"b\nc,d\ne,\"f\"\n", shape, &["1@1+0 a,\"b [malformed]", "2@2+5 c,d", "3@3+9 e,\"f\""], 0);
        check(b"a,\"b\n\"c\",d\ne,f\n", shape, &["1@1+0 a,\"b [malformed]", "2@2+5 \"c\",d", "3@3+11 e,f"], 0);
        // Closed by chance where a delimiter follows: the number of fields tells.
        check(
            b"a,\"b\n\",c,d\ne,f\n",
            Shape::Delimited { quoting: CSV, fields: Some(5) },
            &["1@1+0 a,\"b [malformed]", "2@2+5 \",c,d [malformed]", "3@3+11 e,f"],
            0,
        );
        let mut bytes = b"a,\"b\n".to_vec();
        for _ in 0..300_000 {
            bytes.extend(b"c,d\n");
        }
        let (shown, ..) = frame(&bytes, shape, 1 << 30, false);
        assert_eq!((shown.len(), shown[0].as_str(), shown[1].as_str()), (300_001, "1@1+0 a,\"b [malformed]", "2@2+5 c,d"));
    }

    #[test]
    fn a_failure_comes_after_everything_readable() {
        let (shown, blanks, failed) = frame(b"a\nb\nc", Shape::Lines, 2, true);
        assert_eq!((shown, blanks, failed), (vec!["1@1+0 a".to_owned(), "2@2+2 b".to_owned(), "3@3+4 c [malformed]".to_owned()], 0, true));
    }
}

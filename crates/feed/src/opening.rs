//! An input made ready: format and encoding settled, header read, columns bound to slots.
//!
//! Everything a wrong feed can be told by is told here, before the first record: an unknown format, a header in another encoding, a column
//! that is not there. What comes out yields blocks of raw records and knows how to read one into a row.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use weir_model::Reason;

use crate::error::{Error, MissingColumn};
use crate::frame::{Framer, RawBlock, Shape};
use crate::inputs::{self, ByteCount, Format, Input, Opened};
use crate::mapping::{Delimited, Mapping};
use crate::row::{Names, NotARow, Row, Slot};
use crate::suggest::nearest;
use crate::table::TableReader;
use crate::text::{Encoding, Mark, Quoting, byte_order_mark, split_fields};

/// How a raw record of one input becomes a row.
#[derive(Debug, Clone)]
pub(crate) enum Binding {
    /// A JSON object: columns are found by name in every record.
    Json,
    /// A delimited line: columns stand where the header has them.
    Delimited { quoting: Quoting, slots: Vec<Option<Slot>> },
}

impl Binding {
    /// Reads the bytes of a record; `buffer` takes what is not UTF-8 yet.
    pub(crate) fn read(&self, bytes: &[u8], encoding: Encoding, names: &Names, row: &mut Row, buffer: &mut String) -> Result<(), Reason> {
        let text = encoding.decode(bytes, buffer).ok_or(Reason::BadEncoding)?;
        let read = match self {
            Self::Json => row.read_json(text, names),
            Self::Delimited { quoting, slots } => row.read_delimited(text, *quoting, slots),
        };
        read.map_err(|NotARow| Reason::Malformed)
    }

    /// Reads a record of a block: its bytes, or the row that it is.
    pub(crate) fn read_record(
        &self,
        block: &RawBlock,
        index: usize,
        encoding: Encoding,
        names: &Names,
        row: &mut Row,
        buffer: &mut String,
    ) -> Result<(), Reason> {
        match (block.records[index].fault, &block.rows) {
            (Some(fault), _) => Err(fault),
            (None, Some(rows)) => rows.read(index, row).map_err(|NotARow| Reason::Malformed),
            (None, None) => self.read(&block.original(index), encoding, names, row, buffer),
        }
    }
}

enum Blocks {
    Text(Framer),
    Table(TableReader),
}

/// An open input.
pub(crate) struct BlockSource {
    name: String,
    blocks: Blocks,
    encoding: Encoding,
    binding: Binding,
    /// Names of the header or schema; JSON lines have none.
    columns: Option<Vec<String>>,
    /// Whether the columns are the input's own and not a first line that may be a record.
    are_names_certain: bool,
    count: ByteCount,
}

/// What is known of an input before it is opened.
struct Wanted<'w> {
    format: Option<Format>,
    encoding: Option<Encoding>,
    delimited: &'w Delimited,
    /// Whether an input without a byte is one without a record.
    may_be_empty: bool,
    /// Whether the front of JSON lines decides whom to monitor: then it is read whole, however slowly it comes.
    is_front_telling: bool,
}

/// Opens an input of transactions and checks its columns against the mapping.
pub(crate) fn open_feed(
    input: &Input,
    index: u32,
    mapping: &Mapping,
    format: Option<Format>,
    names: &Names,
    all: &Arc<AtomicU64>,
) -> Result<BlockSource, Error> {
    let is_front_telling = mapping.own.is_none() && mapping.is_default;
    let wanted = Wanted {
        format: format.or(mapping.format),
        encoding: mapping.encoding,
        delimited: &mapping.delimited,
        may_be_empty: true,
        is_front_telling,
    };
    let source = open(input, index, &wanted, names, ByteCount::within(all))?;
    if let Some(existing) = &source.columns {
        check_columns(mapping, existing, source.are_names_certain, &source.name)?;
    }
    Ok(source)
}

/// Opens a party file.
pub(crate) fn open_parties(input: &Input, names: &Names) -> Result<BlockSource, Error> {
    // A party file that lost its content must not pass for one that knows nobody.
    let wanted = Wanted { format: None, encoding: None, delimited: &Delimited::default(), may_be_empty: false, is_front_telling: false };
    open(input, 0, &wanted, names, ByteCount::default())
}

impl BlockSource {
    /// The next block with at least one record or blank line; `None` at the end.
    pub(crate) fn next_block(&mut self) -> Result<Option<RawBlock>, Error> {
        match &mut self.blocks {
            Blocks::Text(framer) => {
                let block = framer.next_block();
                block.map_err(|error| read_error(&self.name, error, framer.offset(), &self.count))
            }
            Blocks::Table(table) => table.next_block().map_err(|message| Error::Parquet { path: self.name.clone(), message }),
        }
    }

    /// From here on a stream that pauses yields what it has brought so far.
    pub(crate) fn be_prompt(&mut self) {
        if let Blocks::Text(framer) = &mut self.blocks {
            framer.pauses_with = Some(self.count.clone());
        }
    }

    /// Whether the next block may have to wait for a stream.
    pub(crate) fn may_wait(&self) -> bool {
        self.count.is_paused()
    }

    /// Encoding of the raw records.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Names of the header or schema; `None` for JSON lines.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }
}

fn read_error(name: &str, source: io::Error, offset: u64, count: &ByteCount) -> Error {
    let path = name.to_owned();
    match source.kind() {
        io::ErrorKind::UnexpectedEof => Error::Truncated { path, compressed_offset: count.get(), offset },
        _ => Error::Read { path, offset, source },
    }
}

fn open(input: &Input, index: u32, wanted: &Wanted<'_>, names: &Names, count: ByteCount) -> Result<BlockSource, Error> {
    match inputs::open(input, &count)? {
        Opened::Parquet => open_table(input, index, wanted, names, count),
        Opened::Text(bytes) => {
            let name = input.name();
            let format = wanted.format.or_else(|| Format::of_name(&name)).ok_or(Error::UnknownFormat { path: name.clone() })?;
            let mut framer = Framer::new(bytes, index);
            if format == Format::Csv || !wanted.is_front_telling {
                framer.pauses_with = Some(count.clone());
            }
            let encoding = settle_encoding(&mut framer, wanted.encoding, &name)?;
            match format {
                Format::Parquet => Err(Error::Parquet { path: name, message: "it does not begin as one".to_owned() }),
                Format::Jsonl => open_lines(framer, name, encoding, count),
                Format::Csv => open_delimited(framer, name, encoding, wanted, names, count),
            }
        }
    }
}

fn open_table(input: &Input, index: u32, wanted: &Wanted<'_>, names: &Names, count: ByteCount) -> Result<BlockSource, Error> {
    let name = input.name();
    // A pipe would have to be opened twice, and nobody writes into it a second time.
    let path = match input {
        Input::File { path, .. } if !input.is_stream() => path,
        _ => return Err(Error::ParquetStream { path: name }),
    };
    let file = std::fs::File::open(path).map_err(|source| Error::Open { path: name.clone(), source })?;
    let (table, columns) = TableReader::open(file, &name, index, wanted.encoding.unwrap_or_default(), names, count.clone())?;
    Ok(BlockSource {
        name,
        blocks: Blocks::Table(table),
        // Rows are cells already; where one has to be written down, it is a JSON object, which is UTF-8 whatever the text in it was.
        encoding: Encoding::Utf8,
        binding: Binding::Json,
        columns: Some(columns),
        are_names_certain: true,
        count,
    })
}

/// A byte order mark goes before what the feed file says.
fn settle_encoding(framer: &mut Framer, wanted: Option<Encoding>, name: &str) -> Result<Encoding, Error> {
    match byte_order_mark(framer.front(4)) {
        Mark::Text(length, encoding) => {
            framer.skip_bytes(length);
            Ok(encoding)
        }
        Mark::Utf16 => Err(Error::Unsupported {
            path: name.to_owned(),
            what: "the text is UTF-16; convert it first, for example with iconv -f UTF-16 -t UTF-8".to_owned(),
        }),
        Mark::None => Ok(wanted.unwrap_or_default()),
    }
}

fn open_lines(mut framer: Framer, name: String, encoding: Encoding, count: ByteCount) -> Result<BlockSource, Error> {
    let first = framer.front(64).iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let what = "it is one JSON list; write one object a line, for example with jq -c '.[]'".to_owned();
        return Err(Error::Unsupported { path: name, what });
    }
    if ends_in_returns(framer.front(1)) {
        return Err(Error::LineEnds { path: name });
    }
    framer.shape = Shape::Lines;
    Ok(without_columns(framer, name, encoding, Binding::Json, count))
}

fn without_columns(framer: Framer, name: String, encoding: Encoding, binding: Binding, count: ByteCount) -> BlockSource {
    BlockSource { name, blocks: Blocks::Text(framer), encoding, binding, columns: None, are_names_certain: true, count }
}

/// Whether the front of an input has carriage returns and no line feed.
fn ends_in_returns(front: &[u8]) -> bool {
    memchr::memchr(b'\n', front).is_none() && has_return(front)
}

/// A carriage return before the end of `text`, without a line feed behind it.
fn has_return(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', text).any(|at| text.get(at + 1).is_some_and(|next| *next != b'\n'))
}

fn open_delimited(
    mut framer: Framer,
    name: String,
    encoding: Encoding,
    wanted: &Wanted<'_>,
    names: &Names,
    count: ByteCount,
) -> Result<BlockSource, Error> {
    let delimited = wanted.delimited;
    if ends_in_returns(framer.front(1)) {
        return Err(Error::LineEnds { path: name });
    }
    let is_tab = name.trim_end_matches(".gz").trim_end_matches(".zst").to_ascii_lowercase().ends_with(".tsv");
    let delimiter = delimited.delimiter.unwrap_or(if is_tab { b'\t' } else { b',' });
    let quoting = Quoting::raw(delimiter, delimited.quote, encoding);
    framer.shape = Shape::Delimited { quoting, fields: None };
    for _ in 0..delimited.skip_lines {
        framer.skip_line();
    }
    let line = framer.line();
    let columns = match &delimited.columns {
        Some(columns) => columns.clone(),
        None => {
            let header = framer.header().map_err(|error| read_error(&name, error, framer.offset(), &count))?;
            let fail = |message: &str| Error::Header { path: name.clone(), line, message: message.to_owned() };
            let Some(header) = header else {
                if wanted.may_be_empty && delimited.skip_lines == 0 {
                    return Ok(without_columns(framer, name, encoding, Binding::Delimited { quoting, slots: Vec::new() }, count));
                }
                return Err(fail("there is no header line; name the columns under `csv: columns:` in the feed file"));
            };
            if has_return(&header) {
                return Err(Error::LineEnds { path: name });
            }
            header_names(&header, encoding, quoting).map_err(fail)?
        }
    };
    framer.shape = Shape::Delimited { quoting, fields: Some(columns.len()) };
    let slots: Vec<Option<Slot>> = columns.iter().map(|column| names.slot(column)).collect();
    if let Some(at) = (1..slots.len()).find(|at| slots[*at].is_some() && slots[..*at].contains(&slots[*at])) {
        let message = format!("the column `{}` stands in the header twice; which one is meant cannot be told", columns[at]);
        return Err(Error::Header { path: name, line, message });
    }
    let binding = Binding::Delimited { quoting: quoting.decoded(), slots };
    let are_names_certain = delimited.columns.is_some();
    Ok(BlockSource { name, blocks: Blocks::Text(framer), encoding, binding, columns: Some(columns), are_names_certain, count })
}

fn header_names(header: &[u8], encoding: Encoding, quoting: Quoting) -> Result<Vec<String>, &'static str> {
    let mut buffer = String::new();
    let wrong_encoding = match encoding {
        Encoding::Utf8 => "the header is not UTF-8; if the feed is in GB18030 or GBK, its feed file says `encoding: gb18030`",
        Encoding::Gb18030 => "the header is not GB18030; if the feed is in UTF-8, its feed file says `encoding: utf-8`",
    };
    let text = encoding.decode(header, &mut buffer).ok_or(wrong_encoding)?;
    let quoting = quoting.decoded();
    split_fields(text.as_bytes(), quoting)
        .map(|field| {
            let field = field.map_err(|_| "the quotes of the header are broken")?;
            let name = text.get(field.range.clone()).unwrap_or_default();
            Ok(field.undouble(name, quoting).trim().to_owned())
        })
        .collect()
}

/// Digits from which on a name may be an account, a telephone or an identity card.
const DIGITS_OF_A_NUMBER: usize = 6;

fn has_number(name: &str) -> bool {
    name.chars().filter(|c| c.is_numeric()).count() >= DIGITS_OF_A_NUMBER
}

/// Columns that the mapping needs and the input does not have. What may be a record is not shown: not its words, and not what they are near.
fn check_columns(mapping: &Mapping, existing: &[String], are_names_certain: bool, name: &str) -> Result<(), Error> {
    let has = |column: &str| existing.iter().any(|existing| existing == column);
    let is_header =
        are_names_certain || (mapping.columns.iter().any(|column| has(&column.name)) && !existing.iter().any(|name| has_number(name)));
    let shown: Vec<String> = existing
        .iter()
        .filter(|name| is_header && !has_number(name))
        .map(|name| name.chars().filter(|c| !c.is_control()).collect())
        .collect();
    let missing = |column: &str, field: &str| MissingColumn {
        name: column.to_owned(),
        field: field.to_owned(),
        nearest: nearest(column, shown.iter().map(String::as_str)).map(str::to_owned),
    };
    let mut lacking: Vec<MissingColumn> = mapping
        .columns
        .iter()
        .filter(|column| !column.optional && !has(&column.name))
        .map(|column| missing(&column.name, column.field))
        .collect();
    if mapping.is_default {
        lacking.extend(["txn_id", "occurred_at", "amount"].into_iter().filter(|field| !has(field)).map(|field| missing(field, field)));
        let parties = ["payer_account", "payee_account", "payer_customer", "payee_customer"];
        if !parties.into_iter().any(has) {
            lacking.push(missing(parties[0], parties[0]));
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Error::MissingColumns { path: name.to_owned(), missing: lacking, existing: is_header.then_some(shown) })
}

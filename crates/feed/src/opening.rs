//! An input made ready: format and encoding settled, header read, columns bound to slots.
//!
//! Everything a wrong feed can be told by is told here, before the first record: an unknown format, a header in another encoding, a column
//! that is not there. What comes out yields blocks of raw records and knows how to read one into a row.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

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
    pub(crate) fn read(&self, text: &str, names: &Names, row: &mut Row) -> Result<(), NotARow> {
        match self {
            Self::Json => row.read_json(text, names),
            Self::Delimited { quoting, slots } => row.read_delimited(text, *quoting, slots),
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
    count: ByteCount,
}

/// What is known of an input before it is opened.
struct Wanted<'w> {
    format: Option<Format>,
    encoding: Option<Encoding>,
    delimited: &'w Delimited,
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
    let wanted = Wanted { format: format.or(mapping.format), encoding: mapping.encoding, delimited: &mapping.delimited };
    let source = open(input, index, &wanted, names, ByteCount::within(all))?;
    if let Some(existing) = &source.columns {
        check_columns(mapping, existing, &source.name)?;
    }
    Ok(source)
}

/// Opens a party file.
pub(crate) fn open_parties(input: &Input, names: &Names) -> Result<BlockSource, Error> {
    let wanted = Wanted { format: None, encoding: None, delimited: &Delimited::default() };
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
        Opened::Parquet => open_table(input, index, wanted, count),
        Opened::Text(bytes) => {
            let name = input.name();
            let format = wanted.format.or_else(|| Format::of_name(&name)).ok_or(Error::UnknownFormat { path: name.clone() })?;
            let mut framer = Framer::new(bytes, index);
            let encoding = settle_encoding(&mut framer, wanted.encoding, &name)?;
            match format {
                Format::Parquet => Err(Error::Parquet { path: name, message: "it does not begin as one".to_owned() }),
                Format::Jsonl => open_lines(framer, name, encoding, count),
                Format::Csv => open_delimited(framer, name, encoding, wanted.delimited, names, count),
            }
        }
    }
}

fn open_table(input: &Input, index: u32, wanted: &Wanted<'_>, count: ByteCount) -> Result<BlockSource, Error> {
    let name = input.name();
    let Input::File { path, .. } = input else {
        return Err(Error::Unsupported { path: name, what: "Parquet cannot be read from a stream; give the path of the file".to_owned() });
    };
    let file = std::fs::File::open(path).map_err(|source| Error::Open { path: name.clone(), source })?;
    let (table, columns) = TableReader::open(file, index, wanted.encoding.unwrap_or_default(), count.clone())
        .map_err(|message| Error::Parquet { path: name.clone(), message })?;
    // Rows have been rendered as JSON, which is UTF-8 whatever the text in them was.
    Ok(BlockSource { name, blocks: Blocks::Table(table), encoding: Encoding::Utf8, binding: Binding::Json, columns: Some(columns), count })
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
    framer.shape = Shape::Lines;
    Ok(BlockSource { name, blocks: Blocks::Text(framer), encoding, binding: Binding::Json, columns: None, count })
}

fn open_delimited(
    mut framer: Framer,
    name: String,
    encoding: Encoding,
    delimited: &Delimited,
    names: &Names,
    count: ByteCount,
) -> Result<BlockSource, Error> {
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
            let header = header.ok_or_else(|| fail("there is no header line; name the columns under `csv: columns:` in the feed file"))?;
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
    Ok(BlockSource { name, blocks: Blocks::Text(framer), encoding, binding, columns: Some(columns), count })
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

/// Columns that the mapping needs and the input does not have.
fn check_columns(mapping: &Mapping, existing: &[String], name: &str) -> Result<(), Error> {
    let has = |column: &str| existing.iter().any(|existing| existing == column);
    let missing = |column: &str, field: &str| MissingColumn {
        name: column.to_owned(),
        field: field.to_owned(),
        nearest: nearest(column, existing.iter().map(String::as_str)).map(str::to_owned),
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
    Err(Error::MissingColumns { path: name.to_owned(), missing: lacking, existing: existing.to_vec() })
}

//! Parquet rows as raw records: each row becomes the JSON object that it would be in a file of JSON lines.
//!
//! From there on a row goes the one way of all records: same decoder, same checks, same dead letters (whose original is that object, since a
//! row of a column store has no bytes of its own). Rendering costs less than it seems, and nothing in it rounds: decimals and integers keep
//! their digits, a double is written with the shortest digits that mean the same double. Timestamps with a zone carry their offset; those
//! without are local times of the feed's zone.

use std::fmt::Write as _;
use std::fs::File;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use weir_model::time::MICROS_PER_SEC;
use weir_model::{EventTime, Reason};

use crate::error::Error;
use crate::frame::{RawBlock, RawPlace, RawRecord};
use crate::inputs::ByteCount;
use crate::text::Encoding;

/// Rows a block.
const BLOCK_ROWS: usize = 1024;

/// Reads blocks from a Parquet file.
pub(crate) struct TableReader {
    rows: ParquetRecordBatchReader,
    encoding: Encoding,
    /// Of the columns read: whether anybody looks at them. What nobody looks at need not be text.
    wanted: Vec<bool>,
    input: u32,
    record: u64,
    rows_total: u64,
    file_bytes: u64,
    count: ByteCount,
}

impl TableReader {
    /// Opens a file called `path` in messages; also yields the names of its columns. A column that nobody wants may be of any type: one that
    /// has no text is left out of the rows.
    pub(crate) fn open(
        file: File,
        path: &str,
        input: u32,
        encoding: Encoding,
        is_wanted: &dyn Fn(&str) -> bool,
        count: ByteCount,
    ) -> Result<(Self, Vec<String>), Error> {
        let unreadable = |error: ParquetError| Error::Parquet { path: path.to_owned(), message: error.to_string() };
        let file_bytes = file.metadata().map(|meta| meta.len()).unwrap_or(0);
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
        let metadata = builder.metadata();
        if let Some(codec) =
            metadata.row_groups().iter().flat_map(|group| group.columns()).map(|chunk| chunk.compression()).find(is_foreign)
        {
            let name = codec.to_string();
            let codec = name.split('(').next().unwrap_or(&name).to_owned();
            return Err(Error::ParquetCodec { path: path.to_owned(), codec });
        }
        let mut names = Vec::new();
        let (mut readable, mut wanted) = (Vec::new(), Vec::new());
        for (at, field) in builder.schema().fields().iter().enumerate() {
            names.push(field.name().clone());
            if has_text(field.data_type()) {
                readable.push(at);
                wanted.push(is_wanted(field.name()));
            } else if is_wanted(field.name()) {
                let kind = format!("{}", field.data_type());
                return Err(Error::ParquetColumn { path: path.to_owned(), column: field.name().clone(), kind });
            }
        }
        let rows_total = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
        let columns = ProjectionMask::roots(builder.parquet_schema(), readable);
        let rows = builder.with_projection(columns).with_batch_size(BLOCK_ROWS).build().map_err(unreadable)?;
        Ok((Self { rows, encoding, wanted, input, record: 0, rows_total, file_bytes, count }, names))
    }

    /// The next block; `None` at the end.
    pub(crate) fn next_block(&mut self) -> Result<Option<RawBlock>, String> {
        loop {
            let Some(batch) = self.rows.next() else { return Ok(None) };
            let batch = batch.map_err(|error| error.to_string())?;
            if batch.num_rows() > 0 {
                return self.render(&batch).map(Some).map_err(|error| error.to_string());
            }
        }
    }

    fn render(&mut self, batch: &RecordBatch) -> Result<RawBlock, ArrowError> {
        let schema = batch.schema();
        let columns: Vec<(String, Column)> = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .zip(&self.wanted)
            .map(|((field, array), is_wanted)| Ok((json_text(field.name()), Column::new(array, self.encoding, *is_wanted)?)))
            .collect::<Result<_, ArrowError>>()?;
        let mut block = RawBlock::default();
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            text.clear();
            let sound = write_object(&columns, row, &mut text);
            let start = block.bytes.len();
            block.bytes.extend_from_slice(text.as_bytes());
            self.record += 1;
            let place = RawPlace { input: self.input, record: self.record, line: self.record, offset: 0 };
            let fault = (!sound).then_some(Reason::BadEncoding);
            block.records.push(RawRecord { range: start..block.bytes.len(), place, fault });
        }
        self.advance();
        Ok(block)
    }

    /// Progress by rows: the Parquet reader jumps about in its file.
    fn advance(&self) {
        if self.rows_total == 0 {
            return;
        }
        let done = u128::from(self.file_bytes) * u128::from(self.record.min(self.rows_total)) / u128::from(self.rows_total);
        let done = u64::try_from(done).unwrap_or(self.file_bytes);
        self.count.add(done.saturating_sub(self.count.get()));
    }
}

/// Codecs whose crates are not linked.
fn is_foreign(codec: &Compression) -> bool {
    matches!(codec, Compression::BROTLI(_) | Compression::LZO)
}

/// Whether [`Column`] can write values of a type.
fn has_text(kind: &DataType) -> bool {
    match kind {
        DataType::Null | DataType::Boolean | DataType::Timestamp(..) => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => true,
        kind if kind.is_numeric() => true,
        DataType::List(field) | DataType::LargeList(field) => has_text(field.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| has_text(field.data_type())),
        DataType::Map(..) | DataType::FixedSizeList(..) => false,
        kind => can_cast_types(kind, &DataType::Utf8),
    }
}

/// A column with what it takes to write one of its values.
enum Column {
    Null,
    Text(StringArray),
    /// Text without a character set: `None` where the bytes are no text in the feed's encoding, which is a fault of the row if `strict`.
    Bytes {
        texts: Vec<Option<String>>,
        array: ArrayRef,
        strict: bool,
    },
    /// As digits.
    Number(StringArray),
    Flag(BooleanArray),
    /// Microseconds, of the world or of the feed's zone.
    Moment {
        micros: Int64Array,
        zoned: bool,
    },
    List(ListArray, Box<Column>),
    Object(StructArray, Vec<(String, Column)>),
}

impl Column {
    fn new(array: &ArrayRef, encoding: Encoding, strict: bool) -> Result<Self, ArrowError> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Flag(downcast(array)?),
            kind if kind.is_numeric() => Self::Number(downcast(&cast(array, &DataType::Utf8)?)?),
            DataType::Timestamp(unit, zone) => Self::Moment { micros: micros(array, *unit)?, zoned: zone.is_some() },
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                let bytes: arrow::array::BinaryArray = downcast(&cast(array, &DataType::Binary)?)?;
                let mut buffer = String::new();
                let texts = bytes.iter().map(|value| encoding.decode(value?, &mut buffer).map(str::to_owned)).collect();
                Self::Bytes { texts, array: array.clone(), strict }
            }
            DataType::List(_) | DataType::LargeList(_) => {
                let field = match array.data_type() {
                    DataType::List(field) | DataType::LargeList(field) => field.clone(),
                    _ => return Ok(Self::Null),
                };
                let list: ListArray = downcast(&cast(array, &DataType::List(field))?)?;
                let values = Self::new(list.values(), encoding, strict)?;
                Self::List(list, Box::new(values))
            }
            DataType::Struct(fields) => {
                let object: StructArray = downcast(array)?;
                let columns = fields.iter().zip(object.columns());
                let columns = columns.map(|(field, array)| Ok((json_text(field.name()), Self::new(array, encoding, strict)?)));
                let columns = columns.collect::<Result<_, ArrowError>>()?;
                Self::Object(object, columns)
            }
            // Text of any layout, dates, times of day, dictionaries; what has no text is refused with the type's name.
            _ => Self::Text(downcast(&cast(array, &DataType::Utf8)?)?),
        })
    }

    /// Appends the value of a row as JSON; `false` if it is no text in the feed's encoding.
    fn write(&self, row: usize, out: &mut String) -> bool {
        match self {
            Self::Text(values) if values.is_valid(row) => write_text(values.value(row), out),
            Self::Bytes { texts, array, strict } if array.is_valid(row) => match &texts[row] {
                Some(text) => write_text(text, out),
                None => {
                    out.push_str("null");
                    return !strict;
                }
            },
            Self::Number(digits) if digits.is_valid(row) => write_number(digits.value(row), out),
            Self::Flag(values) if values.is_valid(row) => out.push_str(if values.value(row) { "true" } else { "false" }),
            Self::Moment { micros, zoned } if micros.is_valid(row) => write_moment(micros.value(row), *zoned, out),
            Self::List(list, values) if list.is_valid(row) => {
                let offsets = list.value_offsets();
                let range = usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0);
                out.push('[');
                let mut sound = true;
                for (i, at) in range.enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    sound &= values.write(at, out);
                }
                out.push(']');
                return sound;
            }
            Self::Object(object, columns) if object.is_valid(row) => return write_object(columns, row, out),
            _ => out.push_str("null"),
        }
        true
    }
}

fn downcast<T: Array + Clone + 'static>(array: &ArrayRef) -> Result<T, ArrowError> {
    let typed = array.as_any().downcast_ref::<T>().cloned();
    typed.ok_or_else(|| ArrowError::CastError(format!("unexpected layout of {}", array.data_type())))
}

/// Timestamps of any unit as microseconds, finer digits cut off.
fn micros(array: &ArrayRef, unit: TimeUnit) -> Result<Int64Array, ArrowError> {
    let raw: Int64Array = downcast(&cast(array, &DataType::Int64)?)?;
    Ok(raw.unary(|value| match unit {
        TimeUnit::Second => value.saturating_mul(MICROS_PER_SEC),
        TimeUnit::Millisecond => value.saturating_mul(1000),
        TimeUnit::Microsecond => value,
        TimeUnit::Nanosecond => value.div_euclid(1000),
    }))
}

fn write_object(columns: &[(String, Column)], row: usize, out: &mut String) -> bool {
    out.push('{');
    let mut sound = true;
    for (i, (name, column)) in columns.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push(':');
        sound &= column.write(row, out);
    }
    out.push('}');
    sound
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_text(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&json_text(text));
    }
}

fn write_number(digits: &str, out: &mut String) {
    let bytes = digits.as_bytes();
    let is_number =
        bytes.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-') && bytes.last().is_some_and(u8::is_ascii_digit);
    // NaN and infinities are no JSON numbers; as text they become dead letters where a number is wanted.
    if is_number { out.push_str(digits) } else { write_text(digits, out) }
}

fn write_moment(micros: i64, zoned: bool, out: &mut String) {
    if zoned {
        let _ = write!(out, "\"{}\"", EventTime(micros));
        return;
    }
    match chrono::DateTime::from_timestamp_micros(micros) {
        Some(moment) => {
            let _ = write!(out, "\"{}\"", moment.naive_utc().format("%Y-%m-%dT%H:%M:%S%.6f"));
        }
        None => out.push_str("null"),
    }
}

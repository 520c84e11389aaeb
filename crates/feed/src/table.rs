//! Parquet rows as raw records: each row has the cells of the JSON object that it would be in a file of JSON lines.
//!
//! From there on a row goes the one way of all records: same decoder, same checks, same dead letters. Only where somebody asks for the bytes of
//! a record, as a dead letter does, is the object written, since a row of a column store has none of its own. Nothing in either rounds: decimals
//! and integers keep their digits, a double is written with the shortest digits that mean the same double. Timestamps with a zone carry their
//! offset; those without are local times of the feed's zone.

use std::fmt::Write as _;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray, StringViewArray, StructArray};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use weir_model::time::MICROS_PER_SEC;
use weir_model::{EventTime, Reason};

use crate::error::Error;
use crate::frame::{RawBlock, RawPlace, RawRecord};
use crate::inputs::ByteCount;
use crate::row::{Kind, Names, NotARow, Row, Slot};
use crate::text::Encoding;

/// Rows a block.
const BLOCK_ROWS: usize = 1024;

/// Reads blocks from a Parquet file.
pub(crate) struct TableReader {
    rows: ParquetRecordBatchReader,
    encoding: Encoding,
    /// Of the columns read: the slots they go to. What nobody looks at need not be text.
    slots: Vec<Option<Slot>>,
    input: u32,
    record: u64,
    rows_total: u64,
    file_bytes: u64,
    count: ByteCount,
}

impl TableReader {
    /// Opens a file called `path` in messages; also yields the names of its columns. A column without a slot may be of any type: one that
    /// has no text is left out of the rows.
    pub(crate) fn open(
        file: File,
        path: &str,
        input: u32,
        encoding: Encoding,
        slots: &Names,
        count: ByteCount,
    ) -> Result<(Self, Vec<String>), Error> {
        let unreadable = |error: ParquetError| Error::Parquet { path: path.to_owned(), message: error.to_string() };
        let file_bytes = file.metadata().map(|meta| meta.len()).unwrap_or(0);
        let footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(unreadable)?;
        let as_views = ArrowReaderOptions::new().with_schema(Arc::new(with_views(footer.schema())));
        let footer = ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), as_views).map_err(unreadable)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer);
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
            let slot = slots.slot(field.name());
            if has_text(field.data_type()) {
                readable.push(at);
                wanted.push(slot);
            } else if slot.is_some() {
                let kind = format!("{}", field.data_type());
                return Err(Error::ParquetColumn { path: path.to_owned(), column: field.name().clone(), kind });
            }
        }
        let rows_total = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
        let columns = ProjectionMask::roots(builder.parquet_schema(), readable);
        let rows = builder.with_projection(columns).with_batch_size(BLOCK_ROWS).build().map_err(unreadable)?;
        Ok((Self { rows, encoding, slots: wanted, input, record: 0, rows_total, file_bytes, count }, names))
    }

    /// The next block; `None` at the end.
    pub(crate) fn next_block(&mut self) -> Result<Option<RawBlock>, String> {
        loop {
            let Some(batch) = self.rows.next() else { return Ok(None) };
            let batch = batch.map_err(|error| error.to_string())?;
            if batch.num_rows() > 0 {
                return self.block(&batch).map(Some).map_err(|error| error.to_string());
            }
        }
    }

    fn block(&mut self, batch: &RecordBatch) -> Result<RawBlock, ArrowError> {
        let rows = Rows::new(batch, &self.slots, self.encoding)?;
        let doubtful: Vec<&Column> = rows.columns.iter().map(|column| &column.column).filter(|column| column.has_bytes()).collect();
        let first = self.record + 1;
        self.record += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let record = |(at, record)| {
            let is_sound = doubtful.iter().all(|column| column.is_sound(at));
            let place = RawPlace { input: self.input, record, line: record, offset: 0 };
            RawRecord { range: 0..0, place, fault: (!is_sound).then_some(Reason::BadEncoding) }
        };
        let records = (first..=self.record).enumerate().map(record).collect();
        self.advance();
        Ok(RawBlock { records, rows: Some(rows), ..RawBlock::default() })
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

/// The same columns, texts as views: a word of a dictionary is then decoded once and pointed at, not copied for each row that has it.
fn with_views(schema: &Schema) -> Schema {
    let as_view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    };
    Schema::new_with_metadata(schema.fields().iter().map(as_view).collect::<Vec<_>>(), schema.metadata().clone())
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

/// Rows of a block.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<RowColumn>,
    size: usize,
}

#[derive(Debug)]
struct RowColumn {
    /// As JSON.
    name: String,
    slot: Option<Slot>,
    column: Column,
}

impl Rows {
    /// `slots`: where the columns go.
    fn new(batch: &RecordBatch, slots: &[Option<Slot>], encoding: Encoding) -> Result<Self, ArrowError> {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).zip(slots).map(|((field, array), slot)| {
            Ok(RowColumn { name: json_text(field.name()), slot: *slot, column: Column::new(array, encoding, slot.is_some())? })
        });
        Ok(Self { columns: columns.collect::<Result<_, ArrowError>>()?, size: batch.columns().iter().map(bytes_of).sum() })
    }

    /// Bytes they hold, about.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Reads a row: what [`Row::read_json`] would read of its object.
    pub(crate) fn read(&self, at: usize, row: &mut Row) -> Result<(), NotARow> {
        row.begin();
        let mut wanted = self.columns.iter().filter_map(|column| Some((column.slot?, &column.column)));
        wanted.try_for_each(|(slot, column)| column.read(at, slot, row))?;
        row.end()
    }

    /// A row as a JSON object.
    pub(crate) fn json(&self, at: usize) -> String {
        let mut text = String::new();
        write_object(self.columns.iter().map(|column| (column.name.as_str(), &column.column)), at, &mut text);
        text
    }
}

/// A column with what it takes to write one of its values.
#[derive(Debug)]
enum Column {
    Null,
    Text(StringViewArray),
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
            DataType::Utf8View => Self::Text(downcast(array)?),
            _ => Self::Text(downcast(&cast(&cast(array, &DataType::Utf8)?, &DataType::Utf8View)?)?),
        })
    }

    /// Whether there are texts in it that may be none.
    fn has_bytes(&self) -> bool {
        match self {
            Self::Bytes { strict, .. } => *strict,
            Self::List(_, values) => values.has_bytes(),
            Self::Object(_, columns) => columns.iter().any(|(_, column)| column.has_bytes()),
            _ => false,
        }
    }

    /// Whether the texts of a row are texts in the feed's encoding.
    fn is_sound(&self, at: usize) -> bool {
        match self {
            Self::Bytes { texts, array, strict } => !strict || array.is_null(at) || texts[at].is_some(),
            Self::List(list, values) => list.is_null(at) || places(list, at).all(|at| values.is_sound(at)),
            Self::Object(object, columns) => object.is_null(at) || columns.iter().all(|(_, column)| column.is_sound(at)),
            _ => true,
        }
    }

    /// Sets the cell of a row.
    fn read(&self, at: usize, slot: Slot, row: &mut Row) -> Result<(), NotARow> {
        match self {
            Self::Text(values) if values.is_valid(at) => row.put_text(slot, values.value(at)),
            Self::Bytes { texts, array, .. } if array.is_valid(at) => match &texts[at] {
                Some(text) => row.put_text(slot, text),
                None => row.put(slot, Kind::Absent, |_| {}),
            },
            Self::Number(digits) if digits.is_valid(at) => {
                let digits = digits.value(at);
                if is_number(digits) { row.put(slot, Kind::Number, |cell| cell.push_str(digits)) } else { row.put_text(slot, digits) }
            }
            Self::Flag(values) if values.is_valid(at) => row.put(slot, if values.value(at) { Kind::True } else { Kind::False }, |_| {}),
            Self::Moment { micros, zoned } if micros.is_valid(at) => match Moment::new(micros.value(at), *zoned) {
                Some(moment) => row.put(slot, Kind::Text, |cell| moment.write(cell)),
                None => row.put(slot, Kind::Absent, |_| {}),
            },
            Self::List(list, _) if list.is_valid(at) => row.put(slot, Kind::Nested, |cell| self.write(at, cell)),
            Self::Object(object, _) if object.is_valid(at) => row.put(slot, Kind::Nested, |cell| self.write(at, cell)),
            _ => row.put(slot, Kind::Absent, |_| {}),
        }
    }

    /// Appends the value of a row as JSON; `null` for a text that is none in the feed's encoding.
    fn write(&self, at: usize, out: &mut String) {
        match self {
            Self::Text(values) if values.is_valid(at) => write_text(values.value(at), out),
            Self::Bytes { texts, array, .. } if array.is_valid(at) => match &texts[at] {
                Some(text) => write_text(text, out),
                None => out.push_str("null"),
            },
            Self::Number(digits) if digits.is_valid(at) => write_number(digits.value(at), out),
            Self::Flag(values) if values.is_valid(at) => out.push_str(if values.value(at) { "true" } else { "false" }),
            Self::Moment { micros, zoned } if micros.is_valid(at) => match Moment::new(micros.value(at), *zoned) {
                Some(moment) => {
                    out.push('"');
                    moment.write(out);
                    out.push('"');
                }
                None => out.push_str("null"),
            },
            Self::List(list, values) if list.is_valid(at) => {
                out.push('[');
                for (i, at) in places(list, at).enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    values.write(at, out);
                }
                out.push(']');
            }
            Self::Object(object, columns) if object.is_valid(at) => {
                write_object(columns.iter().map(|(name, column)| (name.as_str(), column)), at, out);
            }
            _ => out.push_str("null"),
        }
    }
}

/// Bytes of a column, about. Views share pages with those of other blocks: of them what they show counts.
fn bytes_of(array: &ArrayRef) -> usize {
    match array.as_any().downcast_ref::<StringViewArray>() {
        Some(texts) => texts.lengths().map(|length| length as usize + size_of::<u128>()).sum(),
        None => array.get_array_memory_size(),
    }
}

/// Where the values of a list stand.
fn places(list: &ListArray, at: usize) -> Range<usize> {
    let offsets = list.value_offsets();
    usize::try_from(offsets[at]).unwrap_or(0)..usize::try_from(offsets[at + 1]).unwrap_or(0)
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

fn write_object<'c>(columns: impl Iterator<Item = (&'c str, &'c Column)>, at: usize, out: &mut String) {
    out.push('{');
    for (i, (name, column)) in columns.enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push(':');
        column.write(at, out);
    }
    out.push('}');
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
    if is_number(digits) { out.push_str(digits) } else { write_text(digits, out) }
}

/// NaN and infinities are no JSON numbers; as text they become dead letters where a number is wanted.
fn is_number(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    bytes.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-') && bytes.last().is_some_and(u8::is_ascii_digit)
}

/// A moment of the world, or of the feed's zone.
enum Moment {
    Zoned(EventTime),
    Local(chrono::NaiveDateTime),
}

impl Moment {
    /// `None` for a local time that no calendar has.
    fn new(micros: i64, zoned: bool) -> Option<Self> {
        if zoned {
            return Some(Self::Zoned(EventTime(micros)));
        }
        chrono::DateTime::from_timestamp_micros(micros).map(|moment| Self::Local(moment.naive_utc()))
    }

    fn write(&self, out: &mut String) {
        let _ = match self {
            Self::Zoned(at) => write!(out, "{at}"),
            Self::Local(at) => write!(out, "{}", at.format("%Y-%m-%dT%H:%M:%S%.6f")),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, NullArray, TimestampMicrosecondArray,
        TimestampSecondArray,
    };
    use arrow::datatypes::{Int8Type, Int32Type};

    use super::*;

    /// Values of all kinds, and of each kind those that are read otherwise than most.
    fn batch() -> RecordBatch {
        let texts = ["x", "", " y\u{3000}", "\"\\", "\n", "\0", "\u{1}", "中文", "null", "12"];
        let bytes: Vec<Option<&[u8]>> =
            vec![Some(b"x"), None, Some(b"\xFF"), Some(b" \"b\" "), Some(b""), Some("中".as_bytes()), None, None, None, None];
        let numbers = [0.1, f64::NAN, -1e300, f64::INFINITY, 1e-7, -0.0, 5.0, 1.0, 2.0, 3.0];
        let lists: Vec<Option<Vec<Option<i32>>>> =
            (0..10).map(|at| (at != 3).then(|| (0..at).map(|i| (i != 2).then_some(i)).collect())).collect();
        let moments = TimestampMicrosecondArray::from((0..10).map(|at| (at != 1).then_some(at * 86_400_000_001)).collect::<Vec<_>>());
        let object = StructArray::from(vec![
            (Arc::new(Field::new("a\"", DataType::Utf8, true)), Arc::new(StringArray::from(texts.to_vec())) as ArrayRef),
            (Arc::new(Field::new("b", DataType::Binary, true)), Arc::new(BinaryArray::from(bytes.clone())) as ArrayRef),
        ]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("null", Arc::new(NullArray::new(10))),
            ("text", Arc::new(StringArray::from(texts.to_vec()))),
            ("code", Arc::new(texts.into_iter().map(Some).collect::<DictionaryArray<Int8Type>>())),
            ("bytes", Arc::new(BinaryArray::from(bytes))),
            ("number", Arc::new(Float64Array::from(numbers.to_vec()))),
            (
                "amount",
                Arc::new(
                    Decimal128Array::from((0..10).map(|at| at * 7 - 9).collect::<Vec<i128>>()).with_precision_and_scale(20, 2).unwrap(),
                ),
            ),
            ("flag", Arc::new(BooleanArray::from((0..10).map(|at| (at % 3 != 0).then_some(at % 2 == 0)).collect::<Vec<_>>()))),
            ("zoned", Arc::new(moments.clone().with_timezone("UTC"))),
            ("local", Arc::new(moments)),
            ("never", Arc::new(TimestampSecondArray::from(vec![i64::MAX; 10]))),
            ("day", Arc::new(Date32Array::from((0..10).collect::<Vec<_>>()))),
            ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))),
            ("object", Arc::new(object)),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }

    #[test]
    fn cells_are_those_of_the_object_a_row_would_be() {
        let batch = batch();
        let schema = batch.schema();
        let names = Names::new(schema.fields().iter().map(|field| field.name().as_str()));
        let slots: Vec<Option<Slot>> = (0..batch.num_columns()).map(Some).collect();
        let rows = Rows::new(&batch, &slots, Encoding::Utf8).unwrap();
        let (mut direct, mut by_text) = (Row::new(slots.len()), Row::new(slots.len()));
        for at in 0..batch.num_rows() {
            let text = rows.json(at);
            assert_eq!(rows.read(at, &mut direct), by_text.read_json(&text, &names), "row {at}: {text}");
            let cells = |row: &Row| (0..slots.len()).map(|slot| format!("{:?}", row.cell(slot))).collect::<Vec<_>>();
            if rows.read(at, &mut direct).is_ok() {
                assert_eq!(cells(&direct), cells(&by_text), "row {at}: {text}");
            }
        }
        assert_eq!(rows.read(5, &mut direct), Err(NotARow), "a null character");
        let unsound = |at: usize| rows.columns.iter().any(|column| column.column.has_bytes() && !column.column.is_sound(at));
        assert_eq!((0..10).filter(|at| unsound(*at)).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_name_that_stands_twice_is_no_row() {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
        let schema = Schema::new(vec![Field::new("a", DataType::Utf8, true), Field::new("a", DataType::Utf8, true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(&column), column]).unwrap();
        let rows = Rows::new(&batch, &[Some(0), Some(0)], Encoding::Utf8).unwrap();
        assert_eq!(rows.read(0, &mut Row::new(1)), Err(NotARow));
    }
}

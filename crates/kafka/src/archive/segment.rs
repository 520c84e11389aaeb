//! A segment: the records of one leg partition from one offset on, as a Parquet file.
//!
//! The column `record` has each record's bytes as they lie in the log: detection is proved from them alone. The other columns say the same for
//! people and their tools. Every record has its offset and stamped clock, control records too. No record of a segment is stamped later than the
//! day it lies under; earlier some may be (see the header of the module above).

use std::io;
use std::sync::Arc;

use arrow::array::{
    Array, BinaryArray, BinaryBuilder, Decimal128Builder, Int32Builder, Int64Array, Int64Builder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use weir_model::{Day, Direction, EventTime, LegKind};

use crate::wire::Entry;

/// Yuan with two decimals; the greatest amount has 19 digits.
const AMOUNT: DataType = DataType::Decimal128(20, 2);
/// Key under which a segment's head stands among the file's metadata.
const HEAD: &str = "weir.segment";

/// Where a segment lies in its partition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Head {
    /// Partition.
    pub(super) partition: i32,
    /// The first offset it answers for: the `next` of the segment before.
    pub(super) from: i64,
    /// The offset that the segment behind it begins with.
    pub(super) next: i64,
    /// Day that it lies under, as a number; files of before have none.
    #[serde(default)]
    pub(super) day: Option<i32>,
    /// Form of the columns.
    pub(super) version: u32,
}

const VERSION: u32 = 1;

/// Offsets and bytes of records.
pub(super) type Records = Vec<(i64, Vec<u8>)>;

/// Gathers records for a segment.
pub(super) struct Builder {
    offset: Int64Builder,
    kind: StringBuilder,
    clock: TimestampMicrosecondBuilder,
    party: StringBuilder,
    txn_id: StringBuilder,
    direction: StringBuilder,
    occurred_at: TimestampMicrosecondBuilder,
    currency: StringBuilder,
    amount: Int64Builder,
    amount_cny: Decimal128Builder,
    counterparty: StringBuilder,
    source: (Int32Builder, Int64Builder),
    rules: StringBuilder,
    record: BinaryBuilder,
    bytes: usize,
    next: i64,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            offset: Int64Builder::new(),
            kind: StringBuilder::new(),
            clock: moments(),
            party: StringBuilder::new(),
            txn_id: StringBuilder::new(),
            direction: StringBuilder::new(),
            occurred_at: moments(),
            currency: StringBuilder::new(),
            amount: Int64Builder::new(),
            amount_cny: Decimal128Builder::new().with_data_type(AMOUNT),
            counterparty: StringBuilder::new(),
            source: (Int32Builder::new(), Int64Builder::new()),
            rules: StringBuilder::new(),
            record: BinaryBuilder::new(),
            bytes: 0,
            next: 0,
        }
    }

    /// Adds the record at `offset`, which reads as `entry`.
    pub(super) fn push(&mut self, offset: i64, entry: &Entry<'_>, record: &[u8]) {
        self.offset.append_value(offset);
        let (kind, clock) = match entry {
            Entry::Leg(stamped) => (kind_of(stamped.leg.kind), stamped.clock),
            Entry::Tick { clock } => ("tick", *clock),
            Entry::Switch { clock, .. } => ("switch", *clock),
        };
        self.kind.append_value(kind);
        self.clock.append_option(Some(clock.0).filter(|micros| *micros != EventTime::MIN.0));
        let leg = if let Entry::Leg(stamped) = entry { Some(stamped) } else { None };
        self.party.append_option(leg.map(|stamped| stamped.leg.party));
        self.txn_id.append_option(leg.map(|stamped| stamped.leg.txn_id));
        let direction = leg.map(|stamped| if stamped.leg.direction == Direction::In { "in" } else { "out" });
        self.direction.append_option(direction);
        self.occurred_at.append_option(leg.map(|stamped| stamped.leg.at.0));
        self.currency.append_option(leg.map(|stamped| stamped.leg.amount.currency.code()));
        self.amount.append_option(leg.map(|stamped| stamped.leg.amount.minor));
        self.amount_cny.append_option(leg.and_then(|stamped| stamped.leg.amount.cny).map(i128::from));
        self.counterparty.append_option(leg.and_then(|stamped| stamped.leg.counterparty));
        self.source.0.append_option(leg.map(|stamped| stamped.source.partition));
        self.source.1.append_option(leg.map(|stamped| stamped.source.offset));
        self.rules.append_option(if let Entry::Switch { rules, .. } = entry { Some(*rules) } else { None });
        self.record.append_value(record);
        self.bytes += record.len();
        self.next = offset + 1;
    }

    pub(super) fn len(&self) -> usize {
        arrow::array::ArrayBuilder::len(&self.offset)
    }

    /// The offset behind the last record held.
    pub(super) fn next(&self) -> Option<i64> {
        (self.len() > 0).then_some(self.next)
    }

    /// Bytes of the records held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The file that is to lie under `day`, and the offset behind it.
    pub(super) fn finish(mut self, partition: i32, from: i64, day: Day) -> io::Result<(Vec<u8>, i64)> {
        let head = Head { partition, from, next: self.next, day: Some(day.0), version: VERSION };
        let fields = schema();
        let batch = RecordBatch::try_new(
            Arc::clone(&fields),
            vec![
                Arc::new(self.offset.finish()),
                Arc::new(self.kind.finish()),
                Arc::new(self.clock.finish()),
                Arc::new(self.party.finish()),
                Arc::new(self.txn_id.finish()),
                Arc::new(self.direction.finish()),
                Arc::new(self.occurred_at.finish()),
                Arc::new(self.currency.finish()),
                Arc::new(self.amount.finish()),
                Arc::new(self.amount_cny.finish()),
                Arc::new(self.counterparty.finish()),
                Arc::new(self.source.0.finish()),
                Arc::new(self.source.1.finish()),
                Arc::new(self.rules.finish()),
                Arc::new(self.record.finish()),
            ],
        )
        .map_err(io::Error::other)?;
        let metadata = KeyValue::new(HEAD.to_owned(), serde_json::to_string(&head)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![metadata]))
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, fields, Some(properties)).map_err(io::Error::other)?;
        writer.write(&batch).map_err(io::Error::other)?;
        writer.close().map_err(io::Error::other)?;
        Ok((bytes, self.next))
    }
}

fn kind_of(kind: LegKind<'_>) -> &'static str {
    match kind {
        LegKind::Movement => "movement",
        LegKind::Return => "return",
        LegKind::Removal { .. } => "removal",
    }
}

fn moments() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone("+00:00")
}

fn schema() -> Arc<Schema> {
    let moment = || DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    let maybe = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        Field::new("offset", DataType::Int64, false),
        Field::new("kind", DataType::Utf8, false),
        maybe("clock", moment()),
        maybe("party", DataType::Utf8),
        maybe("txn_id", DataType::Utf8),
        maybe("direction", DataType::Utf8),
        maybe("occurred_at", moment()),
        maybe("currency", DataType::Utf8),
        maybe("amount_minor", DataType::Int64),
        maybe("amount_cny", AMOUNT),
        maybe("counterparty", DataType::Utf8),
        maybe("transaction_partition", DataType::Int32),
        maybe("transaction_offset", DataType::Int64),
        maybe("rules", DataType::Utf8),
        Field::new("record", DataType::Binary, false),
    ]))
}

/// The head of a segment.
pub(super) fn head(bytes: Vec<u8>) -> io::Result<Head> {
    Ok(open(bytes)?.0)
}

fn open(bytes: Vec<u8>) -> io::Result<(Head, ParquetRecordBatchReaderBuilder<Bytes>)> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(damaged)?;
    let pairs = builder.metadata().file_metadata().key_value_metadata().map(Vec::as_slice).unwrap_or_default();
    let text = pairs.iter().find(|pair| pair.key == HEAD).and_then(|pair| pair.value.as_deref()).unwrap_or_default();
    let head: Head = serde_json::from_str(text).map_err(|_| damaged("it has no head of weir's"))?;
    if head.version != VERSION {
        return Err(damaged(format!("form {} is not known to this version of weir; run the one that wrote it", head.version)));
    }
    Ok((head, builder))
}

/// Offsets and bytes of the records of a segment in order: of the control records and one party's legs, or of all.
pub(super) fn records(bytes: Vec<u8>, party: Option<&str>) -> io::Result<(Head, Records)> {
    let (head, builder) = open(bytes)?;
    let columns = ["offset", "party", "record"];
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
    let mut found = Vec::new();
    for batch in builder.with_projection(mask).build().map_err(damaged)? {
        let batch = batch.map_err(damaged)?;
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(format!("there is no column {name}")));
        let (offsets, parties, records) = (column("offset")?, column("party")?, column("record")?);
        let offsets = offsets.as_any().downcast_ref::<Int64Array>().ok_or_else(|| damaged("offset"))?;
        let parties = parties.as_any().downcast_ref::<StringArray>().ok_or_else(|| damaged("party"))?;
        let records = records.as_any().downcast_ref::<BinaryArray>().ok_or_else(|| damaged("record"))?;
        for row in 0..batch.num_rows() {
            if parties.is_null(row) || party.is_none_or(|party| parties.value(row) == party) {
                found.push((offsets.value(row), records.value(row).to_vec()));
            }
        }
    }
    Ok((head, found))
}

fn damaged(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the segment cannot be read: {error}"))
}

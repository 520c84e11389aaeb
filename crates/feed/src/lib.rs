//! From a bank's files to legs: framing, decoding, mapping, validation, party data, splitting, stamping.
//!
//! Owns every byte format the detector accepts and nothing of what the detector concludes. The way of a record:
//!
//! 1. [`inputs`] finds the files, opens them and takes off compression and byte order marks;
//! 2. `frame` cuts bytes into raw records, `table` turns Parquet rows into the same raw records (JSON);
//! 3. `row` reads a raw record into cells, `decode` turns cells into a [`weir_model::Transaction`] as the [`Mapping`] says;
//! 4. `split` joins [`Parties`] and makes one leg for each monitored side, into the packed legs of a block (`legs`);
//! 5. [`Reader`] merges inputs by event time, numbers records, stamps the clock and places ticks; a stream has [`MessageDecoder`] instead,
//!    which does steps 3 and 4 for records that come one by one.
//!
//! Steps 2 to 4 are pure functions of a block of bytes, so they may run on any thread in any order; only step 5 is sequential. A bad record
//! becomes a reject with a reason and keeps its untouched bytes; it never ends a run. Error texts name files, lines, columns and reasons,
//! never a value of a record. This crate does not know rules, engines or outputs.

mod batch;
mod block;
mod clock;
mod decode;
mod error;
mod frame;
pub mod inputs;
mod legs;
mod mapping;
mod message;
mod opening;
mod parties;
mod reader;
mod row;
mod scan;
mod sort;
mod split;
mod suggest;
mod table;
mod tags;
mod text;
mod time_format;
mod yaml;

pub use batch::{Place, RecordBatch, RejectedRecord, Step};
pub use clock::{Clock, Tick};
pub use error::{Error, Foreign, MissingColumn, Problem, Problems};
pub use frame::RECORD_BYTES_MAX;
pub use inputs::{Format, Input};
pub use legs::{LegView, shard_of};
pub use mapping::{Mapping, Own};
pub use message::{Decoded, DecodedMessages, Message, MessageDecoder};
pub use parties::Parties;
pub use reader::{Counts, Options, Progress, Reader, RejectSample, Resume};
pub use sort::Sort;

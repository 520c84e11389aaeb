//! Where a record was read: what dead letters, late rows and alerts point back to.

use serde::{Deserialize, Serialize};

/// A record's place in its input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Path of the input as given or found; `-` for standard input.
    pub(crate) source: String,
    /// Number of the record within that input, from 1.
    pub(crate) record: u64,
    /// Line, from 1; the row for Parquet.
    pub(crate) line: u64,
    /// Bytes of unpacked text before it; 0 for Parquet.
    pub(crate) offset: u64,
}

impl From<weir_feed::Place<'_>> for Place {
    fn from(place: weir_feed::Place<'_>) -> Self {
        Self { source: place.source.to_owned(), record: place.record, line: place.line, offset: place.offset }
    }
}

//! Where a record was read: what dead letters, late rows and alerts point back to.

use std::sync::Arc;

use serde::Serialize;

/// A record's place in its input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    /// Path of the input as given or found; `-` for standard input.
    pub(crate) source: Arc<str>,
    /// Number of the record within that input, from 1.
    pub(crate) record: u64,
    /// Line, from 1, in formats that have lines.
    pub(crate) line: Option<u64>,
}

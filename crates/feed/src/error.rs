//! What can go wrong before or between records. What is wrong with a record is a [`weir_model::Reason`], not an error.
//!
//! Every variant carries the coordinates a person needs to act: path, offset, line, column. None carries a value of a record.

use std::fmt;
use std::io;

/// The one error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file matches an argument.
    #[error("{pattern}: no such file, folder or pattern match")]
    NotFound {
        /// The argument.
        pattern: String,
    },
    /// A pattern that cannot be read as one.
    #[error("{pattern}: not a valid pattern: {message}")]
    BadPattern {
        /// The argument.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// A folder without a file of a known format.
    #[error("{path}: holds no .jsonl, .csv or .parquet file (plain, .gz or .zst); with --format every file of the folder is read")]
    EmptyFolder {
        /// The folder.
        path: String,
    },
    /// The format cannot be told.
    #[error("{path}: format unknown; name it with --format or `format:` in the feed file (jsonl, csv or parquet)")]
    UnknownFormat {
        /// The input.
        path: String,
    },
    /// A combination this reader does not support.
    #[error("{path}: {what}")]
    Unsupported {
        /// The input.
        path: String,
        /// What is not supported, and what to do instead.
        what: String,
    },
    /// A file that cannot be opened.
    #[error("{path}: cannot be opened: {source}")]
    Open {
        /// The input.
        path: String,
        /// From the operating system.
        source: io::Error,
    },
    /// Compressed data that ends too early. Every complete record before that place has been delivered.
    #[error(
        "{path}: the compressed data ends too early, at byte {compressed_offset} of the file ({offset} bytes unpacked); was it copied completely?"
    )]
    Truncated {
        /// The input.
        path: String,
        /// Bytes of the file read.
        compressed_offset: u64,
        /// Bytes unpacked.
        offset: u64,
    },
    /// Reading failed in the middle. Every complete record before that place has been delivered.
    #[error("{path}: reading failed after {offset} bytes: {source}")]
    Read {
        /// The input.
        path: String,
        /// Bytes delivered before.
        offset: u64,
        /// From the operating system or the decompressor.
        source: io::Error,
    },
    /// A Parquet file that cannot be read.
    #[error("{path}: not a readable Parquet file: {message}")]
    Parquet {
        /// The input.
        path: String,
        /// From the Parquet reader.
        message: String,
    },
    /// A header that is no header.
    #[error("{path}:{line}: {message}")]
    Header {
        /// The input.
        path: String,
        /// Line of the header, from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// The feed file names columns that the input does not have.
    #[error("{path}: {}", missing_columns(missing, existing))]
    MissingColumns {
        /// The input.
        path: String,
        /// Columns named by the feed file, each with the record field it feeds and the nearest existing column.
        missing: Vec<MissingColumn>,
        /// Columns of the input.
        existing: Vec<String>,
    },
    /// A feed file or party data with mistakes: all of them.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// The temporary files of a sort.
    #[error("sorting needs temporary files in {path}: {source}")]
    Temporary {
        /// Folder.
        path: String,
        /// From the operating system.
        source: io::Error,
    },
}

/// A column that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// As the feed file names it.
    pub name: String,
    /// Record field it feeds.
    pub field: String,
    /// The nearest existing name, where one is near.
    pub nearest: Option<String>,
}

fn missing_columns(missing: &[MissingColumn], existing: &[String]) -> String {
    let mut text = String::from("wrong feed?");
    for column in missing {
        text.push_str(&format!(" no column `{}` (for {})", column.name, column.field));
        if let Some(nearest) = &column.nearest {
            text.push_str(&format!(", did you mean `{nearest}`?"));
        }
        text.push(';');
    }
    let shown: Vec<String> = existing.iter().take(60).map(|name| format!("`{name}`")).collect();
    let more = if existing.len() > shown.len() { ", …" } else { "" };
    text.push_str(&format!(" the columns are {}{more}", shown.join(", ")));
    text
}

/// A mistake in a file that people write, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1; 0 where only the line is known.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What to do; empty where the message says it.
    pub help: String,
}

/// All mistakes of one file, in order of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub path: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    /// One line a problem: `path:line:column: message (help)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{}", self.path, problem.line)?;
            if problem.column > 0 {
                write!(f, ":{}", problem.column)?;
            }
            write!(f, ": {}", problem.message)?;
            if !problem.help.is_empty() {
                write!(f, " ({})", problem.help)?;
            }
        }
        Ok(())
    }
}

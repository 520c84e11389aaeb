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
    /// A file of another program, whatever its name says.
    #[error("{path}: {what}")]
    Foreign {
        /// The input.
        path: String,
        /// What it is.
        what: Foreign,
    },
    /// Lines that end in carriage returns alone, as none of our records do: the whole file would be one.
    #[error("{path}: the lines end in carriage returns alone (CR); give them line feeds first, for example with tr '\\r' '\\n'")]
    LineEnds {
        /// The input.
        path: String,
    },
    /// Parquet from a pipe: its reader jumps about.
    #[error("{path}: Parquet cannot be read from a pipe or standard input; give the path of the file")]
    ParquetStream {
        /// The input.
        path: String,
    },
    /// A column that is wanted and of a type that has no text.
    #[error(
        "{path}: the column `{column}` is of the type {kind}, which cannot be read; write it as text, number, date or timestamp, or leave it out of the feed file"
    )]
    ParquetColumn {
        /// The input.
        path: String,
        /// Its name.
        column: String,
        /// Its type.
        kind: String,
    },
    /// Pages packed in a way that is not unpacked here.
    #[error("{path}: its pages are packed by {codec}, which is not read; write it with Snappy, Zstandard, GZIP, LZ4 or unpacked")]
    ParquetCodec {
        /// The input.
        path: String,
        /// The name of the codec.
        codec: String,
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
    #[error("{path}: {}", missing_columns(missing, existing.as_deref()))]
    MissingColumns {
        /// The input.
        path: String,
        /// Columns named by the feed file, each with the record field it feeds and the nearest existing column.
        missing: Vec<MissingColumn>,
        /// Columns of the input; `None` where its first line may be a record, which nobody should read in a message.
        existing: Option<Vec<String>>,
    },
    /// A feed file or party data with mistakes: all of them.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// The temporary files of a sort.
    #[error("sorting needs temporary files in {path}: {source}; free some space, or name another folder in the variable TMPDIR")]
    Temporary {
        /// Folder.
        path: String,
        /// From the operating system.
        source: io::Error,
    },
}

/// What a file is that is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A ZIP archive, which a workbook of Excel is too.
    Zip,
    /// A workbook of older Excel.
    Workbook,
    /// bzip2, xz, 7z.
    Packed,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "it is a ZIP archive or an Excel workbook (.xlsx); unpack it, or save its sheet as CSV in UTF-8",
            Self::Workbook => "it is an Excel workbook (.xls); save its sheet as CSV in UTF-8",
            Self::Packed => "it is packed by bzip2, xz or 7z; unpack it first (gzip and Zstandard are read as they are)",
        })
    }
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

fn missing_columns(missing: &[MissingColumn], existing: Option<&[String]>) -> String {
    let mut text = String::from("wrong feed?");
    for column in missing {
        text.push_str(&format!(" no column `{}` (for {})", column.name, column.field));
        if let Some(nearest) = &column.nearest {
            text.push_str(&format!(", did you mean `{nearest}`?"));
        }
        text.push(';');
    }
    let Some(existing) = existing else {
        text.push_str(
            " the first line looks like a record, not like a header; name the columns of a file without one under `csv: columns:` in the feed \
             file, and lines before the header by `skip_lines`",
        );
        return text;
    };
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

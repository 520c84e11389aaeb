//! Finding and opening inputs: files, folders, patterns, standard input, bytes in memory.
//!
//! A folder is read recursively in the order of its paths. The format comes from the caller, the feed file or the name; compression is seen
//! from the first bytes, so a renamed file is still read. Bytes are counted as they come from the operating system, before unpacking, which
//! is what a progress bar can compare with the sizes of files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

/// Formats of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Delimited text with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Reads the names used on the command line and in feed files.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The format a file name tells, a suffix of compression left aside.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "csv" | "tsv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// One input of a run.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file.
    File {
        /// As given, or found under a folder or pattern as given.
        path: PathBuf,
        /// Name of the input in serials made of row numbers: the path below the folder given, else the file name.
        label: String,
    },
    /// Standard input.
    Stdin,
    /// Bytes in memory, for rule tests.
    Bytes {
        /// Stands for the path in messages.
        name: String,
        /// The content.
        bytes: Arc<[u8]>,
    },
}

impl Input {
    /// One file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let label = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::File { path, label }
    }

    /// Bytes in memory under a name.
    #[must_use]
    pub fn bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes { name: name.to_owned(), bytes: bytes.into().into() }
    }

    /// The path as shown in messages; `-` for standard input.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
            Self::Bytes { name, .. } => name.clone(),
        }
    }

    /// The input's part of a serial made of row numbers; `None` for standard input, which has no name to stand by.
    pub(crate) fn label(&self) -> Option<&str> {
        match self {
            Self::File { label, .. } => Some(label),
            Self::Stdin => None,
            Self::Bytes { name, .. } => Some(name),
        }
    }

    /// Size in bytes before unpacking, where known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::File { path, .. } => std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len()),
            Self::Stdin => None,
            Self::Bytes { bytes, .. } => u64::try_from(bytes.len()).ok(),
        }
    }
}

/// Arguments of a command line → inputs, in order, each file once.
///
/// `-` is standard input. With a `format` every file of a folder is read, else those whose names tell one; hidden files and those beginning
/// with `_` never.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BadPattern`], [`Error::EmptyFolder`], [`Error::Open`] for a folder that cannot be read.
pub fn expand(arguments: &[String], format: Option<Format>) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    let mut seen = BTreeSet::new();
    for argument in arguments {
        if argument == "-" {
            if seen.insert(PathBuf::from("-")) {
                inputs.push(Input::Stdin);
            }
            continue;
        }
        for (path, label) in files(argument, format)? {
            let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.insert(identity) {
                inputs.push(Input::File { path, label });
            }
        }
    }
    Ok(inputs)
}

fn files(argument: &str, format: Option<Format>) -> Result<Vec<(PathBuf, String)>, Error> {
    let path = PathBuf::from(argument);
    if path.is_dir() {
        return folder(&path, format);
    }
    if path.exists() {
        let label = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(vec![(path, label)]);
    }
    if !argument.contains(['*', '?', '[']) {
        return Err(Error::NotFound { pattern: argument.to_owned() });
    }
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let matches = glob::glob_with(argument, options)
        .map_err(|error| Error::BadPattern { pattern: argument.to_owned(), message: error.msg.to_owned() })?;
    let mut found = Vec::new();
    for entry in matches {
        let path = entry.map_err(|error| Error::Open { path: error.path().display().to_string(), source: error.into() })?;
        if path.is_dir() {
            found.extend(folder(&path, format)?);
        } else {
            let label = path.to_string_lossy().into_owned();
            found.push((path, label));
        }
    }
    if found.is_empty() { Err(Error::NotFound { pattern: argument.to_owned() }) } else { Ok(found) }
}

fn folder(root: &Path, format: Option<Format>) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut found = Vec::new();
    walk(root, &mut found)?;
    found.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format.is_some() || Format::of_name(&name).is_some()
    });
    if found.is_empty() {
        return Err(Error::EmptyFolder { path: root.display().to_string() });
    }
    found.sort();
    let label = |path: &PathBuf| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    Ok(found.into_iter().map(|path| (path.clone(), label(&path))).collect())
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let fail = |source| Error::Open { path: folder.display().to_string(), source };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        let kind = entry.file_type().map_err(fail)?;
        if hidden {
            continue;
        }
        // A link to a folder is not followed: it may lead back here.
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if entry.path().is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Bytes taken from an input so far, shared with whoever shows progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByteCount {
    own: Arc<AtomicU64>,
    all: Arc<AtomicU64>,
}

impl ByteCount {
    /// A count of its own that also adds to `all`.
    pub(crate) fn within(all: &Arc<AtomicU64>) -> Self {
        Self { own: Arc::default(), all: Arc::clone(all) }
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.own.fetch_add(bytes, Ordering::Relaxed);
        self.all.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }
}

struct Counted<R> {
    inner: R,
    count: ByteCount,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Unpacked bytes of an input, ready to be framed.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// What the first bytes of an input say.
pub(crate) enum Opened {
    Text(Bytes),
    /// A Parquet file, to be opened by its own reader.
    Parquet,
}

/// Opens an input and takes off its compression.
pub(crate) fn open(input: &Input, count: &ByteCount) -> Result<Opened, Error> {
    let fail = |source| Error::Open { path: input.name(), source };
    let raw: Bytes = match input {
        Input::File { path, .. } => {
            if path.is_dir() {
                return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
            }
            Box::new(File::open(path).map_err(fail)?)
        }
        Input::Stdin => Box::new(io::stdin()),
        Input::Bytes { bytes, .. } => Box::new(Cursor::new(Arc::clone(bytes))),
    };
    let mut counted = Counted { inner: raw, count: count.clone() };
    let front = read_front(&mut counted).map_err(fail)?;
    let rest = Cursor::new(front.clone()).chain(counted);
    Ok(match front.as_slice() {
        [0x1F, 0x8B, ..] => Opened::Text(Box::new(flate2::read::MultiGzDecoder::new(rest))),
        [0x28, 0xB5, 0x2F, 0xFD] => Opened::Text(Box::new(zstd::stream::read::Decoder::new(rest).map_err(fail)?)),
        b"PAR1" => Opened::Parquet,
        _ => Opened::Text(Box::new(rest)),
    })
}

fn read_front(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut front = Vec::with_capacity(4);
    reader.take(4).read_to_end(&mut front)?;
    Ok(front)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_give_each_file_once_in_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("b")).unwrap();
        for name in ["c.csv", "a.jsonl.gz", "b/x.parquet", "b/_SUCCESS", ".hidden.csv", "notes.txt"] {
            std::fs::write(at(name), "").unwrap();
        }
        let names = |arguments: &[PathBuf], format| -> Vec<String> {
            let arguments: Vec<String> = arguments.iter().map(|path| path.display().to_string()).collect();
            let inputs = expand(&arguments, format).unwrap();
            inputs.iter().filter_map(|input| input.label().map(str::to_owned)).collect()
        };
        assert_eq!(names(&[root.path().to_owned()], None), ["a.jsonl.gz", "b/x.parquet", "c.csv"]);
        assert_eq!(names(&[root.path().to_owned()], Some(Format::Csv)), ["a.jsonl.gz", "b/x.parquet", "c.csv", "notes.txt"]);
        assert_eq!(names(&[at("c.csv"), root.path().to_owned(), at("c.csv")], None), ["c.csv", "a.jsonl.gz", "b/x.parquet"]);
        assert_eq!(names(&[at("*.csv")], None).len(), 1);
        assert!(matches!(expand(&[at("d.csv").display().to_string()], None), Err(Error::NotFound { .. })));
        assert!(matches!(expand(&[at("*.tsv").display().to_string()], None), Err(Error::NotFound { .. })));
        std::fs::create_dir(at("empty")).unwrap();
        assert!(matches!(expand(&[at("empty").display().to_string()], None), Err(Error::EmptyFolder { .. })));
    }

    #[test]
    fn names_tell_formats() {
        for (name, format) in [
            ("a.jsonl", Some(Format::Jsonl)),
            ("a.CSV.GZ", Some(Format::Csv)),
            ("a.b.parquet", Some(Format::Parquet)),
            ("a.zst", None),
            ("csv", None),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
    }
}

//! Finding and opening inputs: files, folders, patterns, standard input, bytes in memory.
//!
//! A folder is read recursively in the order of its paths. Names need not be UTF-8: patterns are matched here, name by name, against what a
//! person would see of it. The format comes from the caller, the feed file or the name; compression is seen
//! from the first bytes, so a renamed file is still read. Bytes are counted as they come from the operating system, before unpacking, which
//! is what a progress bar can compare with the sizes of files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Foreign};

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
    /// The name used in feed files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

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
    pub(crate) fn of_name(name: &str) -> Option<Self> {
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

    /// Whether it can be read only once, and may pause: standard input, a named pipe.
    pub(crate) fn is_stream(&self) -> bool {
        match self {
            Self::File { path, .. } => std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()),
            Self::Stdin => true,
            Self::Bytes { .. } => false,
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
pub fn expand(arguments: &[impl AsRef<Path>], format: Option<Format>) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    let mut seen = BTreeSet::new();
    for argument in arguments {
        let argument = argument.as_ref();
        if argument == Path::new("-") {
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

fn files(path: &Path, format: Option<Format>) -> Result<Vec<(PathBuf, String)>, Error> {
    if path.is_dir() {
        return folder(path, format);
    }
    if path.exists() {
        let label = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(vec![(path.to_owned(), label)]);
    }
    let mut found = Vec::new();
    if is_pattern(&path.to_string_lossy()) {
        for path in matches(path)? {
            if path.is_dir() {
                found.extend(folder(&path, format)?);
            } else {
                let label = path.to_string_lossy().into_owned();
                found.push((path, label));
            }
        }
    }
    if found.is_empty() { Err(Error::NotFound { pattern: path.display().to_string() }) } else { Ok(found) }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that fit a pattern, in their order. `**` stands for any folders in between; hidden names are matched only by a literal dot.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>, Error> {
    const OPTIONS: glob::MatchOptions =
        glob::MatchOptions { case_sensitive: true, require_literal_separator: false, require_literal_leading_dot: true };
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let text = component.as_os_str().to_string_lossy();
        if !matches!(component, Component::Normal(_)) || !is_pattern(&text) {
            found = found.into_iter().map(|path| path.join(component)).filter(|path| path.symlink_metadata().is_ok()).collect();
            continue;
        }
        let part = glob::Pattern::new(&text)
            .map_err(|error| Error::BadPattern { pattern: pattern.display().to_string(), message: error.msg.to_owned() })?;
        let mut next = Vec::new();
        for folder in &found {
            if text == "**" {
                folders_below(folder, &mut next)?;
                continue;
            }
            let entries = entries(folder)?;
            next.extend(
                entries.into_iter().filter(|name| part.matches_with(&name.to_string_lossy(), OPTIONS)).map(|name| folder.join(name)),
            );
        }
        found = next;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Names in a folder; none in what is no folder.
fn entries(folder: &Path) -> Result<Vec<std::ffi::OsString>, Error> {
    let shown = if folder == Path::new("") { Path::new(".") } else { folder };
    if !shown.is_dir() {
        return Ok(Vec::new());
    }
    let names = std::fs::read_dir(shown).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    names.map_err(|source| Error::Open { path: shown.display().to_string(), source })
}

/// A folder and all those below it, hidden ones and links left out.
fn folders_below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    found.push(folder.to_owned());
    for name in entries(folder)? {
        let path = folder.join(&name);
        let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        if is_folder && !name.to_string_lossy().starts_with('.') {
            folders_below(&path, found)?;
        }
    }
    Ok(())
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
    /// Whether the last read of a stream brought less than there was room for: the next one may wait.
    paused: Arc<AtomicBool>,
}

impl ByteCount {
    /// A count of its own that also adds to `all`.
    pub(crate) fn within(all: &Arc<AtomicU64>) -> Self {
        Self { all: Arc::clone(all), ..Self::default() }
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.own.fetch_add(bytes, Ordering::Relaxed);
        self.all.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }

    /// Whether the next read may wait for whoever writes into the stream. Never for a file.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }
}

struct Counted<R> {
    inner: R,
    count: ByteCount,
    is_stream: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.add(u64::try_from(read).unwrap_or(u64::MAX));
        if self.is_stream {
            self.count.paused.store(read > 0 && read < buffer.len(), Ordering::Relaxed);
        }
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
    let mut counted = Counted { inner: raw, count: count.clone(), is_stream: input.is_stream() };
    let front = read_front(&mut counted).map_err(fail)?;
    let rest = Cursor::new(front.clone()).chain(counted);
    let foreign = |what| Err(Error::Foreign { path: input.name(), what });
    Ok(match front.as_slice() {
        [0x1F, 0x8B, ..] => Opened::Text(Box::new(Gunzip::new(rest))),
        // The second form is a frame to be skipped, which parallel compressors write first.
        [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => {
            Opened::Text(Box::new(zstd::stream::read::Decoder::new(rest).map_err(fail)?))
        }
        b"PAR1" => Opened::Parquet,
        b"PK\x03\x04" => return foreign(Foreign::Zip),
        [0xD0, 0xCF, 0x11, 0xE0] => return foreign(Foreign::Workbook),
        b"7z\xBC\xAF" | [0xFD, b'7', b'z', b'X'] | [b'B', b'Z', b'h', b'1'..=b'9'] => return foreign(Foreign::Packed),
        _ => Opened::Text(Box::new(rest)),
    })
}

/// gzip, member after member. Zeros behind the last one are the padding of tapes and block devices, which gzip passes over as well; anything
/// else there is an error, after everything before it has been delivered.
struct Gunzip<R: Read> {
    member: Option<flate2::bufread::GzDecoder<BufReader<R>>>,
}

impl<R: Read> Gunzip<R> {
    fn new(packed: R) -> Self {
        Self { member: Some(flate2::bufread::GzDecoder::new(BufReader::with_capacity(64 << 10, packed))) }
    }

    /// The next member, if one follows.
    fn following(mut packed: BufReader<R>) -> io::Result<Option<flate2::bufread::GzDecoder<BufReader<R>>>> {
        let mut is_padded = false;
        loop {
            let rest = packed.fill_buf()?;
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            match rest.get(zeros) {
                None if rest.is_empty() => return Ok(None),
                None => {}
                Some(0x1F) if !is_padded && zeros == 0 => return Ok(Some(flate2::bufread::GzDecoder::new(packed))),
                Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "what follows the compressed data is no gzip")),
            }
            is_padded = true;
            packed.consume(zeros);
        }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.member = match self.member.take() {
                Some(member) => Self::following(member.into_inner())?,
                None => None,
            };
        }
        Ok(0)
    }
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
        assert_eq!(names(&[at("**/*.p?rquet"), at("[ab]")], None).len(), 1);
        assert!(matches!(expand(&[at("a**.csv")], None), Err(Error::BadPattern { .. })));
        std::fs::create_dir(at("empty")).unwrap();
        assert!(matches!(expand(&[at("empty").display().to_string()], None), Err(Error::EmptyFolder { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_utf_8_are_found() {
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(std::ffi::OsStr::from_bytes(b"\xC1\xF7\xCB\xAE.csv"));
        std::fs::write(&path, "").unwrap();
        for argument in [path.clone(), root.path().to_owned(), root.path().join("*.csv"), root.path().join("**/?*.csv")] {
            let inputs = expand(std::slice::from_ref(&argument), None).unwrap();
            assert!(matches!(inputs.as_slice(), [Input::File { path: found, .. }] if *found == path), "{}", argument.display());
        }
        let missing = root.path().join(std::ffi::OsStr::from_bytes(b"\xFF.c*"));
        assert!(matches!(expand(&[missing], None), Err(Error::NotFound { .. })));
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

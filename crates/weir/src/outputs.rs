//! Output files that exist complete or not at all.
//!
//! A regular file is written beside its final name and renamed when everything of the run is on disk ([`publish`]); dropping an [`Output`]
//! removes what was begun. Devices, pipes and standard output cannot be renamed over and are written directly. A reader that leaves standard
//! output (`| head`) ends that output quietly. Errors name the file, never its contents.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};

/// Bytes gathered before a write.
const BUFFER_BYTES: usize = 256 * 1024;

/// One output.
#[derive(Debug)]
pub(crate) struct Output {
    name: String,
    lang: Lang,
    sink: Sink,
    line: Vec<u8>,
    /// Whether standard output's reader has gone: nothing more is written.
    closed: bool,
}

#[derive(Debug)]
enum Sink {
    Stdout(BufWriter<io::Stdout>),
    /// A device or pipe.
    Direct(BufWriter<File>),
    /// Written beside `path`.
    Beside {
        writer: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
}

impl Output {
    /// Opens `-` as standard output, anything else as a file. A folder that is missing or closed to us is found here, before any work.
    pub(crate) fn open(path: &Path, lang: Lang) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::stdout(lang));
        }
        let name = path.display().to_string();
        let sink = match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                return Err(Failure::usage(say!(lang, "输出 {name} 是目录", "the output {name} is a folder")));
            }
            Ok(meta) if !meta.is_file() => fs::OpenOptions::new().write(true).open(path).map(|file| Sink::Direct(buffered(file))),
            _ => beside(path),
        };
        let sink = sink.map_err(|error| {
            Failure::usage(say!(
                lang,
                "无法写入 {name}：{error}；请检查目录是否存在、是否有写权限",
                "cannot write {name}: {error}; check that the folder exists and may be written to"
            ))
        })?;
        Ok(Self { name, lang, sink, line: Vec::new(), closed: false })
    }

    /// Standard output.
    pub(crate) fn stdout(lang: Lang) -> Self {
        let sink = Sink::Stdout(BufWriter::with_capacity(BUFFER_BYTES, io::stdout()));
        Self { name: say!(lang, "标准输出", "standard output"), lang, sink, line: Vec::new(), closed: false }
    }

    /// Whether the reader of standard output has gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, value);
        self.line.push(b'\n');
        let line = std::mem::take(&mut self.line);
        let done = written.map_err(io::Error::other).and_then(|()| self.put(&line));
        self.line = line;
        done.map_err(|error| self.failure(&error))
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.put(bytes).map_err(|error| self.failure(&error))
    }

    /// Hands what is buffered to the system: a reader of revisions sees them as they come.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let done = self.writer().flush();
        self.quietly(done).map_err(|error| self.failure(&error))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let done = self.writer().write_all(bytes);
        self.quietly(done)
    }

    /// A reader of standard output who has enough is no error.
    fn quietly(&mut self, done: io::Result<()>) -> io::Result<()> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && matches!(self.sink, Sink::Stdout(_)) => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.sink {
            Sink::Stdout(writer) => writer,
            Sink::Direct(writer) => writer,
            Sink::Beside { writer, .. } => writer,
        }
    }

    /// Flushes and makes the bytes durable.
    fn settle(&mut self) -> Result<(), Failure> {
        self.flush()?;
        let synced = match &self.sink {
            Sink::Beside { writer, .. } => writer.get_ref().as_file().sync_all(),
            Sink::Stdout(_) | Sink::Direct(_) => Ok(()),
        };
        synced.map_err(|error| self.failure(&error))
    }

    /// The failure that an error while writing this output is.
    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        write_failure(&self.name, error, self.lang)
    }
}

/// Why `name` could not be written, and what to do.
pub(crate) fn write_failure(name: &str, error: &io::Error, lang: Lang) -> Failure {
    let text = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => say!(
            lang,
            "写入 {name} 时磁盘已满；没有留下不完整的文件，请腾出空间或换一个目录后重试",
            "the disk is full while writing {name}; no partial file is left, free some space or name another folder"
        ),
        _ => say!(lang, "写入 {name} 失败：{error}", "writing {name} failed: {error}"),
    };
    Failure { exit: Exit::Usage, text }
}

fn buffered<W: Write>(inner: W) -> BufWriter<W> {
    BufWriter::with_capacity(BUFFER_BYTES, inner)
}

/// A temporary file in the folder of `path`. Its rights are those any new file gets, since it becomes one.
fn beside(path: &Path) -> io::Result<Sink> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".weir-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    let file = builder.tempfile_in(folder)?;
    Ok(Sink::Beside { writer: buffered(file), path: path.to_owned() })
}

/// Gives every output its final name: first all bytes are made durable, then all are renamed, so that a full disk leaves none.
pub(crate) fn publish(mut outputs: Vec<Output>) -> Result<(), Failure> {
    for output in &mut outputs {
        output.settle()?;
    }
    for output in outputs {
        let Sink::Beside { writer, path } = output.sink else { continue };
        let renamed = writer.into_inner().map_err(io::IntoInnerError::into_error).and_then(|temp| {
            temp.persist(&path)?;
            sync_folder(&path)
        });
        renamed.map_err(|error| write_failure(&output.name, &error, output.lang))?;
    }
    Ok(())
}

/// A rename is durable once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(if parent == Path::new("") { Path::new(".") } else { parent })?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name().display().to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_only_when_published() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("alerts.jsonl");
        let mut output = Output::open(&path, Lang::En).expect("opens");
        output.json(&7).expect("writes");
        assert!(!path.exists());
        publish(vec![output]).expect("publishes");
        assert_eq!(fs::read_to_string(&path).expect("is there"), "7\n");
        let abandoned = Output::open(&folder.path().join("other"), Lang::En).expect("opens");
        drop(abandoned);
        assert_eq!(names(folder.path()), ["alerts.jsonl"]);
    }

    #[test]
    fn one_full_disk_publishes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut good = Output::open(&folder.path().join("good"), Lang::En).expect("opens");
        good.json(&1).expect("writes");
        let mut full = Output::open(Path::new("/dev/full"), Lang::En).expect("opens");
        full.json(&1).expect("is buffered");
        let failure = publish(vec![good, full]).expect_err("is full");
        assert!(failure.text.contains("the disk is full while writing /dev/full"), "{}", failure.text);
        assert!(names(folder.path()).is_empty());
    }
}

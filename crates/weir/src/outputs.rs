//! Output files that exist complete or not at all.
//!
//! A regular file is written beside its final name and renamed when everything of the run is on disk ([`publish`]); dropping an [`Output`]
//! removes what was begun. A link stays a link: what it leads to is replaced. A file that is replaced leaves its owner and its rights to its
//! successor; a new one gets what the umask leaves, as any file does. Devices, pipes and open descriptors (`/dev/stdout`, `/proc/self/fd/3`)
//! cannot be renamed over and are written directly, even where a shell has led them into a regular file. A reader that leaves standard output
//! (`| head`) ends that output quietly. Errors name the file, never its contents. Whether an output would replace what the same run reads is
//! asked here, once for all verbs ([`refuse_overwriting`]). Folders that a run makes for its outputs go again where nothing came of it ([`Folders`]).

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};

/// Bytes gathered before a write.
const BUFFER_BYTES: usize = 256 * 1024;
/// Links followed before they are taken for a circle, as the system does.
const LINKS_MAX: usize = 40;

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
        if is_folder(path) {
            return Err(folder_failure(&name, lang));
        }
        let sink = Destination::of(path).and_then(|destination| destination.open()).map_err(|error| {
            let error = plain(&error);
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

/// For what writes by itself; [`Output::failure`] makes its errors those of a run.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.writer().flush();
        self.quietly(done)
    }
}

/// Folders that were not there before the run. Those of them that are empty when it ends go again: where nothing was written, nothing is left.
#[derive(Debug)]
pub(crate) struct Folders(
    /// The deepest first.
    Vec<PathBuf>,
);

impl Folders {
    /// Makes a folder, and those above it that are missing.
    pub(crate) fn make(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let is_missing = |folder: &&Path| *folder != Path::new("") && !folder.exists();
        let made = Self(path.ancestors().take_while(is_missing).map(Path::to_owned).collect());
        fs::create_dir_all(path).map_err(|error| {
            let (name, error) = (path.display(), plain(&error));
            Failure::usage(say!(
                lang,
                "无法建立目录 {name}：{error}；请检查上级是否为目录、是否有写权限，或换一个目录",
                "cannot make the folder {name}: {error}; check that what is above it is a folder that may be written to, or name another"
            ))
        })?;
        Ok(made)
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // One that holds something stays, and so do those above it.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Where the bytes of an output go.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    /// Standard output under another name.
    Stdout,
    /// What exists and is no file that could be replaced.
    Direct(PathBuf),
    /// A file, links followed: there or not.
    File(PathBuf),
}

impl Destination {
    fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            let folder = folder_of(&path).canonicalize()?;
            let whole = folder.join(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
            if is_of_the_system(&whole) {
                return Ok(if is_stdout(&whole) { Self::Stdout } else { Self::Direct(whole) });
            }
            match whole.symlink_metadata() {
                Ok(meta) if meta.is_symlink() => path = folder.join(fs::read_link(&whole)?),
                Ok(meta) if !meta.is_file() => return Ok(Self::Direct(whole)),
                _ => return Ok(Self::File(whole)),
            }
        }
        Err(io::Error::other("too many links"))
    }

    fn open(self) -> io::Result<Sink> {
        match self {
            Self::Stdout => Ok(Sink::Stdout(BufWriter::with_capacity(BUFFER_BYTES, io::stdout()))),
            // Behind what stands there already: the shell's `>>` would have it so, and a descriptor opened anew begins at its front.
            Self::Direct(path) => fs::OpenOptions::new().append(true).open(path).map(|file| Sink::Direct(buffered(file))),
            Self::File(path) => beside(path),
        }
    }
}

/// Devices and descriptors; the memory of `/dev/shm` holds files like any others.
fn is_of_the_system(path: &Path) -> bool {
    (path.starts_with("/dev") && !path.starts_with("/dev/shm")) || path.starts_with("/proc")
}

fn is_stdout(path: &Path) -> bool {
    let descriptors = Path::new("/proc/self/fd").canonicalize();
    path == Path::new("/dev/stdout") || descriptors.is_ok_and(|folder| path == folder.join("1"))
}

/// A folder, or a name that can be nothing else.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

/// An output that names a folder.
pub(crate) fn folder_failure(name: &str, lang: Lang) -> Failure {
    Failure::usage(say!(lang, "输出 {name} 是目录，应为文件", "the output {name} is a folder; name a file"))
}

/// Fails where one of the outputs, each with its option, would replace `read`, which `read_by` reads. Folders and globs are to be expanded
/// before: under their own names they are no file that could be lost.
pub(crate) fn refuse_overwriting(outputs: &[(&str, &Path)], read_by: &str, read: &Path, lang: Lang) -> Result<(), Failure> {
    if read == Path::new("-") {
        return Ok(());
    }
    let Some((option, _)) = outputs.iter().find(|(_, output)| same_file(output, read)) else { return Ok(()) };
    let name = read.display();
    Err(Failure::usage(say!(lang, "{option} 会覆盖 {read_by} 的文件 {name}", "{option} would overwrite {name}, which {read_by} reads")))
}

/// Whether two paths lead to one file: by name, or, where both exist, after links are followed. Devices and descriptors are not files one could
/// spoil, so that two outputs may both be thrown away; what is one is asked of the folder that a path leads to, for `/proc/self/cwd` and
/// `/dev/..` lead to files.
pub(crate) fn same_file(a: &Path, b: &Path) -> bool {
    let is_no_file = |path: &Path| match (folder_of(path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => is_of_the_system(&folder.join(name)),
        _ => false,
    };
    if is_no_file(a) && is_no_file(b) {
        return false;
    }
    if a == b {
        return true;
    }
    let resolved = |path: &Path| {
        path.canonicalize().or_else(|_| Ok::<_, io::Error>(folder_of(path).canonicalize()?.join(path.file_name().unwrap_or_default())))
    };
    match (resolved(a), resolved(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The folder that the bytes of an output end in, for what has to wait on the same disk; the system's for temporary files where it ends in
/// none.
pub(crate) fn disk_of(path: &Path) -> PathBuf {
    match Destination::of(path) {
        Ok(Destination::File(file)) => folder_of(&file).to_owned(),
        _ => std::env::temp_dir(),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The error as the system words it, without the name of a temporary file that nobody has heard of.
fn plain(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None if error.get_ref().is_some() && error.kind() != io::ErrorKind::Other => io::Error::from(error.kind()),
        None => io::Error::other(error.to_string()),
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
        io::ErrorKind::FileTooLarge => say!(
            lang,
            "写入 {name} 时达到了文件大小上限；没有留下不完整的文件，请放宽上限（ulimit -f）或换一个文件系统后重试",
            "{name} has reached the largest size that a file may have; no partial file is left, raise the bound (ulimit -f) or name another \
             file system"
        ),
        _ => {
            let error = plain(error);
            say!(
                lang,
                "写入 {name} 失败：{error}；请检查该处是否存在、可写，再运行一次",
                "writing {name} failed: {error}; check that the place is there and may be written to, and run again"
            )
        }
    };
    Failure { exit: Exit::Usage, text }
}

fn buffered<W: Write>(inner: W) -> BufWriter<W> {
    BufWriter::with_capacity(BUFFER_BYTES, inner)
}

/// A temporary file in the folder of `path`. Its rights are those of the file it will replace; else those any new file gets, since it becomes
/// one.
fn beside(path: PathBuf) -> io::Result<Sink> {
    let replaced = path.metadata().ok();
    let rights = replaced.as_ref().map_or(0o666, |replaced| replaced.mode() & 0o777);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".weir-").suffix(".part").permissions(Permissions::from_mode(rights));
    let file = builder.tempfile_in(folder_of(&path))?;
    if let Some(replaced) = replaced {
        succeed(file.as_file(), &replaced)?;
    }
    Ok(Sink::Beside { writer: buffered(file), path })
}

/// Gives a file the owner and the rights of the one it replaces.
fn succeed(file: &File, replaced: &Metadata) -> io::Result<()> {
    // Only a superuser may give files away; others replace what is theirs, or what a common folder lets them replace.
    let _ = std::os::unix::fs::fchown(file, Some(replaced.uid()), Some(replaced.gid()));
    file.set_permissions(Permissions::from_mode(replaced.mode() & 0o7777))
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
        Some(_) => File::open(folder_of(path))?.sync_all(),
        None => Ok(()),
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
    fn a_link_stays_a_link_and_rights_stay_as_they_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("real")).expect("a folder");
        fs::write(at("real/file"), "old").expect("writes");
        fs::set_permissions(at("real/file"), Permissions::from_mode(0o600)).expect("sets");
        std::os::unix::fs::symlink("real/file", at("link")).expect("links");
        std::os::unix::fs::symlink("link", at("second")).expect("links");
        std::os::unix::fs::symlink("real/new", at("dangling")).expect("links");
        for (name, target) in [("second", "real/file"), ("dangling", "real/new")] {
            let mut output = Output::open(&at(name), Lang::En).expect("opens");
            output.json(&7).expect("writes");
            publish(vec![output]).expect("publishes");
            assert!(at(name).symlink_metadata().expect("is there").is_symlink(), "{name}");
            assert_eq!(fs::read_to_string(at(target)).expect("is there"), "7\n");
        }
        assert_eq!(at("real/file").metadata().expect("is there").mode() & 0o777, 0o600);
        std::os::unix::fs::symlink("circle", at("circle")).expect("links");
        assert!(Output::open(&at("circle"), Lang::En).is_err());
    }

    #[test]
    fn a_descriptor_is_written_through_and_not_replaced() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("behind");
        fs::write(&path, "before\n").expect("writes");
        let file = fs::OpenOptions::new().write(true).open(&path).expect("opens");
        let inode = file.metadata().expect("has").ino();
        std::os::unix::fs::symlink(format!("/dev/fd/{}", file.as_raw_fd()), folder.path().join("link")).expect("links");
        for name in [format!("/proc/self/fd/{}", file.as_raw_fd()), folder.path().join("link").display().to_string()] {
            let mut output = Output::open(Path::new(&name), Lang::En).expect("opens");
            output.json(&7).expect("writes");
            publish(vec![output]).expect("publishes");
        }
        assert_eq!(fs::read_to_string(&path).expect("is there"), "before\n7\n7\n");
        assert_eq!(path.metadata().expect("has").ino(), inode);
        assert_eq!(names(folder.path()), ["behind", "link"]);
        assert_eq!(Destination::of(Path::new("/dev/stdout")).expect("is there"), Destination::Stdout);
        assert_eq!(Destination::of(Path::new("/proc/self/fd/1")).expect("is there"), Destination::Stdout);
    }

    #[test]
    fn only_devices_and_descriptors_may_be_named_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("in.jsonl");
        let from_root = |front: &str| PathBuf::from(format!("{front}{}", file.display()));
        // There or not.
        for _ in 0..2 {
            for spelling in [file.clone(), from_root("/dev/.."), from_root("/proc/self/root")] {
                let named = [(&spelling, &spelling), (&spelling, &file), (&file, &spelling)];
                assert!(named.into_iter().all(|(a, b)| same_file(a, b)), "{}", spelling.display());
            }
            fs::write(&file, "").expect("writes");
        }
        let memory = Path::new("/dev/shm/weir-nobody-has-written-this.jsonl");
        assert!(same_file(memory, memory));
        assert!(!same_file(memory, Path::new("/dev/shm/weir-nor-this.jsonl")));
        for name in ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert!(!same_file(Path::new(name), Path::new(name)), "{name}");
        }
        assert!(!same_file(&file, Path::new("/dev/null")));
    }

    #[test]
    fn messages_do_not_name_temporary_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let failure = Output::open(&folder.path().join("no/file"), Lang::En).expect_err("is not there");
        assert!(failure.text.contains("no/file") && !failure.text.contains(".part"), "{}", failure.text);
        let wrapped =
            tempfile::Builder::new().prefix(".weir-").suffix(".part").tempfile_in(folder.path().join("no")).expect_err("is not there");
        assert!(wrapped.to_string().contains("no"), "{wrapped}");
        let text = write_failure("alerts", &wrapped, Lang::En).text;
        assert!(text.contains("alerts") && !text.contains(".weir"), "{text}");
        let failure = Output::open(&folder.path().join("a/"), Lang::En).expect_err("names a folder");
        assert!(failure.text.contains("is a folder"), "{}", failure.text);
    }

    #[test]
    fn folders_in_which_nothing_was_written_go_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (town, labels) = (folder.path().join("town"), folder.path().join("town/labels"));
        drop(Folders::make(&labels, Lang::En).expect("makes"));
        assert!(names(folder.path()).is_empty());
        // One that holds something stays, and so does one that was there.
        let made = Folders::make(&labels, Lang::En).expect("makes");
        fs::write(town.join("bank.json"), "").expect("writes");
        drop(made);
        assert_eq!(names(&town), ["bank.json"]);
        drop(Folders::make(&town, Lang::En).expect("is there"));
        assert!(town.exists());
        let failure = Folders::make(&town.join("bank.json/labels"), Lang::En).expect_err("is a file");
        assert!(failure.text.contains("bank.json/labels") && failure.text.contains("or name another"), "{}", failure.text);
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

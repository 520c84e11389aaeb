//! Where snapshots lie: a folder, or anything else that holds named bytes.
//!
//! A snapshot is written once under a name that says its content, and never changed. It counts only once its name stands in a committed
//! mark, so nothing here needs to be atomic towards readers; but what is named must be whole and on the disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// A store of immutable named bytes. Names have `/` between their parts.
pub trait Store: Send + Sync {
    /// Writes; when it returns, the bytes survive a power cut.
    ///
    /// # Errors
    /// Those of the medium.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Reads.
    ///
    /// # Errors
    /// Those of the medium; `NotFound` where nothing has that name.
    fn get(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Names directly below a folder, without it; none where there is no such folder.
    ///
    /// # Errors
    /// Those of the medium.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Deletes; what is not there is deleted already.
    ///
    /// # Errors
    /// Those of the medium.
    fn delete(&self, name: &str) -> io::Result<()>;
}

/// A local folder.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

/// What is still being written, or was when somebody pulled the plug.
const PARTIAL: &str = ".partial";

impl Store for Folder {
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.0.join(name);
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        let partial = path.with_extension(format!("{}{PARTIAL}", std::process::id()));
        let written = File::create(&partial).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            File::open(folder)?.sync_all()
        });
        if written.is_err() {
            // The error that matters is told; a half file that cannot be removed hurts nobody but the disk.
            let _ = fs::remove_file(&partial);
        }
        written
    }

    fn get(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.0.join(name))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.0.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
        names.retain(|name| !name.ends_with(PARTIAL));
        names.sort();
        Ok(names)
    }

    fn delete(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

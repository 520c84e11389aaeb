//! A folder of this machine as a store.
//!
//! A file is written to the disk under another name first and gets its own in one step, so that a name is never on half a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Store;

/// A local folder.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

/// What is still being written, or was when somebody pulled the plug.
const PARTIAL: &str = ".partial";

impl Folder {
    /// Writes to the disk under another name, and lets `publish` give it its own.
    fn write(&self, name: &str, bytes: &[u8], publish: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        let path = self.0.join(name);
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists()).collect();
        fs::create_dir_all(folder)?;
        for above in missing.into_iter().filter_map(Path::parent) {
            // The name of a folder that was not there lies in the one above it.
            File::open(if above.as_os_str().is_empty() { Path::new(".") } else { above })?.sync_all()?;
        }
        let own = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        // Who may read it is for the process's umask to say.
        let rights = fs::Permissions::from_mode(0o666);
        let mut partial = tempfile::Builder::new().prefix(own).suffix(PARTIAL).permissions(rights).tempfile_in(folder)?;
        partial.write_all(bytes)?;
        partial.as_file().sync_all()?;
        publish(partial.path(), &path)?;
        File::open(folder)?.sync_all()
        // Dropping `partial` removes its name, whatever happened; what a power cut leaves, `sweep` removes.
    }
}

impl Store for Folder {
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(name, bytes, |partial, path| fs::rename(partial, path))
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        match self.write(name, bytes, |partial, path| fs::hard_link(partial, path)) {
            // An attempt of ours before may have come so far.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(self.get(name)? == bytes),
            done => done.map(|()| true),
        }
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

    fn written(&self, name: &str) -> io::Result<SystemTime> {
        fs::metadata(self.0.join(name))?.modified()
    }

    fn sweep(&self, folder: &str, prefix: &str) -> io::Result<()> {
        let entries = match fs::read_dir(self.0.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(prefix) && name.ends_with(PARTIAL) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn delete(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

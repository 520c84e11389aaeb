//! Where snapshots and the archive lie: a folder, or a bucket of an object store.
//!
//! Nothing is changed once it has its name, and what has a name is whole and on the disk. A snapshot counts only once its name stands in a
//! committed mark; a file of the archive counts at once, which is why of two writers of one name one must lose ([`Store::put_new`]).

mod folder;
mod objects;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

pub use self::folder::Folder;
pub use self::objects::Bucket;

/// A store of immutable named bytes. Names have `/` between their parts.
pub trait Store: Send + Sync {
    /// Writes; when it returns, the bytes survive a power cut.
    ///
    /// # Errors
    /// Those of the medium.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes where nothing has that name yet, or the same bytes; `false` where something else has, which stays as it is. Of two writers of different bytes at
    /// once one is told `false`.
    ///
    /// # Errors
    /// Those of the medium.
    fn put_new(&self, name: &str, bytes: &[u8]) -> io::Result<bool>;

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

    /// When what has this name was written, by the medium's clock: for people alone, nothing is decided by it.
    ///
    /// # Errors
    /// Those of the medium; `NotFound` where nothing has that name, `Unsupported` where it is not known.
    fn written(&self, _name: &str) -> io::Result<SystemTime> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Removes what writers that died left half-written in a folder under names that begin with `prefix`. Whoever still writes there fails.
    ///
    /// # Errors
    /// Those of the medium.
    fn sweep(&self, _folder: &str, _prefix: &str) -> io::Result<()> {
        Ok(())
    }

    /// Deletes; what is not there is deleted already.
    ///
    /// # Errors
    /// Those of the medium.
    fn delete(&self, name: &str) -> io::Result<()>;
}

/// Where a store is.
#[derive(Debug, Clone)]
pub enum Location {
    /// On a disk.
    Folder(PathBuf),
    /// In an object store.
    Bucket(Bucket),
}

impl Location {
    /// The store there. A folder is made when something is first written; a bucket must be there.
    ///
    /// # Errors
    /// Where the settings of the bucket make no sense. Nothing is asked of it yet.
    pub fn open(&self) -> io::Result<Arc<dyn Store>> {
        match self {
            Self::Folder(path) => Ok(Arc::new(Folder(path.clone()))),
            Self::Bucket(bucket) => Ok(Arc::new(bucket.open()?)),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Bucket(bucket) => f.write_str(&bucket.url),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::objects::Objects;
    use super::*;

    /// What both kinds must do alike.
    fn check(store: &dyn Store) {
        assert_eq!(store.list("").expect("nothing yet"), Vec::<String>::new());
        assert_eq!(store.get("a/1").expect_err("not there").kind(), io::ErrorKind::NotFound);
        store.put("a/1", b"one").expect("written");
        store.put("a/1", b"one again").expect("written over");
        assert!(store.put_new("a/2", b"two").expect("written"));
        assert!(!store.put_new("a/2", b"other").expect("refused"));
        assert!(store.put_new("a/2", b"two").expect("its own, from an attempt that was not known to have succeeded"));
        store.put("b/c/3", b"").expect("written");
        assert_eq!(store.get("a/1").expect("there"), b"one again");
        assert_eq!(store.get("a/2").expect("there"), b"two");
        assert_eq!(store.get("b/c/3").expect("there"), b"");
        let age = SystemTime::now().duration_since(store.written("a/1").expect("it is known"));
        assert!(age.is_ok_and(|age| age < Duration::from_secs(60)));
        assert_eq!(store.written("a/3").expect_err("not there").kind(), io::ErrorKind::NotFound);
        assert_eq!(store.list("").expect("folders"), ["a", "b"]);
        assert_eq!(store.list("a").expect("names"), ["1", "2"]);
        assert_eq!(store.list("b").expect("a folder"), ["c"]);
        assert_eq!(store.list("nowhere").expect("none"), Vec::<String>::new());
        store.sweep("a", "").expect("nothing half-written");
        store.delete("a/1").expect("deleted");
        store.delete("a/1").expect("deleted already");
        assert_eq!(store.list("a").expect("names"), ["2"]);
    }

    #[test]
    fn a_folder_is_a_store() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        check(&Folder(folder.path().join("made when needed")));
    }

    #[test]
    fn a_bucket_is_a_store() {
        check(&Objects::in_memory("").expect("a store"));
        check(&Objects::in_memory("some/where").expect("a store"));
    }

    #[test]
    fn what_a_bucket_cannot_be_told_is_named() {
        let open = |url: &str, properties: &[(&str, &str)]| {
            let properties = properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Bucket { url: url.to_owned(), properties }.open().map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(open("s3://bucket/folder", &[("endpoint", "http://127.0.0.1:1"), ("allow_http", "true")]), Ok(()));
        let unknown = open("s3://bucket", &[("endpiont", "x")]).expect_err("no such property");
        assert!(unknown.contains("endpiont"), "{unknown}");
        let nameless = open("s3://", &[]).expect_err("no bucket");
        assert!(nameless.contains("s3://bucket/folder"), "{nameless}");
    }
}

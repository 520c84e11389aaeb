//! A bucket of S3, or of what speaks like it, as a store.
//!
//! Workers are threads, the client is asynchronous: a runtime of the store's own stands between. An object appears whole or not at all, so
//! nothing is left half-written and there is nothing to sweep. An object is written in one piece, which S3 takes up to 5 GB of.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::Store;

/// Requests that fail are made again for so long; then it is for the caller to come back.
const RETRY: Duration = Duration::from_secs(20);
const RETRIES_MAX: usize = 6;

/// A bucket, a folder in it, and how to reach it.
#[derive(Clone)]
pub struct Bucket {
    /// `s3://bucket/folder`.
    pub url: String,
    /// Properties of the client by the names of `object_store` (`endpoint`, `region`, `access_key_id`, …), secrets among them.
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for Bucket {
    /// Without values: secrets are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.properties.keys().collect();
        f.debug_struct("Bucket").field("url", &self.url).field("properties", &names).finish()
    }
}

impl Bucket {
    /// How the URL of a bucket begins.
    pub const SCHEME: &'static str = "s3://";

    pub(super) fn open(&self) -> io::Result<Objects> {
        let path = self.url.strip_prefix(Self::SCHEME).unwrap_or_default();
        let (bucket, folder) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Err(invalid(format!("`{}` names no bucket; write s3://bucket/folder", self.url)));
        }
        let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(retry);
        for (name, value) in &self.properties {
            let key: AmazonS3ConfigKey =
                name.parse().map_err(|_| invalid(format!("`{name}` is no property of an object store (endpoint, region, …)")))?;
            builder = builder.with_config(key, value);
        }
        Objects::new(Arc::new(builder.build().map_err(|error| invalid(error.to_string()))?), folder)
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// A folder of an object store.
pub(super) struct Objects {
    client: Arc<dyn ObjectStore>,
    folder: Path,
    runtime: Runtime,
}

impl Objects {
    fn new(client: Arc<dyn ObjectStore>, folder: &str) -> io::Result<Self> {
        let folder = Path::parse(folder.trim_end_matches('/')).map_err(|error| invalid(error.to_string()))?;
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("object store").enable_all().build()?;
        Ok(Self { client, folder, runtime })
    }

    #[cfg(test)]
    pub(super) fn in_memory(folder: &str) -> io::Result<Self> {
        Self::new(Arc::new(object_store::memory::InMemory::new()), folder)
    }

    fn at(&self, name: &str) -> Path {
        name.split('/').filter(|part| !part.is_empty()).fold(self.folder.clone(), |path, part| path.join(part))
    }
}

fn failed(error: Error) -> io::Error {
    match error {
        Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
        Error::AlreadyExists { .. } => io::Error::new(io::ErrorKind::AlreadyExists, error),
        error => io::Error::other(error),
    }
}

impl Store for Objects {
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime.block_on(self.client.put(&self.at(name), payload)).map(drop).map_err(failed)
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let payload = PutPayload::from(bytes.to_vec());
        match self.runtime.block_on(self.client.put_opts(&self.at(name), payload, PutMode::Create.into())).map_err(failed) {
            // An answer that is lost makes the client ask again, and find its own object there.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(self.get(name)? == bytes),
            done => done.map(|_| true),
        }
    }

    fn get(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.at(name);
        let got = self.runtime.block_on(async { self.client.get(&path).await?.bytes().await });
        got.map(Vec::from).map_err(failed)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let found = self.runtime.block_on(self.client.list_with_delimiter(Some(&self.at(folder)))).map_err(failed)?;
        let folders = found.common_prefixes.iter().filter_map(Path::filename);
        let objects = found.objects.iter().filter_map(|object| object.location.filename());
        let mut names: Vec<String> = folders.chain(objects).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    fn written(&self, name: &str) -> io::Result<SystemTime> {
        let found = self.runtime.block_on(self.client.head(&self.at(name))).map_err(failed)?;
        let millis = found.last_modified.timestamp_millis().max(0).unsigned_abs();
        Ok(UNIX_EPOCH + Duration::from_millis(millis))
    }

    fn delete(&self, name: &str) -> io::Result<()> {
        match self.runtime.block_on(self.client.delete(&self.at(name))) {
            Err(Error::NotFound { .. }) => Ok(()),
            done => done.map_err(failed),
        }
    }
}

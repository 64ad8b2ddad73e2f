//! Fetching wheels into a cache by digest: in parallel, verified, resumed where a connection breaks.
//!
//! ```text
//! wheels/sha256/<first two digits>/<64 digits>/<file name>
//! ```
//! A file under its final name is complete and verified: it got there by a rename.

mod attempt;
mod client;
mod size;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use imagewright_spec::IndexCredentials;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

pub(crate) use client::build as http_client;

use super::error::PipError;
use super::resolution::{FileUrl, Resolution, Source};
use crate::conda::ChannelCredentials;
use crate::plan::Mirror;

/// How wheels are fetched.
#[derive(Debug, Clone)]
pub struct DownloadSettings {
    /// Folder of the cache; `wheels/` is made in it.
    pub cache_folder: PathBuf,
    /// Folder of this build for files that are not whole yet, on the same file system.
    pub staging_folder: PathBuf,
    /// PEM files with certificates to trust besides the system's.
    pub ca_bundles: Vec<PathBuf>,
    /// Credentials of indexes; each is sent to the scheme, host and port of its index only.
    pub credentials: Vec<IndexCredentials>,
    /// Credentials of conda channels; each is sent to the addresses below its own only.
    pub channel_credentials: Vec<ChannelCredentials>,
    /// Addresses that are fetched from elsewhere.
    pub mirrors: Vec<Mirror>,
    /// The most bytes that one wheel may have.
    pub maximum_size: u64,
    /// Downloads at once.
    pub parallel: usize,
    /// How often a broken download is taken up again, with growing pauses.
    pub retries: u32,
    /// A connection that gives nothing for this long is broken.
    pub read_timeout: Duration,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
}

impl DownloadSettings {
    /// The usual settings for a cache folder and a folder of the build's own: 8 at once, at most 10 GiB each, 4
    /// retries, a minute of silence.
    pub fn new(cache_folder: impl Into<PathBuf>, staging_folder: impl Into<PathBuf>) -> Self {
        Self {
            cache_folder: cache_folder.into(),
            staging_folder: staging_folder.into(),
            ca_bundles: Vec::new(),
            credentials: Vec::new(),
            channel_credentials: Vec::new(),
            mirrors: Vec::new(),
            maximum_size: 10 << 30,
            parallel: 8,
            retries: 4,
            read_timeout: Duration::from_mins(1),
            first_pause: Duration::from_millis(300),
        }
    }
}

/// A file that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    /// Its name in the cache.
    pub file_name: String,
    /// Where it is.
    pub url: FileUrl,
    /// Its SHA-256 in lower-case hex; `None` for an address without a promise.
    pub sha256: Option<String>,
    /// Its length, where it is known.
    pub size: Option<u64>,
}

impl WantedFile {
    /// The files that a resolution needs, in its order; kept packages need none.
    pub fn of(resolution: &Resolution) -> Vec<Self> {
        let of_source = |source: &Source| match source {
            Source::Kept | Source::Built(_) => None,
            Source::Wheel(wheel) => Some(Self {
                file_name: wheel.file_name.clone(),
                url: wheel.url.clone(),
                sha256: Some(wheel.sha256.clone()),
                size: wheel.size,
            }),
            Source::DirectUrl(wheel) => Some(Self {
                file_name: wheel.file_name.clone(),
                url: wheel.url.clone(),
                sha256: wheel.sha256.clone(),
                size: None,
            }),
        };
        resolution.packages.iter().filter_map(|package| of_source(&package.source)).collect()
    }
}

/// A file of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256 in lower-case hex.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
    /// True when it was in the cache before.
    pub cached: bool,
}

/// Bytes that came over the network, and how many there are in all as far as is known: `(done, total)`.
pub type Progress<'a> = dyn Fn(u64, u64) + Send + Sync + 'a;

/// Fetches wheels.
#[derive(Debug, Clone)]
pub struct Downloader {
    settings: DownloadSettings,
    client: reqwest::Client,
}

impl Downloader {
    /// A downloader with one pool of connections. Proxies come from the environment.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(settings: DownloadSettings) -> Result<Self, PipError> {
        let client = client::build(&settings.ca_bundles, settings.read_timeout)?;
        Ok(Self { settings, client })
    }

    /// Shows these credentials to the channels that they are for.
    pub fn set_channel_credentials(&mut self, credentials: Vec<ChannelCredentials>) {
        self.settings.channel_credentials = credentials;
    }

    /// The same downloader for another folder of a cache.
    #[must_use]
    pub fn with_cache_folder(&self, folder: impl Into<PathBuf>) -> Self {
        let settings = DownloadSettings { cache_folder: folder.into(), ..self.settings.clone() };
        Self { settings, client: self.client.clone() }
    }

    /// A file of an earlier build, by its digest. What a disk has damaged since counts as none.
    ///
    /// # Errors
    /// Names and digests that cannot be parts of a path.
    pub async fn find(&self, file: &WantedFile) -> Result<Option<FetchedFile>, PipError> {
        check(file)?;
        let Some(sha256) = &file.sha256 else { return Ok(None) };
        let wheels = self.settings.cache_folder.join("wheels");
        Ok(cached(place(&wheels, sha256, &file.file_name), sha256.clone()).await)
    }

    /// Fetches all files; the results are in the order of `wanted`. The first failure ends the others.
    ///
    /// # Errors
    /// See [`PipError`]: refused, unreachable, too large, other bytes than promised, cancelled, disk full.
    pub async fn fetch(
        &self,
        wanted: &[WantedFile],
        progress: &Progress<'_>,
        cancellation: &CancellationToken,
    ) -> Result<Vec<FetchedFile>, PipError> {
        let counter = Counter::default();
        for file in wanted {
            counter.total.fetch_add(file.size.unwrap_or(0), Ordering::Relaxed);
        }
        // Gathered first: a lazy iterator of borrowing futures would make this one not `Send`.
        let downloads: Vec<_> = wanted.iter().map(|file| self.fetch_one(file, &counter, progress)).collect();
        let all = async {
            let mut results = futures_util::stream::iter(downloads).buffered(self.settings.parallel.max(1));
            let mut fetched = Vec::with_capacity(wanted.len());
            while let Some(result) = results.next().await {
                fetched.push(result?);
            }
            Ok(fetched)
        };
        tokio::select! {
            biased;
            () = cancellation.cancelled() => Err(PipError::Cancelled),
            result = all => result,
        }
    }

    async fn fetch_one(
        &self,
        file: &WantedFile,
        counter: &Counter,
        progress: &Progress<'_>,
    ) -> Result<FetchedFile, PipError> {
        let wheels = self.settings.cache_folder.join("wheels");
        if let Some(found) = self.find(file).await? {
            counter.total.fetch_sub(file.size.unwrap_or(0), Ordering::Relaxed);
            return Ok(found);
        }
        let staging = &self.settings.staging_folder;
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| PipError::File { action, path, source }
        };
        std::fs::create_dir_all(staging).map_err(failed("create", staging))?;
        let partial =
            tempfile::NamedTempFile::new_in(staging).map_err(failed("create a file in", staging))?;
        let report = |bytes: u64| {
            let done = counter.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            progress(done, counter.total.load(Ordering::Relaxed).max(done));
        };
        let received =
            attempt::download(&self.client, &self.settings, file, partial.as_file(), &report).await?;
        if let Some(expected) = file.sha256.as_ref().filter(|expected| **expected != received.sha256) {
            return Err(PipError::DigestMismatch {
                file_name: file.file_name.clone(),
                address: file.url.to_string(),
                expected: expected.clone(),
                found: received.sha256,
            });
        }
        let path = place(&wheels, &received.sha256, &file.file_name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        // Another build may have been faster: both have the same bytes.
        partial.persist(&path).map_err(|error| failed("create", &path)(error.error))?;
        Ok(FetchedFile { path, sha256: received.sha256, size: received.size, cached: false })
    }
}

/// What is counted over all files.
#[derive(Debug, Default)]
struct Counter {
    done: AtomicU64,
    total: AtomicU64,
}

/// Only web addresses are fetched, and names and digests become parts of paths.
fn check(file: &WantedFile) -> Result<(), PipError> {
    let refused =
        |reason: &str| Err(PipError::Refused { name: file.file_name.clone(), reason: reason.to_owned() });
    let name = file.file_name.as_str();
    if name.is_empty() || name.len() > 255 || name.starts_with('.') || name.contains(['/', '\0']) {
        return refused("its name is not that of a file");
    }
    let digest_is_valid = |digest: &String| {
        digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if !file.sha256.as_ref().is_none_or(digest_is_valid) {
        return refused("its SHA-256 is not 64 hexadecimal digits");
    }
    if !matches!(file.url.expose().scheme(), "https" | "http") {
        return refused("its address is not that of a web server");
    }
    Ok(())
}

fn place(wheels: &Path, sha256: &str, file_name: &str) -> PathBuf {
    wheels.join("sha256").join(&sha256[..2]).join(sha256).join(file_name)
}

/// A wheel of an earlier build. It is read once more: what a disk has damaged since counts as none.
async fn cached(path: PathBuf, sha256: String) -> Option<FetchedFile> {
    let checked = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(&path).ok()?;
        let mut digest = Sha256::new();
        let size = std::io::copy(&mut file, &mut digest).ok()?;
        let sound = hex::encode(digest.finalize()) == sha256;
        sound.then_some(FetchedFile { path, sha256, size, cached: true })
    });
    checked.await.ok().flatten()
}

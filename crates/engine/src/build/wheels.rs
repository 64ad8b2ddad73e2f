//! Wheels of locked packages: from the cache, or from where the lock says that they are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use imagewright_oci::digest::Digest;
use tokio::sync::Semaphore;
use url::Url;

use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};
use crate::lock::LockedPackage;
use crate::packages::PackageSource;
use crate::pip::FileUrl;
use crate::pip::download::{Downloader, WantedFile};

/// Downloads at the same time.
const CONCURRENT_DOWNLOADS: usize = 8;

/// Addresses of wheels as the index gave them in this build, by digest. They may hold a signature or credentials,
/// so they are neither shown nor stored; the lock has them without.
pub(super) type Addresses = BTreeMap<Digest, FileUrl>;

/// Fetches wheels by their digest.
pub(super) struct WheelSource {
    downloader: Downloader,
    addresses: Addresses,
    permits: Semaphore,
    cancellation: CancellationToken,
    downloaded: Arc<AtomicU64>,
}

impl WheelSource {
    pub(super) fn new(downloader: Downloader, addresses: Addresses, cancellation: CancellationToken) -> Self {
        Self {
            downloader,
            addresses,
            permits: Semaphore::new(CONCURRENT_DOWNLOADS),
            cancellation,
            downloaded: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Bytes that came over the network so far.
    pub(super) fn downloaded(&self) -> u64 {
        self.downloaded.load(Ordering::Relaxed)
    }

    async fn fetch(&self, package: &LockedPackage) -> Result<PathBuf, BuildError> {
        let url = match self.addresses.get(&package.sha256) {
            Some(url) => url.clone(),
            None => FileUrl::new(Url::parse(&package.url).map_err(|error| {
                BuildError::new(
                    ErrorKind::SpecInvalid,
                    format!("the lock names no address for {}", package.name),
                )
                .with_next_step("build again with --fresh")
                .with_source(error)
            })?),
        };
        let wanted = WantedFile {
            file_name: package.file.clone(),
            url,
            sha256: Some(package.sha256.hex()),
            size: None,
        };
        let _permit = self.permits.acquire().await;
        let fetched = self.downloader.fetch(&[wanted], &|_, _| {}, &self.cancellation).await?;
        let file = fetched
            .into_iter()
            .next()
            .ok_or_else(|| BuildError::internal("a wheel was fetched and is not there"))?;
        if !file.cached {
            self.downloaded.fetch_add(file.size, Ordering::Relaxed);
        }
        Ok(file.path)
    }
}

impl PackageSource for WheelSource {
    fn wheel<'a>(&'a self, package: &'a LockedPackage) -> BoxFuture<'a, Result<PathBuf, BuildError>> {
        Box::pin(self.fetch(package))
    }
}

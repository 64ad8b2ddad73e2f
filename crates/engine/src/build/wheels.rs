//! Wheels of locked packages: from the cache, or from where the lock says that they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use imagewright_oci::digest::Digest;
use tokio::sync::Semaphore;
use url::Url;

use super::BuildContext;
use crate::base::blocking;
use crate::cache::Cache;
use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};
use crate::lock::LockedPackage;
use crate::packages::{LocalWheel, PackageSource};
use crate::pip::FileUrl;
use crate::pip::download::{Downloader, WantedFile};
use crate::pip::source::find_built;
use crate::plan::BuildPlan;
use crate::scope::{PublicSources, Scope};

/// Downloads at the same time.
const CONCURRENT_DOWNLOADS: usize = 8;

/// Addresses of wheels as the index gave them in this build, by digest. They may hold a signature or credentials,
/// so they are neither shown nor stored; the lock has them without.
pub(super) type Addresses = BTreeMap<Digest, FileUrl>;

/// Fetches wheels by their digest.
pub(super) struct WheelSource {
    downloader: Downloader,
    cache: Cache,
    /// Where wheels of earlier builds may be found.
    scopes: Vec<Scope>,
    /// Where wheels are that were built for this base.
    built: Scope,
    public: PublicSources,
    addresses: Addresses,
    permits: Semaphore,
    cancellation: CancellationToken,
    downloaded: Arc<AtomicU64>,
}

impl WheelSource {
    pub(super) fn new(
        downloader: Downloader,
        addresses: Addresses,
        plan: &BuildPlan,
        context: &BuildContext,
        built: Scope,
    ) -> Self {
        Self {
            downloader,
            cache: context.cache.clone(),
            scopes: Scope::readable_by(&plan.owner()).to_vec(),
            built,
            public: PublicSources::of(plan),
            addresses,
            permits: Semaphore::new(CONCURRENT_DOWNLOADS),
            cancellation: context.cancellation.clone(),
            downloaded: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Bytes that came over the network so far.
    pub(super) fn downloaded(&self) -> u64 {
        self.downloaded.load(Ordering::Relaxed)
    }

    /// A wheel that was built: it is in the cache, or has to be built again.
    async fn find_built(&self, package: &LockedPackage) -> Result<LocalWheel, BuildError> {
        let room = self.cache.of(&self.built).room().to_owned();
        let (sha256, file) = (package.sha256, package.file.clone());
        let found = blocking(move || find_built(&room, &sha256, &file)).await?;
        found.map(|path| LocalWheel { path, scope: self.built.clone() }).ok_or_else(|| {
            BuildError::new(
                ErrorKind::NotFound,
                format!("the wheel of {} that was built is not in the cache any more", package.name),
            )
            .with_next_step("build again with --fresh")
        })
    }

    async fn fetch(&self, package: &LockedPackage) -> Result<LocalWheel, BuildError> {
        if package.built.is_some() {
            return self.find_built(package).await;
        }
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
        let scope = self.public.scope_of(package, url.expose());
        let wanted = WantedFile {
            file_name: package.file.clone(),
            url,
            sha256: Some(package.sha256.hex()),
            size: None,
        };
        for scope in &self.scopes {
            if let Some(found) = self.downloader_for(scope).find(&wanted).await? {
                return Ok(LocalWheel { path: found.path, scope: scope.clone() });
            }
        }
        let _permit = self.permits.acquire().await;
        let downloader = self.downloader_for(&scope);
        let fetched = downloader.fetch(&[wanted], &|_, _| {}, &self.cancellation).await?;
        let file = fetched
            .into_iter()
            .next()
            .ok_or_else(|| BuildError::internal("a wheel was fetched and is not there"))?;
        if !file.cached {
            self.downloaded.fetch_add(file.size, Ordering::Relaxed);
        }
        Ok(LocalWheel { path: file.path, scope })
    }

    fn downloader_for(&self, scope: &Scope) -> Downloader {
        self.downloader.with_cache_folder(self.cache.of(scope).room())
    }
}

impl PackageSource for WheelSource {
    fn wheel<'a>(&'a self, package: &'a LockedPackage) -> BoxFuture<'a, Result<LocalWheel, BuildError>> {
        Box::pin(self.fetch(package))
    }
}

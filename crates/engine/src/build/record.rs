//! Finished builds, by everything that went into them: the same spec on the same base within the freshness
//! window uses the lock again, and where the very same image is still in the registry, the build is a lookup.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::manifest::{Descriptor, Platform};
use serde::{Deserialize, Serialize};

use super::variant::Variant;
use crate::assemble::FORMAT_VERSION;
use crate::cache::{Cache, read_checked, write_checked};
use crate::error::BuildError;
use crate::lock::Lock;
use crate::plan::BuildPlan;
use crate::scope::Scope;
use crate::summary::PlatformImage;

/// Raised whenever the same inputs give another image, although no layer is another.
const BUILD_VERSION: u32 = 2;

/// Names everything that a platform's image depends on, but for what the indexes offer today.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordKey(Digest);

impl RecordKey {
    pub(super) fn new(plan: &BuildPlan, variant: Variant, platform: &Platform, base: &Digest) -> Self {
        let mut hasher = Sha256Hasher::new();
        let fields = [
            &format!("build {BUILD_VERSION} {FORMAT_VERSION} {}", env!("CARGO_PKG_VERSION")),
            &plan.spec.canonical_json(),
            &platform.to_string(),
            &base.to_string(),
            &plan.compression.fingerprint(),
            // Where channels are decides what a name in the spec means. Credentials are not written.
            &serde_json::to_string(&plan.conda).unwrap_or_default(),
            &format!("{variant:?}"),
            &plan
                .lock_of(&platform.to_string())
                .map(Lock::to_bytes)
                .transpose()
                .ok()
                .flatten()
                .map_or_else(String::new, |bytes| Digest::of(&bytes).to_string()),
            // Its lock may name what this owner's credentials have opened.
            &Scope::Owner(plan.owner()).key(),
        ];
        for field in fields {
            hasher.update(field.as_bytes());
            hasher.update(b"\0");
        }
        Self(hasher.finish().0)
    }
}

/// One finished build of one platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct BuildRecord {
    /// Seconds since the Unix epoch at which the packages were resolved.
    pub(super) resolved_at: u64,
    /// Its lock.
    pub(super) lock: Lock,
    /// The exact bytes of the manifest.
    pub(super) manifest: String,
    /// Every blob that the image needs: configuration, lock and layers.
    pub(super) blobs: Vec<Descriptor>,
    /// What was told of it.
    pub(super) image: PlatformImage,
}

impl BuildRecord {
    /// A build that is fresh enough; damaged and outdated ones count as none.
    pub(super) fn find(
        cache: &Cache,
        key: RecordKey,
        freshness_seconds: u64,
    ) -> Result<Option<Self>, BuildError> {
        let Some(bytes) = read_checked(&path(cache, key))? else { return Ok(None) };
        let record: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(record.filter(|record| now().saturating_sub(record.resolved_at) <= freshness_seconds))
    }

    pub(super) fn remember(&self, cache: &Cache, key: RecordKey) -> Result<(), BuildError> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| BuildError::internal("a build's record cannot be written").with_source(error))?;
        write_checked(&path(cache, key), &bytes)
    }

    pub(super) fn manifest_bytes(&self) -> Bytes {
        Bytes::from(self.manifest.clone())
    }
}

fn path(cache: &Cache, key: RecordKey) -> std::path::PathBuf {
    cache.builds().join(key.0.hex())
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

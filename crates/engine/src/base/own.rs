//! An image of ours used as a base: it is taken apart again, so that its packages and the new ones become
//! layers side by side instead of layers upon layers.

use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::{Descriptor, Manifest};
use imagewright_oci::registry::{Registry, ResolvedImage};

use crate::assemble::manifest::{BASE_LAYERS, REVISION};
use crate::error::BuildError;
use crate::lock::{LOCK_MEDIA_TYPE, LOCK_SIZE_LIMIT, Lock};

/// What an image of ours says of itself.
#[derive(Debug, Clone)]
pub struct OwnImage {
    /// Its lock.
    pub lock: Lock,
    /// Number of layers, from the bottom, that are its own base's.
    pub base_layers: usize,
}

impl OwnImage {
    /// Reads the lock of an image of ours. `None` for any other image, and for one of ours that was copied
    /// without its lock: that is a base like any other.
    ///
    /// # Errors
    /// A registry that fails.
    pub async fn of(registry: &dyn Registry, image: &ResolvedImage) -> Result<Option<Self>, BuildError> {
        let Some((revision, base_layers)) = annotated(&image.manifest) else { return Ok(None) };
        let Some(size) = registry.head_blob(&image.repository, &revision).await? else { return Ok(None) };
        let blob = Descriptor::new(LOCK_MEDIA_TYPE, revision, size);
        let bytes = registry.get_blob_bytes(&image.repository, &blob, LOCK_SIZE_LIMIT).await?;
        Ok(Some(Self { lock: Lock::from_bytes(&bytes)?, base_layers }))
    }
}

fn annotated(manifest: &Manifest) -> Option<(Digest, usize)> {
    let revision = manifest.annotations.get(REVISION)?.parse().ok()?;
    let base_layers: usize = manifest.annotations.get(BASE_LAYERS)?.parse().ok()?;
    (base_layers <= manifest.layers.len()).then_some((revision, base_layers))
}

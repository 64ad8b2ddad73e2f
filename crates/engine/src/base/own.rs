//! An image of ours used as a base: it is taken apart again, so that its packages and the new ones become
//! layers side by side instead of layers upon layers.

use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::{Descriptor, Manifest};
use imagewright_oci::registry::{Registry, ResolvedImage};

use crate::assemble::manifest::{BASE_LAYERS, LAYERS_DIGEST, REVISION, layers_digest};
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
    /// Reads the lock of an image of ours. `None` for any other image, and for one of ours that was changed
    /// since, or copied without its lock: that is a base like any other.
    ///
    /// Anybody can write such annotations. What a lock of a base says is believed only as far as it can do no
    /// harm: names are checked, digests are verified, and its addresses are used only where the plan's own
    /// package indexes are, see [`Lock::addresses_are_within`].
    ///
    /// # Errors
    /// A registry that fails.
    pub async fn of(registry: &dyn Registry, image: &ResolvedImage) -> Result<Option<Self>, BuildError> {
        let Some((revision, base_layers)) = annotated(&image.manifest) else { return Ok(None) };
        let Some(size) = registry.head_blob(&image.repository, &revision).await? else { return Ok(None) };
        let blob = Descriptor::new(LOCK_MEDIA_TYPE, revision, size);
        let bytes = registry.get_blob_bytes(&image.repository, &blob, LOCK_SIZE_LIMIT).await?;
        Ok(Lock::from_bytes(&bytes).ok().map(|lock| Self { lock, base_layers }))
    }
}

/// The revision and the number of base layers, where the manifest is exactly as we wrote it. Tools that build
/// upon an image copy its annotations, and their layers must not be taken for ours.
fn annotated(manifest: &Manifest) -> Option<(Digest, usize)> {
    let revision = manifest.annotations.get(REVISION)?.parse().ok()?;
    let base_layers: usize = manifest.annotations.get(BASE_LAYERS)?.parse().ok()?;
    let unchanged = manifest.annotations.get(LAYERS_DIGEST)? == &layers_digest(&manifest.layers).to_string();
    (unchanged && base_layers <= manifest.layers.len()).then_some((revision, base_layers))
}

//! Manifests that are proved readable before a tag points to them.

use imagewright_oci::registry::TagOrDigest;

use super::Publisher;
use crate::assemble::manifest::NewManifest;
use crate::error::{BuildError, ErrorKind};

impl Publisher {
    /// Puts a manifest or index by its digest and reads it back. A registry whose descriptor cache still believes
    /// in a manifest that was collected as garbage says that it has taken the bytes, and keeps nothing.
    ///
    /// # Errors
    /// What the registry gives, and a manifest that it cannot give back.
    pub async fn put_manifest(&self, manifest: &NewManifest) -> Result<(), BuildError> {
        let digest = TagOrDigest::Digest(manifest.digest);
        self.registry
            .put_manifest(&self.target, &digest, manifest.media_type, manifest.bytes.clone())
            .await?;
        if self.registry.get_manifest(&self.target, &digest).await?.is_some() {
            return Ok(());
        }
        Err(BuildError::new(
            ErrorKind::Unreachable,
            format!("{} took the manifest {} and cannot give it back", self.target, manifest.digest),
        )
        .with_next_step(
            "the registry's garbage was collected while it ran, and it remembers what is gone: restart it, and \
             collect garbage only while it is read-only",
        ))
    }
}

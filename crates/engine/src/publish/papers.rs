//! An image's papers in the registry: its lock and its bill of materials, each a blob of the image's repository, held by
//! an artefact whose subject is the image.

use bytes::Bytes;
use imagewright_oci::manifest::Descriptor;
use imagewright_oci::registry::TagOrDigest;

use super::Publisher;
use crate::assemble::manifest::{EMPTY_CONFIG, NewManifest, artifact_manifest, empty_config};
use crate::error::BuildError;

impl Publisher {
    /// Pushes a paper of an image: found through the image by the referrers API or its fallback tag, and by its
    /// digest, which the image's annotations name.
    ///
    /// # Errors
    /// What the registry gives.
    pub async fn put_paper(
        &self,
        media_type: &str,
        paper: Bytes,
        image: &NewManifest,
    ) -> Result<(), BuildError> {
        let blob = Descriptor::of(media_type, &paper);
        self.put_bytes(&blob, paper).await?;
        self.put_bytes(&empty_config(), Bytes::from_static(EMPTY_CONFIG)).await?;
        let subject = Descriptor::new(image.media_type, image.digest, image.bytes.len() as u64);
        let artifact = artifact_manifest(media_type, &blob, Some(&subject), &[]);
        let digest = TagOrDigest::Digest(artifact.digest);
        self.registry.put_manifest(&self.target, &digest, artifact.media_type, artifact.bytes).await?;
        Ok(())
    }
}

//! The list of a manifest's referrers (lock files, bills of materials), on registries that do not
//! keep it themselves: an index under a tag made of the subject's digest.

use bytes::Bytes;
use serde_json::json;

use super::client::RegistryClient;
use super::error::RegistryError;
use super::{RepositoryReference, TagOrDigest};
use crate::digest::Digest;
use crate::manifest::{Descriptor, Manifest, ManifestOrIndex};
use crate::media_type::OCI_INDEX;

impl RegistryClient {
    /// Enters `referrer` in the list of `subject`.
    ///
    /// The specification has no lock for this tag: of two writers at once, one may be lost.
    pub(super) async fn list_referrer(
        &self,
        repository: &RepositoryReference,
        subject: Digest,
        referrer: &Manifest,
    ) -> Result<(), RegistryError> {
        let tag = TagOrDigest::tag(format!("sha256-{}", subject.hex()));
        let mut referrers = match self.read_manifest(repository, &tag).await?.map(|found| found.content) {
            Some(ManifestOrIndex::Index(index)) => index.manifests,
            Some(ManifestOrIndex::Manifest(_)) | None => Vec::new(),
        };
        if referrers.iter().any(|listed| listed.digest == referrer.digest) {
            return Ok(());
        }
        referrers.push(Descriptor {
            // For artefacts of old tools, the type of the configuration says what they are for.
            artifact_type: Some(
                referrer.artifact_type.clone().unwrap_or_else(|| referrer.config.media_type.clone()),
            ),
            annotations: referrer.annotations.clone(),
            ..referrer.descriptor()
        });
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": referrers });
        let bytes = Bytes::from(index.to_string());
        self.write_manifest_only(repository, &tag, OCI_INDEX, bytes).await?;
        Ok(())
    }
}

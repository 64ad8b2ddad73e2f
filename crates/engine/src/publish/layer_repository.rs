//! The layer repository: each layer that was ever made, under a tag that names everything its bytes depend on.
//!
//! A tagged manifest with one layer keeps the layer from being collected as garbage, and tells its digest, diff
//! id and sizes in one small request.
//!
//! What it says of a key is believed, so it is written with credentials that no build has, and holds only what is
//! for everybody. No other repository is asked for a key: neither the image's nor the base's.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::{Descriptor, ManifestOrIndex};
use imagewright_oci::registry::{BlobSource, TagOrDigest};
use imagewright_spec::RepositoryReference;

use super::blobs::is_readable;
use super::{LayerRegistry, Publisher, Reused};
use crate::assemble::layer::{LayerFacts, LayerRecipe, PartSource};
use crate::assemble::manifest::{EMPTY_CONFIG, artifact_manifest, empty_config, layer_media_type};
use crate::base::blocking;
use crate::error::{BuildError, ErrorKind};

/// The artefact type of a stored layer.
pub const LAYER_ARTIFACT: &str = "application/vnd.imagewright.layer.v1";

const DIFF_ID: &str = "io.imagewright.diff-id";
const UNCOMPRESSED_SIZE: &str = "io.imagewright.uncompressed-size";

impl Publisher {
    /// What the layer repository knows of a layer that is for everybody. A repository that cannot be read counts as
    /// one that knows nothing.
    pub async fn stored_facts(&self, recipe: &LayerRecipe) -> Option<LayerFacts> {
        let repository = self.repository_for(recipe)?;
        let tag = TagOrDigest::tag(recipe.key.hex());
        let registry = match &self.layer_registry {
            LayerRegistry::Own(registry) => registry,
            LayerRegistry::Anonymous(_) => &self.registry,
        };
        match registry.get_manifest(repository, &tag).await {
            Ok(Some(found)) => facts_of(&found.content),
            Ok(None) => None,
            Err(error) => {
                tracing::debug!(%error, %repository, "the layer repository cannot be read");
                None
            }
        }
    }

    /// The layer repository, for a layer that is for everybody.
    fn repository_for(&self, recipe: &LayerRecipe) -> Option<&RepositoryReference> {
        self.layer_repository.as_ref().filter(|_| recipe.scope.is_shared())
    }

    /// Makes sure that a layer of ours is in the target repository, and, if it is for everybody, in the layer
    /// repository for the next image.
    ///
    /// # Errors
    /// What the registry gives, and [`FramesLost`](crate::assemble::layer::FramesLost) when the layer's bytes are
    /// needed and its frames do not make them.
    pub async fn put_layer(&self, recipe: &LayerRecipe, facts: &LayerFacts) -> Result<Reused, BuildError> {
        let blob = Descriptor::new(layer_media_type(recipe.compression), facts.digest, facts.size);
        if self.find(self.repository_for(recipe), &blob).await? {
            self.progress.skip(blob.size);
            return Ok(Reused::Yes);
        }
        if !recipe.missing_frames(&self.cache).is_empty() {
            let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(recipe.lose_frames(&self.cache, cause));
        }
        match self.send_layer(recipe, facts, &blob).await {
            // Who is wrong: the registry, or what we have kept?
            Err(error) if matches!(error.kind(), ErrorKind::DigestMismatch | ErrorKind::Internal) => {
                let (cache, facts, checked) = (self.cache.clone(), *facts, recipe.clone());
                let sound = blocking(move || checked.makes(&cache, &facts)).await?;
                Err(if sound { error } else { recipe.lose_frames(&self.cache, error) })
            }
            outcome => outcome.map(|()| Reused::No),
        }
    }

    /// Sends the bytes of a layer, to the layer repository if that takes them.
    async fn send_layer(
        &self,
        recipe: &LayerRecipe,
        facts: &LayerFacts,
        blob: &Descriptor,
    ) -> Result<(), BuildError> {
        let source = BlobSource::Parts(recipe.sources(&self.cache).into_iter().map(blob_source).collect());
        if let Some(repository) = self.writable_layer_repository().and_then(|_| self.repository_for(recipe)) {
            match self.store(repository, recipe, facts, blob, &source).await {
                Ok(()) if self.find(Some(repository), blob).await? => return Ok(()),
                Ok(()) => {}
                // The image does not need the layer repository: one that is missing, closed or broken costs the
                // next build its reuse, and this one nothing.
                Err(error) if is_about_the_repository(&error) => self.warn_once(repository, &error),
                Err(error) => return Err(error),
            }
        }
        self.upload(&self.target, blob, &source).await
    }

    async fn store(
        &self,
        repository: &RepositoryReference,
        recipe: &LayerRecipe,
        facts: &LayerFacts,
        blob: &Descriptor,
        source: &BlobSource,
    ) -> Result<(), BuildError> {
        let registry = &**self.layer_registry.client();
        if !is_readable(registry, repository, blob).await? {
            self.upload_with(registry, repository, blob, source).await?;
        }
        self.empty_config.get_or_try_init(|| self.put_empty_config(repository)).await?;
        let annotations =
            [(DIFF_ID, facts.diff_id.to_string()), (UNCOMPRESSED_SIZE, facts.uncompressed_size.to_string())];
        let manifest = artifact_manifest(LAYER_ARTIFACT, blob, None, &annotations);
        let tag = TagOrDigest::tag(recipe.key.hex());
        registry.put_manifest(repository, &tag, manifest.media_type, manifest.bytes).await?;
        Ok(())
    }

    /// Once a build: some registries take a manifest for broken while a blob that it names is written again.
    async fn put_empty_config(&self, repository: &RepositoryReference) -> Result<(), BuildError> {
        let config = empty_config();
        let registry = &**self.layer_registry.client();
        if is_readable(registry, repository, &config).await? {
            return Ok(());
        }
        self.upload_with(registry, repository, &config, &BlobSource::Bytes(Bytes::from_static(EMPTY_CONFIG)))
            .await
    }

    fn warn_once(&self, repository: &RepositoryReference, error: &BuildError) {
        if self.layer_repository_refused.swap(true, Ordering::Relaxed) {
            return;
        }
        let closed = error.kind() == ErrorKind::Unauthorized;
        if closed && matches!(self.layer_registry, LayerRegistry::Anonymous(_)) {
            self.events.log(format!(
                "{repository} is read and not written: that takes credentials of its own (--layer-authfile), since \
                 those of the image are never used for it"
            ));
        } else {
            self.events.warn(format!(
                "layers cannot be kept in {repository} for the next image, so they are pushed with this one only: \
                 {error}"
            ));
        }
    }
}

/// True for failures that the target repository may not have.
fn is_about_the_repository(error: &BuildError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Unreachable | ErrorKind::Timeout
    )
}

fn blob_source(part: PartSource) -> BlobSource {
    match part {
        PartSource::Bytes(bytes) => BlobSource::Bytes(bytes),
        PartSource::File(path) => BlobSource::File(path),
    }
}

/// The facts in a stored layer's manifest; `None` for anything that is none of ours.
fn facts_of(content: &ManifestOrIndex) -> Option<LayerFacts> {
    let ManifestOrIndex::Manifest(manifest) = content else { return None };
    if manifest.artifact_type.as_deref() != Some(LAYER_ARTIFACT) {
        return None;
    }
    let [layer] = manifest.layers.as_slice() else { return None };
    Some(LayerFacts {
        digest: layer.digest,
        diff_id: manifest.annotations.get(DIFF_ID)?.parse::<Digest>().ok()?,
        size: layer.size,
        uncompressed_size: manifest.annotations.get(UNCOMPRESSED_SIZE)?.parse().ok()?,
    })
}

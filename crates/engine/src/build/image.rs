//! The configuration and the manifest of a platform's image.

use bytes::Bytes;
use imagewright_oci::manifest::Descriptor;
use imagewright_oci::media_type::OCI_CONFIG;
use imagewright_oci::tree::ImageTree;

use super::layers::BuiltLayer;
use crate::assemble::config::{AddedLayer, edit};
use crate::assemble::manifest::{
    BASE_DIGEST, BASE_LAYERS, BASE_NAME, BILL, LAYERS_DIGEST, NewManifest, REVISION, SPEC_HASH, as_oci_layer,
    image_manifest, layer_media_type, layers_digest,
};
use crate::base::Base;
use crate::error::BuildError;
use crate::lock::{LOCK_MEDIA_TYPE, Lock};
use crate::papers::{BILL_MEDIA_TYPE, BillInput, Licence, bill_of_materials};

/// An image that is ready to be pushed.
pub(super) struct AssembledImage {
    pub(super) config: Bytes,
    pub(super) config_descriptor: Descriptor,
    /// All layers, bottom first.
    pub(super) layers: Vec<Descriptor>,
    pub(super) lock: Bytes,
    /// The bill of materials.
    pub(super) bill: Bytes,
    /// Digest of the lock: `sha256:…`.
    pub(super) revision: String,
    pub(super) manifest: NewManifest,
}

impl AssembledImage {
    /// Everything that must be in the repository for the image to be whole: configuration, lock and layers.
    pub(super) fn blobs(&self) -> Vec<Descriptor> {
        let lock = Descriptor::of(LOCK_MEDIA_TYPE, &self.lock);
        let bill = Descriptor::of(BILL_MEDIA_TYPE, &self.bill);
        let mut blobs = vec![self.config_descriptor.clone(), lock, bill];
        blobs.extend(self.layers.iter().cloned());
        blobs
    }

    /// Bytes of the configuration and all layers, compressed.
    pub(super) fn size(&self) -> u64 {
        let parts = self.layers.iter().chain([&self.config_descriptor]);
        parts.fold(0, |size, part| size.saturating_add(part.size))
    }
}

/// What is known of an image's packages.
pub(super) struct Contents<'build> {
    /// The tree below pip's layers, without what they replace.
    pub(super) tree: &'build ImageTree,
    /// What the locked pip packages say of their licences.
    pub(super) licences: Vec<Option<Licence>>,
}

/// Puts an image together from its parts.
pub(super) fn assemble(
    base: &Base,
    lock: &Lock,
    layers: &[BuiltLayer],
    contents: &Contents<'_>,
) -> Result<AssembledImage, BuildError> {
    let lock_bytes = Bytes::from(lock.to_bytes()?);
    let revision = imagewright_oci::digest::Digest::of(&lock_bytes).to_string();
    let system = base
        .system
        .as_ref()
        .map(|system| AddedLayer { diff_id: system.diff_id, description: system.description.clone() });
    let added: Vec<AddedLayer> = system
        .into_iter()
        .chain(layers.iter().map(|layer| AddedLayer {
            diff_id: layer.facts.diff_id,
            description: layer.recipe.contents.join(", "),
        }))
        .collect();
    let bill = bill_of_materials(&BillInput {
        lock,
        revision: &revision,
        tree: contents.tree,
        config: &base.config,
        licences: &contents.licences,
    })?;
    let labels = [(REVISION, revision.clone()), (SPEC_HASH, lock.spec_hash.clone())];
    let config = edit(&base.config, base.foundation.layers.len(), &added, &labels)?;
    let config = Bytes::from(config.to_string());
    let config_descriptor = Descriptor::of(OCI_CONFIG, &config);

    let mut descriptors: Vec<Descriptor> = base.foundation.layers.iter().map(as_oci_layer).collect();
    descriptors.extend(base.system.iter().map(|system| system.descriptor.clone()));
    descriptors.extend(layers.iter().map(|layer| {
        Descriptor::new(layer_media_type(layer.recipe.compression), layer.facts.digest, layer.facts.size)
    }));
    let annotations = [
        (BASE_NAME, lock.base.reference.clone()),
        (BASE_DIGEST, lock.base.digest.to_string()),
        (BASE_LAYERS, base.foundation_layers().to_string()),
        (BILL, imagewright_oci::digest::Digest::of(&bill).to_string()),
        (LAYERS_DIGEST, layers_digest(&descriptors).to_string()),
        (REVISION, revision.clone()),
        (SPEC_HASH, lock.spec_hash.clone()),
    ];
    let manifest = image_manifest(&config_descriptor, &descriptors, &annotations);
    Ok(AssembledImage {
        config,
        config_descriptor,
        layers: descriptors,
        lock: lock_bytes,
        bill,
        revision,
        manifest,
    })
}

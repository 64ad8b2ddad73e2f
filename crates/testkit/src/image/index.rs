//! Images for several platforms.

use bytes::Bytes;
use serde_json::{Value, json};

use super::build::{ImageBuilder, MediaTypes};
use super::push::{PushedImage, split};
use crate::client::on_runtime;
use crate::digest::sha256;
use crate::registry::Registry;

/// Makes an index (Docker: a manifest list) of images, each with the platform of its configuration.
#[derive(Debug, Clone, Default)]
pub struct IndexBuilder {
    media_types: MediaTypes,
    images: Vec<ImageBuilder>,
    other: Vec<Value>,
}

/// An index in a registry.
#[derive(Debug, Clone)]
pub struct PushedIndex {
    /// `HOST/REPOSITORY:TAG`
    pub reference: String,
    /// The digest of the index.
    pub digest: String,
    /// The images in it, in order.
    pub images: Vec<PushedImage>,
}

impl IndexBuilder {
    /// An index without images, with OCI's media types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses the media types of the index; each image has its own choice.
    #[must_use]
    pub fn media_types(mut self, media_types: MediaTypes) -> Self {
        self.media_types = media_types;
        self
    }

    /// Adds an image.
    #[must_use]
    pub fn image(mut self, image: ImageBuilder) -> Self {
        self.images.push(image);
        self
    }

    /// Adds a descriptor as it is, such as an attestation's with the platform `unknown/unknown`.
    #[must_use]
    pub fn descriptor(mut self, descriptor: Value) -> Self {
        self.other.push(descriptor);
        self
    }

    /// Pushes the images, each with a tag of its own, and then the index as `REPOSITORY:TAG`.
    pub async fn push(self, registry: &Registry, name: &str) -> PushedIndex {
        let (repository, tag) = split(name);
        let mut images = Vec::new();
        for (number, image) in self.images.into_iter().enumerate() {
            images.push(image.push(registry, &format!("{repository}:{tag}-{number}")).await);
        }
        let mut manifests: Vec<Value> = images.iter().map(descriptor).collect();
        manifests.extend(self.other);
        let media_type = self.media_types.index();
        let index =
            json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests }).to_string();
        let digest = sha256(&index);
        let reference = format!("{}/{name}", registry.host());

        let session = registry.session(&registry.host(), &[&repository]);
        on_runtime(
            async move { session.put_manifest(&repository, &tag, media_type, Bytes::from(index)).await },
        )
        .await;
        PushedIndex { reference, digest, images }
    }
}

fn descriptor(image: &PushedImage) -> Value {
    let mut platform = json!({ "architecture": image.config["architecture"], "os": image.config["os"] });
    if let Some(variant) = image.config.get("variant") {
        platform["variant"] = variant.clone();
    }
    json!({
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": image.manifest_size,
        "platform": platform,
    })
}

//! The manifest of an image: always OCI, whatever the base's was.

use bytes::Bytes;
use imagewright_oci::digest::Digest;
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::media_type;
use serde_json::{Map, Value, json};

/// Standard annotation: digest of the base's manifest.
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// Standard annotation: reference of the base.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// Digest of the lock, which is a blob of the same repository.
pub const REVISION: &str = "io.imagewright.revision";
/// Eight hexadecimal digits over the normalised spec.
pub const SPEC_HASH: &str = "io.imagewright.spec-hash";
/// Digest of the bill of materials, which is a blob of the same repository.
pub const BILL: &str = "io.imagewright.bill-of-materials";
/// Number of layers, from the bottom, that are the base's.
pub const BASE_LAYERS: &str = "io.imagewright.base-layers";

/// Digest over the digests of all layers: an image that was built upon ours has our annotations and other layers.
pub const LAYERS_DIGEST: &str = "io.imagewright.layers-digest";

/// The value of [`LAYERS_DIGEST`].
pub fn layers_digest(layers: &[Descriptor]) -> Digest {
    let digests: Vec<String> = layers.iter().map(|layer| layer.digest.to_string()).collect();
    Digest::of(digests.join("\n").as_bytes())
}

/// A manifest or index that is ready to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewManifest {
    /// The exact bytes.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
    /// Media type to push them with.
    pub media_type: &'static str,
}

impl NewManifest {
    fn new(value: &Value, media_type: &'static str) -> Self {
        let bytes = Bytes::from(value.to_string());
        Self { digest: Digest::of(&bytes), bytes, media_type }
    }
}

/// The media type of a layer that we write.
pub fn layer_media_type(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd => media_type::OCI_LAYER_ZSTD,
        Compression::Gzip => media_type::OCI_LAYER_GZIP,
    }
}

/// A base layer's descriptor for an OCI manifest: Docker's media types are refused there by pullers.
/// Annotations of the layer (zstd:chunked and the like) are kept.
pub fn as_oci_layer(layer: &Descriptor) -> Descriptor {
    // Unknown types were refused when the base was read.
    let media_type = media_type::LayerCompression::from_media_type(&layer.media_type)
        .map_or(media_type::OCI_LAYER_TAR, media_type::LayerCompression::oci_media_type);
    let mut descriptor = Descriptor::new(media_type, layer.digest, layer.size);
    descriptor.annotations.clone_from(&layer.annotations);
    descriptor
}

/// Writes an image's manifest.
pub fn image_manifest(
    config: &Descriptor,
    layers: &[Descriptor],
    annotations: &[(&str, String)],
) -> NewManifest {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": config,
        "layers": layers,
    });
    add_annotations(&mut manifest, annotations);
    NewManifest::new(&manifest, media_type::OCI_MANIFEST)
}

/// Writes an index over the images of several platforms.
pub fn image_index(images: &[(Platform, &NewManifest)], annotations: &[(&str, String)]) -> NewManifest {
    let manifests: Vec<Descriptor> = images
        .iter()
        .map(|(platform, manifest)| {
            let size = manifest.bytes.len() as u64;
            let mut descriptor = Descriptor::new(manifest.media_type, manifest.digest, size);
            descriptor.platform = Some(platform.clone());
            descriptor
        })
        .collect();
    let mut index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": manifests,
    });
    add_annotations(&mut index, annotations);
    NewManifest::new(&index, media_type::OCI_INDEX)
}

/// An artefact that belongs to an image: one blob, found through the image it names as its subject.
pub fn artifact_manifest(
    artifact_type: &str,
    blob: &Descriptor,
    subject: Option<&Descriptor>,
    annotations: &[(&str, String)],
) -> NewManifest {
    let empty = empty_config();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": empty,
        "layers": [blob],
    });
    if let (Some(subject), Some(fields)) = (subject, manifest.as_object_mut()) {
        fields.insert("subject".to_owned(), json!(subject));
    }
    add_annotations(&mut manifest, annotations);
    NewManifest::new(&manifest, media_type::OCI_MANIFEST)
}

/// The bytes of the empty configuration that artefacts have.
pub const EMPTY_CONFIG: &[u8] = b"{}";

/// The descriptor of [`EMPTY_CONFIG`].
pub fn empty_config() -> Descriptor {
    Descriptor::of(media_type::OCI_EMPTY, EMPTY_CONFIG)
}

fn add_annotations(value: &mut Value, annotations: &[(&str, String)]) {
    if annotations.is_empty() {
        return;
    }
    // Sorted: the order in which they were gathered means nothing.
    let mut sorted: Vec<_> = annotations.iter().collect();
    sorted.sort();
    let annotations: Map<String, Value> =
        sorted.into_iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))).collect();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("annotations".to_owned(), Value::Object(annotations));
    }
}

//! The manifest of one image.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::descriptor::null_as_default;
use super::{Descriptor, ManifestError};
use crate::digest::Digest;

/// The manifest of one image (or artefact): its configuration and layers, lowest layer first.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The digest of [`Self::raw`].
    pub digest: Digest,
    /// Docker's or OCI's media type for a manifest.
    pub media_type: String,
    /// The bytes as the registry served them.
    pub raw: Bytes,
    /// The configuration blob.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// The manifest's own annotations. Docker manifests have none.
    pub annotations: BTreeMap<String, String>,
    /// What an artefact is for. Images have none.
    pub artifact_type: Option<String>,
    /// The manifest that this one belongs to, if it is a referrer.
    pub subject: Option<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    subject: Option<Descriptor>,
}

impl Manifest {
    pub(super) fn read(media_type: String, raw: Bytes) -> Result<Self, ManifestError> {
        let fields: Fields = match serde_json::from_slice(&raw) {
            Ok(fields) => fields,
            Err(source) => return Err(ManifestError::Malformed { media_type, source }),
        };
        Ok(Self {
            digest: Digest::of(&raw),
            media_type,
            raw,
            config: fields.config,
            layers: fields.layers,
            annotations: fields.annotations,
            artifact_type: fields.artifact_type,
            subject: fields.subject,
        })
    }

    /// A descriptor of this manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.digest, self.raw.len() as u64)
    }
}

//! An index: one name for the images of several platforms.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::descriptor::null_as_default;
use super::{Descriptor, ManifestError, Platform};
use crate::digest::Digest;

/// An OCI image index or Docker manifest list.
#[derive(Debug, Clone)]
pub struct Index {
    /// The digest of [`Self::raw`].
    pub digest: Digest,
    /// Docker's or OCI's media type for an index.
    pub media_type: String,
    /// The bytes as the registry served them.
    pub raw: Bytes,
    /// The entries, in the order of the index.
    pub manifests: Vec<Descriptor>,
    /// The index's own annotations.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Fields {
    manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    annotations: BTreeMap<String, String>,
}

impl Index {
    pub(super) fn read(media_type: String, raw: Bytes) -> Result<Self, ManifestError> {
        let fields: Fields = match serde_json::from_slice(&raw) {
            Ok(fields) => fields,
            Err(source) => return Err(ManifestError::Malformed { media_type, source }),
        };
        Ok(Self {
            digest: Digest::of(&raw),
            media_type,
            raw,
            manifests: fields.manifests,
            annotations: fields.annotations,
        })
    }

    /// The entry to use on `platform`: the first that names it, or the only one there is when that
    /// names no platform (the image's configuration tells then).
    pub fn select(&self, platform: &Platform) -> Option<&Descriptor> {
        let named = |entry: &&Descriptor| {
            entry.platform.as_ref().is_some_and(|candidate| candidate.same_as(platform))
        };
        self.manifests.iter().find(named).or_else(|| match &self.manifests[..] {
            [only] if only.platform.is_none() => Some(only),
            _ => None,
        })
    }

    /// The platforms on offer, without the `unknown/unknown` that attestations carry.
    pub fn platforms(&self) -> Vec<&Platform> {
        self.manifests
            .iter()
            .filter_map(|entry| entry.platform.as_ref())
            .filter(|platform| platform.os != "unknown")
            .collect()
    }
}

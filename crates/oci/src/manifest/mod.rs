//! Manifests and indexes, in one view over Docker's and OCI's formats.
//!
//! The bytes are kept as they came: a digest is made of bytes, and writing the parsed view again
//! would make other ones. The views here are for reading; a new manifest is written from scratch.

mod descriptor;
mod image;
mod index;
mod platform;

use bytes::Bytes;
use serde::Deserialize;

pub use self::descriptor::Descriptor;
pub use self::image::Manifest;
pub use self::index::Index;
pub use self::platform::{Platform, PlatformParseError};
use crate::digest::Digest;
use crate::media_type::{ManifestKind, essence};

/// The largest manifest that is read, in bytes: the limit that registries themselves use.
pub const MANIFEST_SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// The largest image configuration that is read, in bytes. Real ones have some tens of kilobytes.
pub const CONFIG_SIZE_LIMIT: u64 = 8 * 1024 * 1024;

/// Why the bytes of a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or a required field is missing or has another form.
    #[error("the manifest cannot be read: it is not what its media type “{media_type}” says")]
    Malformed {
        /// The media type it was read as.
        media_type: String,
        /// What the JSON parser found.
        source: serde_json::Error,
    },
    /// Docker's first format.
    #[error(
        "the image has a manifest in Docker's schema 1, a format that was retired in 2017: \
         push the image again with a current tool (for example “skopeo copy”) and use that copy"
    )]
    DockerSchema1,
    /// A media type that is neither an image nor an index.
    #[error("“{0}” is not a manifest of an image")]
    UnknownMediaType(String),
    /// Header and content contradict each other, so that two clients could read two images.
    #[error(
        "the manifest says two things about its own format (“{declared}” and “{found}”), so it is refused"
    )]
    Ambiguous {
        /// What the registry or the descriptor declared.
        declared: String,
        /// What the bytes say.
        found: String,
    },
}

/// What stands behind a tag or a digest.
#[derive(Debug, Clone)]
pub enum ManifestOrIndex {
    /// One image or artefact.
    Manifest(Box<Manifest>),
    /// A list of manifests, by platform.
    Index(Index),
}

/// The fields that tell the formats apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    schema_version: Option<u64>,
    media_type: Option<String>,
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    manifests: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    fs_layers: Option<serde::de::IgnoredAny>,
}

impl ManifestOrIndex {
    /// Reads `bytes`, which were served as `declared_media_type`.
    ///
    /// The declared type may be missing or a general one (`application/json`); the content decides
    /// then. Where both speak they must agree: a document that is an image for one client and an
    /// index for another can hide content (CVE-2021-41190).
    pub fn parse(declared_media_type: Option<&str>, bytes: Bytes) -> Result<Self, ManifestError> {
        let declared = declared_media_type.map(essence).unwrap_or_default();
        let outline: Outline = serde_json::from_slice(&bytes)
            .map_err(|source| ManifestError::Malformed { media_type: declared.to_owned(), source })?;
        if outline.schema_version == Some(1) || outline.fs_layers.is_some() {
            return Err(ManifestError::DockerSchema1);
        }
        let media_type = agreed_media_type(declared, &outline)?;
        let kind = ManifestKind::from_media_type(&media_type)
            .ok_or_else(|| ManifestError::UnknownMediaType(media_type.clone()))?;
        let contradiction =
            |found: &str| ManifestError::Ambiguous { declared: media_type.clone(), found: found.to_owned() };
        match kind {
            ManifestKind::Image if outline.manifests.is_some() => Err(contradiction("a list of manifests")),
            ManifestKind::Index if outline.layers.is_some() => Err(contradiction("a list of layers")),
            ManifestKind::Image => Ok(Self::Manifest(Box::new(Manifest::read(media_type, bytes)?))),
            ManifestKind::Index => Ok(Self::Index(Index::read(media_type, bytes)?)),
            ManifestKind::DockerSchema1 => Err(ManifestError::DockerSchema1),
        }
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Manifest(manifest) => manifest.digest,
            Self::Index(index) => index.digest,
        }
    }
}

/// The media type that header and content agree on; the shape decides where neither says one.
fn agreed_media_type(declared: &str, outline: &Outline) -> Result<String, ManifestError> {
    let declared_kind = ManifestKind::from_media_type(declared);
    match (&outline.media_type, declared_kind) {
        (Some(found), Some(_)) if essence(found) != declared => Err(ManifestError::Ambiguous {
            declared: declared.to_owned(),
            found: found.chars().take(100).collect(),
        }),
        (_, Some(_)) => Ok(declared.to_owned()),
        (Some(found), None) => Ok(essence(found).to_owned()),
        (None, None) if outline.manifests.is_some() => Ok(crate::media_type::OCI_INDEX.to_owned()),
        (None, None) if outline.layers.is_some() => Ok(crate::media_type::OCI_MANIFEST.to_owned()),
        (None, None) => Err(ManifestError::UnknownMediaType(declared.to_owned())),
    }
}

#[cfg(test)]
mod tests;

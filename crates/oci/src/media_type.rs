//! The media types of manifests and layers, in Docker's and OCI's spelling.

use std::fmt;

/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// An uncompressed OCI layer.
pub const OCI_LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// An OCI layer compressed with gzip.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// An OCI layer compressed with zstd.
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The two bytes `{}`, the configuration of an artefact that needs none.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A Docker image manifest, version 2, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list, version 2, schema 2.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

const DOCKER_SCHEMA_1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/// What a manifest request accepts, in order of preference.
pub const ACCEPTED_MANIFESTS: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_MANIFEST];

/// The four shapes a manifest can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestKind {
    /// One image (or artefact): a configuration and layers.
    Image,
    /// A list of manifests, by platform.
    Index,
    /// Docker's obsolete schema 1, which names no digests of uncompressed layers.
    DockerSchema1,
}

impl ManifestKind {
    /// The kind that `media_type` stands for; `None` when it is no manifest at all.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match essence(media_type) {
            OCI_MANIFEST | DOCKER_MANIFEST => Some(Self::Image),
            OCI_INDEX | DOCKER_MANIFEST_LIST => Some(Self::Index),
            other if DOCKER_SCHEMA_1.contains(&other) => Some(Self::DockerSchema1),
            _ => None,
        }
    }
}

/// How the tar of a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerCompression {
    /// A plain tar.
    None,
    /// One or several gzip members.
    Gzip,
    /// One or several zstd frames.
    Zstd,
}

/// Why the media type of a layer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerMediaTypeError {
    /// The layer needs a key that this program does not have.
    #[error(
        "a layer of type “{0}” is encrypted, which is not supported: use the image's unencrypted variant"
    )]
    Encrypted(String),
    /// Not a layer of files.
    #[error("“{0}” is not a layer of files: is this an artefact (a chart, a signature) instead of an image?")]
    NotALayer(String),
}

impl LayerCompression {
    /// The compression that `media_type` says.
    ///
    /// Foreign and non-distributable layers count like any other: they are read from the registry,
    /// and never from the addresses that their descriptors name.
    pub fn from_media_type(media_type: &str) -> Result<Self, LayerMediaTypeError> {
        let essence = essence(media_type);
        let unknown = || LayerMediaTypeError::NotALayer(media_type.to_owned());
        if essence.ends_with("+encrypted") {
            return Err(LayerMediaTypeError::Encrypted(media_type.to_owned()));
        }
        if let Some(rest) = essence.strip_prefix("application/vnd.docker.image.rootfs.") {
            return match rest {
                "diff.tar" | "foreign.diff.tar" => Ok(Self::None),
                "diff.tar.gzip" | "foreign.diff.tar.gzip" => Ok(Self::Gzip),
                "diff.tar.zstd" | "foreign.diff.tar.zstd" => Ok(Self::Zstd),
                _ => Err(unknown()),
            };
        }
        match essence.strip_prefix("application/vnd.oci.image.layer.") {
            Some("v1.tar" | "nondistributable.v1.tar") => Ok(Self::None),
            Some("v1.tar+gzip" | "nondistributable.v1.tar+gzip") => Ok(Self::Gzip),
            Some("v1.tar+zstd" | "nondistributable.v1.tar+zstd") => Ok(Self::Zstd),
            _ => Err(unknown()),
        }
    }

    /// The OCI media type of a layer compressed this way.
    pub fn oci_media_type(self) -> &'static str {
        match self {
            Self::None => OCI_LAYER_TAR,
            Self::Gzip => OCI_LAYER_GZIP,
            Self::Zstd => OCI_LAYER_ZSTD,
        }
    }
}

impl fmt::Display for LayerCompression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// The media type without parameters: some registries add `; charset=utf-8`.
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_and_oci_layers_are_understood() {
        for (media_type, compression) in [
            (OCI_LAYER_TAR, LayerCompression::None),
            (OCI_LAYER_GZIP, LayerCompression::Gzip),
            (OCI_LAYER_ZSTD, LayerCompression::Zstd),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerCompression::Gzip),
            ("application/vnd.docker.image.rootfs.diff.tar", LayerCompression::None),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerCompression::Gzip),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LayerCompression::Zstd),
        ] {
            assert_eq!(LayerCompression::from_media_type(media_type), Ok(compression));
        }
    }

    #[test]
    fn encrypted_layers_and_artefacts_are_told_apart() {
        assert!(matches!(
            LayerCompression::from_media_type("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
            Err(LayerMediaTypeError::Encrypted(_))
        ));
        assert!(matches!(
            LayerCompression::from_media_type("application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
            Err(LayerMediaTypeError::NotALayer(_))
        ));
    }

    #[test]
    fn parameters_of_a_media_type_do_not_matter() {
        let media_type = format!("{OCI_INDEX}; charset=utf-8");
        assert_eq!(ManifestKind::from_media_type(&media_type), Some(ManifestKind::Index));
    }
}

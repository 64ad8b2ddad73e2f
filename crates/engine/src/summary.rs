//! What a finished build tells of itself.

use imagewright_oci::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::step::Step;

/// The outcome of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildSummary {
    /// The reference that was pushed, with its tag.
    pub reference: String,
    /// Digest of the manifest, or of the index where there are several platforms.
    pub digest: Digest,
    /// Each platform's image.
    pub images: Vec<PlatformImage>,
    /// The image for machines with a GPU, where a universal image needs a second one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Box<VariantSummary>>,
    /// Eight hexadecimal digits over the normalised spec.
    pub spec_hash: String,
    /// Seconds from start to end.
    pub seconds: f64,
    /// Seconds of each step, in their order.
    pub steps: Vec<StepSeconds>,
    /// Bytes moved to and from the registry.
    pub transfer: Transfer,
    /// True when the very same build was found and only looked up.
    pub unchanged: bool,
}

/// A second image that a build has pushed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantSummary {
    /// Its reference, with its tag.
    pub reference: String,
    /// Digest of its manifest, or of its index where there are several platforms.
    pub digest: Digest,
    /// Each platform's image.
    pub images: Vec<PlatformImage>,
}

/// One platform's image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformImage {
    /// `linux/amd64`.
    pub platform: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Digest of the base's manifest for this platform.
    pub base_digest: Digest,
    /// Digest of the lock.
    pub revision: String,
    /// Compressed size in bytes: configuration and layers, those of the base included. 0 where it was not counted yet.
    #[serde(default)]
    pub size: u64,
    /// Number of layers, those of the base included.
    pub layers: usize,
    /// System packages that were installed or replaced, `name version`, in order of name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<String>,
    /// conda packages that were put in, `name version`, in order of name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conda: Vec<String>,
    /// Packages that were added, `name version`, in order of name.
    pub added: Vec<String>,
    /// Packages of the base that were replaced, `name old → new`.
    pub replaced: Vec<String>,
    /// Packages of the base that satisfied a requirement and stayed, `name version`.
    pub kept: Vec<String>,
}

/// How long one step took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepSeconds {
    /// Which step.
    pub step: Step,
    /// Seconds.
    pub seconds: f64,
}

/// Bytes moved, all platforms together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Compressed bytes of layers that were made in this build.
    pub new_layer_bytes: u64,
    /// Compressed bytes of layers that were found made, in the registry or by mounting.
    pub reused_layer_bytes: u64,
    /// Bytes uploaded to the registry.
    pub uploaded_bytes: u64,
    /// Bytes read from the base's registry.
    pub read_bytes: u64,
}

//! What a custom image is built from, as somebody asked for it.

use imagewright_spec::{ImageKind, ImageReference};
use serde::{Deserialize, Serialize};

/// A base image and lines of packages, as they were typed: what they mean is decided when a build is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// For which machines the image is.
    pub kind: ImageKind,
    /// The image to start from.
    pub base: ImageReference,
    /// APT packages, line by line.
    #[serde(default)]
    pub apt: Vec<String>,
    /// conda packages, line by line.
    #[serde(default)]
    pub conda: Vec<String>,
    /// pip packages, line by line.
    #[serde(default)]
    pub pip: Vec<String>,
}

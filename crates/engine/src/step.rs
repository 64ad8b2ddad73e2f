//! The stages of a build.

use serde::{Deserialize, Serialize};

/// The stages of a build, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reading the base image's manifest, configuration and path index.
    Base,
    /// Installing system packages into the base.
    System,
    /// Choosing the exact conda packages, and turning them into pieces of layers.
    Conda,
    /// Choosing the exact packages.
    Resolve,
    /// Downloading packages and turning them into pieces of layers.
    Packages,
    /// Joining the pieces to layers.
    Layers,
    /// Uploading layers, configuration and manifest.
    Push,
}

impl Step {
    /// The words that people see.
    pub fn title(self) -> &'static str {
        match self {
            Self::Base => "Read the base image",
            Self::System => "Install APT packages",
            Self::Conda => "Add conda packages",
            Self::Resolve => "Resolve packages",
            Self::Packages => "Prepare packages",
            Self::Layers => "Join layers",
            Self::Push => "Push the image",
        }
    }
}

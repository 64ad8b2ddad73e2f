//! What a lock says of a package that was built.

use imagewright_oci::digest::Digest;
use serde::{Deserialize, Serialize};

/// What a wheel was built from, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedBuild {
    /// The sources.
    pub source: LockedSource,
    /// What it was built with, in the order of the names.
    pub requires: Vec<LockedRequirement>,
    /// The time that the build was told, in seconds since the Unix epoch.
    pub source_date_epoch: i64,
}

/// The sources of a wheel that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LockedSource {
    /// A source distribution.
    Archive {
        /// Its address, without credentials.
        url: String,
        /// Its digest.
        sha256: Digest,
        /// The folder in it that was built, where it is not the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subdirectory: Option<String>,
    },
    /// A Git repository.
    Git {
        /// Its address, without credentials.
        url: String,
        /// The commit, 40 hexadecimal digits.
        commit: String,
        /// The folder in it that was built, where it is not the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subdirectory: Option<String>,
    },
}

impl LockedSource {
    /// The address.
    pub fn url(&self) -> &str {
        match self {
            Self::Archive { url, .. } | Self::Git { url, .. } => url,
        }
    }

    /// The folder that is built, where it is not the whole.
    pub fn subdirectory(&self) -> Option<&str> {
        match self {
            Self::Archive { subdirectory, .. } | Self::Git { subdirectory, .. } => subdirectory.as_deref(),
        }
    }

    /// True for the archive with this SHA-256 in hex.
    pub(crate) fn is_archive(&self, hex: &str) -> bool {
        matches!(self, Self::Archive { sha256, .. } if sha256.hex() == hex)
    }

    /// Names the bytes of the sources, and nothing else.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Archive { sha256, .. } => format!("archive {sha256}"),
            Self::Git { url, commit, .. } => format!("git {url} {commit}"),
        }
    }
}

/// A wheel that another one was built with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockedRequirement {
    /// Name of the wheel.
    pub file: String,
    /// Its digest.
    pub sha256: Digest,
}

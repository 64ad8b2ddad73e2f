//! The lock of an image: exactly which base and which packages, without time or machine.
//!
//! Its bytes are JSON of a fixed form; their digest is the image's *revision*. The lock is stored as a blob in
//! the image's repository, named by the manifest's annotation `io.imagewright.revision`.

use imagewright_oci::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::error::{BuildError, ErrorKind};

/// Version of the format.
pub const LOCK_VERSION: u32 = 1;

/// Media type of a lock.
pub const LOCK_MEDIA_TYPE: &str = "application/vnd.imagewright.lock.v1+json";

/// Largest lock that is read, in bytes: some fifty thousand packages.
pub const LOCK_SIZE_LIMIT: u64 = 16 << 20;

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// [`LOCK_VERSION`].
    pub version: u32,
    /// `linux/amd64`.
    pub platform: String,
    /// The image below all packages.
    pub base: LockedBase,
    /// The interpreter that pip packages are for; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<LockedPython>,
    /// Packages in pip's order of installation.
    pub pip: Vec<LockedPackage>,
    /// Packages of the base that were replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<LockedReplacement>,
    /// Packages of the base that satisfied a requirement, `name==version`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

/// The base of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedBase {
    /// Reference as it was given.
    pub reference: String,
    /// Digest of its manifest for the platform.
    pub digest: Digest,
}

/// The interpreter of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPython {
    /// `3.11.2`, or `3.11` where the patch could not be told.
    pub version: String,
    /// Absolute path in the image.
    pub executable: String,
}

/// One package of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPackage {
    /// Normalised name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Name of the wheel.
    pub file: String,
    /// Address of the wheel, without credentials.
    pub url: String,
    /// Digest of the wheel.
    pub sha256: Digest,
    /// True when it was asked for by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requested: bool,
    /// Text of `direct_url.json`, for a package that was asked for by address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<String>,
}

/// A package of the base that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedReplacement {
    /// Normalised name.
    pub name: String,
    /// Version in the base.
    pub old: String,
    /// Version now.
    pub new: String,
}

impl Lock {
    /// The bytes of the lock.
    ///
    /// # Errors
    /// Never for a lock of ours; the serialiser's signature wants it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BuildError> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| BuildError::internal("the lock cannot be written").with_source(error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// Bytes that are no lock, or one of a newer version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BuildError> {
        let lock: Self = serde_json::from_slice(bytes).map_err(|error| {
            BuildError::new(ErrorKind::Unsupported, "the lock of the image cannot be read").with_source(error)
        })?;
        if lock.version != LOCK_VERSION {
            return Err(BuildError::new(
                ErrorKind::Unsupported,
                format!(
                    "the lock of the image has version {}; this program reads {LOCK_VERSION}",
                    lock.version
                ),
            )
            .with_next_step("use the version of Imagewright that built the image, or a newer one"));
        }
        Ok(lock)
    }
}

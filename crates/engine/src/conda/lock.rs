//! conda's part of the lock.

use imagewright_oci::digest::Digest;
use imagewright_oci::layer::path::normalise;
use rattler_conda_types::RepoDataRecord;
use serde::{Deserialize, Serialize};

use super::environment::ActivatedVariable;
use super::installed::label;
use crate::error::{BuildError, ErrorKind};

/// What conda puts into a prefix, and takes out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedConda {
    /// The prefix as the image names it.
    pub prefix: String,
    /// Channels in the order in which they were asked.
    pub channels: Vec<String>,
    /// What the image was taken to have, `__glibc=2.36=0`.
    pub virtual_packages: Vec<String>,
    /// Packages in the order in which conda links them.
    pub packages: Vec<LockedCondaPackage>,
    /// Packages of the base that go, `name version build`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// What was asked for, as conda's history has it.
    pub requested: Vec<String>,
    /// What the packages set in the image's environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<ActivatedVariable>,
    /// Version of the prefix's Python, where pure Python packages are put in: their bytecode is for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Version and magic number of the interpreter that made bytecode for pure Python packages; absent where there
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytecode: Option<String>,
}

impl LockedConda {
    /// What no lock of ours has. A lock may come from an image that anybody made.
    pub fn oddity(&self) -> Option<String> {
        let is_prefix = self.prefix.strip_prefix('/').is_some_and(|path| {
            normalise(path.as_bytes()).is_ok_and(|plain| !plain.is_empty() && plain == path)
                && path.chars().all(|c| c.is_ascii_graphic() && c != ':')
        });
        if !is_prefix {
            return Some("its conda prefix is no absolute path".to_owned());
        }
        self.packages.iter().find_map(|package| {
            let record = &package.record.package_record;
            let plain = |c: char| c.is_ascii_alphanumeric() || "._+-!".contains(c);
            let is_plain = |text: &str| !text.is_empty() && text.len() <= 128 && text.chars().all(plain);
            let is_archive = is_plain(&package.file_name()) && !package.file_name().starts_with('.');
            let parts = [package.name(), &record.version.to_string(), record.build.as_ref()].map(is_plain);
            let shown: String = package.name().chars().take(80).collect();
            (!is_archive || parts.contains(&false) || package.sha256().is_err()).then(|| {
                format!("the conda package {shown:?} has no proper name, version, build, file or digest")
            })
        })
    }
}

/// One package that conda puts in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedCondaPackage {
    /// The spec by which it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// Its record as the channel has it, with address and digest. Addresses hold no credentials.
    #[serde(flatten)]
    pub record: RepoDataRecord,
}

impl LockedCondaPackage {
    /// The name in lower case.
    pub fn name(&self) -> &str {
        self.record.package_record.name.as_normalized()
    }

    /// `numpy 1.26.4 py311_0`.
    pub fn label(&self) -> String {
        label(&self.record)
    }

    /// Whether a channel has promised what its archive is. A package that was asked for by its address has none.
    pub fn is_of_channel(&self) -> bool {
        self.record.channel.is_some()
    }

    /// Name of its archive.
    pub fn file_name(&self) -> String {
        self.record.identifier.to_file_name()
    }

    /// Digest of its archive.
    ///
    /// # Errors
    /// A channel that gives none: what cannot be verified is not installed.
    pub fn sha256(&self) -> Result<Digest, BuildError> {
        let sha256 = self.record.package_record.sha256.as_ref();
        let digest = sha256.and_then(|hash| format!("sha256:{}", hex::encode(hash)).parse().ok());
        digest.ok_or_else(|| {
            BuildError::new(
                ErrorKind::Unsupported,
                format!("the channel gives no SHA-256 digest of {}", self.file_name()),
            )
            .with_next_step("ask for a newer build of the package, or index the channel with a current tool")
        })
    }
}

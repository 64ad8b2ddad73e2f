//! The lock of an image: exactly which base and which packages, without time or machine.
//!
//! Its bytes are JSON of a fixed form; their digest is the image's *revision*. The lock is stored as a blob in
//! the image's repository, named by the manifest's annotation `io.imagewright.revision`.

mod export;

use imagewright_oci::digest::Digest;
use imagewright_oci::layer::codec::Compression;
use imagewright_spec::{AptPackage, ImageReference};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

pub use crate::conda::{LockedConda, LockedCondaPackage};
use crate::error::{BuildError, ErrorKind};
pub use crate::pip::source::{LockedBuild, LockedRequirement, LockedSource};
pub use crate::system::LockedSystemPackage;
pub use export::LockFormat;

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
    /// What was asked for, eight hexadecimal digits over the normalised spec: the image names it too.
    #[serde(default)]
    pub spec_hash: String,
    /// Codec of the layers.
    #[serde(default)]
    pub compression: Compression,
    /// The image below all packages.
    pub base: LockedBase,
    /// The interpreter that pip packages are for; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<LockedPython>,
    /// System packages that were asked for by name, where all of `apt` came of that: the others are marked as
    /// installed for their sake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apt_requested: Vec<AptPackage>,
    /// System packages that were installed or replaced, with their dependencies, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apt: Vec<LockedSystemPackage>,
    /// Packages of conda, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conda: Option<LockedConda>,
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
    /// Version and magic number of the interpreter that made the bytecode; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytecode: Option<String>,
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
    /// What the wheel was built from, and with what; absent for wheels that were published. `url` is then that of
    /// the sources, and `sha256` that of the wheel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<LockedBuild>,
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
        if let Some(odd) = lock.oddity() {
            return Err(BuildError::new(
                ErrorKind::Unsupported,
                format!("the lock of the image is odd: {odd}"),
            ));
        }
        Ok(lock)
    }

    /// Takes in what this build has installed, above what the image below, if it is one of ours, had.
    pub fn take_system_packages(&mut self, below: Option<&Self>, installed: &[LockedSystemPackage]) {
        let is_replaced = |old: &&LockedSystemPackage| {
            installed.iter().any(|new| new.name == old.name && new.architecture == old.architecture)
        };
        let kept = below.into_iter().flat_map(|lock| &lock.apt).filter(|old| !is_replaced(old));
        self.apt = kept.chain(installed).cloned().collect();
        self.apt.sort();
    }

    /// Whether the packages of pip have bytecode that was made for the image.
    pub fn has_bytecode(&self) -> bool {
        self.python.as_ref().is_some_and(|python| python.bytecode.is_some())
    }

    /// True when every address of the lock is where this build would fetch from as well: that of a wheel on one of the
    /// `indexes` (scheme, host and port), that of a conda package below one of the `channels`. What was built is on no
    /// server.
    pub fn addresses_are_within(&self, indexes: &[Origin], channels: &[Url]) -> bool {
        let wheels = self.pip.iter().all(|package| {
            package.built.is_none()
                && Url::parse(&package.url).is_ok_and(|url| indexes.contains(&url.origin()))
        });
        let mut archives = self.conda.iter().flat_map(|conda| &conda.packages);
        wheels
            && archives.all(|package| channels.iter().any(|channel| is_below(channel, &package.record.url)))
    }

    /// What no lock of ours has. A lock may come from an image that anybody made.
    fn oddity(&self) -> Option<String> {
        if self.base.reference.parse::<ImageReference>().is_err() {
            return Some("its base is no image reference".to_owned());
        }
        if !self.apt.iter().all(LockedSystemPackage::is_sound) {
            return Some("a system package has no proper name, version or architecture".to_owned());
        }
        if let Some(odd) = self.conda.as_ref().and_then(LockedConda::oddity) {
            return Some(odd);
        }
        self.pip.iter().find_map(|package| {
            let shown: String = package.name.chars().take(80).collect();
            let name = package.name.parse::<PackageName>().is_ok_and(|name| name.as_ref() == package.name);
            let version = package.version.parse::<Version>().is_ok();
            (!name || !version || !is_wheel_name(&package.file))
                .then(|| format!("the package {shown:?} has no proper name, version or file"))
        })
    }
}

/// True where an address lies in the folder of another.
pub(crate) fn is_below(folder: &Url, address: &Url) -> bool {
    let path = format!("{}/", folder.path().trim_end_matches('/'));
    folder.origin() == address.origin() && address.path().starts_with(&path)
}

/// A single name that ends like a wheel's.
fn is_wheel_name(file: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._+-!".contains(character);
    file.len() <= 255
        && file.strip_suffix(".whl").is_some()
        && !file.starts_with('.')
        && file.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(file: &str, url: &str) -> Lock {
        Lock {
            version: LOCK_VERSION,
            platform: "linux/amd64".into(),
            base: LockedBase { reference: "registry.example/base:1".into(), digest: Digest::of(b"base") },
            python: None,
            spec_hash: "7ddacd5d".into(),
            compression: Compression::default(),
            apt_requested: Vec::new(),
            apt: Vec::new(),
            conda: None,
            pip: vec![LockedPackage {
                name: "six".into(),
                version: "1.17.0".into(),
                file: file.into(),
                url: url.into(),
                sha256: Digest::of(b"six"),
                requested: true,
                direct_url: None,
                built: None,
            }],
            replaced: Vec::new(),
            kept: Vec::new(),
        }
    }

    #[test]
    fn a_lock_is_read_back_and_an_odd_one_is_refused() {
        let url = "https://files.example/six-1.17.0-py3-none-any.whl";
        let good = lock("six-1.17.0-py3-none-any.whl", url);
        assert_eq!(Lock::from_bytes(&good.to_bytes().unwrap()).unwrap(), good);
        for file in ["/etc/passwd", "../six.whl", "six.whl/../x", ".whl", "six.tar.gz"] {
            let odd = lock(file, url).to_bytes().unwrap();
            assert!(Lock::from_bytes(&odd).is_err(), "{file}");
        }
    }

    #[test]
    fn addresses_elsewhere_are_told() {
        let index = Url::parse("https://files.example/simple").unwrap().origin();
        assert!(
            lock("six.whl", "https://files.example/a/six.whl")
                .addresses_are_within(std::slice::from_ref(&index), &[])
        );
        for elsewhere in
            ["http://files.example/six.whl", "https://169.254.169.254/six.whl", "file:///six.whl"]
        {
            assert!(
                !lock("six.whl", elsewhere).addresses_are_within(std::slice::from_ref(&index), &[]),
                "{elsewhere}"
            );
        }
    }
}

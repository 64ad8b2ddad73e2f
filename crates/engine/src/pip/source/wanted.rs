//! What is to be built, and what was.

use std::path::PathBuf;

use imagewright_oci::digest::Digest;
use pep440_rs::Version;
use pep508_rs::PackageName;

use super::locked::{LockedBuild, LockedSource};
use crate::pip::FileUrl;
use crate::pip::download::WantedFile;
use crate::pip::pylock::LockedFile;

/// Sources that are to be built.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The package that they are of.
    pub(crate) name: PackageName,
    /// Its version, where it is known.
    pub(crate) version: Option<Version>,
    /// What they are.
    pub(crate) source: LockedSource,
    /// Where the archive is, with whatever the address needs; `None` for repositories.
    pub(crate) file: Option<WantedFile>,
}

impl Wanted {
    /// A source distribution of an index; the error is a clause for people.
    pub(crate) fn of_index(
        name: &PackageName,
        version: &Version,
        sdist: &LockedFile,
    ) -> Result<Self, String> {
        let url = sdist.url.clone().filter(|url| matches!(url.scheme(), "https" | "http"));
        let (Some(url), Some(file_name)) = (url.map(FileUrl::new), sdist.file_name()) else {
            return Err("the address of its sources is not that of a file on a web server".to_owned());
        };
        let digest = sdist.sha256().and_then(|hex| Some((format!("sha256:{hex}").parse().ok()?, hex)));
        let Some((sha256, hex)) = digest else {
            return Err(
                "the index does not say the SHA-256 of its sources, so they cannot be verified".to_owned()
            );
        };
        let source = LockedSource::Archive { url: url.to_string(), sha256, subdirectory: None };
        let file = WantedFile { file_name, url, sha256: Some(hex), size: sdist.size };
        Ok(Self { name: name.clone(), version: Some(version.clone()), source, file: Some(file) })
    }

    /// `seqeval 1.2.2`.
    pub(super) fn shown(&self) -> String {
        self.version
            .as_ref()
            .map_or_else(|| self.name.to_string(), |version| format!("{} {version}", self.name))
    }
}

/// A wheel that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Built {
    /// The package.
    pub(crate) name: PackageName,
    /// Its version.
    pub(crate) version: Version,
    /// Name of the wheel.
    pub(crate) file_name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its digest.
    pub(crate) sha256: Digest,
    /// Its `METADATA`.
    pub(crate) metadata: String,
    /// What it was built from.
    pub(crate) build: LockedBuild,
}

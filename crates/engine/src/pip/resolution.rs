//! What resolving gives: the exact packages an image shall have, in the order in which pip would install them.

use std::fmt;
use std::path::PathBuf;

use imagewright_oci::digest::Digest;
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use serde_json::json;
use url::Url;

use super::source::LockedBuild;
use crate::python::installed::InstalledDistribution;

/// The exact packages that the requirements lead to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolution {
    /// In pip's order of installation: dependencies first, names in order among equals.
    pub packages: Vec<ResolvedPackage>,
    /// What people should know: packages that were upgraded along.
    pub notices: Vec<String>,
    /// What is not right though the build goes on: packages of the base whose requirements are broken now.
    pub warnings: Vec<String>,
}

/// One package of a resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// Normalised name.
    pub name: PackageName,
    /// The exact version.
    pub version: Version,
    /// Extras that somebody asks for.
    pub extras: Vec<ExtraName>,
    /// True when it was asked for by name: pip leaves `REQUESTED` then.
    pub requested: bool,
    /// Where it comes from.
    pub source: Source,
    /// What is installed under this name in the base and is replaced, or shadowed where it belongs to another
    /// package manager.
    pub replaces: Option<InstalledDistribution>,
    /// The packages of the resolution that it needs.
    pub dependencies: Vec<PackageName>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is in the base in this version and stays as it is.
    Kept,
    /// A wheel of an index, which promises its digest.
    Wheel(IndexWheel),
    /// A wheel at an address that was asked for.
    DirectUrl(DirectWheel),
    /// A wheel that was built here, since there are only sources.
    Built(BuiltWheel),
}

/// A wheel that was built here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltWheel {
    /// Its name.
    pub file_name: String,
    /// Where it is, in the cache of its owner and base.
    pub path: PathBuf,
    /// Its digest.
    pub sha256: Digest,
    /// What it was built from, and with what.
    pub build: LockedBuild,
    /// The text of `direct_url.json` (PEP 610), for sources that were asked for by address.
    pub direct_url: Option<String>,
}

/// A wheel of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexWheel {
    /// `numpy-2.2.6-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`.
    pub file_name: String,
    /// Where it is.
    pub url: FileUrl,
    /// Its SHA-256 in lower-case hex, as the index promises.
    pub sha256: String,
    /// Its length in bytes, where the index says it.
    pub size: Option<u64>,
    /// The index, without credentials, where uv tells it.
    pub index: Option<String>,
}

/// A wheel at an address that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectWheel {
    /// The last part of the address.
    pub file_name: String,
    /// The address.
    pub url: FileUrl,
    /// Its SHA-256 in lower-case hex; `None` until it was downloaded.
    pub sha256: Option<String>,
}

impl DirectWheel {
    /// The text of `direct_url.json` (PEP 610), once the digest is known.
    pub fn direct_url_json(&self, sha256: &str) -> String {
        json!({
            "archive_info": { "hash": format!("sha256={sha256}"), "hashes": { "sha256": sha256 } },
            "url": self.url.to_string(),
        })
        .to_string()
    }
}

/// The address of a file. It may hold credentials or a signature, so it is shown without user, password and
/// query.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUrl(Url);

impl FileUrl {
    /// Wraps an address.
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The whole address, for the program that fetches from it. Never log it.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for FileUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        // These fail for addresses without a host, which hold no credentials either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        fmt::Display::fmt(&url, formatter)
    }
}

impl fmt::Debug for FileUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FileUrl({self})")
    }
}

//! Reading and writing `pylock.toml` (PEP 751), the form in which uv gives its result and takes preferences.

use std::fmt::Write as _;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Deserialize;
use url::Url;

use crate::python::installed::Installed;

/// A lock as uv writes it; fields that are not used are left out.
#[derive(Debug, Deserialize)]
pub(super) struct Lock {
    #[serde(default)]
    pub(super) packages: Vec<LockedPackage>,
}

/// One package of a lock.
#[derive(Debug, Deserialize)]
pub(super) struct LockedPackage {
    pub(super) name: PackageName,
    /// Absent for source trees, whose version only a build would tell.
    #[serde(default, deserialize_with = "version")]
    pub(super) version: Option<Version>,
    #[serde(default)]
    pub(super) wheels: Vec<LockedFile>,
    pub(super) sdist: Option<LockedFile>,
    /// A file at an address that was asked for.
    pub(super) archive: Option<LockedFile>,
    /// A repository that was asked for.
    pub(super) vcs: Option<toml::Value>,
    /// A folder that was asked for.
    pub(super) directory: Option<toml::Value>,
}

/// One file of a package.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LockedFile {
    pub(super) name: Option<String>,
    pub(super) url: Option<Url>,
    /// A file of ours, that was given by path.
    pub(super) path: Option<String>,
    pub(super) size: Option<u64>,
    #[serde(default)]
    pub(super) hashes: Hashes,
}

/// Digests of a file in hex.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Hashes {
    pub(super) sha256: Option<String>,
}

impl LockedFile {
    /// The name of the file: said, or the last part of its address.
    pub(super) fn file_name(&self) -> Option<String> {
        let of_url = || {
            let last = self.url.as_ref()?.path_segments()?.next_back()?;
            Some(percent_decoded(last))
        };
        self.name.clone().or_else(of_url).filter(|name| !name.is_empty() && !name.contains(['/', '\0']))
    }

    /// The SHA-256 in lower-case hex, when it is one.
    pub(super) fn sha256(&self) -> Option<String> {
        let digest = self.hashes.sha256.as_ref()?.to_lowercase();
        (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digest)
    }
}

/// Reads a lock.
pub(super) fn read(text: &str) -> Result<Lock, toml::de::Error> {
    toml::from_str(text)
}

/// A lock of everything that is installed: uv prefers the versions of the file that it is about to overwrite.
/// Empty when nothing is installed, as uv refuses a lock without packages.
pub(super) fn of_installed(installed: &Installed) -> String {
    if installed.distributions.is_empty() {
        return String::new();
    }
    let mut text = String::from("lock-version = \"1.0\"\ncreated-by = \"imagewright\"\n");
    for distribution in &installed.distributions {
        // Neither names nor versions can hold quotes.
        text.push_str("\n[[packages]]\n");
        let _ = writeln!(text, "name = \"{}\"\nversion = \"{}\"", distribution.name, distribution.version);
    }
    text
}

fn version<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Version>, D::Error> {
    let text = <String as Deserialize>::deserialize(deserializer)?;
    Version::from_str(&text).map(Some).map_err(serde::de::Error::custom)
}

/// `%2B` and its like, as they stand for the `+` of local versions.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

//! The whole of what a user asks for: a base image and the packages to put on it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::apt::AptPackage;
use crate::conda_request::CondaRequest;
use crate::image_kind::ImageKind;
use crate::pip_request::PipRequest;
use crate::problem::Problem;
use crate::reference::ImageReference;
use crate::string_type::string_type;

/// A description of an image.
///
/// As JSON, packages and references are strings; credentials of package indexes are never part of it (see
/// [`IndexUrl`](crate::IndexUrl)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildSpec {
    /// The image to start from.
    pub base: ImageReference,
    /// For which machines it is.
    #[serde(default, rename = "type", skip_serializing_if = "ImageKind::is_usual")]
    pub kind: ImageKind,
    /// System packages.
    #[serde(default)]
    pub apt: Vec<AptPackage>,
    /// conda packages.
    #[serde(default)]
    pub conda: CondaRequest,
    /// Python packages.
    #[serde(default)]
    pub pip: PipRequest,
}

impl BuildSpec {
    /// A base image without packages.
    pub fn new(base: ImageReference) -> Self {
        Self {
            base,
            kind: ImageKind::default(),
            apt: Vec::new(),
            conda: CondaRequest::default(),
            pip: PipRequest::default(),
        }
    }

    /// Whether no package is asked for.
    pub fn is_empty(&self) -> bool {
        self.apt.is_empty() && self.conda.is_empty() && self.pip.is_empty()
    }

    /// Adds the packages of another description; the base stays.
    pub fn merge(&mut self, other: PackageRequest) {
        self.kind = other.kind.unwrap_or(self.kind);
        self.apt.extend(other.apt);
        self.conda.merge(other.conda);
        self.pip.merge(other.pip);
    }

    /// The same description in its one canonical form: equal requests, however they were typed and in whichever
    /// order, become equal bytes of JSON.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.apt.sort();
        self.apt.dedup();
        self.conda = self.conda.normalised();
        self.pip = self.pip.normalised();
        self
    }

    /// The description as canonical JSON: normalised, fields in a fixed order, no blanks.
    #[expect(clippy::missing_panics_doc, reason = "strings, lists and flags always serialise")]
    pub fn canonical_json(&self) -> String {
        serde_json::to_string(&self.clone().normalised()).expect("strings, lists and flags always serialise")
    }

    /// A short name for what was asked for: a label and a cache key, not proof of identity.
    pub fn spec_hash(&self) -> SpecHash {
        let digest = Sha256::digest(self.canonical_json());
        SpecHash(hex::encode(&digest[..4]))
    }
}

/// The packages of a description, without a base: what files and forms give.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageRequest {
    /// The base, if the file named one.
    pub base: Option<ImageReference>,
    /// For which machines it is, if the file said so.
    pub kind: Option<ImageKind>,
    /// System packages.
    pub apt: Vec<AptPackage>,
    /// conda packages.
    pub conda: CondaRequest,
    /// Python packages.
    pub pip: PipRequest,
}

impl PackageRequest {
    /// Adds the packages of another file; of two bases the later one wins.
    pub fn merge(&mut self, other: Self) {
        self.base = other.base.or(self.base.take());
        self.kind = other.kind.or(self.kind);
        self.apt.extend(other.apt);
        self.conda.merge(other.conda);
        self.pip.merge(other.pip);
    }

    /// The description of these packages on `base`.
    pub fn on_base(self, base: ImageReference) -> BuildSpec {
        let mut spec = BuildSpec::new(base);
        spec.merge(self);
        spec
    }
}

/// Eight lower-case hexadecimal digits: the first four bytes of the SHA-256 of a [`BuildSpec`]'s canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecHash(String);

impl SpecHash {
    /// The eight digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for SpecHash {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::at(1, "a spec hash has eight digits 0-9 a-f", "copy it again"))
        }
    }
}

string_type!(SpecHash);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CondaPolicy, PipPolicy, parse_apt, parse_conda, parse_pip};

    fn spec(apt: &str, conda: &str, pip: &str) -> BuildSpec {
        BuildSpec {
            base: "python:3.12-slim".parse().unwrap(),
            kind: ImageKind::Cpu,
            apt: parse_apt("apt", apt).unwrap(),
            conda: parse_conda("conda", conda, CondaPolicy::OPEN).unwrap(),
            pip: parse_pip("pip", pip, PipPolicy::OPEN).unwrap(),
        }
    }

    #[test]
    fn equal_requests_have_equal_bytes() {
        let one = spec(
            "git curl",
            "-c b -c a numpy=1.17 scipy",
            "Scikit_Learn>=1,<2\nx\n--extra-index-url https://me:one@h/s",
        );
        let two = spec(
            "sudo apt install curl git curl",
            "conda install -c b -c a scipy\nnumpy=1.17.* numpy=1.17",
            "x x\n--extra-index-url https://you:two@h/s\nscikit-learn < 2, >= 1",
        );
        assert_eq!(one.canonical_json(), two.canonical_json());
        assert_eq!(one.spec_hash(), two.spec_hash());
        let reordered = spec(
            "git curl",
            "-c a -c b numpy=1.17 scipy",
            "scikit-learn>=1,<2 x\n--extra-index-url https://h/s",
        );
        assert_ne!(one.spec_hash(), reordered.spec_hash(), "the order of channels has a meaning");
    }

    #[test]
    fn the_canonical_json_is_stable() {
        let spec = spec(
            "g++ git/bookworm-backports",
            "-c conda-forge::numpy==1.17*",
            "-i https://me:hunter2@h/s\n--pre\nx; python_version < '3.12'",
        );
        insta::assert_snapshot!(spec.canonical_json());
        assert_eq!(spec.spec_hash().as_str(), "7ddacd5d");
        assert_eq!(
            serde_json::from_str::<BuildSpec>(&spec.canonical_json()).unwrap(),
            spec.clone().normalised()
        );
        assert!(!format!("{spec:?}").contains("hunter2"));
        assert!(serde_json::from_str::<BuildSpec>("{\"base\":\"x\",\"apt\":[\"-y\"]}").is_err());
        assert!(serde_json::from_str::<BuildSpec>("{\"base\":\"x\",\"bogus\":1}").is_err());
        assert!(serde_json::from_str::<BuildSpec>("{\"base\":\"x\"}").unwrap().is_empty());
    }

    #[test]
    fn credentials_travel_apart() {
        let sent = spec("", "", "-i https://me:hunter2@h/s\n--extra-index-url https://h/t\nx");
        let mut received: BuildSpec = serde_json::from_str(&sent.canonical_json()).unwrap();
        assert!(received.pip.credentials().is_empty());
        received.pip.attach_credentials(&sent.pip.credentials());
        let index = received.pip.index_url.unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&index.expose()), "https://me:hunter2@h/s");
        assert!(received.pip.extra_index_urls[0].credentials().is_none());
    }
}

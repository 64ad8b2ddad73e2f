//! Names of repositories and of what is in them.

use std::fmt;

use crate::digest::Digest;

/// A repository on a registry: `registry.example.org:5000` and `group/image`.
///
/// Values come from parsed references, so both parts are known to be well-formed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    /// Host and optional port, as the user writes it (`docker.io` for Docker Hub).
    pub registry: String,
    /// The path of the repository, without tag or digest.
    pub repository: String,
}

impl RepositoryName {
    /// A repository of a registry.
    pub fn new(registry: impl Into<String>, repository: impl Into<String>) -> Self {
        Self { registry: registry.into(), repository: repository.into() }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)
    }
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TagOrDigest {
    /// A name that may point to another manifest tomorrow.
    Tag(String),
    /// The manifest itself.
    Digest(Digest),
}

impl TagOrDigest {
    /// A tag.
    pub fn tag(tag: impl Into<String>) -> Self {
        Self::Tag(tag.into())
    }
}

impl From<Digest> for TagOrDigest {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => formatter.write_str(tag),
            Self::Digest(digest) => fmt::Display::fmt(digest, formatter),
        }
    }
}

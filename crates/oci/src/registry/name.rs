//! What a manifest is asked for by.

use std::fmt;

use crate::digest::Digest;

/// The part of a reference after the repository.
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

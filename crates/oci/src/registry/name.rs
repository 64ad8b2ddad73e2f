//! What a manifest is asked for by.

use std::fmt;

use imagewright_spec::ImageReference;

use crate::digest::{Digest, DigestParseError};

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

impl TryFrom<&ImageReference> for TagOrDigest {
    type Error = DigestParseError;

    /// What a reference points to: its digest, else its tag, else `latest`. Fails for a digest of
    /// another algorithm than SHA-256.
    fn try_from(reference: &ImageReference) -> Result<Self, Self::Error> {
        match reference.digest() {
            Some(digest) => digest.parse().map(Self::Digest),
            None => Ok(Self::tag(reference.tag_or_latest())),
        }
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

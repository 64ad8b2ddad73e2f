//! The revision of an image: the digest of its lock. Equal revisions on equal bases are equal images.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::string_type::string_type;

/// `sha256:` and 64 lower-case hexadecimal digits, of a lock's bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(String);

impl Revision {
    /// The revision of a lock, given its exact bytes.
    pub fn of(lock: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(lock))))
    }

    /// The whole digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve hexadecimal digits: enough to tell revisions apart on a page or in a tag.
    pub fn short(&self) -> &str {
        self.0.get("sha256:".len()..).and_then(|digits| digits.get(..12)).unwrap_or(&self.0)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Revision {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let is_digest = text.strip_prefix("sha256:").is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if is_digest {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::at(1, "a revision is the digest of a lock", "write `sha256:` and 64 digits 0-9 a-f"))
        }
    }
}

string_type!(Revision);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_the_digest_of_the_lock() {
        let revision = Revision::of(b"");
        assert_eq!(
            revision.as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(revision.short(), "e3b0c44298fc");
        assert_eq!(revision.to_string().parse::<Revision>().unwrap(), revision);
        for refused in ["", "sha256:", "sha256:E3B0", "e3b0c44298fc"] {
            refused.parse::<Revision>().unwrap_err();
        }
    }
}

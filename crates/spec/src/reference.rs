//! Image references: `[registry/]repository[:tag][@digest]`, as Docker and the OCI tools read them.
//!
//! We parse them ourselves because the reader of the `oci-spec` crate lets `Foo/bar` through as a repository
//! with capital letters, knows no reason but "invalid reference format", and hides whether a tag was written.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, quote, show};
use crate::repository::{RepositoryReference, split_registry, validate_registry, validate_repository};
use crate::string_type::string_type;

/// The longest reference we read, in bytes: registry 255 + repository 255 + tag 128 + digest 135 + separators.
const LONGEST: usize = 800;
const LONGEST_TAG: usize = 128;

/// A checked image reference with its defaults filled in: `python` is `docker.io/library/python`.
///
/// Ordered by registry, repository, tag, digest. `Display` gives the full form, which parses to the same value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    repository: RepositoryReference,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageReference {
    /// The reference of a repository alone, with neither tag nor digest.
    pub fn of_repository(repository: RepositoryReference) -> Self {
        Self { repository, tag: None, digest: None }
    }

    /// The registry's host and port, in lower case: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        self.repository.registry()
    }

    /// The path inside the registry: `library/python`.
    pub fn repository(&self) -> &str {
        self.repository.repository()
    }

    /// Registry and repository together.
    pub fn repository_reference(&self) -> &RepositoryReference {
        &self.repository
    }

    /// The tag, if one was written. See [`Self::tag_or_latest`].
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest (`sha256:…`), if one was written. It wins over the tag.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The tag that pull and push mean when there is no digest: the one written, or `latest`.
    pub fn tag_or_latest(&self) -> &str {
        self.tag().unwrap_or("latest")
    }

    /// The last path component of the reference as registries want it in URLs: the digest, else the tag.
    pub fn identifier(&self) -> &str {
        self.digest().unwrap_or_else(|| self.tag_or_latest())
    }

    /// The same repository under another tag, without a digest.
    pub fn with_tag(&self, tag: &str) -> Result<Self, Problem> {
        validate_tag(tag, 0)?;
        Ok(Self { repository: self.repository.clone(), tag: Some(tag.to_owned()), digest: None })
    }

    /// The same reference pinned to a digest; the tag is kept for people to read.
    pub fn with_digest(&self, digest: &str) -> Result<Self, Problem> {
        validate_digest(digest, 0)?;
        Ok(Self { digest: Some(digest.to_owned()), ..self.clone() })
    }

    /// Another repository in the same registry, with this tag and digest.
    pub fn with_repository(&self, repository: &str) -> Result<Self, Problem> {
        validate_repository(repository, 0)?;
        Ok(Self { repository: self.repository.with_repository(repository)?, ..self.clone() })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ImageReference({self})")
    }
}

impl FromStr for ImageReference {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check_characters(text)?;
        let (name_and_tag, digest) = match text.split_once('@') {
            Some((before, digest)) => {
                validate_digest(digest, before.len() + 1)?;
                (before, Some(digest.to_owned()))
            }
            None => (text, None),
        };
        // A colon after the last slash starts the tag; one before it belongs to the registry's port.
        let name_start = name_and_tag.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name_and_tag[name_start..].find(':').map(|colon| name_start + colon) {
            Some(colon) => {
                let tag = &name_and_tag[colon + 1..];
                validate_tag(tag, colon + 1)?;
                (&name_and_tag[..colon], Some(tag.to_owned()))
            }
            None => (name_and_tag, None),
        };
        let repository = parse_name(name)?;
        Ok(Self { repository, tag, digest })
    }
}

string_type!(ImageReference);

impl From<RepositoryReference> for ImageReference {
    fn from(repository: RepositoryReference) -> Self {
        Self::of_repository(repository)
    }
}

/// Refuses what can be no part of any reference, before it is taken apart: every later check may then treat
/// bytes as columns.
pub(crate) fn check_characters(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::at(1, "the image reference is empty", "write one like `python:3.12-slim`"));
    }
    if let Some((index, character)) =
        text.chars().enumerate().find(|(_, character)| !character.is_ascii_graphic())
    {
        let suggestion = if character.is_whitespace() || character.is_control() {
            "write the reference alone, without blanks or line breaks"
        } else {
            "use ASCII letters, digits and `. _ - / : @` only"
        };
        return Err(Problem::at(
            index + 1,
            format!("an image reference cannot contain {}", show(character)),
            suggestion,
        ));
    }
    for scheme in ["https://", "http://", "docker://", "oci://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return Err(Problem::at(
                1,
                format!("an image reference has no `{scheme}`"),
                format!("write {}", quote(rest)),
            ));
        }
    }
    if text.len() > LONGEST {
        return Err(Problem::at(
            LONGEST + 1,
            format!("an image reference has at most {LONGEST} characters"),
            "write a shorter one",
        ));
    }
    Ok(())
}

/// Reads `[registry/]repository` and fills in Docker Hub's defaults.
pub(crate) fn parse_name(name: &str) -> Result<RepositoryReference, Problem> {
    let (registry, repository) = split_registry(name);
    if let Some(registry) = registry {
        validate_registry(registry)?;
    }
    let offset = name.len() - repository.len();
    validate_repository(repository, offset)?;
    RepositoryReference::with_defaults(registry, repository)
}

fn validate_tag(tag: &str, offset: usize) -> Result<(), Problem> {
    const ADVICE: &str = "use letters, digits, `_`, `.` and `-`, starting with a letter, digit or `_`";
    let Some(first) = tag.chars().next() else {
        return Err(Problem::at(
            offset + 1,
            "the tag after `:` is empty",
            "write a tag such as `:latest`, or leave the `:` out",
        ));
    };
    if matches!(first, '.' | '-') {
        return Err(Problem::at(offset + 1, format!("a tag cannot start with {}", show(first)), ADVICE));
    }
    if let Some((index, character)) = tag
        .chars()
        .enumerate()
        .find(|(_, character)| !(character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')))
    {
        return Err(Problem::at(
            offset + index + 1,
            format!("a tag cannot contain {}", show(character)),
            ADVICE,
        ));
    }
    if tag.len() > LONGEST_TAG {
        return Err(Problem::at(
            offset + LONGEST_TAG + 1,
            format!("a tag has at most {LONGEST_TAG} characters"),
            "write a shorter one",
        ));
    }
    Ok(())
}

fn validate_digest(digest: &str, offset: usize) -> Result<(), Problem> {
    const ADVICE: &str = "write `@sha256:` and 64 digits 0-9 a-f";
    let Some((algorithm, hexadecimal)) = digest.split_once(':') else {
        return Err(Problem::at(offset + 1, "the digest after `@` has no algorithm", ADVICE));
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        other => {
            return Err(Problem::at(
                offset + 1,
                format!("the digest algorithm {} is not known", quote(other)),
                ADVICE,
            ));
        }
    };
    let start = offset + algorithm.len() + 1;
    if let Some((index, character)) =
        hexadecimal.chars().enumerate().find(|(_, character)| !matches!(character, '0'..='9' | 'a'..='f'))
    {
        return Err(Problem::at(
            start + index + 1,
            format!("a digest cannot contain {}", show(character)),
            ADVICE,
        ));
    }
    if hexadecimal.len() != length {
        return Err(Problem::at(
            start + 1,
            format!("a {algorithm} digest has {length} digits, this one has {}", hexadecimal.len()),
            "copy the whole digest",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

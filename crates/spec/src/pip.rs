//! pip's requirements: PEP 508 lines, with the hashes that a requirements file may add.

mod check;
mod markers;
pub(crate) mod scan;

use std::fmt;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{PackageName, Requirement, VersionOrUrl};
use url::Url;

use crate::problem::{Problem, quote};

/// The longest requirement, in characters.
const LONGEST: usize = 4096;

/// One requirement.
///
/// `Display` is its canonical PEP 508 line: names as PEP 503 spells them, extras and ranges sorted, markers in
/// the form `pep508_rs` gives them. Serde adds the hashes, as [`Self::to_line`] does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PipRequirement {
    requirement: Requirement<Url>,
    hashes: Vec<String>,
}

impl PipRequirement {
    /// The package's name as PEP 503 spells it: `scikit-learn` for `Scikit_Learn`.
    pub fn name(&self) -> &str {
        self.requirement.name.as_ref()
    }

    /// The requirement's parts, as `pep508_rs` knows them.
    pub fn requirement(&self) -> &Requirement<Url> {
        &self.requirement
    }

    /// The wanted versions, unless an address was given.
    pub fn versions(&self) -> Option<&VersionSpecifiers> {
        match &self.requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(versions)) => Some(versions),
            _ => None,
        }
    }

    /// The address to install from, for `name @ https://…` and `name @ git+https://…`.
    pub fn url(&self) -> Option<&Url> {
        match &self.requirement.version_or_url {
            Some(VersionOrUrl::Url(url)) => Some(url),
            _ => None,
        }
    }

    /// Whether the package comes from an address instead of an index.
    pub fn is_direct_url(&self) -> bool {
        self.url().is_some()
    }

    /// Whether the address is that of a Git repository, which has to be built.
    pub fn is_git(&self) -> bool {
        self.url().is_some_and(|url| url.scheme().starts_with("git+"))
    }

    /// The digests (`sha256:<hex>`, `sha384:…`, `sha512:…`) of which a file has to have one; empty for any file.
    pub fn hashes(&self) -> &[String] {
        &self.hashes
    }

    /// The same requirement with one more hash, written `sha256:<hex>`.
    pub fn with_hash(mut self, hash: &str) -> Result<Self, Problem> {
        check::hash(hash)?;
        self.hashes.push(hash.to_owned());
        self.hashes.sort();
        self.hashes.dedup();
        Ok(self)
    }

    /// The line of a requirements file: `Display` and ` --hash=…` for each hash.
    pub fn to_line(&self) -> String {
        let mut line = self.to_string();
        for hash in &self.hashes {
            line.push_str(" --hash=");
            line.push_str(hash);
        }
        line
    }
}

impl fmt::Display for PipRequirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.requirement, formatter)
    }
}

impl PartialOrd for PipRequirement {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PipRequirement {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.name(), self.to_line()).cmp(&(other.name(), other.to_line()))
    }
}

impl FromStr for PipRequirement {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut parts = text.split(" --hash=");
        let line = parts.next().unwrap_or_default();
        if line.chars().count() > LONGEST {
            return Err(Problem::at(
                1,
                format!("a requirement has at most {LONGEST} characters"),
                "write one package per line",
            ));
        }
        check::requirement(line)?;
        let mut warning = None;
        // The folder is never used: only addresses with a scheme are read.
        let parsed = Requirement::<Url>::parse_reporter(line, "/", &mut |_, text| {
            warning.get_or_insert(text);
        });
        let mut requirement = parsed.map_err(|error| {
            let message = plain(&error.message.to_string());
            let suggestion = check::suggestion(line);
            Problem::at_byte(line, error.start, message, suggestion)
        })?;
        if let Some(warning) = warning {
            // The parser would go on without the condition and so install more than was asked for.
            let column = line.find(';').map_or(1, |at| at + 2);
            return Err(Problem::at(
                column,
                plain(&warning),
                "compare a marker such as `python_version` with a value in quotes, as in `python_version < \"3.12\"`",
            ));
        }
        if requirement.marker.is_false() {
            let column = line.find(';').map_or(1, |at| line[..at].chars().count() + 2);
            return Err(Problem::at(
                column,
                "this condition can never be true",
                "correct it, or leave the line out",
            ));
        }
        if let Some(VersionOrUrl::Url(url)) = &requirement.version_or_url {
            check::url(url, line)?;
        }
        requirement.extras.sort();
        requirement.extras.dedup();
        let mut whole = Self { requirement, hashes: Vec::new() };
        let mut column = line.chars().count();
        for hash in parts {
            column += " --hash=".len();
            whole = whole.with_hash(hash.trim()).map_err(|problem| problem.shifted(column))?;
            column += hash.chars().count();
        }
        Ok(whole)
    }
}

impl serde::Serialize for PipRequirement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_line())
    }
}

impl<'de> serde::Deserialize<'de> for PipRequirement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = <String as serde::Deserialize>::deserialize(deserializer)?;
        line.parse().map_err(serde::de::Error::custom)
    }
}

/// The first sentence of another crate's message, as a clause of ours.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim().trim_end_matches(['.', ':']);
    let mut characters = line.chars();
    let clause: String =
        characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect();
    if clause.is_empty() { "this is not a requirement".to_owned() } else { clause }
}

/// A package name on its own, as `--no-binary` takes it.
pub(crate) fn parse_name(text: &str) -> Result<PackageName, Problem> {
    check::name(text)?;
    PackageName::new(text.to_owned())
        .map_err(|_| Problem::at(1, format!("{} is not a package name", quote(text)), check::NAME_ADVICE))
}

#[cfg(test)]
mod tests;

//! The version of an interpreter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Python version such as `3.12.4`, `3.14.0rc1`, or `3.12` where the image does not say more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PythonVersion {
    /// Always 3 for what we install into.
    pub major: u8,
    /// The minor version, which decides folders and binary compatibility.
    pub minor: u8,
    /// Everything behind the second point (`4`, `0rc1`); `None` where the image does not tell.
    pub patch: Option<String>,
}

impl PythonVersion {
    /// `3.12`.
    pub fn major_minor(&self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    /// The full version for markers. An unknown patch counts as 0: a package that asks for more is then
    /// refused, where a guess that is too high would install what does not run.
    pub fn full(&self) -> String {
        format!("{}.{}.{}", self.major, self.minor, self.patch.as_deref().unwrap_or("0"))
    }

    /// The version of a file or folder name that ends like `python3.12` or `python3.13t`, and whether it
    /// names a free-threaded build.
    pub(super) fn from_library_name(name: &str) -> Option<(Self, bool)> {
        let version = name.strip_prefix("python")?;
        let (version, free_threaded) = match version.strip_suffix('t') {
            Some(version) => (version, true),
            None => (version, false),
        };
        let plain = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let version: Self = version.parse().ok().filter(|_| plain)?;
        version.patch.is_none().then_some((version, free_threaded))
    }

    /// This version with the patch of `full`, when both agree on major and minor.
    pub(super) fn refined_by(&self, full: &str) -> Option<Self> {
        let full: Self = full.parse().ok()?;
        (full.major == self.major && full.minor == self.minor && full.patch.is_some()).then_some(full)
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)?;
        match &self.patch {
            Some(patch) => write!(formatter, ".{patch}"),
            None => Ok(()),
        }
    }
}

/// A text that is no Python version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a Python version")]
pub struct PythonVersionParseError(String);

impl FromStr for PythonVersion {
    type Err = PythonVersionParseError;

    /// Reads `3.12`, `3.12.4`, `3.14.0rc1`, and what distributions append to them: `3.11.2-6+deb12u6`,
    /// `3.12.8-r1`, `3.11.7+`, `3.12.4.final.0`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PythonVersionParseError(text.chars().take(40).collect());
        let upstream = text.split(['-', '+', '~', ' ', '_']).next().unwrap_or_default();
        let mut parts = upstream.splitn(3, '.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        let (major, minor) = number().zip(number()).ok_or_else(error)?;
        let patch = match parts.next() {
            None => None,
            Some(rest) => Some(patch(rest).ok_or_else(error)?),
        };
        Ok(Self { major, minor, patch })
    }
}

/// `4`, `0rc1` or `0a2` at the start of a text; a fourth component is cut off.
fn patch(text: &str) -> Option<String> {
    let first = text.split('.').next()?;
    let digits = first.bytes().take_while(u8::is_ascii_digit).count();
    let (number, stage) = first.split_at(digits);
    let stage_is_valid = stage.is_empty()
        || ["a", "b", "rc"].iter().any(|prefix| {
            stage
                .strip_prefix(prefix)
                .is_some_and(|serial| !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_digit()))
        });
    (digits > 0 && digits <= 4 && stage_is_valid).then(|| format!("{number}{stage}"))
}

#[cfg(test)]
mod tests {
    use super::PythonVersion;

    fn read(text: &str) -> String {
        text.parse::<PythonVersion>().map_or_else(|error| error.to_string(), |version| version.to_string())
    }

    #[test]
    fn what_distributions_append_is_left_out() {
        assert_eq!(read("3.11.2-6+deb12u6"), "3.11.2");
        assert_eq!(read("3.12.8-r1"), "3.12.8");
        assert_eq!(read("3.12.4.final.0"), "3.12.4");
        assert_eq!(read("3.14.0rc1"), "3.14.0rc1");
        assert_eq!(read("3.13.0b4+"), "3.13.0b4");
        assert_eq!(read("3.9"), "3.9");
        assert_eq!(read("three"), "“three” is not a Python version");
        assert_eq!(read("3.x"), "“3.x” is not a Python version");
    }

    #[test]
    fn a_library_folder_tells_minor_version_and_threading() {
        let read = |name| PythonVersion::from_library_name(name).map(|(v, t)| (v.to_string(), t));
        assert_eq!(read("python3.13t"), Some(("3.13".to_owned(), true)));
        assert_eq!(read("python3.8"), Some(("3.8".to_owned(), false)));
        assert_eq!(read("python3"), None);
        assert_eq!(read("python3.12-config"), None);
    }

    #[test]
    fn a_full_version_of_another_minor_is_not_taken() {
        let version: PythonVersion = "3.11".parse().unwrap();
        assert_eq!(version.refined_by("3.12.1"), None);
        assert_eq!(version.refined_by("3.11.9").unwrap().full(), "3.11.9");
        assert_eq!(version.full(), "3.11.0");
    }
}

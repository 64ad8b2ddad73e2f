//! The error a build ends with.
//!
//! Three readers: people see [`BuildError::message`], the explanation and the next step; programs see
//! [`ErrorKind`], which never changes its names or exit codes; the log gets the chain of sources, once.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable kinds of failure: part of the command's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The plan itself is wrong: a line, a name, a combination of options.
    SpecInvalid,
    /// No set of versions satisfies all requirements.
    Conflict,
    /// An image, a package or a version does not exist.
    NotFound,
    /// A registry or index refuses the credentials, or wants some.
    Unauthorized,
    /// A registry or index cannot be reached or does not work.
    Unreachable,
    /// A step in the sandbox failed.
    SandboxFailed,
    /// No space is left where we write.
    DiskFull,
    /// Bytes are not those that their digest promised.
    DigestMismatch,
    /// Something is larger than is accepted.
    TooLarge,
    /// A step took longer than it may.
    Timeout,
    /// Somebody ended the build.
    Cancelled,
    /// The base or a package is of a kind that is not supported.
    Unsupported,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// All kinds, in the order of their exit codes.
    pub const ALL: [Self; 13] = [
        Self::SpecInvalid,
        Self::Conflict,
        Self::NotFound,
        Self::Unauthorized,
        Self::Unreachable,
        Self::SandboxFailed,
        Self::DiskFull,
        Self::DigestMismatch,
        Self::TooLarge,
        Self::Timeout,
        Self::Unsupported,
        Self::Internal,
        Self::Cancelled,
    ];

    /// The stable name, as events and the API write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SpecInvalid => "spec_invalid",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
            Self::Unreachable => "unreachable",
            Self::SandboxFailed => "sandbox_failed",
            Self::DiskFull => "disk_full",
            Self::DigestMismatch => "digest_mismatch",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
        }
    }

    /// The exit code of the command. 1 is left to what is not a build (a panic, a usage error of the shell);
    /// 130 is what shells give for an interrupted command.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::SpecInvalid => 2,
            Self::Conflict => 3,
            Self::NotFound => 4,
            Self::Unauthorized => 5,
            Self::Unreachable => 6,
            Self::SandboxFailed => 7,
            Self::DiskFull => 8,
            Self::DigestMismatch => 9,
            Self::TooLarge => 10,
            Self::Timeout => 11,
            Self::Unsupported => 12,
            Self::Internal => 70,
            Self::Cancelled => 130,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why a build failed.
#[derive(Debug)]
pub struct BuildError {
    kind: ErrorKind,
    message: String,
    explanation: Option<String>,
    next_step: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl BuildError {
    /// An error with a sentence that says what was attempted and why it failed.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), explanation: None, next_step: None, source: None }
    }

    /// The build was ended by its user.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "the build was cancelled; nothing was published")
    }

    /// A defect of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
            .with_next_step("this is a defect of Imagewright: please report it with the log of the build")
    }

    /// Reading or writing one of our own files failed.
    pub fn file(action: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        let error = if is_disk_full(&source) {
            Self::new(ErrorKind::DiskFull, format!("no space is left to {action} {}", path.display()))
                .with_next_step(
                    "free some space, or run `imagewright cache trim` to shrink the cache, and build again",
                )
        } else {
            Self::new(ErrorKind::Internal, format!("could not {action} {}", path.display()))
                .with_next_step("check the owner and the mode of the cache folder")
        };
        error.with_source(source)
    }

    /// Adds what a tool or a resolver said, in its own words.
    #[must_use]
    pub fn with_explanation(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// Adds what the reader can do now.
    #[must_use]
    pub fn with_next_step(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The stable kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// One sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The resolver's or tool's own words, if there are any; may have several lines.
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    /// What to do next, if something can be done.
    pub fn next_step(&self) -> Option<&str> {
        self.next_step.as_deref()
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// True when a write failed because the disk or the quota is full, anywhere in the chain of causes.
pub fn is_disk_full(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            let full = [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded];
            if full.contains(&error.kind()) {
                return true;
            }
            // An error of ours wrapped in an I/O error hides behind `get_ref`, not `source`.
            if error.get_ref().is_some_and(|inner| is_disk_full(inner)) {
                return true;
            }
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_distinct_and_names_are_those_of_the_events() {
        let mut codes: Vec<u8> = ErrorKind::ALL.iter().map(|kind| kind.exit_code()).collect();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let full = std::io::Error::from_raw_os_error(28);
        let error = BuildError::file("write", std::path::Path::new("/cache/x"), full);
        assert_eq!(error.kind(), ErrorKind::DiskFull);
        let wrapped = std::io::Error::other(std::io::Error::from_raw_os_error(28));
        assert!(is_disk_full(&wrapped));
        assert!(!is_disk_full(&std::io::Error::other("x")));
    }
}

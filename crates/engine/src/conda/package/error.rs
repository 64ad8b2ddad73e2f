//! What can be wrong with a conda package, in words for the person who asked for it.

use std::io;
use std::path::PathBuf;

use crate::error::{BuildError, ErrorKind, is_disk_full};
use crate::wheel::WheelProblem;

/// A package that could not be staged: which one, and why.
#[derive(Debug)]
pub struct PackageError {
    /// File name of the archive.
    pub file: String,
    /// What is wrong with it.
    pub problem: PackageProblem,
}

/// Why a package cannot be staged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageProblem {
    /// The archive cannot be read.
    #[error("its archive is broken: {reason}")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// The disk or the archive gives errors.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It holds more than is accepted.
    #[error("{what} exceeds {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is accepted.
        limit: u64,
    },
    /// A path that leads out of the prefix, or is none.
    #[error("the path `{path}` {reason}")]
    Path {
        /// The path as it was written, shortened.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Metadata that cannot be read.
    #[error("its {file} {reason}")]
    Metadata {
        /// Which part.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that its list of files names and its archive does not have.
    #[error("its archive has no `{path}`, which its list of files names")]
    Missing {
        /// The file.
        path: String,
    },
    /// A pure Python package in a prefix without Python.
    #[error("it is made for Python, and the prefix has none")]
    NoPython,
    /// What was unpacked could not be written, or not be compiled.
    #[error(transparent)]
    Staging(#[from] WheelProblem),
    /// The staged file could not be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The build was cancelled.
    #[error("the build was cancelled")]
    Cancelled,
}

impl PackageProblem {
    /// The problem, with the package that has it.
    pub fn of(self, file: &str) -> PackageError {
        PackageError { file: file.to_owned(), problem: self }
    }
}

impl std::fmt::Display for PackageError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the conda package {} cannot be installed: {}", self.file, self.problem)
    }
}

impl std::error::Error for PackageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.problem)
    }
}

impl From<PackageError> for BuildError {
    fn from(error: PackageError) -> Self {
        if is_disk_full(&error) {
            return Self::new(ErrorKind::DiskFull, format!("no space is left to unpack {}", error.file))
                .with_next_step(
                    "free some space, or run `imagewright cache trim` to shrink the cache, and build again",
                )
                .with_source(error);
        }
        let kind = match error.problem {
            PackageProblem::Cancelled | PackageProblem::Staging(WheelProblem::Cancelled) => {
                return Self::cancelled();
            }
            PackageProblem::TooLarge { .. } => ErrorKind::TooLarge,
            _ => ErrorKind::Unsupported,
        };
        Self::new(kind, error.to_string())
            .with_next_step(
                "ask for another version or build of the package, or tell its channel that it is broken",
            )
            .with_source(error)
    }
}

/// A path as it is shown: short, and without what disturbs a terminal.
pub(super) fn shown(path: &str) -> String {
    path.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

//! Why packages could not be resolved or fetched.

use std::path::PathBuf;

use thiserror::Error;

use super::suggestion;
use crate::error::{BuildError, ErrorKind};

/// The version of uv that we drive; its output is read by us, so it is exactly this one.
pub const PINNED_UV_VERSION: &str = "0.13.9";

/// Why the pip part of a build failed.
#[derive(Debug, Error)]
pub enum PipError {
    /// uv is not installed.
    #[error("uv, which resolves pip packages, is not installed (looked in {searched})")]
    UvMissing {
        /// Where it was looked for.
        searched: String,
    },
    /// Another version of uv.
    #[error("uv {PINNED_UV_VERSION} is needed, but {} is {found}", program.display())]
    UvVersion {
        /// The program.
        program: PathBuf,
        /// What it said of itself.
        found: String,
    },
    /// No set of versions satisfies everything.
    #[error("the pip requirements contradict each other, or what the base must keep")]
    Conflict {
        /// uv's words.
        explanation: String,
    },
    /// A package or version is in none of the indexes.
    #[error("{}", not_found_sentence(name))]
    NotFound {
        /// Its name, with the version (`six==99`) when only that is missing.
        name: String,
        /// uv's words.
        explanation: String,
    },
    /// uv could not write to its cache.
    #[error("no space is left in the cache to resolve the pip packages")]
    DiskFull {
        /// uv's words.
        explanation: String,
    },
    /// A file that the index lists is not where it says.
    #[error("{file_name} is not where the package index says")]
    FileGone {
        /// Name of the file.
        file_name: String,
        /// What the server answered.
        explanation: String,
    },
    /// All acceptable versions were withdrawn by their publisher.
    #[error("every acceptable version of {name} was withdrawn (yanked) by its publisher")]
    Yanked {
        /// Its name.
        name: String,
        /// uv's words.
        explanation: String,
    },
    /// Packages for other versions of Python only.
    #[error("{name} does not support Python {python}, the version in the image")]
    RequiresPython {
        /// The package that asks for another version.
        name: String,
        /// The version in the image.
        python: String,
        /// uv's words.
        explanation: String,
    },
    /// Wheels for other machines or systems only.
    #[error("{name} has no wheel for {target}")]
    NoMatchingWheel {
        /// Its name.
        name: String,
        /// `CPython 3.11 on x86_64 with glibc 2.36`.
        target: String,
        /// For what there are wheels, when that is known: `win32, win_amd64`.
        available: Option<String>,
        /// uv's words.
        explanation: String,
    },
    /// The best version has to be built.
    #[error("{}", source_only_sentence(name, best_version.as_deref(), newest_with_wheel.as_deref()))]
    SourceOnly {
        /// Its name.
        name: String,
        /// The version that would be taken; `None` where only a build would tell.
        best_version: Option<String>,
        /// The newest acceptable version that has a wheel for the image.
        newest_with_wheel: Option<String>,
        /// Why it cannot be built here, where that is known.
        reason: Option<String>,
    },
    /// An index refuses us.
    #[error("the package index {index} refuses access")]
    Unauthorized {
        /// The index, without credentials.
        index: String,
        /// uv's words, or the answer.
        explanation: String,
    },
    /// An index or file server cannot be reached or does not work.
    #[error("{address} cannot be reached")]
    Unreachable {
        /// The address, without credentials.
        address: String,
        /// What went wrong.
        explanation: String,
    },
    /// Resolving or fetching took too long.
    #[error("{what} took longer than {seconds} seconds and was given up")]
    Timeout {
        /// What was attempted.
        what: String,
        /// The limit.
        seconds: u64,
    },
    /// Somebody ended the build.
    #[error("the build was cancelled while packages were resolved or fetched")]
    Cancelled,
    /// A file has not the bytes that the index promised.
    #[error(
        "{file_name} from {address} is not the file that the index describes: its SHA-256 is {found}, not {expected}"
    )]
    DigestMismatch {
        /// Name of the wheel.
        file_name: String,
        /// Where it came from, without credentials.
        address: String,
        /// The promised digest in hex.
        expected: String,
        /// The digest of the bytes that came.
        found: String,
    },
    /// A file is longer than it may be.
    #[error("{file_name} is larger than {limit} bytes")]
    TooLarge {
        /// Name of the wheel.
        file_name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file that cannot be verified, or an address that is not fetched.
    #[error("{name} cannot be fetched: {reason}")]
    Refused {
        /// The package.
        name: String,
        /// Why.
        reason: String,
    },
    /// Sources that could not be built.
    #[error("{0}")]
    Build(Box<BuildError>),
    /// One of our own files.
    #[error("could not {action} {}", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// uv ended in a way we do not know.
    #[error("uv failed in a way that is not known")]
    Unexpected {
        /// uv's words.
        explanation: String,
    },
}

/// True for `six==99`, where the package exists and the version does not.
fn names_a_version(name: &str) -> bool {
    name.contains(['=', '<', '>', '~', '!'])
}

fn not_found_sentence(name: &str) -> String {
    if names_a_version(name) {
        format!("the package index has no version {name}")
    } else {
        format!("the package index has no package {name}")
    }
}

fn source_only_sentence(name: &str, best: Option<&str>, newest_with_wheel: Option<&str>) -> String {
    let best = best.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"));
    let wheel = match newest_with_wheel {
        Some(version) => format!("the newest version with a wheel for the image is {version}"),
        None => "no acceptable version has a wheel for the image".to_owned(),
    };
    format!("{best} is published as source only and would have to be built; {wheel}")
}

impl PipError {
    /// The stable kind.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } | Self::Yanked { .. } | Self::RequiresPython { .. } => ErrorKind::Conflict,
            Self::NotFound { .. } | Self::FileGone { .. } | Self::NoMatchingWheel { .. } => {
                ErrorKind::NotFound
            }
            Self::Refused { .. } => ErrorKind::SpecInvalid,
            Self::Build(error) => error.kind(),
            Self::Unauthorized { .. } => ErrorKind::Unauthorized,
            Self::Unreachable { explanation, .. } if explanation.contains("timed out") => ErrorKind::Timeout,
            Self::Unreachable { .. } => ErrorKind::Unreachable,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::DigestMismatch { .. } => ErrorKind::DigestMismatch,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::DiskFull { .. } => ErrorKind::DiskFull,
            Self::File { source, .. } if crate::error::is_disk_full(source) => ErrorKind::DiskFull,
            Self::SourceOnly { .. } | Self::UvMissing { .. } | Self::UvVersion { .. } => {
                ErrorKind::Unsupported
            }
            Self::File { .. } | Self::Unexpected { .. } => ErrorKind::Internal,
        }
    }

    /// uv's own words, cleaned.
    pub fn explanation(&self) -> Option<&str> {
        match self {
            Self::Conflict { explanation }
            | Self::NotFound { explanation, .. }
            | Self::FileGone { explanation, .. }
            | Self::DiskFull { explanation }
            | Self::Yanked { explanation, .. }
            | Self::RequiresPython { explanation, .. }
            | Self::NoMatchingWheel { explanation, .. }
            | Self::Unauthorized { explanation, .. }
            | Self::Unreachable { explanation, .. }
            | Self::SourceOnly { reason: Some(explanation), .. }
            | Self::Unexpected { explanation } => Some(explanation.as_str()).filter(|text| !text.is_empty()),
            Self::Build(error) => error.explanation(),
            _ => None,
        }
    }

    /// What the reader can do now.
    pub fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::UvMissing { .. } | Self::UvVersion { .. } => {
                format!("install it with `pip install uv=={PINNED_UV_VERSION}`, or point IMAGEWRIGHT_UV to it")
            }
            Self::Conflict { .. } => {
                "loosen one of the versions that the explanation names, or leave that package out".to_owned()
            }
            Self::NotFound { name, .. } => match suggestion::meant(name) {
                Some(meant) => format!("the package you want is probably called {meant}"),
                None if names_a_version(name) => "ask for a version that exists, or leave the version out".to_owned(),
                None => {
                    format!("check the spelling of {name}, or add the index that has it with --extra-index-url")
                }
            },
            Self::DiskFull { .. } => {
                "free some space, or run `imagewright cache trim` to shrink the cache, and build again".to_owned()
            }
            Self::FileGone { .. } => {
                "build again with --fresh; if it happens again, the index is damaged".to_owned()
            }
            Self::Yanked { name, .. } => {
                format!("ask for another version of {name}, or name the withdrawn one exactly ({name}==…)")
            }
            Self::RequiresPython { name, .. } => {
                format!("ask for another version instead of {name}, or choose a base image with another Python")
            }
            Self::NoMatchingWheel { available, .. } => match available {
                Some(available) => format!("there are wheels for {available}: choose a base image that fits"),
                None => "choose another version, or a base image with another Python or system".to_owned(),
            },
            Self::SourceOnly { name, newest_with_wheel: Some(version), .. } => {
                format!("ask for `{name}=={version}`, or for a package that is published as a wheel")
            }
            Self::SourceOnly { name, .. } => {
                format!("build a wheel of {name}, publish it in an index of yours, and add that with --extra-index-url")
            }
            Self::Unauthorized { .. } => {
                "give the index's user and password (https://user:password@host/simple), or ask its owner for access"
                    .to_owned()
            }
            Self::Unreachable { .. } => {
                "check the address, the network, the proxy (HTTPS_PROXY) and, for a private certificate, --ca-bundle"
                    .to_owned()
            }
            Self::Timeout { .. } => "try again; check whether the index is slow".to_owned(),
            Self::DigestMismatch { .. } => {
                "try again; if it happens again, the index or a proxy on the way changes files".to_owned()
            }
            Self::Unexpected { .. } => "please report this with the log of the build".to_owned(),
            Self::Build(error) => return error.next_step().map(str::to_owned),
            Self::Cancelled | Self::TooLarge { .. } | Self::Refused { .. } | Self::File { .. } => return None,
        })
    }
}

impl From<PipError> for BuildError {
    fn from(error: PipError) -> Self {
        if matches!(error, PipError::Cancelled) {
            return Self::cancelled();
        }
        if let PipError::Build(error) = error {
            return *error;
        }
        if let PipError::File { action, path, source } = &error
            && crate::error::is_disk_full(source)
        {
            return Self::file(action, path, std::io::ErrorKind::StorageFull.into()).with_source(error);
        }
        let mut build_error = Self::new(error.kind(), error.to_string());
        if let Some(explanation) = error.explanation() {
            build_error = build_error.with_explanation(explanation);
        }
        if let Some(next_step) = error.next_step() {
            build_error = build_error.with_next_step(next_step);
        }
        build_error.with_source(error)
    }
}

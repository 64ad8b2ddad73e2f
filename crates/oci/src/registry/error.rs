//! What can go wrong with a registry, in words for its users.

use std::fmt;
use std::sync::Arc;

use crate::credential::CredentialError;
use crate::digest::Digest;
use crate::manifest::ManifestError;

use super::RepositoryReference;

/// The kind of a [`RegistryError`]: stable, for callers that decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegistryErrorKind {
    /// No credential, or a wrong one.
    Unauthorized,
    /// The credential is known and not allowed to do this.
    Forbidden,
    /// No such repository, tag, manifest, blob or platform.
    NotFound,
    /// No connection: name, network, TLS, or answers that were server errors to the end.
    Unreachable,
    /// A connection, but no answer in time.
    Timeout,
    /// The bytes are not the ones that their digest names.
    DigestMismatch,
    /// More bytes than were announced or are accepted.
    TooLarge,
    /// A format or ability that this program or the registry does not have.
    Unsupported,
    /// The registry asks to come back later, and did so to the end.
    RateLimited,
    /// An answer that is not what the distribution specification says.
    Protocol,
    /// A local file could not be read, or the configuration of the client is wrong.
    Local,
}

/// What was attempted, where. Cheap to clone, and small inside an error.
#[derive(Debug, Clone)]
pub struct Attempt(Arc<AttemptParts>);

#[derive(Debug)]
struct AttemptParts {
    action: String,
    repository: RepositoryReference,
}

impl Attempt {
    pub(super) fn new(action: impl Into<String>, repository: &RepositoryReference) -> Self {
        Self(Arc::new(AttemptParts { action: action.into(), repository: repository.clone() }))
    }

    /// A phrase that follows “could not”: `read the manifest “1.0”`.
    pub fn action(&self) -> &str {
        &self.0.action
    }

    /// The repository it was attempted on.
    pub fn repository(&self) -> &RepositoryReference {
        &self.0.repository
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "could not {} in {}", self.action(), self.repository())
    }
}

/// A failed call to a registry.
///
/// Messages never hold a credential: addresses are cut before their query, and what a registry
/// says is shortened and cleaned.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// See [`RegistryErrorKind::Unauthorized`].
    #[error(
        "{attempt}: {registry} does not accept {credential}; {advice}",
        registry = attempt.repository().registry()
    )]
    Unauthorized {
        /// What was attempted.
        attempt: Attempt,
        /// Which credential was tried: where it came from, never the secret.
        credential: String,
        /// What to do next.
        advice: String,
    },
    /// See [`RegistryErrorKind::Forbidden`].
    #[error(
        "{attempt}: {credential} may not do this ({detail}); ask the registry's owner for the right, or use another account"
    )]
    Forbidden {
        /// What was attempted.
        attempt: Attempt,
        /// Which credential was used.
        credential: String,
        /// What the registry said.
        detail: String,
    },
    /// See [`RegistryErrorKind::NotFound`].
    #[error("{attempt}: {detail}")]
    NotFound {
        /// What was attempted.
        attempt: Attempt,
        /// What is missing, and what there is instead.
        detail: String,
    },
    /// See [`RegistryErrorKind::Unreachable`].
    #[error("{attempt}: {detail}")]
    Unreachable {
        /// What was attempted.
        attempt: Attempt,
        /// What happened and what to check.
        detail: String,
        /// The connection's error, if there was one.
        source: Option<BoxedError>,
    },
    /// See [`RegistryErrorKind::Timeout`].
    #[error("{attempt}: no answer in time; check the network and whether the registry is overloaded")]
    Timeout {
        /// What was attempted.
        attempt: Attempt,
        /// The connection's error.
        source: Option<BoxedError>,
    },
    /// See [`RegistryErrorKind::DigestMismatch`].
    #[error(
        "{attempt}: the content is not what its digest says (expected {expected}, got {actual}); \
         the registry or something before it is damaged: push the image again, or use another copy"
    )]
    DigestMismatch {
        /// What was attempted.
        attempt: Attempt,
        /// The digest asked for.
        expected: Digest,
        /// What was found instead: a digest, or a number of bytes.
        actual: String,
    },
    /// See [`RegistryErrorKind::TooLarge`].
    #[error(
        "{attempt}: it is larger than the {limit} bytes that it should have at most; the registry or the image is not to be trusted"
    )]
    TooLarge {
        /// What was attempted.
        attempt: Attempt,
        /// The limit in bytes.
        limit: u64,
    },
    /// See [`RegistryErrorKind::Unsupported`].
    #[error("{attempt}: {detail}")]
    Unsupported {
        /// What was attempted.
        attempt: Attempt,
        /// What is not supported, and what to do instead.
        detail: String,
    },
    /// See [`RegistryErrorKind::RateLimited`].
    #[error(
        "{attempt}: the registry limits the number of requests and still refuses; wait, or sign in for a higher limit"
    )]
    RateLimited {
        /// What was attempted.
        attempt: Attempt,
    },
    /// See [`RegistryErrorKind::Protocol`].
    #[error("{attempt}: the registry gave an answer that makes no sense: {detail}")]
    Protocol {
        /// What was attempted.
        attempt: Attempt,
        /// What it said.
        detail: String,
    },
    /// A manifest that cannot be used.
    #[error("{attempt}: {source}")]
    Manifest {
        /// What was attempted.
        attempt: Attempt,
        /// Why not. Part of the message, since it is the message.
        source: ManifestError,
    },
    /// A file to upload could not be read.
    #[error("{attempt}: the file {path} could not be read")]
    File {
        /// What was attempted.
        attempt: Attempt,
        /// The file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The registry says that an upload is not what its digest or size says.
    #[error(
        "{attempt}: the registry says that the bytes it got are not the announced ones ({detail}); try again, and check the network and the disk if it happens again"
    )]
    UploadRefused {
        /// What was attempted.
        attempt: Attempt,
        /// What the registry said.
        detail: String,
    },
    /// Credentials could not be looked up.
    #[error("{attempt}: {source}")]
    Credentials {
        /// What was attempted.
        attempt: Attempt,
        /// Why not. Part of the message, since it is the message.
        source: CredentialError,
    },
    /// The client could not be set up.
    #[error("{0}")]
    Setup(String),
}

/// The source of an error whose type does not matter to callers.
pub type BoxedError = Box<dyn std::error::Error + Send + Sync>;

impl RegistryError {
    /// The stable kind.
    pub fn kind(&self) -> RegistryErrorKind {
        match self {
            Self::Unauthorized { .. } => RegistryErrorKind::Unauthorized,
            Self::Forbidden { .. } => RegistryErrorKind::Forbidden,
            Self::NotFound { .. } => RegistryErrorKind::NotFound,
            Self::Unreachable { .. } => RegistryErrorKind::Unreachable,
            Self::Timeout { .. } => RegistryErrorKind::Timeout,
            Self::DigestMismatch { .. } | Self::UploadRefused { .. } => RegistryErrorKind::DigestMismatch,
            Self::TooLarge { .. } => RegistryErrorKind::TooLarge,
            Self::Unsupported { .. } => RegistryErrorKind::Unsupported,
            Self::RateLimited { .. } => RegistryErrorKind::RateLimited,
            Self::Protocol { .. } => RegistryErrorKind::Protocol,
            Self::Manifest { source, .. } => match source {
                ManifestError::DockerSchema1 | ManifestError::UnknownMediaType(_) => {
                    RegistryErrorKind::Unsupported
                }
                ManifestError::Malformed { .. } | ManifestError::Ambiguous { .. } => {
                    RegistryErrorKind::Protocol
                }
            },
            Self::File { .. } | Self::Credentials { .. } | Self::Setup(_) => RegistryErrorKind::Local,
        }
    }
}

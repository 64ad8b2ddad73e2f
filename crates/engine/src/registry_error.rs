//! From a registry's error to the build's.

use std::error::Error as StdError;

use imagewright_oci::registry::{RegistryError, RegistryErrorKind};

use crate::error::{BuildError, ErrorKind, is_disk_full};

impl From<RegistryError> for BuildError {
    fn from(error: RegistryError) -> Self {
        let kind = kind(&error);
        Self::new(kind, error.to_string()).with_next_step(next_step(kind)).with_source(error)
    }
}

/// What can be done about a registry's error of a kind.
pub(crate) fn next_step(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unauthorized => "sign in with `docker login` or `podman login`, or pass --authfile",
        ErrorKind::NotFound => "check the name, the tag and the platform of the image",
        ErrorKind::Unreachable | ErrorKind::Timeout => {
            "check the address, the network and the proxy, and whether the registry works; for one without TLS pass \
             --insecure-registry, for a private certificate --ca-bundle"
        }
        ErrorKind::DigestMismatch => "push the image again, or use another copy of it",
        ErrorKind::TooLarge => "use a smaller image",
        ErrorKind::Unsupported => "push the image again with a current tool, or choose another one",
        ErrorKind::DiskFull => "free some space, and build again",
        _ => "run the command again with IMAGEWRIGHT_LOG=debug, and report what it says",
    }
}

/// The build's kind for a registry's error.
pub(crate) fn kind(error: &RegistryError) -> ErrorKind {
    match error.kind() {
        RegistryErrorKind::Unauthorized | RegistryErrorKind::Forbidden => ErrorKind::Unauthorized,
        RegistryErrorKind::NotFound => ErrorKind::NotFound,
        RegistryErrorKind::Unreachable | RegistryErrorKind::RateLimited | RegistryErrorKind::Protocol => {
            ErrorKind::Unreachable
        }
        RegistryErrorKind::Timeout => ErrorKind::Timeout,
        RegistryErrorKind::DigestMismatch => ErrorKind::DigestMismatch,
        RegistryErrorKind::TooLarge => ErrorKind::TooLarge,
        RegistryErrorKind::Unsupported => ErrorKind::Unsupported,
        RegistryErrorKind::Local if is_disk_full(error) => ErrorKind::DiskFull,
        RegistryErrorKind::Local => match error {
            // Credentials and certificates are files that the user names.
            RegistryError::Credentials { .. } | RegistryError::Setup(_) => ErrorKind::SpecInvalid,
            _ => ErrorKind::Internal,
        },
    }
}

/// The registry's error inside an I/O error: a stream that is read through [`std::io::Read`] can only give it
/// wrapped.
pub(crate) fn inside<'error>(error: &'error (dyn StdError + 'static)) -> Option<&'error RegistryError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<RegistryError>() {
            return Some(found);
        }
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
            && let Some(found) = inside(inner)
        {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

//! From a registry's error to the build's.

use std::error::Error as StdError;

use imagewright_oci::registry::{RegistryError, RegistryErrorKind};

use crate::error::{BuildError, ErrorKind, is_disk_full};

impl From<RegistryError> for BuildError {
    fn from(error: RegistryError) -> Self {
        Self::new(kind(&error), error.to_string()).with_source(error)
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

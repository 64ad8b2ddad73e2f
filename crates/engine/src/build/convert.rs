//! Errors of the parts as errors of the build.

use crate::error::{BuildError, ErrorKind, is_disk_full};
use crate::python::PythonError;
use crate::python::pip_settings::PipSettingsError;
use crate::wheel::WheelError;

impl From<PythonError> for BuildError {
    fn from(error: PythonError) -> Self {
        Self::new(ErrorKind::Unsupported, error.to_string())
            .with_next_step("choose a base image that has CPython 3.8 or newer on its PATH")
            .with_source(error)
    }
}

impl From<PipSettingsError> for BuildError {
    fn from(error: PipSettingsError) -> Self {
        Self::new(ErrorKind::Unsupported, error.to_string())
            .with_next_step("correct pip's settings in the base image, or choose another base")
            .with_source(error)
    }
}

impl From<WheelError> for BuildError {
    fn from(error: WheelError) -> Self {
        if is_disk_full(&error) {
            return Self::new(ErrorKind::DiskFull, format!("no space is left to unpack {}", error.wheel))
                .with_next_step(
                    "free some space, or run `imagewright cache trim` to shrink the cache, and build again",
                )
                .with_source(error);
        }
        if error.is_cancelled() {
            return Self::cancelled();
        }
        let kind = if error.is_too_large() { ErrorKind::TooLarge } else { ErrorKind::Unsupported };
        Self::new(kind, error.to_string())
            .with_next_step(
                "ask for another version of the package, or tell its publisher that the wheel is broken",
            )
            .with_source(error)
    }
}

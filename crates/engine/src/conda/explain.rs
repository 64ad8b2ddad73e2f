//! Contradictions among conda packages, in words and shortened to their cause.

use imagewright_spec::CondaSpec;

use crate::error::{BuildError, ErrorKind};

/// The error of a request that nothing satisfies; `told` is what the solver says.
pub fn conflict(told: &str, wanted: &[CondaSpec], channels: &[String]) -> BuildError {
    let _ = wanted;
    BuildError::new(
        ErrorKind::Conflict,
        "the conda packages contradict each other, or what the base must keep",
    )
    .with_explanation(told.to_owned())
    .with_next_step(format!("loosen a version, or search another channel (asked: {})", channels.join(", ")))
}

//! Ending a build from outside.

pub use tokio_util::sync::CancellationToken;

use crate::error::BuildError;

/// Waits for `work`, or for the cancellation, whichever comes first. The work's future is dropped then, which
/// ends its requests and, through the guards that it holds, its processes and folders.
///
/// # Errors
/// The work's own, or [`BuildError::cancelled`].
pub async fn unless_cancelled<T>(
    cancellation: &CancellationToken,
    work: impl Future<Output = Result<T, BuildError>>,
) -> Result<T, BuildError> {
    tokio::select! {
        biased;
        () = cancellation.cancelled() => Err(BuildError::cancelled()),
        outcome = work => outcome,
    }
}

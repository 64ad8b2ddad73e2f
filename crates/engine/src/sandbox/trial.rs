//! Trying the fence out: namespaces may be there and still not be allowed, in a container of somebody else's say.

use std::time::Duration;

use super::{Enclosure, Output, Program, Sandbox, SandboxSettings};
use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};

/// How long doing nothing may take.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a sandbox and runs a program in it that does nothing.
///
/// # Errors
/// What this machine does not let us do.
pub async fn try_out(settings: &SandboxSettings, cancellation: &CancellationToken) -> Result<(), BuildError> {
    // Not in the cache: looking at a machine makes nothing there.
    let folder = tempfile::Builder::new()
        .prefix("imagewright-trial-")
        .tempdir()
        .map_err(|error| BuildError::file("make a temporary folder in", &std::env::temp_dir(), error))?;
    let sandbox = Sandbox::open(folder.path(), settings, true, cancellation).await?;
    let enclosure = Enclosure { network: true, ..Enclosure::default() };
    let program = Program {
        arguments: vec!["/usr/bin/true".into()],
        enclosure: &enclosure,
        output: Output::Lines(&|_| {}),
        timeout: TRIAL_TIMEOUT,
        purpose: "trying the sandbox out",
    };
    let finished = sandbox.run(program, cancellation).await?;
    if finished.status.success() {
        return Ok(());
    }
    Err(BuildError::new(ErrorKind::Unsupported, "a program cannot be run in the sandbox")
        .with_explanation(finished.lines.join("; "))
        .with_next_step("run Imagewright outside of a container, or in one that may mount /proc"))
}

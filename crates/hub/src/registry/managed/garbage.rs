//! Removes what no manifest names any more.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use super::ManagedRegistryError;
use super::process::LastWords;
use super::supervisor::Supervisor;

/// How long the registry may take to come back in another mode.
const RESTART_DEADLINE: Duration = Duration::from_mins(1);

/// What was collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blobs that were removed.
    pub blobs: u64,
}

/// Collects while the registry takes nothing, and has it take everything again whatever comes of it.
pub(super) async fn collect(supervisor: &Supervisor) -> Result<Collected, ManagedRegistryError> {
    // Before the first push the program finds nothing to look at, and fails.
    if !supervisor.configuration.repositories().is_dir() {
        return Ok(Collected::default());
    }
    let collected = match supervisor.serve(true, RESTART_DEADLINE).await {
        Ok(()) => run(supervisor).await,
        Err(error) => Err(error),
    };
    supervisor.serve(false, RESTART_DEADLINE).await?;
    collected
}

/// Runs the program. Manifests without a tag stay: those of single platforms, locks and bills of materials have none.
async fn run(supervisor: &Supervisor) -> Result<Collected, ManagedRegistryError> {
    let failed = |source| ManagedRegistryError::System { attempt: "start a process", source };
    let configuration = &supervisor.configuration;
    let arguments = [OsStr::new("garbage-collect"), configuration.path().as_os_str()];
    let mut command = supervisor.programs.registry(&arguments, configuration.folder());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(ManagedRegistryError::Ended);
    };
    let mut collected = Collected::default();
    let (said, words) = (LastWords::default(), LastWords::default());
    let (status, (), ()) = tokio::join!(
        child.wait(),
        said.read(stdout, |line| collected.blobs +=
            u64::from(line.starts_with("blob eligible for deletion"))),
        words.read(stderr, |line| tracing::debug!(target: "registry", "{line}")),
    );
    if status.map_err(failed)?.success() {
        return Ok(collected);
    }
    Err(ManagedRegistryError::Garbage { last_words: words.text() })
}

//! Running uv and git: a clean environment, bounded output, a deadline, and an end of the whole process group when the
//! build is cancelled.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::error::PipError;

/// The most bytes that are kept of what a program writes; an explanation of uv has some kilobytes.
const MAXIMUM_OUTPUT: u64 = 8 << 20;

/// How long a program may take to end once it was asked to.
const GRACE: Duration = Duration::from_millis(500);

/// A program to run.
pub(super) struct Invocation<'a> {
    /// The program.
    pub(super) program: &'a Path,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// Its whole environment. Values may be secret.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Its working folder.
    pub(super) folder: &'a Path,
    /// How long it may take.
    pub(super) timeout: Duration,
    /// What people are told that it does.
    pub(super) purpose: &'a str,
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct Finished {
    /// Its exit status.
    pub(super) status: ExitStatus,
    /// What it wrote to the standard output.
    pub(super) output: String,
    /// What it wrote to the standard error.
    pub(super) errors: String,
}

/// A process group that is killed when it is dropped: a dropped future must leave nothing running.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails when nobody is left, which is what we want.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Runs a program to its end.
///
/// # Errors
/// It cannot be started, takes too long, or the build is cancelled.
pub(super) async fn run(
    invocation: Invocation<'_>,
    cancellation: &CancellationToken,
) -> Result<Finished, PipError> {
    let failed =
        |action| move |source| PipError::File { action, path: invocation.program.to_owned(), source };
    let mut child = Command::new(invocation.program)
        .args(&invocation.arguments)
        .env_clear()
        .envs(invocation.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(invocation.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed("start"))?;
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group(id);
    let seconds = invocation.timeout.as_secs();
    let outcome = tokio::select! {
        biased;
        () = cancellation.cancelled() => Err(PipError::Cancelled),
        () = tokio::time::sleep(invocation.timeout) => {
            Err(PipError::Timeout { what: invocation.purpose.to_owned(), seconds })
        }
        finished = collect(&mut child) => finished.map_err(failed("read the output of")),
    };
    if outcome.is_ok() {
        // The process is reaped: its number may be given to another.
        group.0 = None;
    } else {
        group.signal(Signal::TERM);
        let _ = tokio::time::timeout(GRACE, child.wait()).await;
        group.signal(Signal::KILL);
        let _ = child.wait().await;
        group.0 = None;
    }
    outcome
}

async fn collect(child: &mut Child) -> std::io::Result<Finished> {
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (output, errors, status) = tokio::join!(read(output), read(errors), child.wait());
    Ok(Finished { status: status?, output: output?, errors: errors? })
}

/// Reads to the end and keeps the first [`MAXIMUM_OUTPUT`] bytes: a full pipe would stop the program.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(MAXIMUM_OUTPUT).read_to_end(&mut kept).await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

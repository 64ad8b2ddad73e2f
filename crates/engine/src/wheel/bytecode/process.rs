//! Runs a short program of ours in an interpreter: bounded in time and output, ended when the build is.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often a running program is looked after.
const TICK: Duration = Duration::from_millis(50);
/// What is kept of a program's complaints.
const LONGEST_COMPLAINT: u64 = 16 * 1024;

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessFailure {
    #[error("could not be started: {0}")]
    Start(io::Error),
    #[error("did not end within {0:?}")]
    TimedOut(Duration),
    #[error("wrote more than was expected")]
    TooMuchOutput,
    #[error("failed ({status}): {complaint}")]
    Failed { status: String, complaint: String },
    #[error("was cancelled")]
    Cancelled,
}

/// Runs a command with `input` on its standard input, and returns its standard output.
///
/// The command gets a process group of its own, which is killed at the deadline and on cancellation.
pub(super) fn run(
    mut command: Command,
    input: &[u8],
    longest_output: u64,
    timeout: Duration,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, ProcessFailure> {
    use std::os::unix::process::CommandExt;

    let deadline = Instant::now() + timeout;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(ProcessFailure::Start)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());

    thread::scope(|scope| {
        // One that ends without reading all of its input says why by itself.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let complaint = scope.spawn(move || read_start(stderr, LONGEST_COMPLAINT));
        let (finished, output) = mpsc::channel();
        scope.spawn(move || finished.send(read_start(stdout, longest_output + 1)));

        let ended = wait(&mut child, &output, deadline, cancel);
        if ended.is_err() {
            kill_group(&child);
        }
        let status = child.wait().map_err(ProcessFailure::Start)?;
        let complaint = complaint.join().unwrap_or_default();
        let output = ended.map_err(|ended| match ended {
            Ended::Cancelled => ProcessFailure::Cancelled,
            Ended::TimedOut => ProcessFailure::TimedOut(timeout),
        })?;
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
            return Err(ProcessFailure::Failed { status: status.to_string(), complaint });
        }
        if output.len() as u64 > longest_output { Err(ProcessFailure::TooMuchOutput) } else { Ok(output) }
    })
}

/// Why we stopped waiting.
enum Ended {
    Cancelled,
    TimedOut,
}

/// Waits for all of the output, then for the end of the process.
fn wait(
    child: &mut Child,
    output: &mpsc::Receiver<Vec<u8>>,
    deadline: Instant,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, Ended> {
    let check = || {
        if cancel.load(Ordering::Relaxed) {
            Err(Ended::Cancelled)
        } else if Instant::now() >= deadline {
            Err(Ended::TimedOut)
        } else {
            Ok(())
        }
    };
    let bytes = loop {
        check()?;
        match output.recv_timeout(TICK) {
            Ok(bytes) => break bytes,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break Vec::new(),
        }
    };
    // Its output is closed, so the end is a matter of a millisecond; a process that clings on is killed.
    while matches!(child.try_wait(), Ok(None)) {
        check()?;
        thread::sleep(Duration::from_millis(1));
    }
    Ok(bytes)
}

/// Reads up to `longest` bytes and throws away the rest, so that the writer never waits for a reader.
fn read_start(stream: Option<impl Read>, longest: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // An error here is the end of the stream; the exit status tells the rest.
        let _ = stream.by_ref().take(longest).read_to_end(&mut bytes);
        let _ = io::copy(&mut stream, &mut io::sink());
    }
    bytes
}

/// Kills the process and whatever it started. It has not been waited for, so its id is still its own.
fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // The only failure is that it is gone already.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn run_shell(script: &str, timeout: Duration, cancel: bool) -> Result<Vec<u8>, ProcessFailure> {
        run(shell(script), b"input", 16, timeout, &AtomicBool::new(cancel))
    }

    #[test]
    fn output_and_complaints_come_back() {
        let long = Duration::from_mins(1);
        assert_eq!(run_shell("cat", long, false).unwrap(), b"input");
        let failed = run_shell("echo why >&2; exit 3", long, false).unwrap_err();
        assert_eq!(failed.to_string(), "failed (exit status: 3): why");
        assert!(matches!(run_shell("yes | head -c 100", long, false), Err(ProcessFailure::TooMuchOutput)));
        let missing = run(Command::new("/no/such"), b"", 1, long, &AtomicBool::new(false));
        assert!(matches!(missing, Err(ProcessFailure::Start(_))));
    }

    #[test]
    fn programs_that_hang_are_ended_with_all_they_started() {
        let started = Instant::now();
        let hung = run_shell("sleep 600 & sleep 600", Duration::from_millis(50), false);
        assert!(matches!(hung, Err(ProcessFailure::TimedOut(_))));
        let cancelled = run_shell("sleep 600 & sleep 600", Duration::from_mins(10), true);
        assert!(matches!(cancelled, Err(ProcessFailure::Cancelled)));
        // `run` returns when the pipes are closed, that is, when no child is left to hold them.
        assert!(started.elapsed() < Duration::from_mins(5));
    }
}

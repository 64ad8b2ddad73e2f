//! Running one program inside: bounded output, a deadline, and an end that takes everything along.

use std::ffi::OsString;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::process::Child;

use super::control_group::ControlGroup;
use super::disk::Watch;
use super::holder::{command, unavailable};
use super::process_guard::{ProcessGuard, end_group};
use crate::base::blocking;
use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};

/// Longest line that is kept, in bytes; the rest of a longer one is dropped.
const LONGEST_LINE: u64 = 4000;

/// Lines that are kept from the beginning of the output, and from its end.
const KEPT_LINES: usize = 2000;

/// How long the fence may take to be set up around a program.
const SET_UP_TIMEOUT: Duration = Duration::from_secs(30);

/// The exit code of a program that was ended by SIGPIPE, as those tell that run it.
const BROKEN_PIPE: i32 = 128 + 13;

/// Takes the standard output of a program on a thread for blocking work.
type Reader = Box<dyn FnOnce(File) -> Result<(), BuildError> + Send>;

/// Sees each line.
type See<'run> = dyn Fn(&str) + Send + Sync + 'run;

/// Where a program's output goes.
pub enum Output<'run> {
    /// Both outputs, line after line, without ends of lines.
    Lines(&'run See<'run>),
    /// The standard output goes to a reader; the lines of the standard error are kept.
    Reader(Reader),
}

impl std::fmt::Debug for Output<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Lines(_) => "Lines",
            Self::Reader(_) => "Reader",
        })
    }
}

/// How a program ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// The first and the last lines of its output.
    pub lines: Vec<String>,
}

/// A program to run.
pub(super) struct Running<'run> {
    pub(super) arguments: Vec<OsString>,
    pub(super) output: Output<'run>,
    pub(super) timeout: Duration,
    pub(super) purpose: &'run str,
    pub(super) group: Option<&'run ControlGroup>,
    pub(super) folder: &'run std::path::Path,
}

/// Runs a program to its end.
pub(super) async fn run(
    running: Running<'_>,
    disk: Watch<'_>,
    cancellation: &CancellationToken,
) -> Result<Finished, BuildError> {
    // Whatever happens to this future, all that was started ends with it.
    let mut started = start(&running)?;
    let work = async {
        started.admit(running.group).await?;
        collect(&mut started, running.output).await
    };
    tokio::select! {
        biased;
        () = cancellation.cancelled() => Err(BuildError::cancelled()),
        () = tokio::time::sleep(running.timeout) => Err(too_long(running.purpose, running.timeout)),
        error = disk.exceeded() => Err(error),
        finished = work => finished,
    }
}

fn too_long(purpose: &str, timeout: Duration) -> BuildError {
    BuildError::new(
        ErrorKind::Timeout,
        format!("{purpose} was ended: it took longer than {} minutes", timeout.as_secs().div_ceil(60)),
    )
    .with_next_step(
        "try again; if it keeps happening, let the administrator raise `timeout_seconds` in [sandbox]",
    )
}

/// A program that waits behind its gate. It ends with this value.
struct Started {
    /// The first process inside: with it, the kernel ends all others.
    inside: Option<ProcessGuard>,
    /// The outermost process: bubblewrap, or what becomes it. It leads a process group.
    _outer: Option<ProcessGuard>,
    child: Child,
    /// Tells the number of the first process inside.
    announced: pipe::Receiver,
    /// What was told of it so far.
    announcement: Vec<u8>,
    /// The program starts when a byte comes through.
    gate: PipeWriter,
    /// Its outputs, or the error output alone.
    lines: pipe::Receiver,
}

fn start(running: &Running<'_>) -> Result<Started, BuildError> {
    let failed = |error: std::io::Error| unavailable("a program cannot be started").with_source(error);
    let (gate_inside, gate) = std::io::pipe().map_err(failed)?;
    let (announced, announcing) = std::io::pipe().map_err(failed)?;
    let (lines, errors) = std::io::pipe().map_err(failed)?;
    inherit(&gate_inside, &announcing).map_err(failed)?;

    let position = running.arguments.iter().position(|argument| argument == "bwrap");
    let position = position.ok_or_else(|| BuildError::internal("a program is run outside of the fence"))? + 1;
    let gates = ["--block-fd".into(), gate_inside.as_raw_fd().to_string().into()];
    let announcements = ["--info-fd".into(), announcing.as_raw_fd().to_string().into()];
    let mut arguments = running.arguments.clone();
    arguments.splice(position..position, gates.into_iter().chain(announcements));

    let mut command = command(&arguments[0], running.folder);
    command.args(&arguments[1..]).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    match &running.output {
        Output::Lines(_) => command.stdout(errors.try_clone().map_err(failed)?),
        Output::Reader(_) => command.stdout(Stdio::piped()),
    };
    let child = command.stderr(errors).spawn().map_err(failed)?;
    // What is held of the other ends goes here: the pipes end with the program.
    drop((command, gate_inside, announcing));
    Ok(Started {
        inside: None,
        _outer: child.id().and_then(ProcessGuard::of),
        child,
        announced: receiver(announced)?,
        announcement: Vec::new(),
        gate,
        lines: receiver(lines)?,
    })
}

/// Lets the next process that is started have these ends.
fn inherit(gate: &PipeReader, announcing: &PipeWriter) -> std::io::Result<()> {
    fcntl_setfd(gate, FdFlags::empty())?;
    fcntl_setfd(announcing, FdFlags::empty())?;
    Ok(())
}

fn receiver(pipe: PipeReader) -> Result<pipe::Receiver, BuildError> {
    pipe::Receiver::from_owned_fd(OwnedFd::from(pipe))
        .map_err(|error| BuildError::internal("a pipe cannot be read").with_source(error))
}

#[derive(Deserialize)]
struct Announcement {
    #[serde(rename = "child-pid")]
    process: u32,
}

impl Started {
    /// Puts the fence's processes under their limits, then opens the gate. Where the fence failed, the program's
    /// output says why.
    async fn admit(&mut self, group: Option<&ControlGroup>) -> Result<(), BuildError> {
        let announced = async {
            // Until the end of the object: another process may hold the pipe open.
            while self.announcement.len() < 1000 && !self.announcement.contains(&b'}') {
                match self.announced.read_buf(&mut self.announcement).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(SET_UP_TIMEOUT, announced)
            .await
            .map_err(|_| unavailable("setting the fence up took too long"))?;
        let Some(inside) = self.first_inside() else { return Ok(()) };
        self.inside = ProcessGuard::of(inside);
        if let Some(group) = group {
            let outer = self.child.id().into_iter();
            for process in outer.chain([inside]) {
                group.admit(process).map_err(|error| {
                    unavailable("a program cannot be put under its limits").with_source(error)
                })?;
            }
        }
        let _ = self.gate.write_all(b"x");
        Ok(())
    }

    /// The number of the first process inside, when it was told.
    fn first_inside(&self) -> Option<u32> {
        let announcement: Announcement = serde_json::from_slice(&self.announcement).ok()?;
        Some(announcement.process)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.inside.take().is_some() {
            return;
        }
        // It may just be making its first process, which dies with it only once it has asked for that.
        if let Some(group) = self.child.id() {
            end_group(group);
        }
    }
}

async fn collect(started: &mut Started, output: Output<'_>) -> Result<Finished, BuildError> {
    let ignore = |_: &str| {};
    let (see, reader): (&See<'_>, Option<Reader>) = match output {
        Output::Lines(see) => (see, None),
        Output::Reader(reader) => (&ignore, Some(reader)),
    };
    let stdout = started.child.stdout.take();
    let read = async {
        match (reader, stdout) {
            (Some(reader), Some(stdout)) => {
                let file = stdout.into_owned_fd().map(File::from).map_err(|error| {
                    BuildError::internal("the output of a program cannot be read").with_source(error)
                })?;
                blocking(move || reader(file)).await?
            }
            _ => Ok(()),
        }
    };
    let (lines, status, read) = tokio::join!(keep_lines(&mut started.lines, see), started.child.wait(), read);
    let status =
        status.map_err(|error| BuildError::internal("a program cannot be waited for").with_source(error))?;
    // A program that failed has not written all of its output, and that it failed is the cause; unless it did so
    // because the reader had enough.
    if status.success() || status.code() == Some(BROKEN_PIPE) {
        read?;
    }
    Ok(Finished { status, lines })
}

/// Reads lines to the end and keeps the first and the last ones.
async fn keep_lines(input: impl AsyncRead + Unpin, see: &See<'_>) -> Vec<String> {
    let mut input = BufReader::new(input);
    let mut first = Vec::new();
    let mut last = std::collections::VecDeque::new();
    let mut dropped = 0_usize;
    loop {
        let mut line = Vec::new();
        match (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
            skip_line(&mut input).await;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        see(text);
        if first.len() < KEPT_LINES {
            first.push(text.to_owned());
        } else {
            last.push_back(text.to_owned());
            if last.len() > KEPT_LINES {
                last.pop_front();
                dropped += 1;
            }
        }
    }
    if dropped > 0 {
        first.push(format!("… {dropped} more lines …"));
    }
    first.extend(last);
    first
}

/// Reads on until the end of a line, keeping nothing.
async fn skip_line(input: &mut (impl tokio::io::AsyncBufRead + Unpin)) {
    while let Ok(buffer) = input.fill_buf().await {
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (used, done) = end.map_or((buffer.len(), buffer.is_empty()), |at| (at + 1, true));
        input.consume(used);
        if done {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endless_lines_and_endless_output_are_cut() {
        let mut text = "x".repeat(10_000);
        text.push_str("\nshort\n");
        text.extend((0..5000).map(|number| format!("{number}\n")));
        let lines = keep_lines(text.as_bytes(), &|_| {}).await;
        assert_eq!(lines[0].len(), 4000);
        assert_eq!(lines[1], "short");
        assert_eq!(lines[KEPT_LINES], "… 1002 more lines …");
        assert_eq!(lines.last().unwrap(), "4999");
        assert_eq!(lines.len(), 2 * KEPT_LINES + 1);
    }
}

//! One build's process, from its start to its end.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use imagewright_engine::event::Event;
use imagewright_store::builds::Failure;
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::command::command;
use super::session::Session;
use super::{Ended, Launcher, Listener, Order};

/// How long a build may take to end in order after it was told to.
const GRACE: Duration = Duration::from_secs(20);
/// The longest line that is read, in bytes: the last event has the names of all packages.
const LONGEST_LINE: usize = 16 << 20;
/// How long a sweep may take.
const SWEEP: Duration = Duration::from_mins(1);

/// What is known of the end before the process has ended.
#[derive(Default)]
struct Words {
    summary: Option<Box<imagewright_engine::summary::BuildSummary>>,
    failure: Option<Failure>,
}

pub(super) async fn run(
    launcher: &Launcher,
    order: &Order,
    listener: &mut impl Listener,
    cancellation: &CancellationToken,
) -> io::Result<Ended> {
    let mut arguments: Vec<OsString> =
        ["build", "--plan", "-", "--supervised", "--events", "json"].map(OsString::from).to_vec();
    arguments.extend(["--cache-dir".into(), launcher.cache.clone().into()]);
    if let Some(config) = &launcher.config {
        arguments.extend(["--config".into(), config.clone().into()]);
    }
    let mut child = command(launcher, arguments).spawn()?;
    let session = Session::of(child.id());
    let mut input = child.stdin.take().ok_or_else(|| io::Error::other("it has no standard input"))?;
    let output = child.stdout.take().ok_or_else(|| io::Error::other("it has no standard output"))?;
    let errors = child.stderr.take().ok_or_else(|| io::Error::other("it has no standard error"))?;
    input.write_all(order.plan.expose_secret().as_bytes()).await?;
    input.write_all(b"\n").await?;
    input.flush().await?;

    let mut words = Words::default();
    let deadline = Instant::now() + order.limit;
    let listening = listen(output, errors, &mut input, listener, &mut words);
    let early = tokio::select! {
        biased;
        outcome = listening => { outcome?; None }
        () = cancellation.cancelled() => Some(Ended::Cancelled),
        () = tokio::time::sleep_until(deadline) => Some(Ended::TimedOut),
    };
    if early.is_some() {
        // Both mean the same to the build; one reaches it where the other does not.
        drop(input);
        session.tell_to_end();
    }
    let status = end(&mut child, &session).await?;
    if let Some(early) = early {
        return Ok(early);
    }
    Ok(match words {
        Words { summary: Some(summary), .. } if status.success() => Ended::Succeeded(summary),
        Words { failure: Some(failure), .. } if failure.kind == "cancelled" => Ended::Cancelled,
        Words { failure: Some(failure), .. } => Ended::Failed(failure),
        Words { .. } => Ended::Died(status.to_string()),
    })
}

/// Reads what the build tells, until it has closed both of its outputs.
async fn listen(
    output: impl AsyncRead + Unpin,
    errors: impl AsyncRead + Unpin,
    input: &mut ChildStdin,
    listener: &mut impl Listener,
    words: &mut Words,
) -> io::Result<()> {
    let (mut output, mut errors) = (BufReader::new(output), BufReader::new(errors));
    let (mut event, mut text) = (Vec::new(), Vec::new());
    let (mut has_output, mut has_errors) = (true, true);
    while has_output || has_errors {
        tokio::select! {
            read = read_line(&mut output, &mut event), if has_output => {
                has_output = read?;
                let line = std::mem::take(&mut event);
                if !line.is_empty() {
                    tell(&String::from_utf8_lossy(&line), input, listener, words).await?;
                }
            }
            read = read_line(&mut errors, &mut text), if has_errors => {
                has_errors = read?;
                let line = std::mem::take(&mut text);
                if !line.is_empty() {
                    listener.line(&String::from_utf8_lossy(&line)).await;
                }
            }
        }
    }
    Ok(())
}

async fn tell(
    line: &str,
    input: &mut ChildStdin,
    listener: &mut impl Listener,
    words: &mut Words,
) -> io::Result<()> {
    let Ok(event) = serde_json::from_str::<Event>(line) else {
        listener.line(line).await;
        return Ok(());
    };
    listener.event(&event, line).await;
    match event {
        Event::PublishRequested => {
            let answer = if listener.may_publish().await { "publish\n" } else { "stop\n" };
            input.write_all(answer.as_bytes()).await?;
            input.flush().await?;
        }
        Event::Result(summary) => words.summary = Some(summary),
        Event::Error { kind, message, explanation, next_step } => {
            words.failure = Some(Failure { kind: kind.name().to_owned(), message, explanation, next_step });
        }
        _ => {}
    }
    Ok(())
}

/// Reads a line without its end, in pieces: dropped in between, it goes on where it stopped. False at the end.
async fn read_line(source: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let piece = source.fill_buf().await?;
        if piece.is_empty() {
            return Ok(false);
        }
        let end = memchr::memchr(b'\n', piece);
        let length = end.unwrap_or(piece.len());
        // What is longer is cut: it is no event of ours.
        let room = LONGEST_LINE.saturating_sub(line.len()).min(length);
        line.extend_from_slice(&piece[..room]);
        let used = length + usize::from(end.is_some());
        source.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Waits for the end of the process, and makes it come.
async fn end(child: &mut Child, session: &Session) -> io::Result<std::process::ExitStatus> {
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return status;
    }
    session.kill();
    child.wait().await
}

/// See [`Launcher::sweep`].
pub(super) async fn sweep(launcher: &Launcher) {
    let arguments = ["doctor", "--clean", "--json"].map(OsString::from);
    let mut command = command(launcher, arguments);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    match tokio::time::timeout(SWEEP, command.output()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what killed builds have left cannot be swept"),
        Err(_) => tracing::warn!("sweeping what killed builds have left takes too long"),
    }
}

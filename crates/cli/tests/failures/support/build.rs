//! The command, running: its events, its end, and signals to it.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use imagewright_testkit::tool;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The longest that anything here is waited for: far more than it takes, so that only what hangs is a failure.
const DEADLINE: Duration = Duration::from_mins(2);

/// A command that is about to be started.
pub(crate) struct Build {
    command: Command,
    input: Option<String>,
}

impl Build {
    pub(super) fn new<A: AsRef<OsStr>>(
        root: &Path,
        cache: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imagewright"));
        let arguments: Vec<OsString> =
            arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        command.args(&arguments);
        if arguments.first().is_some_and(|first| first == "build") {
            command.args(["--events", "json"]);
        }
        command
            .env_clear()
            // Interpreters of Debian only: bytecode is made where the base has the same version.
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", root.join("home"))
            .env("TMPDIR", root.join("tmp"))
            .env("IMAGEWRIGHT_CACHE", cache)
            .env("IMAGEWRIGHT_UV", tool("uv").unwrap_or_default())
            .current_dir(root.join("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(certificates) = std::env::var_os("SSL_CERT_FILE") {
            command.env("SSL_CERT_FILE", certificates);
        }
        Self { command, input: None }
    }

    /// Adds arguments.
    pub(crate) fn options<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives it a text on standard input, which stays open until [`Running::end_input`].
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.command.stdin(Stdio::piped());
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it by way of another program, whose last argument takes the place of ours.
    pub(crate) fn through(mut self, wrapper: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut words = wrapper.into_iter();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.command.get_current_dir().unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command = command;
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.start().end()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let mut input = child.stdin.take();
        if let (Some(input), Some(text)) = (&mut input, &self.input) {
            input.write_all(text.as_bytes()).unwrap();
        }
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Nobody listens any more when the test has ended early.
                let _ = sender.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        Running { child, input, events, seen: Vec::new(), complaints: Some(complaints) }
    }
}

/// A command that runs. It is killed when this value is dropped.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    events: Receiver<Value>,
    seen: Vec<Value>,
    complaints: Option<JoinHandle<String>>,
}

impl Running {
    /// Waits until a step has begun.
    pub(crate) fn wait_for_step(&mut self, step: &str) {
        self.wait_for(&format!("the step {step}"), |event| {
            event["event"] == "step_started" && event["step"] == step
        });
    }

    /// Waits until a program in the sandbox has written a line.
    pub(crate) fn wait_for_output(&mut self, line: &str) {
        self.wait_for(line, |event| event["event"] == "output" && event["line"] == line);
    }

    /// Waits until it asks whether it may publish.
    pub(crate) fn wait_for_question(&mut self) {
        self.wait_for("the question", |event| event["event"] == "publish_requested");
    }

    /// Writes a line to its standard input.
    pub(crate) fn say(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Closes its standard input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until something outside of the command can be seen.
    pub(crate) fn wait_until(&mut self, what: &str, seen: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !seen() {
            self.seen.extend(self.events.try_iter());
            assert!(Instant::now() < deadline, "not seen: {what}: {:#?}", self.seen);
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the command ended before {what}: {:#?}", self.seen);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until SIGTERM does not kill it any more.
    pub(crate) fn wait_until_signals_are_caught(&mut self) {
        let status = format!("/proc/{}/status", self.child.id());
        self.wait_until("signals are caught", || {
            let status = std::fs::read_to_string(&status).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
            caught >> (Signal::TERM.as_raw() - 1) & 1 == 1
        });
    }

    fn wait_for(&mut self, what: &str, matches: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    let found = matches(&event);
                    self.seen.push(event);
                    if found {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{what} did not come: {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the command ended before {what}: {:#?}", self.seen)
                }
            }
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(self) -> Outcome {
        self.end_within(DEADLINE)
    }

    /// Waits for the end, which must come within this time.
    pub(crate) fn end_within(mut self, limit: Duration) -> Outcome {
        let deadline = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            self.seen.extend(self.events.try_iter());
            assert!(Instant::now() < deadline, "no end within {limit:?}: {:#?}", self.seen);
            std::thread::sleep(Duration::from_millis(5));
        };
        let complaints = self.complaints.take().unwrap().join().unwrap();
        let mut events = std::mem::take(&mut self.seen);
        events.extend(self.events.iter());
        Outcome { process: self.child.id(), code: status.code(), events, complaints }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The number that its process had.
    pub(crate) process: u32,
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// Its events; lines that are none are strings.
    pub(crate) events: Vec<Value>,
    /// What it wrote to the standard error.
    pub(crate) complaints: String,
}

impl Outcome {
    /// The digest of the image, which must have been pushed.
    pub(crate) fn digest(&self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.result()["digest"].as_str().unwrap().to_owned()
    }

    /// The result event of a build that went well.
    pub(crate) fn result(&self) -> &Value {
        self.of_kind("result").next().unwrap_or_else(|| panic!("no result: {self:#?}"))
    }

    /// The messages of all warnings.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.of_kind("warning").filter_map(|event| event["message"].as_str()).map(str::to_owned).collect()
    }

    /// The stable kind of the error.
    pub(crate) fn kind(&self) -> &str {
        self.error()["kind"].as_str().unwrap()
    }

    /// What people see of the error.
    pub(crate) fn failure(&self) -> String {
        let error = self.error();
        let mut text = format!("exit {}, {}\n", self.code.unwrap_or(-1), self.kind());
        for (name, value) in [
            ("message", &error["message"]),
            ("explanation", &error["explanation"]),
            ("next step", &error["next_step"]),
        ] {
            if let Some(value) = value.as_str() {
                writeln!(text, "{name}: {value}").unwrap();
            }
        }
        text
    }

    fn error(&self) -> &Value {
        assert_eq!(self.complaints, "", "events tell everything");
        let last = self.events.last().filter(|event| event["event"] == "error");
        last.unwrap_or_else(|| panic!("the last event is no error: {self:#?}"))
    }

    /// How often it asked whether it may publish.
    pub(crate) fn questions(&self) -> usize {
        self.of_kind("publish_requested").count()
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["event"] == kind)
    }
}

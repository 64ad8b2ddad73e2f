//! PrimeHub's own client, the real one, as somebody has it on their machine.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{BoundChild, bound_command, run};
use crate::{cache, tool};

/// The version that people have: the last one.
const VERSION: &str = "0.4.2";
/// How long a command may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// The client of one user, with a home folder of its own.
pub struct PrimeHubSdk {
    program: PathBuf,
    home: TempDir,
}

/// What a command has printed, and whether it has succeeded.
#[derive(Debug)]
pub struct SdkOutput {
    /// Whether its exit code was 0.
    pub success: bool,
    /// What it has printed.
    pub stdout: String,
    /// What it has complained about.
    pub stderr: String,
}

impl PrimeHubSdk {
    /// The client with this address of the API and this token in its configuration, and no group. It is installed from
    /// `PyPI` with uv (see [`require_tool!`](crate::require_tool)), once per machine.
    pub fn new(endpoint: &str, token: &str) -> Self {
        let home = tempfile::Builder::new().prefix("primehub-").tempdir().expect("a home folder");
        fs::create_dir(home.path().join(".primehub")).expect("a folder for the configuration");
        let sdk = Self { program: installed(), home };
        sdk.configure(&json!({ "endpoint": endpoint, "api-token": token }));
        sdk
    }

    /// Writes the configuration file.
    pub fn configure(&self, configuration: &Value) {
        fs::write(self.configuration_file(), configuration.to_string()).expect("a configuration");
    }

    /// The configuration file, as the client has left it.
    pub fn configuration(&self) -> Value {
        let text = fs::read(self.configuration_file()).expect("a configuration");
        serde_json::from_slice(&text).expect("a configuration in JSON")
    }

    fn configuration_file(&self) -> PathBuf {
        self.home.path().join(".primehub/config.json")
    }

    /// Runs `primehub` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> SdkOutput {
        self.run_with(&[], arguments, None)
    }

    /// The same with JSON on standard input, where commands look for it.
    pub fn run_on(&self, arguments: &[&str], input: &Value) -> SdkOutput {
        self.run_with(&[], arguments, Some(&input.to_string()))
    }

    /// The same with variables in the environment, and any text on standard input. Without, standard input stays open
    /// and silent: the client takes an end of it for a configuration that is no JSON.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str], input: Option<&str>) -> SdkOutput {
        // Its output goes to files: a pipe that nobody reads could fill up.
        let captured = |name: &str| self.home.path().join(name);
        let create = |name: &str| fs::File::create(captured(name)).expect("a file for the output");
        let mut command = bound_command(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .envs(variables.iter().copied())
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(create("stdout"))
            .stderr(create("stderr"));
        let mut child = BoundChild::spawn(command).expect("the client");
        let silent = match (child.child_mut().stdin.take(), input) {
            (Some(mut stdin), Some(input)) => {
                // Written before the client looks, which asks only once whether there is something.
                stdin.write_all(input.as_bytes()).expect("a client that reads");
                None
            }
            (stdin, _) => stdin,
        };
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = child.child_mut().try_wait().expect("the state of the client") {
                break status;
            }
            assert!(Instant::now() < deadline, "primehub {arguments:?} does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        drop(silent);
        let read = |name: &str| fs::read_to_string(captured(name)).expect("the output");
        SdkOutput { success: status.success(), stdout: read("stdout"), stderr: read("stderr") }
    }
}

impl SdkOutput {
    /// The output of a command with `--json` that has succeeded.
    pub fn json(&self) -> Value {
        assert!(self.success, "the client has failed:\n{}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}\n{}", self.stdout, self.stderr))
    }

    /// Panics unless the command has succeeded; gives what it has printed.
    pub fn text(&self) -> &str {
        assert!(self.success, "the client has failed:\n{}{}", self.stdout, self.stderr);
        &self.stdout
    }
}

/// The path of `primehub`, in a virtual environment that is made when the first test needs it.
fn installed() -> PathBuf {
    let name = format!("primehub-python-sdk-{VERSION}");
    let folder = cache::folder().join(&name);
    let complete = folder.join("complete");
    cache::locked(&name, || {
        // The mark is written last: where it is, everything is.
        if complete.is_file() {
            return;
        }
        let _ = fs::remove_dir_all(&folder);
        let uv = tool::required("uv");
        run(Command::new(&uv).args(["--quiet", "venv", "--no-project"]).arg(&folder));
        run(Command::new(&uv)
            .args(["--quiet", "pip", "install", "--python"])
            .arg(python_of(&folder))
            .arg(format!("primehub-python-sdk=={VERSION}")));
        fs::write(&complete, "").expect("a mark in the cache");
    });
    folder.join("bin/primehub")
}

fn python_of(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

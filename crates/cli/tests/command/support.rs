//! Running the real program in a home of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use imagewright_testkit::{FaultyProxy, PackageIndex, PushedImage, Registry, WheelBuilder, bases, tool};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Far longer than any of these commands takes.
const DEADLINE: Duration = Duration::from_mins(2);

/// A user with an empty home, an empty cache and nothing configured.
pub(crate) struct User {
    pub(crate) home: TempDir,
    environment: Vec<(String, String)>,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl User {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// With a variable in every command's environment.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    /// Puts a file below the home.
    pub(crate) fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs `imagewright` in the home.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "").await
    }

    /// Runs `imagewright` with a text on standard input.
    pub(crate) async fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        self.run_with(env!("CARGO_BIN_EXE_imagewright"), arguments, input).await
    }

    /// Runs another program in the home, with nothing on standard input.
    pub(crate) async fn run_program(&self, program: &str, arguments: &[&str]) -> Outcome {
        self.run_with(program, arguments, "").await
    }

    async fn run_with(&self, program: &str, arguments: &[&str], input: &str) -> Outcome {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.home.path()).env_clear().kill_on_drop(true);
        command.env("HOME", self.home.path()).env("IMAGEWRIGHT_CACHE", self.cache());
        for name in ["PATH", "SSL_CERT_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(uv) = tool("uv") {
            command.env("IMAGEWRIGHT_UV", uv);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input closes it: that is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Outcome { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// The command ended well.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// The command failed with this exit code, printed no result, and gave this whole text as its reason.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        assert!(!self.stderr.contains('\u{1b}'), "no colours where nobody looks: {}", self.stderr);
        self.stderr
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}

/// A registry with a small base that has Python, seen through a proxy that counts, and an index with a package.
pub(crate) struct World {
    registry: Registry,
    pub(crate) proxy: FaultyProxy,
    pub(crate) base: PushedImage,
    pub(crate) index: PackageIndex,
}

impl World {
    pub(crate) async fn new() -> Self {
        let registry = Registry::new();
        let base = bases::musl_layout(&registry).await;
        Self { proxy: FaultyProxy::in_front_of(&registry), base, index: Self::packages(), registry }
    }

    /// `greeting`, which needs `words`, and `clash`, which does not go with it.
    pub(crate) fn packages() -> PackageIndex {
        let greeting = WheelBuilder::new("greeting", "1.2.0")
            .requires("words>=1")
            .file("greeting.py", "import words\n")
            .script("greet", "greeting:main")
            .build();
        let words = WheelBuilder::new("words", "1.0").file("words.py", "HELLO = 'hello'\n").build();
        let older = WheelBuilder::new("words", "0.5").file("words.py", "HELLO = 'hi'\n").build();
        let clash = WheelBuilder::new("clash", "1.0").requires("words<1").file("clash.py", "").build();
        PackageIndex::with([&greeting, &words, &older, &clash])
    }

    /// The registry itself, to put images into.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The base, through the proxy.
    pub(crate) fn base(&self) -> String {
        self.base.reference_at(&self.proxy.host())
    }

    /// A repository to push to, through the proxy.
    pub(crate) fn target(&self, name: &str) -> String {
        format!("{}/{name}", self.proxy.host())
    }

    /// Builds `greeting` for a user, with further arguments.
    pub(crate) async fn build(&self, user: &User, target: &str, further: &[&str]) -> Outcome {
        let (base, target, url) = (self.base(), self.target(target), self.index.url());
        let fixed = ["build", "--base", &base, "--pip", "greeting", "--index-url", &url, "--to", &target];
        user.run(&[&fixed[..], further].concat()).await
    }
}

/// A text with the parts that differ from run to run written as their names.
pub(crate) fn filtered(text: &str, replaced: &[(&str, &str)]) -> String {
    replaced.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Hides times and digests from snapshots.
pub(crate) fn stable() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"sha256:[0-9a-f]{64}", "sha256:DIGEST");
    settings.add_filter(r"\b([0-9a-f]{12}|[0-9a-f]{8})\b", "DIGEST");
    // Whether there is bytecode, and so how large packages are, depends on the interpreters of the machine.
    settings.add_filter(r"(?m)^(warning: no bytecode is made|  bytecode is made by).*\n", "");
    settings.add_filter(r" +\d+(\.\d+)? [kM]?B\b", " SIZE");
    settings.add_filter(r" +\d+\.\d+s\b", " TIME");
    settings.add_filter(r"[█▉▊▋▌▍▎▏]+", "BAR");
    settings.add_filter(r"127\.0\.0\.1:\d+", "HOST");
    settings.bind_to_scope()
}

/// The path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

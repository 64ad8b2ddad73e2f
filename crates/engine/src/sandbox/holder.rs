//! The process that keeps the namespaces of a sandbox: it reads a pipe that we hold, and ends with us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use super::identities::Identities;
use super::process_guard::ProcessGuard;
use super::sweep::MARK;
use super::{SandboxSettings, programs};
use crate::cancel::{CancellationToken, unless_cancelled};
use crate::error::{BuildError, ErrorKind};

/// How long making a namespace may take.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Where folders of this machine are mounted in the holder's namespace, so that those inside can be shown files
/// below folders that they may not enter, such as root's home. No such folder is ever below this one.
const SHOWN: &str = "/sys";

/// Keeps a user, a mount and a network namespace.
#[derive(Debug)]
pub(super) struct Holder {
    _guard: Option<ProcessGuard>,
    child: Child,
    // Closed with this value: the process reads its end and is gone.
    pipe: ChildStdin,
    process: u32,
    identities: Identities,
    /// The folder that the sandbox works in: by it, its processes are known.
    folder: PathBuf,
    /// Folders that can be shown, and where they are in the holder's namespace.
    shown: Vec<(PathBuf, PathBuf)>,
}

impl Holder {
    /// Starts it, with users and groups mapped.
    pub(super) async fn start(
        folder: &Path,
        settings: &SandboxSettings,
        cancellation: &CancellationToken,
    ) -> Result<Self, BuildError> {
        let identities = Identities::of_this_user()?;
        let mut arguments: Vec<String> = Vec::new();
        if identities.is_root() {
            arguments.push("setpriv".to_owned());
            arguments.extend(identities.drop_to_root_inside());
            arguments.push("--".to_owned());
        }
        // The limit that a namespace of users is made with holds for all its users together.
        arguments.extend(["prlimit".to_owned(), format!("--nproc={}", settings.processes), "--".to_owned()]);
        arguments.extend(["unshare", "--user", "--mount", "--net", "--", "cat"].map(str::to_owned));
        let mut child = command(&arguments[0], folder)
            .args(&arguments[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unavailable("the namespaces cannot be made").with_source(error))?;
        let (Some(pipe), Some(process)) = (child.stdin.take(), child.id()) else {
            return Err(BuildError::internal("a process was started without its pipes"));
        };
        let mut holder = Self {
            _guard: ProcessGuard::of(process),
            child,
            pipe,
            process,
            identities,
            folder: folder.to_owned(),
            shown: Vec::new(),
        };
        let ready = unless_cancelled(cancellation, holder.wait_until_ready());
        tokio::time::timeout(START_TIMEOUT, ready)
            .await
            .map_err(|_| unavailable("making the namespaces took too long"))??;
        holder.identities.map(process).await?;
        if identities.is_root() {
            let size = ["-o", "mode=0755,size=64k,nosuid,nodev", "imagewright", SHOWN];
            holder.in_mounts(["mount", "-t", "tmpfs"].into_iter().chain(size).map(OsString::from)).await?;
        }
        Ok(holder)
    }

    /// `cat` repeats what it is given as soon as it runs, and it runs in the namespaces.
    async fn wait_until_ready(&mut self) -> Result<(), BuildError> {
        let mut answer = [0];
        let written = self.pipe.write_all(b"x").await;
        let output = self.child.stdout.as_mut();
        let output = output.ok_or_else(|| BuildError::internal("a process has no output"))?;
        if written.is_ok() && output.read_exact(&mut answer).await.is_ok() {
            return Ok(());
        }
        let mut words = String::new();
        if let Some(errors) = self.child.stderr.take() {
            let _ = errors.take(2000).read_to_string(&mut words).await;
        }
        Err(unavailable("this machine does not let namespaces be made")
            .with_explanation(words.trim().to_owned()))
    }

    /// Its number, which names its namespaces in `/proc`.
    pub(super) fn process(&self) -> u32 {
        self.process
    }

    /// The folder that the sandbox works in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Users and groups inside.
    pub(super) fn identities(&self) -> Identities {
        self.identities
    }

    /// Lets files below a folder be shown.
    pub(super) async fn show(&mut self, folder: &Path) -> Result<(), BuildError> {
        if self.shown.iter().any(|(shown, _)| folder.starts_with(shown)) {
            return Ok(());
        }
        if !self.identities.is_root() {
            self.shown.push((folder.to_owned(), folder.to_owned()));
            return Ok(());
        }
        let place = Path::new(SHOWN).join(self.shown.len().to_string());
        let outside = PathBuf::from(format!("/proc/{}/root{}", self.process, place.display()));
        std::fs::create_dir(&outside)
            .map_err(|error| BuildError::file("make the mount point", &outside, error))?;
        let arguments = [OsString::from("mount"), OsString::from("--bind")];
        self.in_mounts(arguments.into_iter().chain([folder.into(), place.clone().into()])).await?;
        self.shown.push((folder.to_owned(), place));
        Ok(())
    }

    /// Where a file of this machine is in the holder's namespace.
    pub(super) fn place(&self, path: &Path) -> Result<PathBuf, BuildError> {
        let found = self.shown.iter().find_map(|(folder, place)| {
            let rest = path.strip_prefix(folder).ok()?;
            Some(if rest.as_os_str().is_empty() { place.clone() } else { place.join(rest) })
        });
        found.ok_or_else(|| {
            BuildError::internal(format!("{} is not below a folder that a sandbox may see", path.display()))
        })
    }

    /// Takes the right to make namespaces from everybody inside: they are the way to powers over the kernel.
    pub(super) async fn forbid_more_namespaces(&self) -> Result<(), BuildError> {
        let mut arguments = self.entry(false);
        arguments.extend(["tee", "/proc/sys/user/max_user_namespaces"].map(OsString::from));
        self.run(arguments, Some(b"0\n")).await
    }

    /// Runs a program in the holder's mounts with our own rights over files.
    async fn in_mounts(&self, program: impl Iterator<Item = OsString>) -> Result<(), BuildError> {
        let target = format!("--target={}", self.process);
        let entry = ["nsenter", target.as_str(), "--mount", "--"].map(OsString::from);
        self.run(entry.into_iter().chain(program).collect(), None).await
    }

    /// Runs a program in the holder's network as its root.
    pub(super) async fn in_network(&self, program: &[&str], input: &[u8]) -> Result<(), BuildError> {
        let mut arguments = self.entry(true);
        arguments.extend(program.iter().map(OsString::from));
        self.run(arguments, Some(input)).await
    }

    /// The beginning of an argument vector that enters the namespaces as the user who is root there, and dies
    /// with us.
    pub(super) fn entry(&self, network: bool) -> Vec<OsString> {
        let mut arguments = vec!["nsenter".into(), format!("--target={}", self.process).into()];
        arguments.extend(["--user", "--setuid=0", "--setgid=0"].map(OsString::from));
        if self.identities.is_root() {
            arguments.push("--mount".into());
        }
        if network {
            arguments.push("--net".into());
        }
        arguments.extend(["--", "setpriv", "--pdeathsig=KILL", "--"].map(OsString::from));
        arguments
    }

    /// Runs a short program of the fence.
    async fn run(&self, arguments: Vec<OsString>, input: Option<&[u8]>) -> Result<(), BuildError> {
        let shown = || arguments.join(std::ffi::OsStr::new(" ")).to_string_lossy().into_owned();
        let failed = |words: String| {
            unavailable("the sandbox cannot be set up").with_explanation(format!("{}\n{words}", shown()))
        };
        let mut child = command(&arguments[0], &self.folder)
            .args(&arguments[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let _guard = child.id().and_then(ProcessGuard::of);
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // A program that ended before it read its input says why in its exit code.
            let _ = pipe.write_all(input).await;
        }
        let output = tokio::time::timeout(START_TIMEOUT, child.wait_with_output())
            .await
            .map_err(|_| failed("it took too long".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// A program of the fence: with nothing of our environment, in which there may be secrets, but the search path.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", programs::search_path())
        .env("LC_ALL", "C")
        .env(MARK, folder)
        .current_dir("/");
    command
}

/// The error of a machine that does not give what a sandbox is made of.
pub(super) fn unavailable(message: &str) -> BuildError {
    BuildError::new(
        ErrorKind::Unsupported,
        format!("steps that run foreign code cannot be run here: {message}"),
    )
    .with_next_step("`imagewright doctor` tells what this machine lacks, and how to get it")
}

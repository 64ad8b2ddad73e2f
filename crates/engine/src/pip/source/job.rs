//! One run of the driver in a room: what it is given, and what it gives back, which nobody believes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::hostile;
use super::pyproject;
use super::room::{BuildRoom, RoomCommand, RoomOutcome};
use crate::base::blocking;
use crate::error::{BuildError, ErrorKind};

/// The program that is run in the room.
const DRIVER: &str = include_str!("driver.py");

/// The most bytes of the driver's answer.
const LONGEST_ANSWER: u64 = 2 << 20;
/// The most bytes of a wheel that is taken out.
const LARGEST_WHEEL: u64 = 10 << 30;

/// When everything was made that a build makes: 1980-01-01, the first moment that ZIP archives can name.
pub(super) const SOURCE_DATE_EPOCH: i64 = 315_532_800;

/// What the driver is told.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Job {
    phase: &'static str,
    /// Where the sources are unpacked and built, the same for the same sources.
    work: String,
    /// Where the answer goes.
    out: String,
    sources: String,
    environment: String,
    source: String,
    subdirectory: String,
    backend: String,
    backend_path: Vec<String>,
    given: Vec<String>,
    longest_text: u64,
}

/// What the driver answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    /// What went wrong, in one word of the driver's.
    pub(super) failure: Option<String>,
    /// The folder of the sources, in the room.
    pub(super) source: String,
    pub(super) pyproject: Option<String>,
    pub(super) setup_py: bool,
    /// What has to be there besides.
    pub(super) requires: Vec<String>,
    /// The name of the wheel.
    pub(super) wheel: Option<String>,
}

/// A run, and what came of it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) answer: Option<Answer>,
    pub(super) outcome: RoomOutcome,
    /// The wheel, in a folder of ours.
    pub(super) wheel: Option<PathBuf>,
}

/// A file that the driver is given, by its fixed name.
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
}

/// Where sources are worked on.
pub(super) struct Place<'a> {
    pub(super) room: &'a dyn BuildRoom,
    /// Names the sources: part of paths.
    pub(super) key: &'a str,
    /// The interpreter of the base.
    pub(super) python: &'a str,
    pub(super) timeout: Duration,
    /// `building seqeval 1.2.2`.
    pub(super) purpose: &'a str,
}

impl Place<'_> {
    /// Where the requirements are laid out in the room.
    pub(super) fn environment(&self) -> String {
        format!("{}/environment", self.work())
    }

    fn work(&self) -> String {
        format!("{}/build-{}", self.room.inside(), &self.key[..16])
    }

    /// Unpacks the sources; the answer says how they are built.
    pub(super) async fn unpack(
        &self,
        sources: PathBuf,
        subdirectory: &str,
        cancellation: &CancellationToken,
    ) -> Result<Run, BuildError> {
        let job = Job { subdirectory: subdirectory.to_owned(), ..self.job("unpack") };
        let given = vec![Given { name: "sources", path: sources }];
        self.run(job, given, None, cancellation).await
    }

    /// Builds a wheel; a copy of it goes to `wheel`.
    pub(super) async fn build(
        &self,
        source: &str,
        system: &pyproject::BuildSystem,
        given: &[String],
        environment: PathBuf,
        wheel: &Path,
        cancellation: &CancellationToken,
    ) -> Result<Run, BuildError> {
        let job = Job {
            source: source.to_owned(),
            backend: system.backend.clone(),
            backend_path: system.backend_path.clone(),
            given: given.to_vec(),
            ..self.job("build")
        };
        let files = vec![Given { name: "environment", path: environment }];
        self.run(job, files, Some(wheel.to_owned()), cancellation).await
    }

    fn job(&self, phase: &'static str) -> Job {
        Job {
            phase,
            work: self.work(),
            out: String::new(),
            sources: String::new(),
            environment: String::new(),
            source: String::new(),
            subdirectory: String::new(),
            backend: String::new(),
            backend_path: Vec::new(),
            given: Vec::new(),
            longest_text: pyproject::LONGEST,
        }
    }

    async fn run(
        &self,
        mut job: Job,
        given: Vec<Given>,
        wheel: Option<PathBuf>,
        cancellation: &CancellationToken,
    ) -> Result<Run, BuildError> {
        let folder = self.room.folder().to_owned();
        // Our own files are in a folder with a name that nobody could have prepared.
        let input = tempfile::Builder::new().prefix("given-").tempdir_in(&folder);
        let input = input.map_err(|error| BuildError::file("make a folder in", &folder, error))?;
        let name = input.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let there = format!("{}/{name}", self.room.inside());
        let out = format!("made-{}-{}", &self.key[..16], job.phase);
        job.out = format!("{}/{out}", self.room.inside());
        job.sources = format!("{there}/sources");
        job.environment = format!("{there}/environment");
        let place = input.path().to_owned();
        blocking(move || lay_out(&place, &job, &given)).await??;
        let command = RoomCommand {
            arguments: vec![
                self.python.to_owned(),
                "-I".to_owned(),
                format!("{there}/driver.py"),
                format!("{there}/job.json"),
            ],
            environment: [
                ("PYTHONHASHSEED", "0"),
                ("LC_ALL", "C.UTF-8"),
                ("TZ", "UTC"),
                ("SOURCE_DATE_EPOCH", &SOURCE_DATE_EPOCH.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            timeout: self.timeout,
            purpose: self.purpose.to_owned(),
        };
        let outcome = self.room.run(command, cancellation).await?;
        drop(input);
        if !outcome.is_success() {
            return Ok(Run { answer: None, outcome, wheel: None });
        }
        let taken = blocking(move || take(&folder, &out, wheel)).await?;
        let (answer, wheel) = taken.map_err(|error| {
            BuildError::new(
                ErrorKind::SandboxFailed,
                format!("{} left nothing that can be used: {error}", self.purpose),
            )
            .with_explanation(super::explain::tail(&outcome.lines))
            .with_source(error)
        })?;
        Ok(Run { answer: Some(answer), outcome, wheel })
    }
}

/// Puts the driver and its files into a folder of ours, readable for those inside.
fn lay_out(folder: &Path, job: &Job, given: &[Given]) -> Result<(), BuildError> {
    let failed = |path: &Path, error| BuildError::file("write", path, error);
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| failed(path, error))
    };
    let text = serde_json::to_vec(job)
        .map_err(|error| BuildError::internal("a job cannot be written").with_source(error))?;
    for (name, bytes) in [("driver.py", DRIVER.as_bytes()), ("job.json", &text)] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| failed(&path, error))?;
        open(&path, 0o644)?;
    }
    for file in given {
        let path = folder.join(file.name);
        fs::copy(&file.path, &path).map_err(|error| failed(&path, error))?;
        open(&path, 0o644)?;
    }
    open(folder, 0o755)
}

/// Takes the answer out of the room, and the wheel that it names.
fn take(folder: &Path, out: &str, wheel: Option<PathBuf>) -> std::io::Result<(Answer, Option<PathBuf>)> {
    let text = hostile::read(folder, out, "result.json", LONGEST_ANSWER)?;
    let answer: Answer = serde_json::from_slice(&text)?;
    let Some(to) = wheel.filter(|_| answer.wheel.is_some()) else { return Ok((answer, None)) };
    hostile::copy(folder, out, "wheel", LARGEST_WHEEL, &to)?;
    Ok((answer, Some(to)))
}

//! From sources to a wheel: how they want to be built, what with, the build, and what came out.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use imagewright_oci::digest::Digest;
use imagewright_spec::{PipRequest, PipRequirement};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::explain::{self, Failure};
use super::git::{self, GitSettings};
use super::job::{Place, Run, SOURCE_DATE_EPOCH};
use super::locked::{LockedBuild, LockedRequirement, LockedSource};
use super::pyproject::{BuildSystem, MOST_REQUIREMENTS};
use super::room::Rooms;
use super::store::{Kept, Store, digest_of, key};
use super::{check, environment};
use crate::base::blocking;
use crate::error::{BuildError, ErrorKind};
use crate::pip::download::{Downloader, WantedFile};
use crate::pip::error::PipError;
use crate::pip::pylock::LockedFile;
use crate::pip::{FileUrl, PipInput, PipResolver, Source};
use crate::python::PythonTarget;
use crate::python::installed::Installed;
use crate::python::pip_settings::PipSettings;

/// Raised whenever building the same sources would give another wheel.
const RECIPE: &str = "1";
/// How often sources may ask for more to be built with.
const MOST_ROUNDS: usize = 4;
/// How deep requirements of builds may be source distributions themselves.
const DEEPEST: usize = 5;

/// What building needs from outside.
#[derive(Clone)]
pub struct SourceSettings {
    /// Where hostile code runs.
    pub rooms: Arc<Rooms>,
    /// Fetches source distributions and requirements of builds, into the cache of the owner.
    pub downloader: Downloader,
    /// Folder of the cache of this owner and base; `built/` is made in it.
    pub cache_folder: PathBuf,
    /// Names what is executed: the digest of the base, or of the system image above it.
    pub environment: String,
    /// Folder of this build, on the file system of the cache.
    pub staging_folder: PathBuf,
    /// How repositories are fetched.
    pub git: GitSettings,
    /// How long one build may take.
    pub timeout: Duration,
    /// Is told what is being built, in a sentence.
    pub report: Arc<dyn Fn(String) + Send + Sync>,
}

impl Debug for SourceSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SourceSettings")
            .field("cache_folder", &self.cache_folder)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// Sources that are to be built.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The package that they are of.
    pub(crate) name: PackageName,
    /// Its version, where it is known.
    pub(crate) version: Option<Version>,
    /// What they are.
    pub(crate) source: LockedSource,
    /// Where the archive is, with whatever the address needs; `None` for repositories.
    pub(crate) file: Option<WantedFile>,
}

impl Wanted {
    /// A source distribution of an index; the error is a clause for people.
    pub(crate) fn of_index(
        name: &PackageName,
        version: &Version,
        sdist: &LockedFile,
    ) -> Result<Self, String> {
        let url = sdist.url.clone().filter(|url| matches!(url.scheme(), "https" | "http"));
        let (Some(url), Some(file_name)) = (url.map(FileUrl::new), sdist.file_name()) else {
            return Err("the address of its sources is not that of a file on a web server".to_owned());
        };
        let digest = sdist.sha256().and_then(|hex| Some((format!("sha256:{hex}").parse().ok()?, hex)));
        let Some((sha256, hex)) = digest else {
            return Err(
                "the index does not say the SHA-256 of its sources, so they cannot be verified".to_owned()
            );
        };
        let source = LockedSource::Archive { url: url.to_string(), sha256, subdirectory: None };
        let file = WantedFile { file_name, url, sha256: Some(hex), size: sdist.size };
        Ok(Self { name: name.clone(), version: Some(version.clone()), source, file: Some(file) })
    }

    fn shown(&self) -> String {
        self.version
            .as_ref()
            .map_or_else(|| self.name.to_string(), |version| format!("{} {version}", self.name))
    }
}

/// A wheel that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Built {
    /// The package.
    pub(crate) name: PackageName,
    /// Its version.
    pub(crate) version: Version,
    /// Name of the wheel.
    pub(crate) file_name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its digest.
    pub(crate) sha256: Digest,
    /// Its `METADATA`.
    pub(crate) metadata: String,
    /// What it was built from.
    pub(crate) build: LockedBuild,
}

/// Builds sources for one target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builder<'a> {
    pub(crate) settings: &'a SourceSettings,
    /// Resolves requirements of builds.
    pub(crate) resolver: &'a PipResolver,
    pub(crate) request: &'a PipRequest,
    pub(crate) target: &'a PythonTarget,
    pub(crate) cancellation: &'a CancellationToken,
}

/// How sources are built: what they say without being built, and what their backend asks for besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    system: BuildSystem,
    /// The folder of the sources, in the room.
    source: String,
    more: Vec<String>,
}

/// What a package is built with.
struct Requirements {
    files: Vec<PathBuf>,
    locked: Vec<LockedRequirement>,
}

impl Builder<'_> {
    /// The wheel of sources: of an earlier build, or built now.
    ///
    /// # Errors
    /// Sources that cannot be fetched or built, and whatever they are built with.
    pub(crate) async fn build(&self, wanted: &Wanted) -> Result<Built, BuildError> {
        let resolver = self.resolver.below(&wanted.name, DEEPEST)?;
        let store = Store::in_room(&self.settings.cache_folder);
        let plan_key = self.plan_key(&wanted.source);
        let (mut plan, mut unpacked) = match store.plan::<Plan>(&plan_key)? {
            Some(plan) => (plan, false),
            None => (self.plan(wanted, &plan_key).await?, true),
        };
        for _ in 0..MOST_ROUNDS {
            let requires = [plan.system.requires.clone(), plan.more.clone()].concat();
            let requirements = self.requirements(wanted, &requires, &resolver).await?;
            let locked = serde_json::to_string(&requirements.locked).unwrap_or_default();
            let wheel_key = key(&[&plan_key, &locked]);
            if let Some((kept, path)) = store.wheel(&wheel_key)? {
                store.keep_plan(&plan_key, &plan)?;
                return self.built(wanted, kept, path, requirements.locked);
            }
            if !unpacked {
                // The room is a new one: the sources are not in it.
                let more = plan.more;
                plan = Plan { more, ..self.plan(wanted, &plan_key).await? };
                unpacked = true;
            }
            let folder = self.staging()?;
            let run = self.run(wanted, &plan, &plan_key, &requirements.files, folder.path()).await?;
            let answer = self.answer(wanted, &plan.system.backend, run)?;
            if let Some((file, name)) = answer.wheel {
                let kept = self.take(wanted, &store, &wheel_key, file, &name).await?;
                store.keep_plan(&plan_key, &plan)?;
                return self.built(wanted, kept.0, kept.1, requirements.locked);
            }
            plan.more.extend(answer.requires);
            if plan.more.len() > MOST_REQUIREMENTS {
                break;
            }
        }
        Err(BuildError::new(
            ErrorKind::SandboxFailed,
            format!("{} could not be built: it asks for ever more packages to be built with", wanted.shown()),
        )
        .with_next_step("choose another version, or tell its authors"))
    }

    /// Names everything that a wheel depends on but its requirements.
    fn plan_key(&self, source: &LockedSource) -> String {
        let target = self.target;
        key(&[
            RECIPE,
            &source.identity(),
            source.subdirectory().unwrap_or_default(),
            &target.version.full(),
            if target.free_threaded { "free-threaded" } else { "" },
            &target.executable,
            target.architecture.machine(),
            &target.libc.to_string(),
            &self.settings.environment,
        ])
    }

    fn staging(&self) -> Result<tempfile::TempDir, BuildError> {
        let folder = &self.settings.staging_folder;
        tempfile::Builder::new()
            .prefix("source-")
            .tempdir_in(folder)
            .map_err(|error| BuildError::file("make a folder in", folder, error))
    }

    /// Fetches the sources, and asks them how they are built.
    async fn plan(&self, wanted: &Wanted, plan_key: &str) -> Result<Plan, BuildError> {
        let folder = self.staging()?;
        let packed = match (&wanted.source, &wanted.file) {
            (LockedSource::Git { url, commit, .. }, _) => {
                git::fetch(&self.settings.git, url, commit, folder.path(), self.cancellation).await?
            }
            (LockedSource::Archive { .. }, Some(file)) => {
                let files = std::slice::from_ref(file);
                let fetched = self.settings.downloader.fetch(files, &|_, _| {}, self.cancellation).await?;
                fetched.into_iter().next().map(|file| file.path).ok_or_else(|| no_address(wanted))?
            }
            (LockedSource::Archive { .. }, None) => return Err(no_address(wanted)),
        };
        let what = wanted.shown();
        (self.settings.report)(format!("{what} is published as source only: it is built"));
        let purpose = format!("unpacking {what}");
        let room = self.settings.rooms.enter(self.cancellation).await?;
        let executable = self.target.executable_path();
        let place = self.place(&**room, plan_key, &executable, &purpose);
        let subdirectory = wanted.source.subdirectory().unwrap_or_default();
        let run = place.unpack(packed, subdirectory, self.cancellation).await?;
        drop(room);
        let refused = |why: String| {
            BuildError::new(ErrorKind::Unsupported, format!("{what} cannot be built: {why}"))
                .with_next_step("choose another version, or tell its authors")
        };
        let Some(answer) = &run.answer else {
            return Err(explain::failed(&what, "", Failure::Driver, &run.outcome));
        };
        if let Some(failure) = &answer.failure {
            return Err(explain::failed(&what, "", Failure::read(failure), &run.outcome));
        }
        if answer.pyproject.is_none() && !answer.setup_py {
            return Err(refused("it has neither a pyproject.toml nor a setup.py".to_owned()));
        }
        let system = BuildSystem::read(answer.pyproject.as_deref()).map_err(refused)?;
        Ok(Plan { system, source: answer.source.clone(), more: Vec::new() })
    }

    fn place<'a>(
        &self,
        room: &'a dyn super::room::BuildRoom,
        key: &'a str,
        python: &'a str,
        purpose: &'a str,
    ) -> Place<'a> {
        Place { room, key, python, timeout: self.settings.timeout, purpose }
    }

    /// Finds and fetches what the sources are built with. A requirement that is source only is built first.
    async fn requirements(
        &self,
        wanted: &Wanted,
        lines: &[String],
        resolver: &PipResolver,
    ) -> Result<Requirements, BuildError> {
        let what = wanted.shown();
        let mut request = PipRequest {
            index_url: self.request.index_url.clone(),
            extra_index_urls: self.request.extra_index_urls.clone(),
            only_binary: self.request.only_binary.clone(),
            ..PipRequest::default()
        };
        for line in lines {
            let requirement: PipRequirement = line.parse().map_err(|problem| {
                let shown: String = line.chars().take(200).flat_map(char::escape_default).collect();
                let problem = format!("{problem:?}");
                BuildError::new(
                    ErrorKind::Unsupported,
                    format!("{what} cannot be built: it asks for {shown}, which is not a requirement"),
                )
                .with_explanation(problem)
                .with_next_step("choose another version, or tell its authors")
            })?;
            request.requirements.push(requirement);
        }
        if request.requirements.is_empty() {
            return Ok(Requirements { files: Vec::new(), locked: Vec::new() });
        }
        let (installed, settings) = (Installed::default(), PipSettings::default());
        let input =
            PipInput { request: &request, target: self.target, installed: &installed, settings: &settings };
        let resolution = Box::pin(resolver.resolve(input, self.cancellation)).await.map_err(|error| {
            let error = BuildError::from(error);
            if error.kind() == ErrorKind::Cancelled {
                return error;
            }
            let message =
                format!("{what} cannot be built, since what it is built with cannot be had: {error}");
            let mut outer = BuildError::new(error.kind(), message);
            if let Some(explanation) = error.explanation() {
                outer = outer.with_explanation(explanation);
            }
            if let Some(next_step) = error.next_step() {
                outer = outer.with_next_step(next_step);
            }
            outer.with_source(error)
        })?;
        let wanted = WantedFile::of(&resolution);
        let fetched = self.settings.downloader.fetch(&wanted, &|_, _| {}, self.cancellation).await?;
        let mut found: Vec<(LockedRequirement, PathBuf)> = Vec::new();
        for (wanted, fetched) in wanted.iter().zip(fetched) {
            let sha256 = format!("sha256:{}", fetched.sha256).parse().map_err(|error| {
                BuildError::internal("a file was fetched without a digest").with_source(error)
            })?;
            found.push((LockedRequirement { file: wanted.file_name.clone(), sha256 }, fetched.path));
        }
        for package in &resolution.packages {
            if let Source::Built(built) = &package.source {
                let locked = LockedRequirement { file: built.file_name.clone(), sha256: built.sha256 };
                found.push((locked, built.path.clone()));
            }
        }
        found.sort();
        let (locked, files) = found.into_iter().unzip();
        Ok(Requirements { files, locked })
    }

    async fn run(
        &self,
        wanted: &Wanted,
        plan: &Plan,
        plan_key: &str,
        files: &[PathBuf],
        folder: &Path,
    ) -> Result<Run, BuildError> {
        let purpose = format!("building {}", wanted.shown());
        let room = self.settings.rooms.enter(self.cancellation).await?;
        let executable = self.target.executable_path();
        let place = self.place(&**room, plan_key, &executable, &purpose);
        let packed = folder.join("environment.tar");
        let work =
            (files.to_vec(), place.environment(), self.target.clone(), folder.to_owned(), packed.clone());
        let flag = CancelFlag::new();
        let seen = Arc::clone(&flag.0);
        blocking(move || {
            let (files, inside, target, folder, packed) = work;
            environment::write(&files, &inside, &target, &folder, &packed, &seen)
        })
        .await??;
        let given = [plan.system.requires.clone(), plan.more.clone()].concat();
        let wheel = folder.join("wheel");
        place.build(&plan.source, &plan.system, &given, packed, &wheel, self.cancellation).await
    }

    fn answer(&self, wanted: &Wanted, backend: &str, run: Run) -> Result<Answered, BuildError> {
        let what = wanted.shown();
        let Some(answer) = run.answer else {
            return Err(explain::failed(&what, backend, Failure::Driver, &run.outcome));
        };
        if let Some(failure) = &answer.failure {
            return Err(explain::failed(&what, backend, Failure::read(failure), &run.outcome));
        }
        let wheel = run.wheel.zip(answer.wheel);
        if wheel.is_none() && answer.requires.is_empty() {
            return Err(explain::failed(&what, backend, Failure::NoWheel, &run.outcome));
        }
        Ok(Answered { wheel, requires: answer.requires })
    }

    /// Checks the wheel, and keeps it.
    async fn take(
        &self,
        wanted: &Wanted,
        store: &Store,
        wheel_key: &str,
        file: PathBuf,
        name: &str,
    ) -> Result<(Kept, PathBuf), BuildError> {
        let (wanted, target) = (wanted.clone(), self.target.clone());
        let (store, wheel_key, name) = (store.clone(), wheel_key.to_owned(), name.to_owned());
        let flag = CancelFlag::new();
        let seen = Arc::clone(&flag.0);
        blocking(move || {
            let (path, checked) =
                check::check(&file, &name, &wanted.name, wanted.version.as_ref(), &target, &seen)?;
            tracing::debug!(version = %checked.version, "a wheel was built");
            let sha256 =
                digest_of(&path).ok_or_else(|| BuildError::internal("a built wheel cannot be read"))?;
            let kept = Kept { file_name: name, sha256, metadata: checked.metadata };
            let path = store.keep_wheel(&wheel_key, &kept, &path)?;
            Ok((kept, path))
        })
        .await?
    }

    fn built(
        &self,
        wanted: &Wanted,
        kept: Kept,
        path: PathBuf,
        requires: Vec<LockedRequirement>,
    ) -> Result<Built, BuildError> {
        let (name, version) = check::parts(&kept.file_name)
            .filter(|(name, _)| *name == wanted.name)
            .ok_or_else(|| BuildError::internal("a kept wheel has another name than its package"))?;
        Ok(Built {
            name,
            version,
            file_name: kept.file_name,
            path,
            sha256: kept.sha256,
            metadata: kept.metadata,
            build: LockedBuild {
                source: wanted.source.clone(),
                requires,
                source_date_epoch: SOURCE_DATE_EPOCH,
            },
        })
    }
}

/// What the driver gave: a wheel with the name it was given, or what is needed besides.
struct Answered {
    wheel: Option<(PathBuf, String)>,
    requires: Vec<String>,
}

/// Tells work on a thread to stop when whoever waits for it is gone.
struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }
}

impl Drop for CancelFlag {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

fn no_address(wanted: &Wanted) -> BuildError {
    BuildError::internal(format!("nothing says where the sources of {} are", wanted.shown()))
}

/// The error of the resolver for what building gave.
impl From<BuildError> for PipError {
    fn from(error: BuildError) -> Self {
        if error.kind() == ErrorKind::Cancelled { Self::Cancelled } else { Self::Build(Box::new(error)) }
    }
}

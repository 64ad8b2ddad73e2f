//! From sources to a wheel: how they want to be built, what with, the build, and what came out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use imagewright_spec::PipRequest;
use serde::{Deserialize, Serialize};
use tokio::sync::MutexGuard;
use tokio_util::sync::CancellationToken;

use super::explain::{self, Failure};
use super::git;
use super::job::{Place, Run, SOURCE_DATE_EPOCH};
use super::locked::{LockedBuild, LockedRequirement, LockedSource};
use super::pyproject::{BuildSystem, MOST_REQUIREMENTS};
use super::room::BuildRoom;
use super::settings::SourceSettings;
use super::store::{Kept, Store, digest_of, key};
use super::wanted::{Built, Wanted};
use super::{check, environment};
use crate::base::blocking;
use crate::error::{BuildError, ErrorKind};
use crate::pip::PipResolver;
use crate::pip::error::PipError;
use crate::python::PythonTarget;

/// Raised whenever building the same sources would give another wheel.
const RECIPE: &str = "1";
/// How often sources may ask for more to be built with.
const MOST_ROUNDS: usize = 4;
/// How deep requirements of builds may be source distributions themselves.
const DEEPEST: usize = 5;

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
                return built(wanted, kept, path, requirements.locked);
            }
            if !unpacked {
                // The room is a new one: the sources are not in it.
                let more = plan.more;
                plan = Plan { more, ..self.plan(wanted, &plan_key).await? };
                unpacked = true;
            }
            let folder = self.staging()?;
            let run = self.run(wanted, &plan, &plan_key, &requirements.files, folder.path()).await?;
            let answer = answered(wanted, &plan.system.backend, run)?;
            if let Some((file, name)) = answer.wheel {
                let kept = self.take(wanted, &store, &wheel_key, file, &name).await?;
                store.keep_plan(&plan_key, &plan)?;
                return built(wanted, kept.0, kept.1, requirements.locked);
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
        let room = self.enter().await?;
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

    /// The room, which can only run what this machine's processor runs.
    async fn enter(&self) -> Result<MutexGuard<'_, Box<dyn BuildRoom>>, BuildError> {
        let (image, here) = (self.target.architecture.machine(), std::env::consts::ARCH);
        if image != here {
            let why = format!("packages cannot be built for {image} on this machine, which is {here}");
            return Err(self.settings.rooms.refuse(why));
        }
        self.settings.rooms.enter(self.cancellation).await
    }

    fn place<'a>(
        &self,
        room: &'a dyn BuildRoom,
        key: &'a str,
        python: &'a str,
        purpose: &'a str,
    ) -> Place<'a> {
        Place { room, key, python, timeout: self.settings.timeout, purpose }
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
        let room = self.enter().await?;
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
}

/// What the driver gave: a wheel with the name it was given, or what is needed besides.
struct Answered {
    wheel: Option<(PathBuf, String)>,
    requires: Vec<String>,
}

/// What the driver gave, or why it gave nothing.
fn answered(wanted: &Wanted, backend: &str, run: Run) -> Result<Answered, BuildError> {
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

/// A wheel of the store, as a built one.
fn built(
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
        build: LockedBuild { source: wanted.source.clone(), requires, source_date_epoch: SOURCE_DATE_EPOCH },
    })
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
        self.0.store(true, Ordering::Relaxed);
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

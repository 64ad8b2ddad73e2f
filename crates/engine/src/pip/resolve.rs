//! Resolving: from requirements and an image to a [`Resolution`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use imagewright_spec::{PipRequest, PipRequirement};
use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, PackageName};
use tokio_util::sync::CancellationToken;

use super::built::BuiltPackages;
use super::choose::{Chooser, Unusable, describe};
use super::classify::{Failure, classify};
use super::compile::{self, Form, Question, Setting};
use super::consistency::{self, Broken};
use super::edges;
use super::error::PipError;
use super::pylock::LockedFile;
use super::resolution::{Resolution, ResolvedPackage, Source};
use super::source::{Builder, SourceSettings, Wanted};
use super::source_only::{self, NeedsBuild};
use super::uv_binary::UvBinary;
use super::{certificates, order, pylock, stand_in, stubs, tags};
use crate::error::{BuildError, ErrorKind};
use crate::python::PythonTarget;
use crate::python::installed::Installed;
use crate::python::markers::marker_environment;
use crate::python::pip_settings::PipSettings;

/// How often a resolution is asked for again with something changed before it is given up.
const MOST_ATTEMPTS: usize = 12;
/// How many packages are built at most while one resolution is looked for.
const MOST_BUILDS: usize = 40;

/// How a resolver works.
#[derive(Debug, Clone)]
pub struct ResolverSettings {
    /// Folder for uv's cache, stand-ins and stubs; may be shared by several builds at once.
    pub cache_folder: PathBuf,
    /// Folder of this build, where uv works; it is emptied by whoever made it.
    pub staging_folder: PathBuf,
    /// PEM files with certificates to trust besides the system's.
    pub ca_bundles: Vec<PathBuf>,
    /// How long one run of uv may take.
    pub timeout: Duration,
    /// Pages of indexes that were read within the last ten minutes are good enough, unless resolving fails.
    pub recent_pages: bool,
    /// A connection of uv's that gives nothing for this long is broken.
    pub read_timeout: Duration,
    /// How often uv takes up a broken request again.
    pub retries: u32,
}

impl ResolverSettings {
    /// The usual settings: ten minutes, the system's certificates.
    pub fn new(cache_folder: impl Into<PathBuf>, staging_folder: impl Into<PathBuf>) -> Self {
        Self {
            cache_folder: cache_folder.into(),
            staging_folder: staging_folder.into(),
            ca_bundles: Vec::new(),
            timeout: Duration::from_mins(10),
            recent_pages: true,
            read_timeout: Duration::from_secs(30),
            retries: 3,
        }
    }
}

/// What is resolved.
#[derive(Debug, Clone, Copy)]
pub struct PipInput<'a> {
    /// What people ask for.
    pub request: &'a PipRequest,
    /// The Python of the image.
    pub target: &'a PythonTarget,
    /// What is installed there.
    pub installed: &'a Installed,
    /// What the image tells pip.
    pub settings: &'a PipSettings,
}

/// Resolves requirements with uv.
#[derive(Debug, Clone)]
pub struct PipResolver {
    uv: UvBinary,
    settings: ResolverSettings,
    /// How sources are built; `None` where nothing is.
    sources: Option<Arc<SourceSettings>>,
    /// The packages for whose builds this resolves, the outermost first.
    above: Vec<PackageName>,
}

impl PipResolver {
    /// A resolver with this uv.
    pub fn new(uv: UvBinary, settings: ResolverSettings) -> Self {
        Self { uv, settings, sources: None, above: Vec::new() }
    }

    /// The same resolver, which has packages built that are published as source only.
    #[must_use]
    pub fn with_sources(mut self, sources: Arc<SourceSettings>) -> Self {
        self.sources = Some(sources);
        self
    }

    /// The same resolver for what a package is built with.
    ///
    /// # Errors
    /// A package that is needed for its own build, and a row of more than `deepest`.
    pub(super) fn below(&self, name: &PackageName, deepest: usize) -> Result<Self, BuildError> {
        let mut row = self.above.clone();
        row.push(name.clone());
        let why = if self.above.contains(name) {
            "it is needed to be built itself".to_owned()
        } else if row.len() > deepest {
            format!("what it is built with would have to be built, more than {deepest} times over")
        } else {
            return Ok(Self { above: row, ..self.clone() });
        };
        let names: Vec<String> = row.iter().map(ToString::to_string).collect();
        Err(BuildError::new(ErrorKind::Conflict, format!("{name} cannot be built: {why}"))
            .with_explanation(names.join(" is built with "))
            .with_next_step("choose a version of the first package that has a wheel"))
    }

    /// Resolves. Extra indexes are asked before the default one, and the first index that has a package decides
    /// over it: a name of one's own cannot be taken over by a stranger's package with a higher version.
    ///
    /// # Errors
    /// See [`PipError`].
    pub async fn resolve(
        &self,
        input: PipInput<'_>,
        cancellation: &CancellationToken,
    ) -> Result<Resolution, PipError> {
        if self.sources.is_none() {
            refuse_sources(&input.request.requirements)?;
        }
        let failed = |source| PipError::File {
            action: "create a folder in",
            path: self.settings.cache_folder.clone(),
            source,
        };
        std::fs::create_dir_all(&self.settings.cache_folder).map_err(failed)?;
        let cache = self.settings.cache_folder.canonicalize().map_err(failed)?;
        let work = tempfile::Builder::new().prefix("pip-").tempdir_in(&self.settings.staging_folder);
        let work = work.map_err(failed)?;
        let setting = Setting {
            uv: &self.uv,
            stand_in: stand_in::write(input.target, &cache.join("stand-ins"))?,
            stubs: stubs::write(input.installed, &work.path().join("stubs"))?,
            cache: cache.join("uv"),
            work: work.path(),
            certificates: certificates::bundle(&self.settings.ca_bundles, work.path())?,
            default_index: input.request.index_url.as_ref(),
            extra_indexes: &input.request.extra_index_urls,
            timeout: self.settings.timeout,
            recent_pages: self.settings.recent_pages,
            read_timeout: self.settings.read_timeout,
            retries: self.settings.retries,
        };
        let environment = marker_environment(input.target).ok_or_else(|| PipError::Unexpected {
            explanation: format!("{} gives no environment markers", describe(input.target)),
        })?;
        let builder = self.sources.as_deref().map(|settings| Builder {
            settings,
            resolver: self,
            request: input.request,
            target: input.target,
            cancellation,
        });
        Run { input, setting, environment, cancellation, builder }.resolve().await
    }
}

/// A repository or an archive of sources at an address has to be built, whatever is in it.
fn refuse_sources(requirements: &[PipRequirement]) -> Result<(), PipError> {
    for requirement in requirements {
        let wheel = requirement.url().is_none_or(|url| !requirement.is_git() && tags::is_wheel(url.path()));
        if !wheel {
            let name = requirement.requirement().name.clone();
            return Err(NeedsBuild { name, version: None, sdist: None }.into_error(None, None));
        }
    }
    Ok(())
}

/// One resolution on its way.
struct Run<'a> {
    input: PipInput<'a>,
    setting: Setting<'a>,
    environment: MarkerEnvironment,
    cancellation: &'a CancellationToken,
    builder: Option<Builder<'a>>,
}

/// Packages with their sources, as one run of uv gives them.
#[derive(Debug, Clone)]
struct Solved {
    packages: BTreeMap<PackageName, (Version, Source)>,
    /// The question with which it was found.
    question: Question,
    notices: Vec<String>,
}

impl Run<'_> {
    async fn resolve(&self) -> Result<Resolution, PipError> {
        let first = self.solve(self.question().await?).await?;
        let (solved, warnings) = self.repair(first).await?;
        let mut resolution = self.arrange(&solved).await?;
        resolution.notices = solved.notices;
        resolution.warnings = warnings;
        Ok(resolution)
    }

    async fn question(&self) -> Result<Question, PipError> {
        let PipInput { request, settings, installed, .. } = self.input;
        let lines = |requirements: &[PipRequirement]| -> Vec<String> {
            requirements.iter().map(ToString::to_string).collect()
        };
        let both = |ours: &[String], images: &[String]| [ours, images].concat();
        let mut built = BuiltPackages::default();
        let mut requirements = lines(&request.requirements);
        if let Some(builder) = &self.builder {
            for (line, requirement) in requirements.iter_mut().zip(&request.requirements) {
                if let Some(given) = builder.build_address(requirement, &self.environment, &mut built).await?
                {
                    *line = given;
                }
            }
        }
        Ok(Question {
            requirements,
            constraints: [lines(&request.constraints), settings.constraints.clone()].concat(),
            pre: request.pre || settings.pre,
            no_binary: both(&request.no_binary, &settings.no_binary),
            only_binary: both(&request.only_binary, &settings.only_binary),
            no_dependencies: false,
            preferences: pylock::of_installed(installed),
            built,
        })
    }

    /// Asks uv, and decides what happens with packages that would have to be built: where the newest version with
    /// a wheel is no older, or wheels are preferred, that is taken; else it is built, or an error where nothing is.
    async fn solve(&self, mut question: Question) -> Result<Solved, PipError> {
        let mut notices = Vec::new();
        for _ in 0..MOST_ATTEMPTS + MOST_BUILDS {
            let needs_build = match self.attempt(&question).await? {
                Ok(packages) => return Ok(Solved { packages, question, notices }),
                Err(needs_build) => needs_build,
            };
            let name = needs_build.name.clone();
            let newest = if question.refuses_wheels_of(&name) {
                None
            } else {
                source_only::newest_with_wheel(&self.setting, &question, &name, self.cancellation).await?
            };
            let asked_already = question.only_binary.contains(&name.to_string());
            let fitting = newest.as_ref().filter(|newest| newest.fits).map(|newest| &newest.version);
            let as_new = fitting.zip(needs_build.version.as_ref()).is_some_and(|(new, best)| new >= best);
            let preferred = self.input.settings.prefer_binary && fitting.is_some();
            if asked_already || !(as_new || preferred) {
                if asked_already || !self.build(&needs_build, &mut question).await? {
                    let refusal = self.builder.as_ref().and_then(|builder| builder.settings.rooms.refusal());
                    let newest = newest.map(|newest| newest.version);
                    return Err(needs_build.into_error(newest.as_ref(), refusal));
                }
                continue;
            }
            if let (Some(version), false) = (fitting, as_new) {
                notices.push(format!(
                    "{name} {version} is taken, the newest with a wheel, since the image's pip settings prefer wheels."
                ));
            }
            question.only_binary.push(name.to_string());
        }
        Err(PipError::Unexpected {
            explanation: format!("no resolution was found in {} attempts", MOST_ATTEMPTS + MOST_BUILDS),
        })
    }

    /// Builds what has to be built; false where nothing can be.
    async fn build(&self, needs_build: &NeedsBuild, question: &mut Question) -> Result<bool, PipError> {
        let (Some(builder), Some(version)) = (&self.builder, &needs_build.version) else { return Ok(false) };
        let name = &needs_build.name;
        let refused =
            |reason: &str| PipError::Refused { name: format!("{name} {version}"), reason: reason.to_owned() };
        if question.built.has(name, version) {
            return Err(refused("its index has other sources for it than it had a moment ago"));
        }
        let sdist = match &needs_build.sdist {
            Some(sdist) => Some(LockedFile::clone(sdist)),
            None => {
                source_only::find_sdist(&self.setting, question, name, version, self.cancellation).await?
            }
        };
        let Some(sdist) = sdist else { return Ok(false) };
        let request = self.input.request;
        let hashed = request.requirements.iter().chain(&request.constraints);
        let chooser = Chooser::new(self.input.target, self.input.installed, hashed, question);
        if sdist.sha256().is_some_and(|sha256| !chooser.accepts(name, &sha256)) {
            return Err(refused("its sources have none of the hashes that the requirement demands"));
        }
        let wanted = Wanted::of_index(name, version, &sdist).map_err(|reason| refused(&reason))?;
        match Box::pin(builder.build(&wanted)).await {
            Ok(built) => question.built.add(built),
            Err(_) if builder.settings.rooms.refusal().is_some() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// One run of uv, and a file for each package.
    async fn attempt(
        &self,
        question: &Question,
    ) -> Result<Result<BTreeMap<PackageName, (Version, Source)>, NeedsBuild>, PipError> {
        let target = self.input.target;
        let text = match compile::run(&self.setting, question, Form::Lock, self.cancellation).await? {
            Ok(text) => text,
            Err(errors) => {
                let failure = classify(&errors, &target.version.to_string(), &describe(target));
                return match failure {
                    Failure::Other(error) => Err(error),
                    Failure::NeedsBuild { name, version } => {
                        NeedsBuild::from_words(&name, version.as_deref())
                            .map(Err)
                            .ok_or(PipError::Unexpected { explanation: errors })
                    }
                };
            }
        };
        let lock = pylock::read(&text).map_err(|error| PipError::Unexpected {
            explanation: format!("its lock cannot be read: {error}"),
        })?;
        let request = self.input.request;
        let hashed = request.requirements.iter().chain(&request.constraints);
        let chooser = Chooser::new(target, self.input.installed, hashed, question);
        let mut packages = BTreeMap::new();
        for package in &lock.packages {
            let source = match chooser.choose(package) {
                Ok(source) => source,
                Err(Unusable::NeedsBuild(needs_build)) => return Ok(Err(needs_build)),
                Err(Unusable::Other(error)) => return Err(error),
            };
            let version = package.version.clone().ok_or_else(|| PipError::Unexpected {
                explanation: format!("its lock has no version for {}", package.name),
            })?;
            packages.insert(package.name.clone(), (version, source));
        }
        Ok(Ok(packages))
    }

    /// Packages of the base that stay may need what the resolution has replaced. They are asked for by name then,
    /// so that they are upgraded along; if that is impossible, the first resolution holds, with warnings.
    async fn repair(&self, first: Solved) -> Result<(Solved, Vec<String>), PipError> {
        let broken_at_first = self.broken(&first);
        if broken_at_first.is_empty() {
            return Ok((first, Vec::new()));
        }
        let mut broken = broken_at_first.clone();
        let mut added: BTreeSet<PackageName> = BTreeSet::new();
        let mut question = first.question.clone();
        for _ in 0..MOST_ATTEMPTS {
            let more: BTreeSet<PackageName> = broken
                .iter()
                .filter(|one| !one.editable && !added.contains(&one.name))
                .map(|one| one.name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            question.requirements.extend(more.iter().map(ToString::to_string));
            added.extend(more);
            let mut solved = match self.solve(question.clone()).await {
                Ok(solved) => solved,
                Err(error @ (PipError::Cancelled | PipError::Timeout { .. } | PipError::File { .. })) => {
                    return Err(error);
                }
                Err(_) => break,
            };
            broken = self.broken(&solved);
            if broken.is_empty() {
                let upgraded = added.iter().filter_map(|name| {
                    let (version, source) = solved.packages.get(name)?;
                    (*source != Source::Kept)
                        .then(|| format!("{name} is changed to {version} along with what it needs."))
                });
                solved.notices = first.notices.iter().cloned().chain(upgraded).collect();
                return Ok((solved, Vec::new()));
            }
        }
        let warnings = broken_at_first.iter().map(Broken::sentence).collect();
        Ok((first, warnings))
    }

    fn broken(&self, solved: &Solved) -> Vec<Broken> {
        let versions =
            solved.packages.iter().map(|(name, (version, _))| (name.clone(), version.clone())).collect();
        consistency::broken(self.input.installed, &versions, &self.environment)
    }

    /// Adds extras, dependencies and indexes, and sorts.
    async fn arrange(&self, solved: &Solved) -> Result<Resolution, PipError> {
        let is_named = |source: &Source| match source {
            Source::DirectUrl(_) => false,
            Source::Built(built) => built.direct_url.is_none(),
            Source::Kept | Source::Wheel(_) => true,
        };
        let pins = solved.packages.iter().filter(|(_, (_, source))| is_named(source));
        let mut pinned = solved.question.clone();
        pinned.constraints.extend(pins.map(|(name, (version, _))| format!("{name}=={version}")));
        // The pins hold the versions, so pre-releases among them need no permission of their own.
        pinned.pre = true;
        let listed = compile::run(&self.setting, &pinned, Form::Annotated, self.cancellation).await?;
        let annotations = match listed {
            Ok(text) => edges::read(&text),
            // The order is then that of the names: pip promises no more for packages that are not related.
            Err(errors) => {
                tracing::warn!(%errors, "the dependencies of the resolution could not be listed");
                BTreeMap::new()
            }
        };
        let mut dependencies: BTreeMap<PackageName, BTreeSet<PackageName>> =
            solved.packages.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
        for (name, annotation) in &annotations {
            for parent in &annotation.needed_by {
                if let Some(needed) = dependencies.get_mut(parent).filter(|_| name != parent) {
                    needed.insert(name.clone());
                }
            }
        }
        let requested: BTreeSet<&str> =
            self.input.request.requirements.iter().map(PipRequirement::name).collect();
        let mut packages = Vec::with_capacity(solved.packages.len());
        for name in order::topological(&dependencies) {
            let Some((version, source)) = solved.packages.get(&name) else { continue };
            let annotation = annotations.get(&name).cloned().unwrap_or_default();
            let mut source = source.clone();
            if let Source::Wheel(wheel) = &mut source {
                wheel.index = annotation.index;
            }
            let replaces = match source {
                Source::Kept => None,
                _ => self.input.installed.get(&name).cloned(),
            };
            packages.push(ResolvedPackage {
                version: version.clone(),
                extras: annotation.extras,
                requested: requested.contains(AsRef::<str>::as_ref(&name)),
                dependencies: dependencies.get(&name).into_iter().flatten().cloned().collect(),
                source,
                replaces,
                name,
            });
        }
        Ok(Resolution { packages, notices: Vec::new(), warnings: Vec::new() })
    }
}

//! Packages whose best version is published as source only.

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;
use tokio_util::sync::CancellationToken;

use super::compile::{self, Form, Question, Setting};
use super::error::PipError;
use super::pylock::{self, LockedFile};

/// A package that would have to be built.
#[derive(Debug, Clone)]
pub(super) struct NeedsBuild {
    /// Its name.
    pub(super) name: PackageName,
    /// The version, as far as it is known.
    pub(super) version: Option<Version>,
    /// The source distribution, as far as it is known.
    pub(super) sdist: Option<Box<LockedFile>>,
}

impl NeedsBuild {
    /// Reads what uv says; `None` when its words hold no package name.
    pub(super) fn from_words(name: &str, version: Option<&str>) -> Option<Self> {
        let version = version.and_then(|version| Version::from_str(version).ok());
        Some(Self { name: PackageName::from_str(name).ok()?, version, sdist: None })
    }

    /// The error, with the newest acceptable version that has a wheel, and why nothing can be built here.
    pub(super) fn into_error(self, newest_with_wheel: Option<&Version>, reason: Option<&str>) -> PipError {
        PipError::SourceOnly {
            name: self.name.to_string(),
            best_version: self.version.map(|version| version.to_string()),
            newest_with_wheel: newest_with_wheel.map(ToString::to_string),
            reason: reason.map(str::to_owned),
        }
    }
}

/// The newest version of a package that has a wheel for the target.
#[derive(Debug, Clone)]
pub(super) struct NewestWheel {
    pub(super) version: Version,
    /// Whether everything else still fits with it. Where nothing does, it is the newest for itself, which is only
    /// worth telling.
    pub(super) fits: bool,
}

/// The newest version of a package with a wheel for the target, such that everything else still fits; if nothing
/// fits, the newest for itself. `None` when there is none, or when it cannot be found out.
pub(super) async fn newest_with_wheel(
    setting: &Setting<'_>,
    question: &Question,
    name: &PackageName,
    cancellation: &CancellationToken,
) -> Result<Option<NewestWheel>, PipError> {
    let mut everything = question.clone();
    everything.only_binary.push(name.to_string());
    if let Some(version) = version_of(setting, &everything, name, cancellation).await? {
        return Ok(Some(NewestWheel { version, fits: true }));
    }
    let alone = Question {
        requirements: vec![name.to_string()],
        constraints: question.constraints.clone(),
        pre: question.pre,
        only_binary: vec![name.to_string()],
        no_dependencies: true,
        built: question.built.clone(),
        ..Question::default()
    };
    let version = version_of(setting, &alone, name, cancellation).await?;
    Ok(version.map(|version| NewestWheel { version, fits: false }))
}

/// The source distribution of a version. uv is told that it needs nothing, so that it names the file unbuilt.
pub(super) async fn find_sdist(
    setting: &Setting<'_>,
    question: &Question,
    name: &PackageName,
    version: &Version,
    cancellation: &CancellationToken,
) -> Result<Option<LockedFile>, PipError> {
    let question = Question {
        requirements: vec![format!("{name}=={version}")],
        pre: true,
        no_binary: vec![name.to_string()],
        no_dependencies: true,
        built: question.built.looking_up(name, version),
        ..Question::default()
    };
    let Ok(text) = compile::run(setting, &question, Form::Lock, cancellation).await? else {
        return Ok(None);
    };
    let lock = pylock::read(&text).ok();
    let package = lock.and_then(|lock| lock.packages.into_iter().find(|package| package.name == *name));
    Ok(package.and_then(|package| package.sdist))
}

async fn version_of(
    setting: &Setting<'_>,
    question: &Question,
    name: &PackageName,
    cancellation: &CancellationToken,
) -> Result<Option<Version>, PipError> {
    let Ok(text) = compile::run(setting, question, Form::Lock, cancellation).await? else {
        return Ok(None);
    };
    let lock = pylock::read(&text).ok();
    let package = lock.and_then(|lock| lock.packages.into_iter().find(|package| package.name == *name));
    Ok(package.and_then(|package| package.version))
}

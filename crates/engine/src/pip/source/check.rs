//! Whether a wheel that came out of a room is what was asked for.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::atomic::AtomicBool;

use pep440_rs::Version;
use pep508_rs::PackageName;

use crate::error::{BuildError, ErrorKind};
use crate::pip::tags;
use crate::python::PythonTarget;
use crate::wheel::{InstallScheme, StageOptions, WheelArchive, WheelLimits, stage_wheel};

/// The longest `METADATA` that is read.
const LONGEST_METADATA: u64 = 8 << 20;

/// What is known of a wheel that was checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) version: Version,
    pub(super) metadata: String,
}

/// Checks a wheel in a folder of ours, under the name that its builder gives it: it becomes `folder/NAME`. Blocking.
///
/// # Errors
/// A wheel that is not for this Python, of another package or version, or none at all.
pub(super) fn check(
    file: &Path,
    name: &str,
    package: &PackageName,
    version: Option<&Version>,
    target: &PythonTarget,
    cancel: &AtomicBool,
) -> Result<(PathBuf, Checked), BuildError> {
    let what = version.map_or_else(|| package.to_string(), |version| format!("{package} {version}"));
    let refused = |why: String| {
        BuildError::new(
            ErrorKind::SandboxFailed,
            format!("the build of {what} made a wheel that cannot be used: {why}"),
        )
        .with_next_step("choose another version, or tell its authors")
    };
    let shown: String = name.chars().take(200).flat_map(char::escape_default).collect();
    let found = parts(name).ok_or_else(|| refused(format!("{shown} is not the name of a wheel")))?;
    if found.0 != *package {
        return Err(refused(format!("it is one of {}", found.0)));
    }
    if version.is_some_and(|version| *version != found.1) {
        return Err(refused(format!("it says that it is version {}", found.1)));
    }
    if tags::rank(name, target).is_none() {
        return Err(refused(format!("{shown} does not run on the image's Python")));
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let path = folder.join(name);
    std::fs::rename(file, &path).map_err(|error| BuildError::file("rename", file, error))?;
    let whole = |error: String| refused(error);
    // All of it is read and verified here, so that the error speaks of the build and not of an installation.
    let staging =
        tempfile::tempdir_in(folder).map_err(|error| BuildError::file("make a folder in", folder, error))?;
    stage_wheel(&path, &scheme(target), &StageOptions::default(), staging.path(), cancel).map_err(
        |error| {
            if error.is_cancelled() { BuildError::cancelled() } else { whole(error.problem.to_string()) }
        },
    )?;
    let mut archive = WheelArchive::open(
        &path,
        &WheelLimits { metadata_bytes: LONGEST_METADATA, ..WheelLimits::default() },
    )
    .map_err(|error| whole(error.to_string()))?;
    let member = archive
        .members()
        .iter()
        .map(|member| member.path.clone())
        .find(|path| {
            path.split_once('/').is_some_and(|(top, file)| top.ends_with(".dist-info") && file == "METADATA")
        })
        .ok_or_else(|| whole("it has no METADATA".to_owned()))?;
    let text = archive.read(&member).map_err(|error| whole(error.to_string()))?.unwrap_or_default();
    let metadata = String::from_utf8_lossy(&text).into_owned();
    Ok((path, Checked { version: found.1, metadata }))
}

/// Name and version of a wheel's file name, which is a plain one.
pub(super) fn parts(file_name: &str) -> Option<(PackageName, Version)> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._+-!".contains(character);
    if file_name.len() > 255 || file_name.starts_with('.') || !file_name.chars().all(plain) {
        return None;
    }
    let stem = file_name.strip_suffix(".whl")?;
    let parts: Vec<&str> = stem.split('-').collect();
    let [name, version, ..] = parts.as_slice() else { return None };
    (5..=6).contains(&parts.len()).then_some(())?;
    Some((PackageName::from_str(name).ok()?, Version::from_str(&version.replace('_', "-")).ok()?))
}

/// Any folders will do: nothing is installed.
fn scheme(target: &PythonTarget) -> InstallScheme {
    let (major, minor) = (target.version.major, target.version.minor);
    InstallScheme {
        purelib: "/check/site".to_owned(),
        platlib: "/check/site".to_owned(),
        scripts: "/check/bin".to_owned(),
        headers: "/check/include".to_owned(),
        data: "/check".to_owned(),
        interpreter: target.executable_path(),
        python_version: (major, minor),
        cache_tag: format!("cpython-{major}{minor}"),
    }
}

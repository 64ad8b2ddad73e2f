//! Installed distributions as candidates: wheels with metadata and nothing else.
//!
//! A version that is on no index (`torch 2.3.0a0+ngc24.05`) can only stay if the resolver sees it somewhere. So
//! each installed distribution is offered in a folder of wheels that hold its name, version and requirements.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep508_rs::{ExtraName, Requirement, VerbatimUrl, VersionOrUrl};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use super::error::PipError;
use super::metadata;
use crate::python::installed::{Installed, InstalledDistribution};

/// Writes a stub for each distribution below a folder; returns the folder they are in, which is named by what
/// is in it: the same base has the same stubs, and several builds may read them at once.
///
/// # Errors
/// The folder cannot be written to.
pub(super) fn write(installed: &Installed, parent: &Path) -> Result<PathBuf, PipError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PipError::File { action: "write", path, source }
    };
    std::fs::create_dir_all(parent).map_err(failed(parent))?;
    let staging = tempfile::Builder::new().prefix(".stubs-").tempdir_in(parent).map_err(failed(parent))?;
    let mut digest = Sha256::new();
    for distribution in &installed.distributions {
        let name = file_name(distribution);
        let path = staging.path().join(&name);
        let bytes = wheel(distribution).map_err(failed(&path))?;
        digest.update(name.as_bytes());
        digest.update(&bytes);
        std::fs::write(&path, bytes).map_err(failed(&path))?;
    }
    let folder = parent.join(hex::encode(&digest.finalize()[..16]));
    if holds_the_same(&folder, staging.path()).map_err(failed(&folder))? {
        return Ok(folder);
    }
    // What was damaged is made anew; another build may be doing the same.
    let _ = std::fs::remove_dir_all(&folder);
    match std::fs::rename(staging.path(), &folder) {
        // The folder has another name now: there is nothing left to remove.
        Ok(()) => drop(staging.keep()),
        Err(_) if folder.is_dir() => {}
        Err(error) => return Err(failed(&folder)(error)),
    }
    Ok(folder)
}

/// Whether every file of `expected` is in `folder` with the same bytes.
fn holds_the_same(folder: &Path, expected: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(expected)? {
        let entry = entry?;
        let found = std::fs::read(folder.join(entry.file_name()));
        if !found.is_ok_and(|found| std::fs::read(entry.path()).is_ok_and(|wanted| wanted == found)) {
            return Ok(false);
        }
    }
    Ok(folder.is_dir())
}

/// The file name of a stub: `torch-2.3.0a0+ngc24.5-py3-none-any.whl`.
pub(super) fn file_name(distribution: &InstalledDistribution) -> String {
    format!("{}-py3-none-any.whl", stem(distribution))
}

fn stem(distribution: &InstalledDistribution) -> String {
    // Neither a normalised name nor a version holds a separator of paths or of the parts of a wheel's name.
    format!("{}-{}", distribution.name.as_ref().replace('-', "_"), distribution.version)
}

/// The bytes of a stub: the same for the same distribution, since uv caches by content.
fn wheel(distribution: &InstalledDistribution) -> std::io::Result<Vec<u8>> {
    let folder = format!("{}.dist-info", stem(distribution));
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    // The time is given: with one of its features, which any dependency may switch on, `zip` writes the present.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let kind = "Wheel-Version: 1.0\nGenerator: imagewright\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    for (name, text) in [("METADATA", metadata_text(distribution).as_str()), ("WHEEL", kind), ("RECORD", "")]
    {
        archive.start_file(format!("{folder}/{name}"), options).map_err(std::io::Error::other)?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish().map_err(std::io::Error::other)?.into_inner())
}

/// The metadata of a stub. `Requires-Python` is left out: what is installed is there, whatever it asks for.
/// Requirements by address become requirements by name, as no address is followed because an image says so; what
/// cannot be read is left out, as pip does with what is installed.
fn metadata_text(distribution: &InstalledDistribution) -> String {
    let mut text =
        format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", distribution.name, distribution.version);
    for extra in metadata::headers(&distribution.metadata, "Provides-Extra") {
        if let Ok(extra) = ExtraName::from_str(extra) {
            let _ = writeln!(text, "Provides-Extra: {extra}");
        }
    }
    for requirement in metadata::requirements(&distribution.metadata) {
        let _ = writeln!(text, "Requires-Dist: {}", without_address(requirement));
    }
    text
}

fn without_address(mut requirement: Requirement<VerbatimUrl>) -> Requirement<VerbatimUrl> {
    if matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))) {
        requirement.version_or_url = None;
    }
    requirement
}

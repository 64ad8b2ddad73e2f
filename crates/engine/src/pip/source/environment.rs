//! What a source distribution is built with, laid out in an archive that the driver unpacks in the room: names out
//! of wheels become no names on this machine.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use imagewright_oci::layer::entry::Metadata;
use imagewright_oci::layer::tar::{END_OF_ARCHIVE, write_file_header, write_padding};

use crate::error::{BuildError, ErrorKind};
use crate::python::PythonTarget;
use crate::wheel::{InstallScheme, StageOptions, StagedPackage, stage_wheel};

/// Writes the files of all wheels, as they are installed in the folder `inside` of the room, into an archive with
/// paths relative to that folder. Blocking.
///
/// # Errors
/// Wheels that are none, and a full disk.
pub(super) fn write(
    wheels: &[PathBuf],
    inside: &str,
    target: &PythonTarget,
    staging: &Path,
    output: &Path,
    cancel: &AtomicBool,
) -> Result<(), BuildError> {
    let scheme = scheme(inside, target);
    let failed = |error| BuildError::file("write", output, error);
    let mut archive = BufWriter::new(File::create(output).map_err(failed)?);
    for wheel in wheels {
        let folder = tempfile::Builder::new().prefix("requirement-").tempdir_in(staging);
        let folder = folder.map_err(|error| BuildError::file("make a folder in", staging, error))?;
        let staged = stage_wheel(wheel, &scheme, &StageOptions::default(), folder.path(), cancel).map_err(
            |error| {
                if error.is_cancelled() {
                    return BuildError::cancelled();
                }
                BuildError::new(ErrorKind::Unsupported, error.to_string()).with_source(error)
            },
        )?;
        append(&mut archive, &staged, inside).map_err(failed)?;
    }
    archive.write_all(&END_OF_ARCHIVE).map_err(failed)?;
    archive.flush().map_err(failed)
}

/// The folders of the requirements: apart from everything that the base has.
fn scheme(inside: &str, target: &PythonTarget) -> InstallScheme {
    let (major, minor) = (target.version.major, target.version.minor);
    InstallScheme {
        purelib: format!("{inside}/site"),
        platlib: format!("{inside}/site"),
        scripts: format!("{inside}/bin"),
        headers: format!("{inside}/include"),
        data: inside.to_owned(),
        interpreter: target.executable_path(),
        python_version: (major, minor),
        cache_tag: format!("cpython-{major}{minor}"),
    }
}

fn append(archive: &mut impl io::Write, package: &StagedPackage, inside: &str) -> io::Result<()> {
    for file in &package.files {
        let path = file.path.strip_prefix(inside).and_then(|path| path.strip_prefix('/'));
        let path = path.ok_or_else(|| io::Error::other("a file of a wheel leads elsewhere"))?;
        write_file_header(archive, path, &Metadata::new(file.mode, 0, 0, file.mtime), file.size)?;
        let copied = io::copy(&mut file.open()?, archive)?;
        if copied != file.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        write_padding(archive, file.size)?;
    }
    Ok(())
}

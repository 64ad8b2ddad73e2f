//! From a wheel file to a [`StagedPackage`]: unpack and verify, add what an installer adds, list it all.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::archive::WheelArchive;
use super::bytecode::BytecodeCompiler;
use super::error::{WheelError, WheelProblem};
use super::installation::Installation;
use super::layout::{InstallScheme, Layout};
use super::limits::WheelLimits;
use super::metadata::{CoreMetadata, EntryPoints, WheelFormat, dist_info_folder};
use super::names::{WheelFileName, shown};
use super::package::StagedPackage;
use super::record;
use super::staging::{StagingFile, staging_error};

/// How a wheel is staged. All of it goes into the key of the layer that holds the result.
#[derive(Debug, Clone, Default)]
pub struct StageOptions<'a> {
    /// Text of `direct_url.json` (PEP 610) for a package that was asked for by URL.
    pub direct_url: Option<String>,
    /// Makes `.pyc` files, `None` to leave them out.
    pub bytecode: Option<&'a BytecodeCompiler>,
    /// Makes no `.pyc` files in folders called `tests` or `test`: they are half of the work, and hardly ever run.
    pub leave_out_tests: bool,
    /// When to refuse a wheel for its size.
    pub limits: WheelLimits,
}

/// Unpacks and completes the wheel file for the interpreter that `scheme` describes.
///
/// The caller has verified the hash of the file. Bytes go to files in the folder `staging`, which must exist, and
/// stay there for as long as the package's files are read. Works on blocking I/O; several at once are fine.
///
/// # Errors
/// See [`WheelProblem`]. On an error, what was written to `staging` is removed again.
pub fn stage_wheel(
    wheel: &Path,
    scheme: &InstallScheme,
    options: &StageOptions<'_>,
    staging: &Path,
    cancel: &AtomicBool,
) -> Result<StagedPackage, WheelError> {
    let file_name = wheel.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    StagingPlaces::create(staging, &file_name)
        .and_then(|mut places| {
            let package = stage(wheel, &file_name, scheme, options, &mut places, cancel)?;
            places.kept = true;
            Ok(package)
        })
        .map_err(|problem| WheelError { wheel: shown(&file_name), problem })
}

/// The files of one wheel in the staging folder, removed unless the wheel was staged.
struct StagingPlaces {
    contents: StagingFile,
    bytecode: PathBuf,
    kept: bool,
}

impl StagingPlaces {
    /// The interpreter that compiles is started elsewhere, so a relative folder is made absolute.
    fn create(staging: &Path, file_name: &str) -> Result<Self, WheelProblem> {
        let folder = std::path::absolute(staging).map_err(|source| staging_error(staging, source))?;
        Ok(Self {
            contents: StagingFile::create(&folder.join(format!("{file_name}.contents")))?,
            bytecode: folder.join(format!("{file_name}.bytecode")),
            kept: false,
        })
    }
}

impl Drop for StagingPlaces {
    fn drop(&mut self) {
        if !self.kept {
            // The caller removes the whole folder at the end of a build; this only frees the space early.
            let _ = std::fs::remove_file(self.contents.path());
            let _ = std::fs::remove_file(&self.bytecode);
        }
    }
}

fn stage(
    wheel: &Path,
    file_name: &str,
    scheme: &InstallScheme,
    options: &StageOptions<'_>,
    places: &mut StagingPlaces,
    cancel: &AtomicBool,
) -> Result<StagedPackage, WheelProblem> {
    scheme.check()?;
    let expected: WheelFileName = file_name.parse()?;
    let mut archive = WheelArchive::open(wheel, &options.limits)?;
    let dist_info = dist_info_folder(archive.members(), &expected)?;
    let format = WheelFormat::parse(&required(&mut archive, &dist_info, "WHEEL")?)?;
    let metadata = CoreMetadata::parse(&required(&mut archive, &dist_info, "METADATA")?, &expected)?;
    let recorded = record::parse(&required(&mut archive, &dist_info, "RECORD")?)?;
    let points = match archive.read(&format!("{dist_info}/entry_points.txt"))? {
        Some(text) => EntryPoints::parse(&text)?,
        None => EntryPoints::default(),
    };

    let layout = Layout::new(scheme, format.root_is_purelib, &metadata.name);
    let mut installation = Installation::new(scheme, layout, &dist_info, &points);
    installation.unpack(&mut archive, &recorded, &mut places.contents, &options.limits, cancel)?;
    places.contents.flush()?;
    installation.add_launchers();
    if let Some(compiler) = options.bytecode {
        installation.compile(
            compiler,
            &places.contents,
            &places.bytecode,
            options.leave_out_tests,
            cancel,
        )?;
    }
    installation.add_installers_files(options.direct_url.as_deref());
    installation.check()?;
    Ok(installation.finish(&metadata))
}

/// A file of the `.dist-info` folder without which a wheel is none.
fn required(archive: &mut WheelArchive, folder: &str, file: &'static str) -> Result<Vec<u8>, WheelProblem> {
    let missing = || WheelProblem::Metadata { file, reason: "is missing".to_owned() };
    archive.read(&format!("{folder}/{file}"))?.ok_or_else(missing)
}

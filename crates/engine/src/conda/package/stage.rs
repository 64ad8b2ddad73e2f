//! One package, staged.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use imagewright_oci::layer::path::has_extension;
use rattler::install::{PythonInfo, python_entry_point_template};
use rattler_conda_types::package::{LinkJson, NoArchLinks, PackageFile as _};
use rattler_conda_types::prefix_record::{PathType, PathsEntry};
use rattler_conda_types::{RepoDataRecord, Subdir};

use super::archive::{ENTRIES, Unpacked};
use super::error::PackageProblem;
use super::files::{InstalledFile, Target, listed, sha256};
use super::record::{file_name, prefix_record};
use crate::wheel::{BytecodeCompiler, Content, Source, StagedFile, bytecode_path};

/// What to stage, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct StageInput<'input> {
    /// The archive, whose digest was verified.
    pub archive: &'input Path,
    /// Its record, as the lock has it.
    pub record: &'input RepoDataRecord,
    /// The prefix as the image names it.
    pub prefix: &'input str,
    /// Platform of the image.
    pub subdir: Subdir,
    /// The prefix's Python.
    pub python: Option<&'input PythonInfo>,
    /// Makes bytecode for packages that bring none, where a trusted interpreter of the exact version is at hand.
    pub compiler: Option<&'input BytecodeCompiler>,
}

/// A package as the writers of layers take it.
#[derive(Debug)]
pub struct StagedCondaPackage {
    /// Its files and links, sorted by path, no path twice.
    pub files: Vec<StagedFile>,
    /// What a user should know: scripts that are not run, files without bytecode.
    pub warnings: Vec<String>,
}

/// Stages a package. Bytes go to files in the folder `staging`, which must exist, and stay there for as long as the
/// package's files are read. Blocks.
///
/// # Errors
/// See [`PackageProblem`].
pub fn stage(
    input: StageInput<'_>,
    staging: &Path,
    cancel: &AtomicBool,
) -> Result<StagedCondaPackage, PackageProblem> {
    let record = &input.record.package_record;
    let is_python = record.noarch.is_python();
    let python = if is_python { Some(input.python.ok_or(PackageProblem::NoPython)?) } else { None };
    let mut unpacked = Unpacked::read(input.archive, &staging.join("contents"), cancel)?;
    let target = Target { prefix: input.prefix, subdir: input.subdir, python };
    let mut files = Vec::new();
    let mut paths = Vec::new();
    let listed = listed(&mut unpacked)?.paths;
    if listed.len() > ENTRIES {
        return Err(PackageProblem::TooLarge { what: "the number of its files", limit: ENTRIES as u64 });
    }
    for entry in listed {
        let InstalledFile { file, entry } = target.install(&mut unpacked, entry)?;
        files.extend(file);
        paths.push(entry);
    }
    let mut warnings = Vec::new();
    if let Some(python) = python {
        add_entry_points(&mut unpacked, input.prefix, python, &mut files, &mut paths)?;
        if let Some(compiler) = input.compiler {
            let output = staging.join("bytecode");
            compile(
                &mut unpacked,
                input,
                compiler,
                &output,
                cancel,
                &mut Compiled { files: &mut files, paths: &mut paths, warnings: &mut warnings },
            )?;
        }
    }
    unpacked.flush()?;
    let name = record.name.as_normalized();
    for script in ["post-link", "pre-link"] {
        let path = format!("bin/.{name}-{script}.sh");
        if paths.iter().any(|entry| entry.relative_path == Path::new(&path)) {
            warnings.push(format!(
                "its {script} script ({path}) is not run: what it would set up is not in the image"
            ));
        }
    }
    // Two entries of one list on one path: the later one holds, as when they are written one after the other.
    let record_path = format!("{}/conda-meta/{}", input.prefix, file_name(input.record));
    let bytes = prefix_record(input.record, paths).map_err(|error| PackageProblem::Metadata {
        file: "record",
        reason: format!("cannot be written: {error}"),
    })?;
    files.push(StagedFile::generated(record_path, bytes));
    let mut by_path = std::collections::BTreeMap::new();
    for file in files {
        by_path.insert(file.path.clone(), file);
    }
    Ok(StagedCondaPackage { files: by_path.into_values().collect(), warnings })
}

/// The commands of a pure Python package.
fn add_entry_points(
    unpacked: &mut Unpacked,
    prefix: &str,
    python: &PythonInfo,
    files: &mut Vec<StagedFile>,
    paths: &mut Vec<PathsEntry>,
) -> Result<(), PackageProblem> {
    let Some(bytes) = unpacked.content("info/link.json")? else { return Ok(()) };
    let link = LinkJson::from_slice(&bytes).map_err(|error| PackageProblem::Metadata {
        file: "info/link.json",
        reason: format!("cannot be read: {error}"),
    })?;
    let NoArchLinks::Python(points) = link.noarch else { return Ok(()) };
    for point in points.entry_points {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
        if point.command.is_empty() || point.command.starts_with('.') || !point.command.chars().all(is_name) {
            return Err(PackageProblem::Path {
                path: super::error::shown(&point.command),
                reason: "is no name of a command",
            });
        }
        let relative = python.bin_dir.join(&point.command);
        let text = python_entry_point_template(prefix, false, &point, python).into_bytes();
        paths.retain(|entry| entry.relative_path != relative);
        paths.push(generated_entry(&relative, PathType::UnixPythonEntryPoint, &text));
        let mut file = StagedFile::generated(format!("{prefix}/{}", relative.to_string_lossy()), text);
        file.mode = 0o755;
        files.push(file);
    }
    Ok(())
}

fn generated_entry(relative: &Path, path_type: PathType, bytes: &[u8]) -> PathsEntry {
    PathsEntry {
        relative_path: relative.to_owned(),
        original_path: None,
        path_type,
        no_link: false,
        sha256: None,
        sha256_in_prefix: Some(sha256(bytes)),
        size_in_bytes: Some(bytes.len() as u64),
        file_mode: None,
        prefix_placeholder: None,
    }
}

/// What compiling adds to.
struct Compiled<'stage> {
    files: &'stage mut Vec<StagedFile>,
    paths: &'stage mut Vec<PathsEntry>,
    warnings: &'stage mut Vec<String>,
}

/// Bytecode for pure Python packages, which bring none. Packages that are made for one Python bring their own.
fn compile(
    unpacked: &mut Unpacked,
    input: StageInput<'_>,
    compiler: &BytecodeCompiler,
    output: &Path,
    cancel: &AtomicBool,
    package: &mut Compiled<'_>,
) -> Result<(), PackageProblem> {
    let Some(python) = input.python else { return Ok(()) };
    let library = format!("{}/{}/", input.prefix, python.site_packages_path.to_string_lossy());
    let sources: Vec<Source> = package
        .files
        .iter()
        .filter(|file| file.path.starts_with(&library) && has_extension(&file.path, "py"))
        .filter_map(|file| match &file.content {
            Content::Staged(range) => Some(Source {
                offset: range.offset,
                size: file.size,
                mtime: file.mtime,
                path: file.path.clone(),
            }),
            Content::Bytes(_) | Content::Symlink(_) => None,
        })
        .collect();
    unpacked.flush()?;
    let tag = &compiler.interpreter().cache_tag;
    let results = compiler.compile(tag, &sources, unpacked.path(), output, cancel)?;
    for (source, bytecode) in sources.iter().zip(results) {
        let Some(bytecode) = bytecode else {
            package.warnings.push(format!("{} has no bytecode: it does not compile", source.path));
            continue;
        };
        let path = bytecode_path(&source.path, tag);
        let relative = path.strip_prefix(input.prefix).unwrap_or(&path).trim_start_matches('/').to_owned();
        let mut file = StagedFile::generated(path, Vec::new());
        file.size = bytecode.size;
        file.content = Content::Staged(bytecode.range);
        package.paths.retain(|entry| entry.relative_path != Path::new(&relative));
        package.paths.push(PathsEntry {
            sha256_in_prefix: None,
            size_in_bytes: None,
            ..generated_entry(Path::new(&relative), PathType::PycFile, &[])
        });
        package.files.push(file);
    }
    Ok(())
}

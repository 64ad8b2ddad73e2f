//! An installation as it grows, from the first unpacked member to the finished list of files.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::archive::WheelArchive;
use super::bytecode::{BytecodeCompiler, Source, bytecode_path};
use super::error::WheelProblem;
use super::launchers;
use super::layout::{InstallScheme, Layout, Origin, join, relative_to};
use super::limits::WheelLimits;
use super::metadata::{CoreMetadata, EntryPoints};
use super::names::{folders_above, shown};
use super::package::{Content, RequestedOverlay, StagedFile, StagedPackage};
use super::record::{self, RecordedContent, Verifier};
use super::staging::StagingFile;

/// Files of a `.dist-info` folder that the installer writes. A wheel that brings its own would speak of an
/// installation that never was.
const INSTALLERS_FILES: [&str; 4] = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"];

/// Signatures of `RECORD`: the only other files that it need not list.
const SIGNATURES: [&str; 2] = ["RECORD.jws", "RECORD.p7s"];

/// A file of the installation.
#[derive(Debug)]
struct Installed {
    file: StagedFile,
    /// What `RECORD` says of it.
    recorded: RecordedContent,
}

/// All that is known of an installation so far.
#[derive(Debug)]
pub(super) struct Installation<'a> {
    scheme: &'a InstallScheme,
    layout: Layout<'a>,
    dist_info: &'a str,
    points: &'a EntryPoints,
    /// By path in the image.
    files: BTreeMap<String, Installed>,
    /// Paths of commands.
    scripts: Vec<String>,
    compiled_files: usize,
    warnings: Vec<String>,
}

impl<'a> Installation<'a> {
    /// An installation without files.
    pub(super) fn new(
        scheme: &'a InstallScheme,
        layout: Layout<'a>,
        dist_info: &'a str,
        points: &'a EntryPoints,
    ) -> Self {
        Self {
            scheme,
            layout,
            dist_info,
            points,
            files: BTreeMap::new(),
            scripts: Vec::new(),
            compiled_files: 0,
            warnings: Vec::new(),
        }
    }

    /// Unpacks every member and holds it against `RECORD`.
    pub(super) fn unpack(
        &mut self,
        archive: &mut WheelArchive,
        recorded: &BTreeMap<String, RecordedContent>,
        contents: &mut StagingFile,
        limits: &WheelLimits,
        cancel: &AtomicBool,
    ) -> Result<(), WheelProblem> {
        let without_row = RecordedContent::default();
        let mut members = Vec::with_capacity(archive.members().len());
        for member in archive.members() {
            members.push((self.layout.destination(&member.path)?, member.clone()));
        }
        // Where two members have one place, that of the later kind wins, as with pip.
        members.sort_by_key(|(destination, _)| destination.origin);
        self.warn_of_missing(archive, recorded);

        for (destination, member) in members {
            let own_file = self.file_of_dist_info(&member.path);
            if own_file == Some("RECORD") {
                continue;
            }
            let row = match recorded.get(&member.path) {
                Some(row) => row,
                None if own_file.is_some_and(|file| SIGNATURES.contains(&file)) => &without_row,
                None => {
                    let reason = "is not listed in RECORD";
                    return Err(WheelProblem::Record { entry: shown(&member.path), reason });
                }
            };
            let range = contents.next();
            let mut verifier = Verifier::new(&member.path, row)?;
            let mut first_bytes: Vec<u8> = Vec::new();
            archive.unpack(&member, cancel, |piece| {
                let wanted = launchers::SHEBANG_MARK.len().saturating_sub(first_bytes.len());
                first_bytes.extend(piece.iter().take(wanted));
                verifier.update(piece);
                contents.write(piece)
            })?;
            verifier.finish(&member.path)?;

            let is_script = destination.origin == Origin::Script;
            let replaced_by_ours = if is_script {
                launchers::is_setuptools_wrapper(last_name(&destination.path), self.points)
            } else {
                own_file.is_some_and(|file| INSTALLERS_FILES.contains(&file))
            };
            if replaced_by_ours {
                contents.take_back(range.offset)?;
                continue;
            }
            let offset = range.offset;
            let mut file = StagedFile {
                path: destination.path,
                mode: if member.executable || is_script { 0o755 } else { 0o644 },
                mtime: member.mtime,
                size: member.size,
                content: Content::Staged(range),
            };
            let mut row = row.clone();
            if is_script {
                self.scripts.push(file.path.clone());
                if first_bytes == launchers::SHEBANG_MARK {
                    limits.check_held_in_memory(file.size)?;
                    let script = contents.take_back(offset)?;
                    let script = launchers::with_interpreter(&script, &self.scheme.interpreter);
                    row = RecordedContent::of(&script);
                    file.size = script.len() as u64;
                    file.content = Content::Bytes(script);
                }
            }
            self.insert(file, row);
        }
        Ok(())
    }

    /// The part of a member's path below the `.dist-info` folder.
    fn file_of_dist_info<'m>(&self, member: &'m str) -> Option<&'m str> {
        member.strip_prefix(self.dist_info)?.strip_prefix('/')
    }

    fn warn_of_missing(&mut self, archive: &WheelArchive, recorded: &BTreeMap<String, RecordedContent>) {
        let present: HashSet<&str> = archive.members().iter().map(|member| member.path.as_str()).collect();
        for path in recorded.keys().filter(|path| !present.contains(path.as_str())) {
            if !self.file_of_dist_info(path).is_some_and(|file| INSTALLERS_FILES.contains(&file)) {
                self.warnings.push(format!("RECORD lists `{}`, which the wheel does not hold", shown(path)));
            }
        }
    }

    /// Adds a file; a later one of the same path replaces an earlier one.
    fn insert(&mut self, file: StagedFile, recorded: RecordedContent) {
        let path = file.path.clone();
        if self.files.insert(path.clone(), Installed { file, recorded }).is_some() {
            self.warnings
                .push(format!("the wheel installs `{}` twice; the later file is kept", shown(&path)));
        }
    }

    fn insert_generated(&mut self, path: String, bytes: Vec<u8>, mode: u32) {
        let recorded = RecordedContent::of(&bytes);
        let mut file = StagedFile::generated(path, bytes);
        file.mode = mode;
        self.insert(file, recorded);
    }

    /// Adds the programs for entry points.
    pub(super) fn add_launchers(&mut self) {
        for command in launchers::commands(self.points, self.scheme.python_version) {
            let path = join(&self.scheme.scripts, &command.name);
            let program = launchers::launcher(&command, &self.scheme.interpreter, self.scheme.python_version);
            self.scripts.push(path.clone());
            self.insert_generated(path, program, 0o755);
        }
    }

    /// Adds bytecode for the wheel's modules, as far as they compile.
    pub(super) fn compile(
        &mut self,
        compiler: &BytecodeCompiler,
        contents: &StagingFile,
        output: &Path,
        leave_out_tests: bool,
        cancel: &AtomicBool,
    ) -> Result<(), WheelProblem> {
        let commands: HashSet<&str> = self.scripts.iter().map(String::as_str).collect();
        let sources: Vec<Source> = self
            .files
            .values()
            .map(|installed| &installed.file)
            .filter(|file| is_python_source(&file.path) && !commands.contains(file.path.as_str()))
            .filter(|file| !(leave_out_tests && is_in_tests(&relative_to(&file.path, self.layout.library))))
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
        let results = compiler.compile(&self.scheme.cache_tag, &sources, contents.path(), output, cancel)?;
        for (source, bytecode) in sources.iter().zip(results) {
            let Some(bytecode) = bytecode else {
                self.warnings.push(format!("`{}` has no bytecode: it does not compile", shown(&source.path)));
                continue;
            };
            let mut file = StagedFile::generated(bytecode_path(&source.path, &self.scheme.cache_tag), vec![]);
            file.size = bytecode.size;
            file.content = Content::Staged(bytecode.range);
            // Bytecode in the wheel itself is that of another interpreter or time: replaced without a word.
            self.files.remove(&file.path);
            self.insert(file, RecordedContent::default());
            self.compiled_files += 1;
        }
        Ok(())
    }

    /// Adds the notes of the installer that are the same in every image.
    pub(super) fn add_installers_files(&mut self, direct_url: Option<&str>) {
        // `pip`, because that is who maintains the installation from here on, and tools ask for this word.
        let installer = self.layout.in_library(self.dist_info, "INSTALLER");
        self.insert_generated(installer, b"pip\n".to_vec(), 0o644);
        if let Some(direct_url) = direct_url {
            let path = self.layout.in_library(self.dist_info, "direct_url.json");
            self.insert_generated(path, direct_url.as_bytes().to_vec(), 0o644);
        }
    }

    /// Checks what only shows when all files are known.
    pub(super) fn check(&self) -> Result<(), WheelProblem> {
        if self.files.contains_key(&self.scheme.interpreter) {
            return Err(WheelProblem::ReplacesInterpreter { path: self.scheme.interpreter.clone() });
        }
        let contested = self
            .files
            .keys()
            .find_map(|path| folders_above(path).find(|folder| self.files.contains_key(*folder)));
        match contested {
            Some(path) => Err(WheelProblem::FileAndFolder { path: shown(path) }),
            None => Ok(()),
        }
    }

    /// The finished package, with its two `RECORD`s.
    pub(super) fn finish(mut self, metadata: &CoreMetadata) -> StagedPackage {
        let library = self.layout.library;
        let record_path = self.layout.in_library(self.dist_info, "RECORD");
        let marker_path = self.layout.in_library(self.dist_info, "REQUESTED");
        let mut rows: BTreeMap<String, RecordedContent> = self
            .files
            .iter()
            .map(|(path, installed)| (relative_to(path, library), installed.recorded.clone()))
            .collect();
        rows.insert(relative_to(&record_path, library), RecordedContent::default());
        let record = StagedFile::generated(record_path.clone(), record::write(&rows));
        self.insert(record, RecordedContent::default());

        rows.insert(relative_to(&marker_path, library), RecordedContent::of(b""));
        let requested = RequestedOverlay {
            marker: StagedFile::generated(marker_path, Vec::new()),
            record: StagedFile::generated(record_path, record::write(&rows)),
        };
        self.scripts.sort_unstable();
        self.scripts.dedup();
        StagedPackage {
            name: metadata.name.clone(),
            version: metadata.version.to_string(),
            licence: metadata.licence.clone(),
            dist_info_dir: join(library, self.dist_info),
            files: self.files.into_values().map(|installed| installed.file).collect(),
            scripts: self.scripts,
            requested,
            compiled_files: self.compiled_files,
            warnings: self.warnings,
        }
    }
}

fn last_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether pip would compile the file; the case of the ending counts, as it does for Python.
fn is_python_source(path: &str) -> bool {
    path.strip_suffix(".py").is_some()
}

/// Whether a file is in a folder of tests. The path is relative: a library may itself be below such a folder.
fn is_in_tests(path: &str) -> bool {
    folders_above(path).any(|folder| matches!(last_name(folder), "tests" | "test"))
}

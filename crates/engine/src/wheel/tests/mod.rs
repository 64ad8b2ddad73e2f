//! Wheels made for the purpose, honest and hostile, and what becomes of them.

mod against_pip;
mod bytecode;
mod hostile;
mod installation;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::layout::tests::scheme;
use super::record::{self, RecordedContent};
use super::*;

/// Builds `demo-1.0-py3-none-any.whl` member by member.
struct TestWheel {
    folder: TempDir,
    file_name: String,
    members: Vec<(String, Vec<u8>, SimpleFileOptions)>,
    /// Rows of RECORD that differ from what the members are.
    rows: BTreeMap<String, Option<RecordedContent>>,
}

fn options() -> SimpleFileOptions {
    let time = zip::DateTime::from_date_and_time(2020, 2, 2, 2, 2, 2).unwrap();
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(time)
        .unix_permissions(0o644)
}

impl TestWheel {
    /// A wheel with nothing in it but its `.dist-info`.
    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            file_name: "demo-1.0-py3-none-any.whl".into(),
            members: Vec::new(),
            rows: BTreeMap::new(),
        }
        .with("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n")
        .with("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    }

    /// Adds a member; one of the same name is replaced.
    fn with(self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.without(name).with_options(name, bytes, options())
    }

    fn with_options(mut self, name: &str, bytes: impl Into<Vec<u8>>, options: SimpleFileOptions) -> Self {
        self.members.push((name.into(), bytes.into(), options));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.members.retain(|(member, ..)| member != name);
        self
    }

    fn with_row(mut self, name: &str, row: Option<RecordedContent>) -> Self {
        self.rows.insert(name.into(), row);
        self
    }

    /// Writes the archive, its RECORD last, and returns its path.
    fn write(&self) -> PathBuf {
        let mut rows: BTreeMap<String, RecordedContent> = self
            .members
            .iter()
            .filter(|(name, ..)| !name.ends_with('/'))
            .map(|(name, bytes, _)| (name.clone(), RecordedContent::of(bytes)))
            .collect();
        rows.insert("demo-1.0.dist-info/RECORD".into(), RecordedContent::default());
        for (name, row) in &self.rows {
            match row {
                Some(row) => rows.insert(name.clone(), row.clone()),
                None => rows.remove(name),
            };
        }
        let path = self.folder.path().join(&self.file_name);
        let mut archive = ZipWriter::new(std::fs::File::create(&path).unwrap());
        let record = ("demo-1.0.dist-info/RECORD".to_owned(), record::write(&rows), options());
        for (name, bytes, options) in self.members.iter().chain([&record]) {
            if name.ends_with('/') {
                archive.add_directory(name.as_str(), *options).unwrap();
            } else {
                archive.start_file(name.as_str(), *options).unwrap();
                archive.write_all(bytes).unwrap();
            }
        }
        archive.finish().unwrap();
        path
    }

    /// Stages the wheel without bytecode. The package can be read while the builder lives.
    fn stage(&self) -> Result<StagedPackage, WheelError> {
        self.stage_with(&StageOptions::default())
    }

    fn stage_with(&self, options: &StageOptions<'_>) -> Result<StagedPackage, WheelError> {
        let staging = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        stage(&self.write(), &scheme(), options, &staging)
    }
}

fn stage(
    wheel: &Path,
    scheme: &InstallScheme,
    options: &StageOptions<'_>,
    staging: &Path,
) -> Result<StagedPackage, WheelError> {
    stage_wheel(wheel, scheme, options, staging, &AtomicBool::new(false))
}

fn read(file: &StagedFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.open().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, file.size, "{}", file.path);
    bytes
}

/// The bytes of the file that is installed at a path below `/opt/venv`.
fn installed(package: &StagedPackage, path: &str) -> Vec<u8> {
    let path = format!("/opt/venv/{path}");
    let file = package.files.iter().find(|file| file.path == path);
    read(file.unwrap_or_else(|| panic!("{path} is not installed")))
}

/// The paths of all files below `/opt/venv`.
fn paths(package: &StagedPackage) -> Vec<&str> {
    package.files.iter().map(|file| file.path.strip_prefix("/opt/venv/").unwrap()).collect()
}

//! Wheels, honest and hostile.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A finished wheel.
#[derive(Debug, Clone)]
pub struct Wheel {
    /// The file's name, such as `demo-1.0-py3-none-any.whl`.
    pub file_name: String,
    /// The archive.
    pub bytes: Bytes,
    /// The `METADATA` file, which indexes serve on its own.
    pub metadata: String,
    /// The value of `Requires-Python`, which indexes repeat.
    pub requires_python: Option<String>,
}

impl Wheel {
    /// Writes the wheel into a folder and gives its path.
    pub fn write_to(&self, folder: &Path) -> PathBuf {
        let path = folder.join(&self.file_name);
        fs::write(&path, &self.bytes)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }
}

/// Makes a wheel file by file. Nothing is checked, so that wheels can be made that no installer should trust.
///
/// ```
/// use imagewright_testkit::WheelBuilder;
///
/// let wheel = WheelBuilder::new("demo", "1.0")
///     .requires("numpy>=1.24; extra == 'fast'")
///     .file("demo/__init__.py", "def main(): print('demo')\n")
///     .script("demo", "demo:main")
///     .build();
/// assert_eq!(wheel.file_name, "demo-1.0-py3-none-any.whl");
/// ```
#[derive(Debug, Clone)]
pub struct WheelBuilder {
    name: String,
    version: String,
    tag: String,
    pure: bool,
    requires_python: Option<String>,
    metadata_lines: Vec<String>,
    entry_points: BTreeMap<String, Vec<String>>,
    members: Vec<Member>,
    record_lies: BTreeMap<String, String>,
    without_record: bool,
}

#[derive(Debug, Clone)]
struct Member {
    path: String,
    mode: u32,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Vec<u8>),
    Zeros(u64),
    Symlink(String),
}

impl WheelBuilder {
    /// A pure wheel (`py3-none-any`) with metadata alone.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            pure: true,
            requires_python: None,
            metadata_lines: Vec::new(),
            entry_points: BTreeMap::new(),
            members: Vec::new(),
            record_lies: BTreeMap::new(),
            without_record: false,
        }
    }

    /// Makes it a platform wheel with a tag such as `cp311-cp311-manylinux_2_28_x86_64`.
    #[must_use]
    pub fn platform_tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self.pure = false;
        self
    }

    /// Adds a requirement, with extras and markers as you like.
    #[must_use]
    pub fn requires(self, requirement: &str) -> Self {
        self.metadata_line(&format!("Requires-Dist: {requirement}"))
    }

    /// Declares an extra, which requirements can name in their markers.
    #[must_use]
    pub fn extra(self, name: &str) -> Self {
        self.metadata_line(&format!("Provides-Extra: {name}"))
    }

    /// Sets the versions of Python it is for.
    #[must_use]
    pub fn requires_python(mut self, range: &str) -> Self {
        self.requires_python = Some(range.to_owned());
        self.metadata_line(&format!("Requires-Python: {range}"))
    }

    /// Adds any line to `METADATA`.
    #[must_use]
    pub fn metadata_line(mut self, line: &str) -> Self {
        self.metadata_lines.push(line.to_owned());
        self
    }

    /// Adds a file; a path under `NAME-VERSION.data/` goes where that scheme says. See [`data`](Self::data).
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.member(path, 0o644, Content::Bytes(content.into()))
    }

    /// Adds a file with its executable bits set.
    #[must_use]
    pub fn executable(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.member(path, 0o755, Content::Bytes(content.into()))
    }

    /// Adds a file under one of the schemes `scripts`, `headers`, `data`, `purelib` and `platlib`.
    #[must_use]
    pub fn data(self, scheme: &str, path: &str, content: impl Into<Vec<u8>>) -> Self {
        let path = format!("{}-{}.data/{scheme}/{path}", self.distribution(), self.version);
        self.executable(&path, content)
    }

    /// Adds a console script, such as `demo` with `demo.cli:main`.
    #[must_use]
    pub fn script(self, name: &str, function: &str) -> Self {
        self.entry_point("console_scripts", name, function)
    }

    /// Adds an entry point of any group.
    #[must_use]
    pub fn entry_point(mut self, group: &str, name: &str, object: &str) -> Self {
        self.entry_points.entry(group.to_owned()).or_default().push(format!("{name} = {object}"));
        self
    }

    /// Adds a symbolic link, which wheels must not have.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.member(path, 0o777, Content::Symlink(target.to_owned()))
    }

    /// Adds a file of so many zero bytes: a bomb.
    #[must_use]
    pub fn zeros(self, path: &str, size: u64) -> Self {
        self.member(path, 0o644, Content::Zeros(size))
    }

    /// Makes `RECORD` name this hash (such as `sha256=…`) for a path.
    #[must_use]
    pub fn record_hash(mut self, path: &str, hash: &str) -> Self {
        self.record_lies.insert(path.to_owned(), hash.to_owned());
        self
    }

    /// Leaves `RECORD` out.
    #[must_use]
    pub fn without_record(mut self) -> Self {
        self.without_record = true;
        self
    }

    fn member(mut self, path: &str, mode: u32, content: Content) -> Self {
        self.members.push(Member { path: path.to_owned(), mode, content });
        self
    }

    /// The name as it stands in file names.
    fn distribution(&self) -> String {
        self.name.replace(['-', '.'], "_")
    }

    /// Writes the archive.
    pub fn build(self) -> Wheel {
        let stem = format!("{}-{}", self.distribution(), self.version);
        let metadata = self.metadata();
        let bytes = self.archive(&stem, &metadata).expect("a wheel written to memory");
        let file_name = format!("{stem}-{}.whl", self.tag);
        Wheel { file_name, bytes: bytes.into(), metadata, requires_python: self.requires_python }
    }

    fn metadata(&self) -> String {
        let mut metadata = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        for line in &self.metadata_lines {
            metadata.push_str(line);
            metadata.push('\n');
        }
        metadata
    }

    fn archive(&self, stem: &str, metadata: &str) -> io::Result<Vec<u8>> {
        let info = format!("{stem}.dist-info");
        let wheel = format!(
            "Wheel-Version: 1.0\nGenerator: imagewright-testkit\nRoot-Is-Purelib: {}\nTag: {}\n",
            self.pure, self.tag
        );
        let mut members = self.members.clone();
        let mut generate = |name: &str, content: &str| {
            let (path, content) = (format!("{info}/{name}"), Content::Bytes(content.into()));
            members.push(Member { path, mode: 0o644, content });
        };
        generate("METADATA", metadata);
        generate("WHEEL", &wheel);
        if !self.entry_points.is_empty() {
            let sections =
                self.entry_points.iter().map(|(group, lines)| format!("[{group}]\n{}\n", lines.join("\n")));
            generate("entry_points.txt", &sections.collect::<String>());
        }

        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let mut record = Vec::new();
        for member in &members {
            let (hash, size) = member.write(&mut archive)?;
            let hash = self.record_lies.get(&member.path).unwrap_or(&hash);
            record.push(format!("{},{hash},{size}\n", member.path));
        }
        if !self.without_record {
            record.push(format!("{info}/RECORD,,\n"));
            archive.start_file(format!("{info}/RECORD"), options(0o644))?;
            archive.write_all(record.concat().as_bytes())?;
        }
        Ok(archive.finish()?.into_inner())
    }
}

impl Member {
    /// Writes it, and gives its hash as `RECORD` has it, and its size.
    fn write(&self, archive: &mut ZipWriter<Cursor<Vec<u8>>>) -> io::Result<(String, u64)> {
        match &self.content {
            Content::Bytes(bytes) => {
                archive.start_file(&self.path, options(self.mode))?;
                archive.write_all(bytes)?;
                Ok((record_hash(bytes), bytes.len() as u64))
            }
            Content::Zeros(size) => {
                archive.start_file(&self.path, options(self.mode).large_file(true))?;
                io::copy(&mut io::Read::take(io::repeat(0), *size), archive)?;
                Ok((String::new(), *size))
            }
            Content::Symlink(target) => {
                archive.add_symlink(&self.path, target, options(self.mode))?;
                Ok((record_hash(target.as_bytes()), target.len() as u64))
            }
        }
    }
}

/// Entries date from 1980, the earliest time there is in a zip archive: the same wheel has the same bytes.
fn options(mode: u32) -> SimpleFileOptions {
    // The time is given: with one of its features, which any dependency may switch on, `zip` writes the present.
    SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).unix_permissions(mode)
}

/// A hash as `RECORD` has it.
pub(crate) fn record_hash(bytes: &[u8]) -> String {
    format!("sha256={}", URL_SAFE_NO_PAD.encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::WheelBuilder;
    use crate::process::run;
    use crate::require_tool;
    use crate::testing::uv_install;

    #[test]
    fn an_honest_wheel_is_installed() {
        require_tool!("uv");
        let folder = tempfile::tempdir().expect("a folder");
        let wheel = WheelBuilder::new("honest-demo", "1.0")
            .file("honest/__init__.py", "def main(): print('honest')\n")
            .script("honest", "honest:main")
            .data("data", "share/honest.txt", "data")
            .build()
            .write_to(folder.path());

        let installed = uv_install(&[&wheel.to_string_lossy()]).expect("an installed wheel");

        let target = installed.path();
        let mut script = Command::new(target.join("bin/honest"));
        assert_eq!(run(script.env("PYTHONPATH", target)).stdout, b"honest\n");
        assert!(target.join("share/honest.txt").is_file());
    }

    #[test]
    fn a_wheel_that_climbs_out_keeps_its_name() {
        let wheel =
            WheelBuilder::new("evil", "1.0").file("../../evil", "x").symlink("link", "/etc/passwd").build();
        let archive = zip::ZipArchive::new(std::io::Cursor::new(wheel.bytes)).expect("an archive");
        let names: Vec<_> = archive.file_names().map(|name| name.expect("a name")).collect();
        assert_eq!(names[..2], ["../../evil", "link"]);
    }

    #[test]
    fn the_same_wheel_has_the_same_bytes() {
        let wheel = || {
            WheelBuilder::new("a", "1").symlink("a/link", "/etc/passwd").zeros("a/zeros", 10_000_000).build()
        };
        assert_eq!(wheel().bytes, wheel().bytes);
        assert!(wheel().bytes.len() < 50_000);
    }
}

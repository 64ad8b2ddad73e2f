//! One package, file by file.

use bytes::Bytes;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use super::archive;
use crate::sha256;

/// What stands in files for the prefix until a package is installed: as long as those of public channels, so that
/// any prefix fits into a binary.
pub const PLACEHOLDER: &str = "/home/conda/feedstock_root/build_artifacts/testkit_1700000000000/_h_env_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_placehold_pla";

/// The time of all files in packages: 2023-11-14T22:13:20Z.
pub(super) const TIME: u64 = 1_700_000_000;

/// A file of a package.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) content: Content,
    /// `text` or `binary`, where the prefix is in it.
    pub(super) prefix: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    Symlink(String),
}

/// A finished package.
#[derive(Debug, Clone)]
pub struct CondaPackage {
    /// `linux-64`, `linux-aarch64` or `noarch`.
    pub subdir: String,
    /// Name of the archive.
    pub file_name: String,
    /// The archive.
    pub bytes: Bytes,
    /// What channels say of it in their lists.
    pub record: Value,
    pub(super) files: Vec<File>,
    pub(super) entry_points: Vec<String>,
}

impl CondaPackage {
    /// Its name.
    pub fn name(&self) -> &str {
        self.record["name"].as_str().expect("a package has a name")
    }

    /// `name-version-build`.
    pub fn distribution(&self) -> String {
        let part = |key: &str| self.record[key].as_str().expect("a text").to_owned();
        format!("{}-{}-{}", part("name"), part("version"), part("build"))
    }
}

/// Makes a package. Nothing is checked, so that packages can be made that no installer should trust.
#[derive(Debug, Clone)]
pub struct CondaPackageBuilder {
    pub(super) index: Value,
    files: Vec<File>,
    entry_points: Vec<String>,
    old_format: bool,
}

impl CondaPackageBuilder {
    /// A package for 64-bit Linux on Intel and AMD, build `h0_0`.
    pub fn new(name: &str, version: &str) -> Self {
        let index = json!({
            "name": name, "version": version, "build": "h0_0", "build_number": 0, "depends": [], "license": "MIT",
            "subdir": "linux-64", "arch": "x86_64", "platform": "linux", "timestamp": TIME * 1000,
        });
        Self { index, files: Vec::new(), entry_points: Vec::new(), old_format: false }
    }

    /// A package of pure Python, for any version and machine, build `py_0`.
    pub fn noarch_python(name: &str, version: &str) -> Self {
        let mut builder = Self::new(name, version).subdir("noarch").build_string("py_0", 0);
        builder.index["noarch"] = json!("python");
        builder
    }

    /// A package without Python for any machine, build `0`.
    pub fn noarch_generic(name: &str, version: &str) -> Self {
        let mut builder = Self::new(name, version).subdir("noarch").build_string("0", 0);
        builder.index["noarch"] = json!("generic");
        builder
    }

    /// The build and its number.
    #[must_use]
    pub fn build_string(mut self, build: &str, number: u64) -> Self {
        self.index["build"] = json!(build);
        self.index["build_number"] = json!(number);
        self
    }

    /// Another platform.
    #[must_use]
    pub fn subdir(mut self, subdir: &str) -> Self {
        self.index["subdir"] = json!(subdir);
        let (arch, platform) = match subdir {
            "linux-aarch64" => (json!("aarch64"), json!("linux")),
            "noarch" => (Value::Null, Value::Null),
            _ => (json!("x86_64"), json!("linux")),
        };
        self.index["arch"] = arch;
        self.index["platform"] = platform;
        self
    }

    /// Adds a dependency.
    #[must_use]
    pub fn depends(mut self, spec: &str) -> Self {
        self.index["depends"].as_array_mut().expect("a list").push(json!(spec));
        self
    }

    /// Adds a limit for a package that need not be there.
    #[must_use]
    pub fn constrains(mut self, spec: &str) -> Self {
        let index = self.index.as_object_mut().expect("an object");
        index.entry("constrains").or_insert(json!([])).as_array_mut().expect("a list").push(json!(spec));
        self
    }

    /// Sets any field of the record.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.index[name] = value.into();
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.add(path, 0o644, Content::Bytes(content.into()), None)
    }

    /// Adds a program.
    #[must_use]
    pub fn program(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.add(path, 0o755, Content::Bytes(content.into()), None)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.add(path, 0o777, Content::Symlink(target.to_owned()), None)
    }

    /// Adds a file with permissions of your choice.
    #[must_use]
    pub fn file_with_mode(self, path: &str, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        self.add(path, mode, Content::Bytes(content.into()), None)
    }

    /// Adds a text (0755) in which [`PLACEHOLDER`] stands for the prefix.
    #[must_use]
    pub fn text_with_prefix(self, path: &str, content: &str) -> Self {
        self.add(path, 0o755, Content::Bytes(content.into()), Some("text"))
    }

    /// Adds a binary in which [`PLACEHOLDER`] stands for the prefix.
    #[must_use]
    pub fn binary_with_prefix(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.add(path, 0o644, Content::Bytes(content.into()), Some("binary"))
    }

    /// Adds a file of a pure Python package's modules, with the path below `site-packages`.
    #[must_use]
    pub fn module(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.file(&format!("site-packages/{path}"), content)
    }

    /// Adds what tells pip of a pure Python package.
    #[must_use]
    pub fn metadata(self) -> Self {
        let text = |key: &str| self.index[key].as_str().expect("a text").to_owned();
        let (name, version) = (text("name"), text("version"));
        let folder = format!("{}-{version}.dist-info", name.replace('-', "_"));
        self.module(
            &format!("{folder}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
        )
        .module(&format!("{folder}/INSTALLER"), "conda\n")
        .module(
            &format!("{folder}/RECORD"),
            format!("{folder}/METADATA,,\n{folder}/INSTALLER,,\n{folder}/RECORD,,\n"),
        )
    }

    /// Adds a command to a pure Python package, `greet = greeting:main`.
    #[must_use]
    pub fn entry_point(mut self, point: &str) -> Self {
        self.entry_points.push(point.to_owned());
        self
    }

    /// Writes the older form, `.tar.bz2`.
    #[must_use]
    pub fn old_format(mut self) -> Self {
        self.old_format = true;
        self
    }

    pub(super) fn add(
        mut self,
        path: &str,
        mode: u32,
        content: Content,
        prefix: Option<&'static str>,
    ) -> Self {
        self.files.push(File { path: path.to_owned(), mode, content, prefix });
        self
    }

    /// Finishes the package.
    pub fn build(self) -> CondaPackage {
        let text = |key: &str| self.index[key].as_str().expect("a text").to_owned();
        let stem = format!("{}-{}-{}", text("name"), text("version"), text("build"));
        let information = archive::information(&self.index, &self.files, &self.entry_points);
        let (extension, bytes) = if self.old_format {
            ("tar.bz2", archive::tar_bz2(&information, &self.files))
        } else {
            ("conda", archive::conda(&stem, &information, &self.files))
        };
        let mut record = self.index.clone();
        record["sha256"] = json!(sha256(&bytes).replacen("sha256:", "", 1));
        record["md5"] = json!(hex::encode(Md5::digest(&bytes)));
        record["size"] = json!(bytes.len());
        CondaPackage {
            subdir: text("subdir"),
            file_name: format!("{stem}.{extension}"),
            bytes: bytes.into(),
            record,
            files: self.files,
            entry_points: self.entry_points,
        }
    }
}

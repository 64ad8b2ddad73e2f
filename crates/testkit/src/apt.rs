//! Debian packages, and a repository of them that is part of a base image.
//!
//! Steps in the sandbox reach no server of this machine, so the repository is where they are: below `/srv/mirror`
//! in the image, as its only source of packages.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;

use crate::{Entry, Layer, LayerBuilder, digest, process, tool};

/// Where the repository is in the image.
const MIRROR: &str = "srv/mirror";

/// Makes a Debian package with `dpkg-deb`.
#[derive(Debug, Clone)]
pub struct DebBuilder {
    name: String,
    version: String,
    fields: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>, u32)>,
    scripts: Vec<(String, String)>,
}

/// A finished Debian package.
#[derive(Debug, Clone)]
pub struct Deb {
    file_name: String,
    bytes: Bytes,
    control: String,
}

impl DebBuilder {
    /// An empty package for all architectures.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            fields: Vec::new(),
            files: Vec::new(),
            scripts: Vec::new(),
        }
    }

    /// Adds a field of the control file, such as `Depends`.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a file (0644), its path without a slash at the start.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into(), 0o644));
        self
    }

    /// Adds a program (0755).
    #[must_use]
    pub fn program(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into(), 0o755));
        self
    }

    /// Adds a maintainer script: `preinst`, `postinst`, `prerm` or `postrm`.
    #[must_use]
    pub fn script(mut self, name: &str, text: &str) -> Self {
        self.scripts.push((name.to_owned(), text.to_owned()));
        self
    }

    fn control(&self) -> String {
        let mut control = format!(
            "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: Test Kit <test@example.org>\nDescription: made for \
             a test\n",
            self.name, self.version
        );
        for (name, value) in &self.fields {
            let _ = writeln!(control, "{name}: {value}");
        }
        control
    }

    /// Makes it.
    pub fn build(self) -> Deb {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let tree = folder.path().join("tree");
        let control = self.control();
        put(&tree.join("DEBIAN/control"), control.as_bytes(), 0o644);
        for (name, text) in &self.scripts {
            put(&tree.join("DEBIAN").join(name), text.as_bytes(), 0o755);
        }
        for (path, content, mode) in &self.files {
            put(&tree.join(path), content, *mode);
        }
        let file_name = format!("{}_{}_all.deb", self.name, self.version.replace(':', "%3a"));
        let archive = folder.path().join("package.deb");
        let mut command = Command::new(tool::required("dpkg-deb"));
        command.args(["--root-owner-group", "-Zgzip", "--build"]).arg(&tree).arg(&archive);
        // The same package has the same bytes, whenever it is made.
        process::run(command.env("SOURCE_DATE_EPOCH", "1700000000"));
        let bytes = fs::read(&archive).unwrap_or_else(|error| panic!("dpkg-deb made nothing: {error}"));
        Deb { file_name, bytes: bytes.into(), control }
    }
}

fn put(path: &Path, content: &[u8], mode: u32) {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, content))
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// The text of `Packages`: what each package says of itself, and where its archive is.
fn packages(debs: &[Deb]) -> String {
    let mut text = String::new();
    for deb in debs {
        let sha256 = digest::sha256(&deb.bytes).replace("sha256:", "");
        let _ = writeln!(
            text,
            "{}Filename: ./{}\nSize: {}\nSHA256: {sha256}\n",
            deb.control,
            deb.file_name,
            deb.bytes.len()
        );
    }
    text
}

/// A layer that puts a repository with these packages into an image, as its only source.
pub fn apt_repository(debs: &[Deb]) -> Layer {
    let source = format!("deb [trusted=yes] file:/{MIRROR} ./\n");
    let mut layer = LayerBuilder::new()
        .directory("etc")
        .directory("etc/apt")
        .file("etc/apt/sources.list", source)
        .directory("etc/apt/sources.list.d")
        .add(Entry::opaque("etc/apt/sources.list.d"))
        .directory("srv")
        .directory(MIRROR)
        .file(&format!("{MIRROR}/Packages"), packages(debs));
    for deb in debs {
        layer = layer.file(&format!("{MIRROR}/{}", deb.file_name), deb.bytes.to_vec());
    }
    layer.build()
}

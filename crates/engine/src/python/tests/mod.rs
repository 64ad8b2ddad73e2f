//! Hand-made images, and which Python they have.

mod bases;
mod distributions;
mod settings;

use std::collections::BTreeMap;

use imagewright_oci::digest::Digest;
use imagewright_oci::layer::entry::{Change, Kind, Metadata};
use imagewright_oci::layer::index::{BinaryFacts, LayerIndex};
use imagewright_oci::tree::ImageTree;
use serde_json::{Value, json};

use super::{PythonError, PythonTarget, detect};

/// An image that is described file by file.
pub(crate) struct Image {
    layer: LayerIndex,
    variables: Vec<String>,
    architecture: &'static str,
}

impl Image {
    /// An amd64 image without any file.
    pub(crate) fn new() -> Self {
        let layer = LayerIndex {
            diff_id: Digest::of(b""),
            uncompressed_size: 0,
            changes: Vec::new(),
            contents: BTreeMap::new(),
            binaries: BTreeMap::new(),
        };
        Self { layer, variables: Vec::new(), architecture: "amd64" }
    }

    /// Debian with glibc 2.36 and `/lib` merged into `/usr/lib`.
    pub(crate) fn debian() -> Self {
        Self::new()
            .text("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n")
            .link("lib", "usr/lib")
            .link("bin", "usr/bin")
            .binary("usr/lib/x86_64-linux-gnu/libc.so.6", 62, Some("2.36"))
    }

    fn add(mut self, path: &str, mode: u32, kind: Kind) -> Self {
        let metadata = Metadata::new(mode, 0, 0, 0);
        self.layer.changes.push(Change::Add { path: path.into(), metadata, kind });
        self
    }

    /// A file whose content the index keeps.
    pub(crate) fn text(mut self, path: &str, content: &str) -> Self {
        self.layer.contents.insert(path.into(), content.as_bytes().into());
        self.add(path, 0o644, Kind::File { size: content.len() as u64 })
    }

    /// An executable script.
    pub(crate) fn script(mut self, path: &str, content: &str) -> Self {
        self.layer.contents.insert(path.into(), content.as_bytes().into());
        self.add(path, 0o755, Kind::File { size: content.len() as u64 })
    }

    /// A file whose content does not matter.
    pub(crate) fn file(self, path: &str) -> Self {
        self.add(path, 0o644, Kind::File { size: 1 })
    }

    /// An executable or library with what the index read out of it.
    pub(crate) fn binary(mut self, path: &str, machine: u16, version: Option<&str>) -> Self {
        let facts = BinaryFacts { machine: Some(machine), version: version.map(str::to_owned) };
        self.layer.binaries.insert(path.into(), facts);
        self.add(path, 0o755, Kind::File { size: 1 })
    }

    /// A symbolic link.
    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.add(path, 0o777, Kind::Symlink { target: target.into() })
    }

    /// An installed distribution with `METADATA`, `INSTALLER` and a `RECORD` of itself and one module.
    pub(crate) fn distribution(self, folder: &str, name: &str, version: &str, installer: &str) -> Self {
        let info = format!("{name}-{version}.dist-info");
        let record = format!("{name}.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n../../../bin/{name},,\n");
        self.text(
            &format!("{folder}/{info}/METADATA"),
            &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: prose\n"),
        )
        .text(&format!("{folder}/{info}/INSTALLER"), &format!("{installer}\n"))
        .text(&format!("{folder}/{info}/RECORD"), &record)
        .file(&format!("{folder}/{name}.py"))
    }

    /// A variable of the image's environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push(format!("{name}={value}"));
        self
    }

    fn architecture(mut self, architecture: &'static str) -> Self {
        self.architecture = architecture;
        self
    }

    /// The tree.
    pub(crate) fn tree(&self) -> ImageTree {
        let mut tree = ImageTree::new();
        tree.apply(&self.layer).unwrap();
        tree
    }

    /// The config.
    pub(crate) fn config(&self) -> Value {
        json!({ "architecture": self.architecture, "os": "linux", "config": { "Env": self.variables } })
    }

    fn detect(&self) -> Result<PythonTarget, PythonError> {
        detect(&self.tree(), &self.config())
    }

    /// The Python, which must be there.
    pub(crate) fn python(&self) -> PythonTarget {
        self.detect().unwrap()
    }
}

//! Source distributions.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::{Entry, LayerBuilder};

/// Makes a source distribution. It has whatever files it is given, and `PKG-INFO`.
#[derive(Debug, Clone)]
pub struct SdistBuilder {
    name: String,
    version: String,
    metadata_lines: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

/// A finished source distribution.
#[derive(Debug, Clone)]
pub struct Sdist {
    /// The file's name, such as `demo-1.0.tar.gz`.
    pub file_name: String,
    /// The archive.
    pub bytes: Bytes,
}

impl Sdist {
    /// Writes the archive into a folder and gives its path.
    pub fn write_to(&self, folder: &Path) -> PathBuf {
        let path = folder.join(&self.file_name);
        fs::write(&path, &self.bytes)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }
}

impl SdistBuilder {
    /// A source distribution with `PKG-INFO` alone.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            metadata_lines: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Adds a requirement.
    #[must_use]
    pub fn requires(mut self, requirement: &str) -> Self {
        self.metadata_lines.push(format!("Requires-Dist: {requirement}"));
        self
    }

    /// Adds a file, its path relative to the archive's one folder.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    /// Adds what setuptools needs to build a module of this name and content.
    #[must_use]
    pub fn setuptools_module(self, module: &str, content: &str) -> Self {
        let setup = format!(
            "from setuptools import setup\nsetup(name={:?}, version={:?}, py_modules=[{module:?}])\n",
            self.name, self.version
        );
        self.file("setup.py", setup).file(&format!("{module}.py"), content)
    }

    /// Writes the archive.
    pub fn build(self) -> Sdist {
        let stem = format!("{}-{}", self.name.replace(['-', '.'], "_"), self.version);
        // 2.2 with nothing declared dynamic: resolvers may believe it without building.
        let mut metadata = format!("Metadata-Version: 2.2\nName: {}\nVersion: {}\n", self.name, self.version);
        for line in &self.metadata_lines {
            metadata.push_str(line);
            metadata.push('\n');
        }
        let archive =
            LayerBuilder::new().add(Entry::directory(&stem)).file(&format!("{stem}/PKG-INFO"), metadata);
        let archive = self
            .files
            .into_iter()
            .fold(archive, |archive, (path, content)| archive.file(&format!("{stem}/{path}"), content));
        Sdist { file_name: format!("{stem}.tar.gz"), bytes: archive.build().blob() }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::SdistBuilder;
    use crate::process::run;

    #[test]
    fn holds_its_files_in_one_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let sdist = SdistBuilder::new("my-demo", "1.0").setuptools_module("demo", "x = 1\n").build();
        let file = sdist.write_to(folder.path());

        let listed = run(Command::new("tar").arg("-tzf").arg(file));

        let listed = String::from_utf8_lossy(&listed.stdout);
        let expected =
            ["my_demo-1.0/", "my_demo-1.0/PKG-INFO", "my_demo-1.0/setup.py", "my_demo-1.0/demo.py"];
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    }
}

//! What was built while a resolution goes on, and how uv is told of it: it gets the metadata of the wheel, and so
//! decides as if it had built it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use toml::Value;

use super::metadata;
use super::resolution::BuiltWheel;
use super::source::Built;

/// What was built for one resolution.
#[derive(Debug, Clone, Default)]
pub(super) struct BuiltPackages {
    /// Source distributions of indexes.
    versions: BTreeMap<(PackageName, Version), Arc<Built>>,
    /// Sources that were asked for by address, with the text of their `direct_url.json`.
    addresses: BTreeMap<PackageName, (Arc<Built>, String)>,
    /// Versions that are looked up: uv is told that they need nothing.
    looked_up: Vec<(PackageName, Version)>,
}

impl BuiltPackages {
    /// True when uv need not be told anything.
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.looked_up.is_empty()
    }

    /// Takes in what was built of an index.
    pub(super) fn add(&mut self, built: Built) {
        self.versions.insert((built.name.clone(), built.version.clone()), Arc::new(built));
    }

    /// Takes in what was built of an address.
    pub(super) fn add_address(&mut self, built: Built, direct_url: String) {
        self.addresses.insert(built.name.clone(), (Arc::new(built), direct_url));
    }

    /// The same, and one version of which only the files are of interest.
    #[must_use]
    pub(super) fn looking_up(&self, name: &PackageName, version: &Version) -> Self {
        let mut looking = self.clone();
        looking.looked_up.push((name.clone(), version.clone()));
        looking
    }

    /// True when this version was built.
    pub(super) fn has(&self, name: &PackageName, version: &Version) -> bool {
        self.versions.contains_key(&(name.clone(), version.clone()))
    }

    /// The wheel of this version, if it was built from the source distribution with this SHA-256.
    pub(super) fn of_version(
        &self,
        name: &PackageName,
        version: &Version,
        sha256: &str,
    ) -> Option<BuiltWheel> {
        let built = self.versions.get(&(name.clone(), version.clone()))?;
        built.build.source.is_archive(sha256).then(|| wheel(built, None))
    }

    /// The wheel of an address that was asked for.
    pub(super) fn of_address(&self, name: &PackageName) -> Option<BuiltWheel> {
        let (built, direct_url) = self.addresses.get(name)?;
        Some(wheel(built, Some(direct_url.clone())))
    }

    /// The part of a configuration file in which uv finds the metadata.
    pub(super) fn configuration(&self) -> String {
        let mut text = String::new();
        for built in self.versions.values() {
            let requirements =
                metadata::requirements(&built.metadata).map(|one| Value::from(one.to_string()));
            let extras = metadata::headers(&built.metadata, "Provides-Extra")
                .filter_map(|extra| ExtraName::from_str(extra).ok())
                .map(|extra| Value::from(extra.to_string()));
            begin(&mut text, &built.name, &built.version);
            let _ = writeln!(text, "requires-dist = {}", Value::Array(requirements.collect()));
            let _ = writeln!(text, "provides-extra = {}", Value::Array(extras.collect()));
            let python = metadata::headers(&built.metadata, "Requires-Python").next();
            if let Some(python) = python.and_then(|python| VersionSpecifiers::from_str(python).ok()) {
                let _ = writeln!(text, "requires-python = {}", Value::from(python.to_string()));
            }
            text.push('\n');
        }
        for (name, version) in self.looked_up.iter().filter(|(name, version)| !self.has(name, version)) {
            begin(&mut text, name, version);
            text.push('\n');
        }
        text
    }
}

fn begin(text: &mut String, name: &PackageName, version: &Version) {
    let (name, version) = (Value::from(name.to_string()), Value::from(version.to_string()));
    let _ = writeln!(text, "[[dependency-metadata]]\nname = {name}\nversion = {version}");
}

fn wheel(built: &Built, direct_url: Option<String>) -> BuiltWheel {
    BuiltWheel {
        file_name: built.file_name.clone(),
        path: built.path.clone(),
        sha256: built.sha256,
        build: built.build.clone(),
        direct_url,
    }
}

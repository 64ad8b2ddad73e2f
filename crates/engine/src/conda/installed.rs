//! What conda has installed in a prefix, by its own records.

use imagewright_oci::layer::path::{has_extension, join};
use imagewright_oci::tree::ImageTree;
use rattler_conda_types::{MatchSpec, ParseMatchSpecOptions, RepoDataRecord};
use serde::Deserialize;

use super::history::{self, Requests};
use super::prefix::CondaPrefix;
use crate::error::{BuildError, ErrorKind};

/// One installed package.
#[derive(Debug, Clone)]
pub struct InstalledPackage {
    /// The record as the channel had it.
    pub record: RepoDataRecord,
    /// Paths of its files in the prefix.
    pub files: Vec<String>,
    /// What was asked for, where it was asked for by name.
    pub requested: Vec<String>,
    /// Name of its record in `conda-meta`.
    pub record_file: String,
}

impl InstalledPackage {
    /// The name in lower case.
    pub fn name(&self) -> &str {
        self.record.package_record.name.as_normalized()
    }

    /// `numpy 1.26.4 py311_0`.
    pub fn label(&self) -> String {
        label(&self.record)
    }
}

/// `numpy 1.26.4 py311_0`.
pub fn label(record: &RepoDataRecord) -> String {
    let package = &record.package_record;
    format!("{} {} {}", package.name.as_normalized(), package.version, package.build)
}

/// All that a prefix says of itself.
#[derive(Debug, Clone, Default)]
pub struct InstalledPrefix {
    /// Its packages by name.
    pub packages: Vec<InstalledPackage>,
    /// What was asked for by name, by the history and the records.
    pub requests: Requests,
    /// What the administrator of the prefix has pinned.
    pub pinned: Vec<MatchSpec>,
    /// The history.
    pub history: Option<String>,
}

/// The part of a record that rattler does not need to be strict about.
#[derive(Deserialize)]
struct Record {
    #[serde(flatten)]
    of_channel: RepoDataRecord,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    requested_spec: Option<String>,
    #[serde(default)]
    requested_specs: Vec<String>,
}

impl InstalledPrefix {
    /// Reads a prefix.
    ///
    /// # Errors
    /// A record or a pin that cannot be read: what is not known cannot be kept.
    pub fn read(tree: &ImageTree, prefix: &CondaPrefix) -> Result<Self, BuildError> {
        let Ok(folder) = tree.real_folder(&prefix.records()) else { return Ok(Self::default()) };
        let mut packages = Vec::new();
        for (name, _) in tree.children(&folder) {
            if has_extension(name, "json") {
                packages.push(package(tree, &join(&folder, name), name)?);
            }
        }
        packages.sort_by(|left, right| left.name().cmp(right.name()));
        if let Some(twice) = packages.windows(2).find(|pair| pair[0].name() == pair[1].name()) {
            return Err(odd(&format!("{} is installed twice", twice[0].name())));
        }
        let history = tree.text(&join(&folder, "history")).map(std::borrow::Cow::into_owned);
        let mut requests = history.as_deref().map(history::requests).unwrap_or_default();
        for package in &packages {
            for spec in &package.requested {
                if let Some(name) = history::name_of(spec) {
                    // conda reads its history first, and so do we; tools that write none keep to the records.
                    requests.entry(name).or_insert_with(|| spec.clone());
                }
            }
        }
        requests.retain(|name, _| packages.iter().any(|package| package.name() == name));
        let pinned = match tree.text(&join(&folder, "pinned")) {
            Some(text) => pins(&text, "conda-meta/pinned")?,
            None => Vec::new(),
        };
        Ok(Self { packages, requests, pinned, history })
    }

    /// Lets what is installed do without a virtual package, which its image does not promise: it was put there by
    /// somebody who knew, and stays.
    pub fn take_for_granted(&mut self, virtual_package: &str) {
        for package in &mut self.packages {
            let depends = &mut package.record.package_record.depends;
            depends.retain(|spec| history::name_of(spec).as_deref() != Some(virtual_package));
        }
    }

    /// Gives records of a solution that have come from `assumed`, where something was taken for granted, all back that
    /// they say of themselves: they may be written anew.
    pub fn give_back(&self, assumed: &Self, records: &mut [RepoDataRecord]) {
        for (recorded, assumed) in self.packages.iter().zip(&assumed.packages) {
            for record in records.iter_mut().filter(|record| **record == assumed.record) {
                record.clone_from(&recorded.record);
            }
        }
    }

    /// A package by its name.
    pub fn find(&self, name: &str) -> Option<&InstalledPackage> {
        self.packages.iter().find(|package| package.name() == name)
    }
}

fn package(tree: &ImageTree, path: &str, file: &str) -> Result<InstalledPackage, BuildError> {
    let content = tree.content(path).ok_or_else(|| odd(&format!("the record {file} is too large")))?;
    let record: Record = serde_json::from_slice(content)
        .map_err(|error| odd(&format!("the record {file} cannot be read: {error}")).with_source(error))?;
    let mut requested = record.requested_specs;
    let single = record.requested_spec.filter(|spec| !spec.is_empty() && spec != "None");
    if requested.is_empty() {
        requested.extend(single);
    }
    Ok(InstalledPackage {
        record: record.of_channel,
        files: record.files,
        requested,
        record_file: file.to_owned(),
    })
}

/// The pins of a file, one a line.
pub(super) fn pins(text: &str, file: &str) -> Result<Vec<MatchSpec>, BuildError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            MatchSpec::from_str(line, ParseMatchSpecOptions::lenient())
                .map_err(|error| odd(&format!("the pin {line:?} of {file} cannot be read: {error}")))
        })
        .collect()
}

fn odd(what: &str) -> BuildError {
    BuildError::new(ErrorKind::Unsupported, format!("the conda packages of the base cannot be told: {what}"))
        .with_next_step("repair the base: `conda list` in a container of it shows what is wrong")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMPY: &str = r#"{"name": "numpy", "version": "1.26.4", "build": "py311_0", "build_number": 0,
        "subdir": "linux-64", "depends": [], "fn": "numpy-1.26.4-py311_0.conda",
        "url": "https://conda.example/forge/linux-64/numpy-1.26.4-py311_0.conda", "channel": "forge",
        "files": ["lib/numpy.py"], "requested_spec": "numpy<2"}"#;

    fn read(files: &[(&str, &str)]) -> Result<InstalledPrefix, BuildError> {
        let tree = crate::conda::testing::tree(files.iter().map(|(path, text)| (*path, text.as_bytes())));
        let prefix = CondaPrefix { path: "/opt/conda".into(), real: "opt/conda".into(), is_new: false };
        InstalledPrefix::read(&tree, &prefix)
    }

    #[test]
    fn records_requests_and_pins_are_read() {
        let found = read(&[
            ("opt/conda/conda-meta/numpy-1.26.4-py311_0.json", NUMPY),
            ("opt/conda/conda-meta/history", "# update specs: ['gone=1']\n"),
            ("opt/conda/conda-meta/pinned", "# a note\n\npython 3.11.*\n"),
        ])
        .unwrap();
        assert_eq!(found.find("numpy").unwrap().label(), "numpy 1.26.4 py311_0");
        assert_eq!(found.requests.values().collect::<Vec<_>>(), ["numpy<2"]);
        assert_eq!(found.pinned.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let error = read(&[("opt/conda/conda-meta/numpy-1-0.json", "{}")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("numpy-1-0.json"), "{error}");
        let error = read(&[("opt/conda/conda-meta/pinned", "numpy >>= 1")]).unwrap_err();
        assert!(error.to_string().contains("pinned"), "{error}");
    }
}

//! What a build has put into an image, as its summary tells.

use std::collections::BTreeMap;

use async_graphql::{Enum, SimpleObject};
use serde_json::Value;

/// What a build has put into an image, the first platform's.
#[derive(SimpleObject, Debug, Default, PartialEq, Eq)]
#[graphql(name = "BuiltPackages")]
pub(super) struct Packages {
    /// System packages that were installed or replaced.
    apt: Vec<Package>,
    /// conda packages that were put in.
    conda: Vec<Package>,
    /// Python packages that were added or that replaced the base's.
    pip: Vec<Package>,
    /// Python packages of the base that satisfied what was asked for and stayed.
    kept: Vec<Package>,
}

/// A package.
#[derive(SimpleObject, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    /// Name.
    name: String,
    /// Version.
    version: String,
    /// The version that it has replaced in the base.
    replaced: Option<String>,
}

/// What installs a package.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PackageManager {
    /// APT.
    #[graphql(name = "apt")]
    Apt,
    /// conda.
    #[graphql(name = "conda")]
    Conda,
    /// pip.
    #[graphql(name = "pip")]
    Pip,
}

impl Packages {
    /// The packages that a summary names.
    pub(super) fn read(summary: &Value) -> Self {
        let image = &summary["images"][0];
        let list = |field: &str| {
            let lines = image[field].as_array().map(Vec::as_slice).unwrap_or_default();
            lines.iter().filter_map(Value::as_str).filter_map(Package::read).collect::<Vec<_>>()
        };
        let mut pip = list("added");
        pip.extend(list("replaced"));
        pip.sort();
        Self { apt: list("system"), conda: list("conda"), pip, kept: list("kept") }
    }

    /// The version of each package, by what installs it and name.
    pub(super) fn versions(&self) -> BTreeMap<(PackageManager, &str), &str> {
        let lists = [
            (PackageManager::Apt, &self.apt),
            (PackageManager::Conda, &self.conda),
            (PackageManager::Pip, &self.pip),
        ];
        let packages =
            lists.into_iter().flat_map(|(manager, list)| list.iter().map(move |one| (manager, one)));
        packages.map(|(manager, one)| ((manager, one.name.as_str()), one.version.as_str())).collect()
    }
}

impl Package {
    /// `name version`, or `name old → new`.
    fn read(line: &str) -> Option<Self> {
        let (name, version) = line.split_once(' ')?;
        let (replaced, version) = match version.split_once(" → ") {
            Some((old, new)) => (Some(old.to_owned()), new),
            None => (None, version),
        };
        Some(Self { name: name.to_owned(), version: version.to_owned(), replaced })
    }
}

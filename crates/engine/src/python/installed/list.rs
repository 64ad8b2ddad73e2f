//! Listing the distributions of all site folders.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use imagewright_oci::layer::path::join;
use imagewright_oci::tree::ImageTree;
use pep440_rs::Version;
use pep508_rs::PackageName;

use super::egg;
use super::{Installed, InstalledDistribution, Owner};
use crate::python::conda;
use crate::python::target::PythonTarget;

/// Installers that put packages beside a system's own without being its package manager.
const INDEPENDENT_INSTALLERS: [&str; 5] = ["pip", "uv", "poetry", "pdm", "imagewright"];

/// Lists what is installed for a target. Of two distributions with one name, that which is first on
/// `sys.path` counts; what has no readable metadata is left out with a warning.
pub fn list(tree: &ImageTree, target: &PythonTarget) -> Installed {
    let owned_by_conda: BTreeSet<String> = [&target.prefix, &target.base_prefix]
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .flat_map(|prefix| conda::owned_metadata(tree, prefix))
        .filter_map(|path| tree.real_parent(&path).ok())
        .collect();
    let mut found: BTreeMap<PackageName, InstalledDistribution> = BTreeMap::new();
    let mut warnings = Vec::new();
    let mut seen_folders = BTreeSet::new();
    let mut links = BTreeSet::new();
    for site in &target.site_folders {
        let Ok(Some(folder)) = tree.resolve(&site.path).map(|found| found.map(|found| found.path)) else {
            continue;
        };
        if !seen_folders.insert(folder.clone()) {
            continue;
        }
        links.extend(editable_links(tree, &folder));
        for (name, _) in tree.children(&folder) {
            let Some(metadata) = Metadata::locate(tree, &folder, name) else {
                continue;
            };
            match metadata.read(tree) {
                Ok(mut distribution) => {
                    distribution.owner = owner(&distribution, site.system, &owned_by_conda);
                    found.entry(distribution.name.clone()).or_insert(distribution);
                }
                Err(reason) => warnings
                    .push(format!("/{} is left out of the resolution: {reason}.", join(&folder, name))),
            }
        }
    }
    // The metadata of a linked project is in its source folder, which a path file names.
    for (name, distribution) in &mut found {
        distribution.editable |= links.contains(name);
    }
    Installed { distributions: found.into_values().collect(), warnings }
}

fn owner(distribution: &InstalledDistribution, system_folder: bool, conda: &BTreeSet<String>) -> Owner {
    let installer = distribution.installer.as_deref().unwrap_or_default();
    if conda.contains(&distribution.metadata_path) {
        Owner::Conda
    } else if installer == "debian" || (system_folder && !INDEPENDENT_INSTALLERS.contains(&installer)) {
        Owner::System
    } else {
        Owner::Pip
    }
}

/// Names that have an `.egg-link`: installed by `setup.py develop`.
fn editable_links(tree: &ImageTree, folder: &str) -> BTreeSet<PackageName> {
    tree.children(folder)
        .filter_map(|(name, _)| PackageName::from_str(name.strip_suffix(".egg-link")?).ok())
        .collect()
}

/// Where the metadata of one distribution is.
struct Metadata {
    folder: String,
    /// The `.dist-info` or `.egg-info`.
    path: String,
    /// The file with name, version and requirements.
    text_path: String,
    egg: bool,
}

impl Metadata {
    /// The metadata behind an entry of a site folder; `None` for everything that is no distribution, and for
    /// the folders (`~ip-23.0.dist-info`) that an interrupted pip leaves behind.
    fn locate(tree: &ImageTree, folder: &str, name: &str) -> Option<Self> {
        let path = join(folder, name);
        let is_folder = || matches!(tree.resolve(&path), Ok(Some(found)) if found.node.is_directory());
        if name.starts_with('~') {
            return None;
        }
        let (text_name, egg) = if name.ends_with(".dist-info") {
            (Some("METADATA"), false)
        } else if name.ends_with(".egg-info") {
            (is_folder().then_some("PKG-INFO"), true)
        } else if name.strip_suffix(".egg").is_some() && is_folder() {
            let inner = join(&path, "EGG-INFO");
            let text_path = join(&inner, "PKG-INFO");
            return Some(Self { folder: path, path: inner, text_path, egg: true });
        } else {
            return None;
        };
        let text_path = text_name.map_or_else(|| path.clone(), |text_name| join(&path, text_name));
        Some(Self { folder: folder.to_owned(), path, text_path, egg })
    }

    /// Reads the distribution; the error is the end of a sentence.
    fn read(self, tree: &ImageTree) -> Result<InstalledDistribution, String> {
        let text_name = self.text_path.rsplit('/').next().unwrap_or_default();
        let text = tree.text(&self.text_path).ok_or_else(|| format!("it has no readable {text_name}"))?;
        let field = |wanted| header(&text, wanted).ok_or_else(|| format!("its {text_name} has no {wanted}"));
        let name = field("Name")?;
        let name =
            PackageName::from_str(name).map_err(|_| format!("“{}” is not a package name", short(name)))?;
        let version = field("Version")?;
        let version =
            Version::from_str(version).map_err(|_| format!("“{}” is not a version", short(version)))?;
        let beside = |file: &str| tree.text(&join(&self.path, file)).map(std::borrow::Cow::into_owned);
        let requires = if self.egg { beside("requires.txt") } else { None };
        let metadata = match requires {
            Some(requires) => egg::with_requirements(&text, &requires),
            None => text.into_owned(),
        };
        let direct_url = beside("direct_url.json");
        Ok(InstalledDistribution {
            editable: direct_url.as_deref().is_some_and(is_editable),
            installer: beside("INSTALLER")
                .map(|text| text.trim().to_lowercase())
                .filter(|name| !name.is_empty()),
            requested: tree.get(&join(&self.path, "REQUESTED")).is_some(),
            metadata_path: tree.real_parent(&self.path).map_err(|error| error.to_string())?,
            folder: self.folder,
            owner: Owner::Pip,
            name,
            version,
            metadata,
            direct_url,
        })
    }
}

/// The first value of a header field; the body of the metadata, behind the first empty line, is prose.
pub(super) fn header<'text>(text: &'text str, wanted: &str) -> Option<&'text str> {
    headers(text, wanted).next()
}

/// All values of a header field.
pub(super) fn headers<'text>(text: &'text str, wanted: &str) -> impl Iterator<Item = &'text str> {
    text.lines().take_while(|line| !line.trim().is_empty()).filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim())
    })
}

/// PEP 610: `{"dir_info": {"editable": true}}`.
fn is_editable(direct_url: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(direct_url)
        .is_ok_and(|value| value["dir_info"]["editable"].as_bool() == Some(true))
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

//! What pip had installed under the names of Python distributions that conda puts in now. conda knows nothing of it
//! and would leave two of one name behind.

use std::collections::BTreeSet;

use imagewright_oci::tree::ImageTree;
use serde_json::Value;

use super::super::target::PythonBase;
use crate::assemble::removal::RemovedPackage;
use crate::packages::PreparedConda;
use crate::python::installed::{InstalledDistribution, Owner};

/// Normalised name and metadata folder of each Python distribution that the packages bring.
pub(super) fn brought(prepared: &[PreparedConda]) -> BTreeSet<(String, String)> {
    let places = prepared.iter().flat_map(|package| &package.placement.places);
    let metadata = places.filter_map(|place| {
        let folder = place.path.strip_suffix("/METADATA")?;
        let (_, name) = folder.rsplit_once('/')?;
        let (name, _) = name.strip_suffix(".dist-info")?.split_once('-')?;
        Some((normalised(name), folder.to_owned()))
    });
    metadata.collect()
}

/// The packages of pip's that make way.
pub(super) fn make_way(
    tree: &ImageTree,
    config: &Value,
    brought: &BTreeSet<(String, String)>,
) -> Vec<RemovedPackage> {
    // A base without a Python has nothing of pip's.
    let Ok(python) = PythonBase::read(tree, config) else { return Vec::new() };
    let stands_in_the_way = |distribution: &&InstalledDistribution| {
        distribution.owner == Owner::Pip
            && brought.iter().any(|(name, folder)| {
                *name == distribution.name.to_string()
                    && folder.rsplit_once('/').is_some_and(|(site, _)| site == distribution.folder)
            })
    };
    let found = python.installed.distributions.iter().filter(stands_in_the_way);
    found
        .filter_map(|distribution| {
            Some(RemovedPackage {
                label: format!("{} {}", distribution.name, distribution.version),
                site_folder: distribution.folder.clone(),
                files: distribution.files(tree)?,
            })
        })
        .collect()
}

/// A name as PEP 503 normalises it.
fn normalised(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

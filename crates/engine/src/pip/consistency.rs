//! Packages of the base that stay: does what is new break what they need?

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, PackageName, VersionOrUrl};

use super::metadata;
use crate::python::installed::Installed;

/// A package of the base whose requirement is not met any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The package that stays.
    pub(super) name: PackageName,
    /// Its version.
    pub(super) version: Version,
    /// True when it is installed from a source folder.
    pub(super) editable: bool,
    /// What it needs: `numpy<2`.
    pub(super) requirement: String,
    /// The package it needs.
    pub(super) of: PackageName,
    /// The version of that package now.
    pub(super) now: Version,
}

impl Broken {
    /// The sentence that people see, in pip's sense.
    pub(super) fn sentence(&self) -> String {
        let Self { name, version, requirement, of, now, .. } = self;
        format!("{name} {version} of the base needs {requirement}, but the image will have {of} {now}.")
    }
}

/// Finds the requirements of staying packages that the new versions break; what was broken before is not counted.
///
/// `new` holds the name and version of everything in the resolution.
pub(super) fn broken(
    installed: &Installed,
    new: &BTreeMap<PackageName, Version>,
    environment: &MarkerEnvironment,
) -> Vec<Broken> {
    let mut found = Vec::new();
    let stays = |name: &PackageName, version: &Version| new.get(name).is_none_or(|now| now == version);
    for distribution in installed.distributions.iter().filter(|one| stays(&one.name, &one.version)) {
        for requirement in metadata::requirements(&distribution.metadata) {
            let Some(now) = new.get(&requirement.name) else { continue };
            let Some(VersionOrUrl::VersionSpecifier(wanted)) = &requirement.version_or_url else { continue };
            let before = installed.get(&requirement.name).map(|before| &before.version);
            let met_before = before.is_none_or(|before| wanted.contains(before));
            if wanted.contains(now) || !met_before || !requirement.evaluate_markers(environment, &[]) {
                continue;
            }
            found.push(Broken {
                name: distribution.name.clone(),
                version: distribution.version.clone(),
                editable: distribution.editable,
                requirement: format!("{}{wanted}", requirement.name),
                of: requirement.name.clone(),
                now: now.clone(),
            });
        }
    }
    found
}

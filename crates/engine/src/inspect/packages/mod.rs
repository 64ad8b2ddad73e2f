//! The packages of an image's system package manager and of its conda prefixes.

mod apk;
mod conda;
mod dpkg;
mod paragraphs;
pub(crate) use paragraphs::paragraphs;

use imagewright_oci::layer::entry::Kind;
use imagewright_oci::tree::ImageTree;

use super::report::{PackageReport, PackageSet};

/// The packages of each manager that left records.
pub(super) fn all(tree: &ImageTree) -> Vec<PackageSet> {
    let system = [("dpkg", dpkg::packages(tree)), ("apk", apk::packages(tree))];
    let mut sets: Vec<PackageSet> = system
        .into_iter()
        .filter(|(_, packages)| !packages.is_empty())
        .map(|(manager, packages)| set(manager, None, packages))
        .collect();
    sets.extend(conda::prefixes(tree).into_iter().map(|prefix| {
        let packages = conda::packages(tree, &prefix);
        set("conda", Some(format!("/{prefix}")), packages)
    }));
    sets
}

fn set(manager: &'static str, prefix: Option<String>, mut packages: Vec<PackageReport>) -> PackageSet {
    packages.sort();
    PackageSet { manager, prefix, packages }
}

/// Bytes of regular files at these normalised paths; what is not there, or something else, counts nothing.
pub(super) fn size_of<'path>(tree: &ImageTree, paths: impl IntoIterator<Item = &'path str>) -> u64 {
    let size = |path| match tree.get(path)?.kind {
        Kind::File { size } => Some(size),
        _ => None,
    };
    // Sizes are an image's own claim: many lies must not add up to a panic.
    paths.into_iter().filter_map(size).fold(0, u64::saturating_add)
}

//! What tells two images apart: packages that came, went and changed, and the bytes of their layers.

use std::collections::{BTreeMap, BTreeSet};

use imagewright_oci::digest::Digest;
use serde::Serialize;

use super::report::{ImageReport, PackageReport};

/// The difference between two images. Its JSON is a contract: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageDifference {
    /// The image that is compared.
    pub from: ComparedImage,
    /// The image that it is compared with.
    pub to: ComparedImage,
    /// True where both are the very same image.
    pub identical: bool,
    /// Packages by manager, where something differs.
    pub packages: Vec<PackageChanges>,
    /// Compressed bytes of layers.
    pub layers: LayerBytes,
}

/// One of the two images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComparedImage {
    /// The reference that was asked for.
    pub reference: String,
    /// Digest of the platform's manifest.
    pub digest: Digest,
    /// The platform.
    pub platform: String,
    /// Compressed size of all its layers.
    pub compressed_size: u64,
}

/// What differs among the packages of one manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageChanges {
    /// `dpkg`, `apk`, `conda` or `pip`.
    pub manager: String,
    /// The prefix of a conda environment or of a Python.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Packages that only the second image has, by name.
    pub added: Vec<PackageReport>,
    /// Packages that only the first image has, by name.
    pub removed: Vec<PackageReport>,
    /// Packages at another version, or of another build, by name.
    pub changed: Vec<ChangedPackage>,
}

/// A package at two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedPackage {
    /// Name, as its manager writes it.
    pub name: String,
    /// Version in the first image.
    pub from: String,
    /// Version in the second image.
    pub to: String,
    /// Installed size in the first image; `null` where nothing tells.
    pub from_size: Option<u64>,
    /// Installed size in the second image.
    pub to_size: Option<u64>,
}

/// Compressed bytes of layers: what a machine that has one image transfers for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LayerBytes {
    /// Of layers that only the first image has.
    pub removed: u64,
    /// Of layers that only the second image has.
    pub added: u64,
    /// Of layers that both have.
    pub shared: u64,
}

/// Compares two images.
pub fn difference(from: &ImageReport, to: &ImageReport) -> ImageDifference {
    let (left, right) = (sets(from), sets(to));
    let keys: BTreeSet<&SetKey> = left.keys().chain(right.keys()).collect();
    let none = BTreeMap::new();
    let packages = keys
        .into_iter()
        .filter_map(|key| changes(key, left.get(key).unwrap_or(&none), right.get(key).unwrap_or(&none)));
    ImageDifference {
        from: compared(from),
        to: compared(to),
        identical: from.digest == to.digest,
        packages: packages.collect(),
        layers: layer_bytes(from, to),
    }
}

/// Manager and prefix.
type SetKey = (&'static str, Option<String>);

/// Packages by name.
type Packages<'report> = BTreeMap<&'report str, &'report PackageReport>;

fn sets(report: &ImageReport) -> BTreeMap<SetKey, Packages<'_>> {
    let mut sets: BTreeMap<SetKey, Packages<'_>> = BTreeMap::new();
    for set in &report.packages {
        let packages = set.packages.iter().map(|package| (package.name.as_str(), package));
        sets.entry((set.manager, set.prefix.clone())).or_default().extend(packages);
    }
    for interpreter in &report.interpreters {
        // What another manager has put there is told with that manager.
        let is_pips = |package: &&PackageReport| {
            package.installer.as_deref().is_none_or(|installer| matches!(installer, "pip" | "uv"))
        };
        let packages = interpreter.packages.iter().filter(is_pips);
        let packages = packages.map(|package| (package.name.as_str(), package));
        sets.entry(("pip", Some(interpreter.prefix.clone()))).or_default().extend(packages);
    }
    sets
}

fn changes(key: &SetKey, left: &Packages<'_>, right: &Packages<'_>) -> Option<PackageChanges> {
    let only = |these: &Packages<'_>, those: &Packages<'_>| {
        let only = these.iter().filter(|(name, _)| !those.contains_key(*name));
        only.map(|(_, package)| (*package).clone()).collect::<Vec<_>>()
    };
    let changed = left.iter().filter_map(|(name, old)| {
        let new = right.get(name).filter(|new| new.version != old.version || new.build != old.build)?;
        // Builds of one version are told apart by their names.
        let shown = |package: &PackageReport| match &package.build {
            Some(build) if new.version == old.version => format!("{} {build}", package.version),
            _ => package.version.clone(),
        };
        Some(ChangedPackage {
            name: (*name).to_owned(),
            from: shown(old),
            to: shown(new),
            from_size: old.size,
            to_size: new.size,
        })
    });
    let found = PackageChanges {
        manager: key.0.to_owned(),
        prefix: key.1.clone(),
        added: only(right, left),
        removed: only(left, right),
        changed: changed.collect(),
    };
    let is_empty = found.added.is_empty() && found.removed.is_empty() && found.changed.is_empty();
    (!is_empty).then_some(found)
}

fn compared(report: &ImageReport) -> ComparedImage {
    ComparedImage {
        reference: report.reference.clone(),
        digest: report.digest,
        platform: report.platform.clone(),
        compressed_size: report.compressed_size,
    }
}

/// A layer that is in an image twice is transferred once.
fn layer_bytes(from: &ImageReport, to: &ImageReport) -> LayerBytes {
    let layers = |report: &ImageReport| -> BTreeMap<Digest, u64> {
        report.layers.iter().map(|layer| (layer.digest, layer.compressed_size)).collect()
    };
    let (left, right) = (layers(from), layers(to));
    let sum = |these: &BTreeMap<Digest, u64>, those: &BTreeMap<Digest, u64>, shared: bool| {
        let found = these.iter().filter(|(digest, _)| those.contains_key(*digest) == shared);
        found.map(|(_, size)| *size).fold(0, u64::saturating_add)
    };
    LayerBytes {
        removed: sum(&left, &right, false),
        added: sum(&right, &left, false),
        shared: sum(&right, &left, true),
    }
}

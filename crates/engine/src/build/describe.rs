//! A few words on what a step found, and the summary of an image.

use super::image::AssembledImage;
use crate::base::{self, Base};
use crate::lock::Lock;
use crate::summary::PlatformImage;
use crate::words;

/// `Debian GNU/Linux 12 (bookworm), 1 layers, 11726 paths`.
pub(super) fn describe_base(base: &Base) -> String {
    let system =
        base::operating_system(&base.tree).map_or_else(|| "no os-release".to_owned(), |system| system.name);
    format!(
        "{system}, {}, {}",
        words::count(base.image.manifest.layers.len(), "layer"),
        words::count(base.tree.len(), "path")
    )
}

/// `6 packages to add, 0 kept from the base`.
pub(super) fn describe_lock(lock: &Lock) -> String {
    format!("{} to add, {} kept from the base", words::count(lock.pip.len(), "package"), lock.kept.len())
}

/// `numpy 1.24.4 → 2.2.6`, one a package.
pub(super) fn replaced_lines(lock: &Lock) -> Vec<String> {
    lock.replaced.iter().map(|one| format!("{} {} → {}", one.name, one.old, one.new)).collect()
}

/// `jq 1.6-2.1`, one a system package.
pub(super) fn system_lines(lock: &Lock) -> Vec<String> {
    lock.apt.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
}

/// `numpy 1.26.4`, one a conda package, in order of name.
fn conda_lines(lock: &Lock) -> Vec<String> {
    let packages = lock.conda.iter().flat_map(|conda| &conda.packages);
    let mut lines: Vec<String> =
        packages.map(|one| format!("{} {}", one.name(), one.record.package_record.version)).collect();
    lines.sort();
    lines
}

/// What people are told of an image.
pub(super) fn platform_image(
    platform: &str,
    base: &Base,
    lock: &Lock,
    assembled: &AssembledImage,
) -> PlatformImage {
    let mut added: Vec<String> =
        lock.pip.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
    added.sort();
    PlatformImage {
        platform: platform.to_owned(),
        digest: assembled.manifest.digest,
        base_digest: base.image.digest(),
        revision: assembled.revision.clone(),
        size: assembled.size(),
        layers: assembled.layers.len(),
        system: system_lines(lock),
        conda: conda_lines(lock),
        added,
        replaced: replaced_lines(lock),
        kept: lock.kept.clone(),
    }
}

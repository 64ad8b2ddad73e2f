//! Which system packages an image has, and which of them a step installed.

use std::collections::BTreeSet;

use imagewright_oci::tree::ImageTree;
use serde::{Deserialize, Serialize};

use crate::inspect::paragraphs;

/// Where dpkg keeps what is installed.
const STATUS: &str = "var/lib/dpkg/status";

/// Longest name, version or architecture that is taken from an image, in bytes.
const LONGEST: usize = 256;

/// A system package at exactly one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LockedSystemPackage {
    /// Name of the binary package.
    pub name: String,
    /// Whole version, with epoch and revision.
    pub version: String,
    /// `amd64`, `arm64` or `all`.
    pub architecture: String,
}

impl LockedSystemPackage {
    /// True for text that Debian's policy (5.6.1, 5.6.8, 5.6.12) allows. An image may say anything.
    pub fn is_sound(&self) -> bool {
        let of = |text: &str, more: &str| {
            !text.is_empty()
                && text.len() <= LONGEST
                && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
        };
        of(&self.name, "+-.") && of(&self.version, "+-.:~") && of(&self.architecture, "-")
    }
}

/// The packages that are installed whole.
fn installed(tree: &ImageTree) -> BTreeSet<LockedSystemPackage> {
    let Some(text) = tree.text(STATUS) else { return BTreeSet::new() };
    paragraphs(&text)
        .filter(|one| one.field("Status").is_some_and(|status| status.ends_with(" installed")))
        .filter_map(|one| {
            Some(LockedSystemPackage {
                name: one.field("Package")?.to_owned(),
                version: one.field("Version")?.to_owned(),
                architecture: one.field("Architecture")?.to_owned(),
            })
        })
        .filter(LockedSystemPackage::is_sound)
        .collect()
}

/// The packages of these names that an image has, at their versions.
pub(crate) fn installed_of(tree: &ImageTree, names: &BTreeSet<&str>) -> Vec<LockedSystemPackage> {
    installed(tree).into_iter().filter(|package| names.contains(package.name.as_str())).collect()
}

/// The packages of an image that its base does not have, or has at another version, sorted.
pub(crate) fn installed_difference(base: &ImageTree, image: &ImageTree) -> Vec<LockedSystemPackage> {
    let before = installed(base);
    installed(image).into_iter().filter(|package| !before.contains(package)).collect()
}

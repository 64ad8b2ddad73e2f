//! Files of the base that packages put theirs in the place of. conda does so too, and says it.

use std::collections::BTreeMap;

use imagewright_oci::tree::ImageTree;

use super::install::real_path;
use crate::conda::{CondaPrefix, InstalledPackage};
use crate::packages::PreparedConda;
use crate::words;

/// A warning for each package and whose files it replaces. `tree` is the base without what goes, `staying` are the
/// packages that it has.
pub(super) fn clobbered(
    tree: &ImageTree,
    prefix: &CondaPrefix,
    staying: &[&InstalledPackage],
    prepared: &[PreparedConda],
) -> Vec<String> {
    // Of several packages the last keeps a path.
    let mut keepers: BTreeMap<&str, &str> = BTreeMap::new();
    for package in prepared {
        let places = package.placement.places.iter().map(|place| place.path.as_str());
        keepers.extend(places.filter(|path| tree.get(path).is_some()).map(|path| (path, &*package.label)));
    }
    if keepers.is_empty() {
        return Vec::new();
    }
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for package in staying {
        let paths = package.files.iter().filter_map(|file| real_path(tree, prefix, file));
        owners.extend(paths.filter(|path| keepers.contains_key(&**path)).map(|path| (path, package.label())));
    }
    let mut groups: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
    for (path, keeper) in keepers {
        groups.entry((keeper, owners.get(path).map(String::as_str))).or_default().push(path);
    }
    let warnings = groups.into_iter().filter_map(|((keeper, owner), paths)| {
        let (first, others) = paths.split_first()?;
        let more = match others.len() {
            0 => String::new(),
            count => format!(" (and {} more)", words::count(count, "file")),
        };
        let owner = owner.map_or_else(String::new, |owner| format!(" in {owner}"));
        Some(format!(
            "/{first}{more} of the base{owner} is in {keeper} too: that of {keeper} is used, as conda does it"
        ))
    });
    warnings.collect()
}

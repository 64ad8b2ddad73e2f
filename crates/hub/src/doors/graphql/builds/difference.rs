//! What two revisions have of which the other has something else.

use async_graphql::SimpleObject;
use imagewright_store::builds::Build;

use super::packages::{PackageManager, Packages};

/// What changes from one revision to another.
#[derive(SimpleObject, Debug, PartialEq, Eq)]
pub(super) struct ImageDifference {
    /// Digest of the base before, if it is another one after.
    base_before: Option<String>,
    /// Digest of the base after, if it was another one before.
    base_after: Option<String>,
    /// The packages that differ, by what installs them and name.
    packages: Vec<PackageDifference>,
}

/// A package that differs.
#[derive(SimpleObject, Debug, PartialEq, Eq)]
pub(super) struct PackageDifference {
    /// What installs it.
    manager: PackageManager,
    /// Name.
    name: String,
    /// Version before; null where it was not there.
    before: Option<String>,
    /// Version after; null where it is not there.
    after: Option<String>,
}

impl ImageDifference {
    /// What changes from one build to another. One that has pushed nothing has nothing.
    pub(super) fn between(before: &Build, after: &Build) -> Self {
        let base = |build: &Build| build.product.as_ref().and_then(|product| product.base_digest.clone());
        let is_other_base = base(before) != base(after);
        Self {
            base_before: base(before).filter(|_| is_other_base),
            base_after: base(after).filter(|_| is_other_base),
            packages: differing(&packages_of(before), &packages_of(after)),
        }
    }
}

fn packages_of(build: &Build) -> Packages {
    build.product.as_ref().map(|product| Packages::read(&product.summary)).unwrap_or_default()
}

fn differing(before: &Packages, after: &Packages) -> Vec<PackageDifference> {
    let (before, after) = (before.versions(), after.versions());
    let mut keys: Vec<_> = before.keys().chain(after.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let differing = keys.into_iter().filter(|key| before.get(key) != after.get(key));
    differing
        .map(|(manager, name)| PackageDifference {
            manager,
            name: name.to_owned(),
            before: before.get(&(manager, name)).map(ToString::to_string),
            after: after.get(&(manager, name)).map(ToString::to_string),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exactly_what_differs() {
        let read = |image| Packages::read(&json!({ "images": [image] }));
        let before =
            read(json!({ "system": ["curl 7"], "added": ["numpy 1.26"], "replaced": ["pip 23 → 24"] }));
        let after = read(json!({ "conda": ["curl 8"], "added": ["numpy 2.1"], "replaced": ["pip 23 → 24"] }));
        let found: Vec<_> = differing(&before, &after)
            .into_iter()
            .map(|one| (one.manager, one.name, one.before, one.after))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                (PackageManager::Apt, "curl".to_owned(), text("7"), None),
                (PackageManager::Conda, "curl".to_owned(), None, text("8")),
                (PackageManager::Pip, "numpy".to_owned(), text("1.26"), text("2.1")),
            ]
        );
        assert_eq!(differing(&after, &after), []);
    }
}

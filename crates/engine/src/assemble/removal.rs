//! Taking replaced packages out: whiteouts in one layer directly above the base.
//!
//! A whiteout hides what *lower* layers have. Standing directly above the base, these can only hide what the
//! base has, never a file that one of our layers puts in the same place.

use std::collections::BTreeSet;
use std::io::{self, Write};

use imagewright_oci::layer::path::{ancestors, join};
use imagewright_oci::layer::tar::{write_directory, write_whiteout};
use imagewright_oci::tree::ImageTree;

use super::folders::folder_metadata;

/// A package of the base that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedPackage {
    /// Name and version, for the image's history.
    pub label: String,
    /// The real path of the folder it was installed into: folders that become empty are removed below it only.
    pub site_folder: String,
    /// The real paths of its files and of the bytecode made from them, as
    /// [`InstalledDistribution::files`](crate::python::installed::InstalledDistribution::files) gives them.
    pub files: Vec<String>,
}

/// What is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removal {
    /// The outermost paths that go: normalised, without links on their way.
    pub whiteouts: BTreeSet<String>,
    /// The packages, for the image's history.
    pub labels: Vec<String>,
}

impl Removal {
    /// Works out what has to be hidden so that nothing of `packages` is left: their files, and folders that
    /// then are empty. Files that are not there (any more) are passed over.
    pub fn plan(tree: &ImageTree, packages: &[RemovedPackage]) -> Self {
        let mut gone = BTreeSet::new();
        for package in packages {
            let mut folders = BTreeSet::new();
            for path in &package.files {
                if tree.get(path).is_some_and(|node| !node.is_directory()) {
                    let below_site = |folder: &&str| is_below(folder, &package.site_folder);
                    folders.extend(ancestors(path).filter(below_site).map(str::to_owned));
                    gone.insert(path.clone());
                }
            }
            // The innermost first, so that a folder of emptied folders is seen as empty.
            for folder in folders.into_iter().rev() {
                if tree.children(&folder).all(|(name, _)| gone.contains(&join(&folder, name))) {
                    gone.insert(folder);
                }
            }
        }
        let outermost = |path: &&String| !ancestors(path).any(|ancestor| gone.contains(ancestor));
        let whiteouts = gone.iter().filter(outermost).cloned().collect();
        Self { whiteouts, labels: packages.iter().map(|package| package.label.clone()).collect() }
    }

    /// True when nothing goes.
    pub fn is_empty(&self) -> bool {
        self.whiteouts.is_empty()
    }

    /// The tree without what goes.
    pub fn apply(&self, tree: &mut ImageTree) {
        for path in &self.whiteouts {
            tree.remove(path);
        }
    }

    /// Writes the whiteouts and the folders above them, which keep the base's mode and owner. `tree` is the
    /// base's, whole.
    ///
    /// # Errors
    /// What `output` gives.
    pub fn write(&self, output: &mut dyn Write, tree: &ImageTree) -> io::Result<()> {
        let folders: BTreeSet<&str> = self.whiteouts.iter().flat_map(|path| ancestors(path)).collect();
        for folder in folders {
            write_directory(output, folder, &folder_metadata(tree, folder))?;
        }
        for path in &self.whiteouts {
            write_whiteout(output, path)?;
        }
        Ok(())
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

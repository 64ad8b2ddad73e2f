//! The prefix of an interpreter: the folder whose `lib/python3.X` holds its standard library.

use imagewright_oci::layer::path::{join, split};
use imagewright_oci::tree::ImageTree;

use super::error::PythonError;
use super::target::library_name;
use super::version::PythonVersion;

/// A Python installation without regard to virtual environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    /// The executable with all links followed.
    pub(super) executable: String,
    /// `sys.base_prefix`.
    pub(super) prefix: String,
    /// Major and minor version; the patch is found elsewhere.
    pub(super) version: PythonVersion,
    /// Whether its library folder ends in `t`.
    pub(super) free_threaded: bool,
}

/// Finds the installation of a resolved executable, as `getpath` of `CPython` does: upwards from its folder
/// to the landmark `lib/python3.X/os.py`.
pub(super) fn find(tree: &ImageTree, executable: &str) -> Result<Installation, PythonError> {
    let (folder, name) = split(executable);
    let named = PythonVersion::from_library_name(name);
    let mut prefix = folder;
    loop {
        let landmark = match &named {
            Some((version, free_threaded)) => {
                has_library(tree, prefix, &library_name(version, *free_threaded))
                    .then(|| (version.clone(), *free_threaded))
            }
            None => newest_library(tree, prefix),
        };
        if let Some((version, free_threaded)) = landmark {
            let executable = executable.to_owned();
            return Ok(Installation { executable, prefix: prefix.to_owned(), version, free_threaded });
        }
        if prefix.is_empty() {
            return Err(PythonError::NoStandardLibrary { executable: executable.to_owned() });
        }
        prefix = split(prefix).0;
    }
}

fn has_library(tree: &ImageTree, prefix: &str, library: &str) -> bool {
    ["lib", "lib64"].iter().any(|folder| {
        matches!(tree.resolve(&join(prefix, &format!("{folder}/{library}/os.py"))), Ok(Some(_)))
    })
}

/// The newest `lib/python3.X` with a standard library below a prefix: for executables that do not name their
/// version.
fn newest_library(tree: &ImageTree, prefix: &str) -> Option<(PythonVersion, bool)> {
    let folder = tree.real_folder(&join(prefix, "lib")).ok()?;
    tree.children(&folder)
        .filter_map(|(name, _)| PythonVersion::from_library_name(name))
        .filter(|(version, free_threaded)| has_library(tree, prefix, &library_name(version, *free_threaded)))
        .max_by_key(|(version, free_threaded)| (version.major, version.minor, !free_threaded))
}

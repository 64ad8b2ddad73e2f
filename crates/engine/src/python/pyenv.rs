//! pyenv: shims on `PATH` that choose one of the versions below pyenv's root.

use imagewright_oci::layer::path::split;
use imagewright_oci::tree::ImageTree;

use super::environment::{ImageEnvironment, lexically_normalised};
use super::error::PythonError;

/// True for a script that pyenv made.
pub(super) fn is_shim(path: &str, script: &str) -> bool {
    split(split(path).0).1 == "shims" && script.contains("pyenv")
}

/// The executable that a shim starts: that of the first version which has it, in pyenv's order of
/// `PYENV_VERSION` and the `version` file of its root. A `.python-version` of a project does not count.
pub(super) fn resolve_shim(
    tree: &ImageTree,
    environment: &ImageEnvironment,
    shim: &str,
) -> Result<String, PythonError> {
    let (shims, name) = split(shim);
    let root = environment
        .variable("PYENV_ROOT")
        .and_then(|root| lexically_normalised(root, ""))
        .unwrap_or_else(|| split(shims).0.to_owned());
    let wanted = environment
        .variable("PYENV_VERSION")
        .map(str::to_owned)
        .or_else(|| tree.text(&format!("{root}/version")).map(std::borrow::Cow::into_owned))
        .unwrap_or_else(|| "system".to_owned());
    let versions: Vec<&str> = wanted.split([':', ' ', '\n']).filter(|version| !version.is_empty()).collect();
    for version in &versions {
        for version in installed_as(tree, &root, version) {
            let executable = format!("{root}/versions/{version}/bin/{name}");
            if tree.resolve(&executable)?.is_some_and(|found| found.node.is_file()) {
                return Ok(executable);
            }
        }
    }
    Err(PythonError::PyenvVersionMissing { executable: shim.to_owned(), wanted: versions.join(" "), root })
}

/// The folder names a version may mean: itself, or for a prefix such as `3.12` the newest patch of it.
fn installed_as(tree: &ImageTree, root: &str, version: &str) -> Vec<String> {
    if version.contains('/') || version == ".." {
        return Vec::new();
    }
    let prefix = format!("{version}.");
    let versions = tree.real_folder(&format!("{root}/versions")).unwrap_or_default();
    let mut newest: Vec<(u32, &str)> = tree
        .children(&versions)
        .filter_map(|(name, _)| Some((name.strip_prefix(&prefix)?.parse().ok()?, name)))
        .collect();
    newest.sort_unstable();
    let mut names = vec![version.to_owned()];
    names.extend(newest.iter().rev().map(|(_, name)| (*name).to_owned()));
    names
}

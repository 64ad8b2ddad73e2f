//! Every Python of an image: the one that `python3` means, and those in other folders.

use std::collections::BTreeSet;

use imagewright_oci::layer::path::{join, split};
use imagewright_oci::tree::ImageTree;
use serde_json::{Value, json};

use super::packages::size_of;
use super::report::{InterpreterReport, PackageReport};
use crate::python::installed::{self, InstalledDistribution, Owner};
use crate::python::{PythonKind, PythonTarget, detect};

/// Folders with a `python3` that are looked at. Each costs a listing of its packages; an image with more is made
/// to keep us busy.
const MOST_FOLDERS: usize = 32;

/// The interpreters, the default one first, and why there is no default one.
pub(super) fn all(tree: &ImageTree, config: &Value) -> (Vec<InterpreterReport>, Option<String>) {
    let (default, missing) = match detect(tree, config) {
        Ok(target) => (Some(target), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut known: BTreeSet<String> = default.iter().map(|target| target.prefix.clone()).collect();
    let mut interpreters: Vec<InterpreterReport> =
        default.iter().map(|target| report(tree, target, true)).collect();
    for folder in folders(tree) {
        // Asked with this folder as the whole `PATH`, the same rules say what its `python3` is.
        let Ok(target) = detect(tree, &with_path(config, &folder)) else { continue };
        if known.insert(target.prefix.clone()) {
            interpreters.push(report(tree, &target, false));
        }
    }
    (interpreters, missing)
}

/// Folders that hold a `python3` or `python`, in the order of their paths.
fn folders(tree: &ImageTree) -> BTreeSet<String> {
    tree.walk("")
        .filter(|(path, node)| matches!(split(path).1, "python3" | "python") && !node.is_directory())
        .map(|(path, _)| split(path).0.to_owned())
        .take(MOST_FOLDERS)
        .collect()
}

fn with_path(config: &Value, folder: &str) -> Value {
    json!({
        "architecture": config["architecture"],
        "config": {"Env": [format!("PATH=/{folder}")]},
    })
}

fn report(tree: &ImageTree, target: &PythonTarget, default: bool) -> InterpreterReport {
    let absolute = |path: &str| format!("/{path}");
    let installed = installed::list(tree, target);
    InterpreterReport {
        executable: target.executable_path(),
        version: target.version.to_string(),
        kind: kind(target.kind),
        default,
        prefix: absolute(&target.prefix),
        libc: target.libc.to_string(),
        install_folder: absolute(&target.install.purelib),
        site_folders: target.site_folders.iter().map(|folder| absolute(&folder.path)).collect(),
        packages: installed.distributions.iter().map(|found| package(tree, found)).collect(),
        warnings: installed.warnings,
    }
}

fn kind(kind: PythonKind) -> &'static str {
    match kind {
        PythonKind::Debian => "debian",
        PythonKind::RedHat => "red_hat",
        PythonKind::VirtualEnvironment => "virtual_environment",
        PythonKind::Conda => "conda",
        PythonKind::Pyenv => "pyenv",
        PythonKind::Plain => "plain",
    }
}

fn package(tree: &ImageTree, distribution: &InstalledDistribution) -> PackageReport {
    let files = distribution.files(tree).map(|files| size_of(tree, files.iter().map(String::as_str)));
    // Debian's own packages list no files of their own: the modules beside their metadata say how large they are.
    let size = files.or_else(|| size_of_modules(tree, distribution));
    PackageReport {
        name: distribution.name.to_string(),
        version: distribution.version.to_string(),
        size,
        build: None,
        installer: match distribution.owner {
            Owner::Pip => distribution.installer.clone(),
            // Many of these say nothing of it, and some that pip did it.
            Owner::System => Some("system".to_owned()),
            Owner::Conda => Some("conda".to_owned()),
        },
    }
}

/// Bytes of the modules that `top_level.txt` names, beside the metadata.
fn size_of_modules(tree: &ImageTree, distribution: &InstalledDistribution) -> Option<u64> {
    let names = tree.text(&join(&distribution.metadata_path, "top_level.txt"))?;
    let mut size = 0;
    for name in names.lines().map(str::trim).filter(|name| !name.is_empty() && !name.contains('/')) {
        let module = join(&distribution.folder, name);
        size += size_of(tree, tree.walk(&module).map(|(path, _)| path));
        size += size_of(tree, [format!("{module}.py").as_str()]);
    }
    (size > 0).then_some(size)
}

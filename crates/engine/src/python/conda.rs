//! Conda prefixes: `conda-meta/` with one JSON record for each package.

use std::collections::BTreeSet;

use imagewright_oci::layer::path::join;
use imagewright_oci::tree::ImageTree;
use serde::Deserialize;

/// The part of a `conda-meta` record that is needed here.
#[derive(Debug, Deserialize)]
struct Record {
    name: String,
    version: String,
    #[serde(default)]
    files: Vec<String>,
}

/// True when conda installs into this prefix.
pub(super) fn is_prefix(tree: &ImageTree, prefix: &str) -> bool {
    records(tree, prefix).next().is_some()
}

/// The version of conda's `python` package.
pub(super) fn python_version(tree: &ImageTree, prefix: &str) -> Option<String> {
    records(tree, prefix)
        .filter(|path| path.contains("/python-"))
        .filter_map(|path| read(tree, &path))
        .find(|record| record.name == "python")
        .map(|record| record.version)
}

/// Normalised paths of all metadata folders and files of Python distributions that conda's packages own in a
/// prefix: `…/numpy-1.26.4.dist-info`, `…/six-1.16.0-py3.11.egg-info`.
pub(super) fn owned_metadata(tree: &ImageTree, prefix: &str) -> BTreeSet<String> {
    let mut owned = BTreeSet::new();
    for record in records(tree, prefix).filter_map(|path| read(tree, &path)) {
        for file in record.files {
            let Some(end) = [".dist-info", ".egg-info"]
                .iter()
                .find_map(|suffix| file.find(suffix).map(|start| start + suffix.len()))
            else {
                continue;
            };
            owned.insert(join(prefix, &file[..end]));
        }
    }
    owned
}

fn records(tree: &ImageTree, prefix: &str) -> impl Iterator<Item = String> {
    let folder = tree.real_folder(&join(prefix, "conda-meta")).unwrap_or_default();
    let listed = if folder.is_empty() { None } else { Some(folder) };
    listed.into_iter().flat_map(move |folder| {
        let names: Vec<String> = tree
            .children(&folder)
            .map(|(name, _)| name)
            .filter(|name| is_json(name))
            .map(|name| join(&folder, name))
            .collect();
        names
    })
}

fn is_json(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "json")
}

fn read(tree: &ImageTree, path: &str) -> Option<Record> {
    serde_json::from_slice(tree.content(path)?).ok()
}

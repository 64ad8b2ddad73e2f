//! conda's packages: a JSON record each, in the `conda-meta` of a prefix.

use std::collections::BTreeSet;

use imagewright_oci::layer::path::{join, split};
use imagewright_oci::tree::ImageTree;
use serde::Deserialize;

use super::size_of;
use crate::inspect::report::PackageReport;

/// Most environments that are listed: a bound on the work, far above what images have.
const MOST_PREFIXES: usize = 64;

/// The part of a record that is shown.
#[derive(Deserialize)]
struct Record {
    name: String,
    version: String,
    #[serde(default)]
    build: Option<String>,
    #[serde(default)]
    files: Vec<String>,
}

/// Every prefix that has records, the outermost first.
pub(super) fn prefixes(tree: &ImageTree) -> BTreeSet<String> {
    let mut prefixes = BTreeSet::new();
    for (path, _) in tree.walk("") {
        let (folder, name) = split(path);
        let Some(prefix) = folder.strip_suffix("conda-meta") else { continue };
        let is_folder = prefix.is_empty() || prefix.ends_with('/');
        if is_folder && is_record(name) && prefixes.len() < MOST_PREFIXES {
            prefixes.insert(prefix.trim_end_matches('/').to_owned());
        }
    }
    prefixes
}

/// The packages of a prefix. A record that cannot be read is left out, as conda does.
pub(super) fn packages(tree: &ImageTree, prefix: &str) -> Vec<PackageReport> {
    let folder = join(prefix, "conda-meta");
    tree.children(&folder)
        .filter(|(name, _)| is_record(name))
        .filter_map(|(name, _)| {
            let record: Record = serde_json::from_slice(tree.content(&join(&folder, name))?).ok()?;
            let files: Vec<String> = record.files.iter().map(|file| join(prefix, file)).collect();
            Some(PackageReport {
                name: record.name,
                version: record.version,
                size: Some(size_of(tree, files.iter().map(String::as_str))),
                build: record.build,
                installer: None,
            })
        })
        .collect()
}

fn is_record(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "json")
}

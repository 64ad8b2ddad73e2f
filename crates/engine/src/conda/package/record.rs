//! The record of a package in `conda-meta`.

use rattler_conda_types::prefix_record::PathsEntry;
use rattler_conda_types::{PrefixRecord, RepoDataRecord};
use serde_json::Value;

/// Name of a record in `conda-meta`.
pub(super) fn file_name(record: &RepoDataRecord) -> String {
    let package = &record.package_record;
    format!("{}-{}-{}.json", package.name.as_normalized(), package.version, package.build)
}

/// The record of a package with these files. It names no folder of this machine and no time, so that it is the same
/// wherever it is made.
pub(super) fn prefix_record(
    record: &RepoDataRecord,
    mut paths: Vec<PathsEntry>,
) -> serde_json::Result<Vec<u8>> {
    paths.sort_by(|left, right| left.relative_path.cmp(&right.relative_path));
    let record = PrefixRecord::from_repodata_record(record.clone(), paths);
    let mut bytes = serde_json::to_vec_pretty(&record)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The record of a package that was asked for by name: with the request in it, for tools that read it there.
pub fn requested_record(record: &[u8], spec: &str) -> serde_json::Result<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(record)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("requested_spec".to_owned(), Value::String(spec.to_owned()));
        object.insert("requested_specs".to_owned(), Value::Array(vec![Value::String(spec.to_owned())]));
    }
    let mut bytes = serde_json::to_vec_pretty(&value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

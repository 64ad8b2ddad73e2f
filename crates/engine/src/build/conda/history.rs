//! The small files of a prefix that differ from image to image although the packages are the same: conda's history,
//! and the records of packages that were asked for by name.

use imagewright_oci::tree::ImageTree;
use serde_json::Value;

use crate::assemble::placement::Placer;
use crate::assemble::top::TopFile;
use crate::conda::{CondaPrefix, HistoryEntry, LockedConda, extended_history, requested_record};
use crate::error::BuildError;

/// The files, to be put on top of the packages. `below` is the tree with what goes, `above` that with what comes.
pub(super) fn top_files(
    below: &ImageTree,
    above: &ImageTree,
    prefix: &CondaPrefix,
    locked: &LockedConda,
    config: &Value,
) -> Result<Vec<TopFile>, BuildError> {
    let history = below.text(&prefix.inside("conda-meta/history"));
    let time = time(config);
    let entry = HistoryEntry {
        time: &time,
        removed: locked.removed.iter().map(|label| label.replace(' ', "-")).collect(),
        added: locked.packages.iter().map(|package| distribution(&package.record)).collect(),
        requested: locked.requested.clone(),
    };
    let history = extended_history(history.as_deref(), &entry);
    let mut files = vec![("conda-meta/history".to_owned(), history.into_bytes())];
    for package in &locked.packages {
        let Some(spec) = &package.requested else { continue };
        let path = format!("conda-meta/{}.json", package.label().replace(' ', "-"));
        let Some(record) = above.content(&prefix.inside(&path)) else { continue };
        let record = requested_record(record, spec)
            .map_err(|error| BuildError::internal("a record cannot be written").with_source(error))?;
        files.push((path, record));
    }
    let mut placer = Placer::new(above);
    let mut top = Vec::new();
    for (path, content) in files {
        let place = placer.place_one("conda", &format!("{}/{path}", locked.prefix))?;
        top.push(TopFile { path: place.path, owner: place.owner, content });
    }
    Ok(top)
}

/// `conda-forge/linux-64::numpy-1.26.4-py311_0`, as the history names packages.
fn distribution(record: &rattler_conda_types::RepoDataRecord) -> String {
    let package = &record.package_record;
    let channel = record.channel.as_deref().unwrap_or("unknown").trim_end_matches('/');
    let name = package.name.as_normalized();
    format!("{channel}/{}::{name}-{}-{}", package.subdir, package.version, package.build)
}

/// The time of the base's configuration as conda writes times: the same inputs give the same image.
fn time(config: &Value) -> String {
    let created = config.get("created").and_then(Value::as_str).unwrap_or_default();
    let time = created.parse::<jiff::Timestamp>().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

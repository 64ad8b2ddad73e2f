//! What a package is that was asked for by its address: its archive says so itself.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use rattler_conda_types::package::{DistArchiveIdentifier, IndexJson, PackageFile as _};
use rattler_conda_types::{PackageRecord, RepoDataRecord};
use rattler_digest::{Sha256, parse_digest_from_hex};
use url::Url;

use super::archive::Unpacked;
use super::error::PackageProblem;

const INDEX: &str = "info/index.json";

/// An archive that was fetched from an address.
#[derive(Debug, Clone, Copy)]
pub struct FetchedArchive<'archive> {
    /// Where it came from.
    pub url: &'archive Url,
    /// Where it is now.
    pub path: &'archive Path,
    /// Its SHA-256 in hex.
    pub sha256: &'archive str,
    /// Its length in bytes.
    pub size: u64,
}

/// Reads the record of a package from its archive, as a channel would have it. It is of no channel. Bytes go into the
/// new file `contents`. Blocks.
///
/// # Errors
/// See [`PackageProblem`].
pub fn record_of(
    archive: FetchedArchive<'_>,
    contents: &Path,
    cancel: &AtomicBool,
) -> Result<RepoDataRecord, PackageProblem> {
    let odd = |reason: String| PackageProblem::Metadata { file: INDEX, reason };
    let name = archive.url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let identifier = name.parse::<DistArchiveIdentifier>();
    let identifier = identifier.map_err(|error| odd(format!("cannot belong to {name:?}: {error}")))?;
    let mut unpacked = Unpacked::read(archive.path, contents, cancel)?;
    let bytes = unpacked.content(INDEX)?.ok_or_else(|| PackageProblem::Missing { path: INDEX.to_owned() })?;
    let index = IndexJson::from_slice(&bytes).map_err(|error| odd(format!("cannot be read: {error}")))?;
    let sha256 = parse_digest_from_hex::<Sha256>(archive.sha256);
    let record = PackageRecord::from_index_json(index, Some(archive.size), sha256, None);
    let package_record = record.map_err(|error| odd(format!("names no platform: {error}")))?;
    Ok(RepoDataRecord { package_record, identifier, url: archive.url.clone(), channel: None })
}

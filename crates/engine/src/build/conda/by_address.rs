//! The packages that the plan asks for by their address.

use std::path::Path;
use std::sync::Arc;

use imagewright_spec::CondaSpec;
use rattler_conda_types::RepoDataRecord;
use rattler_digest::{Md5, compute_file_digest};

use super::super::Shared;
use crate::base::blocking;
use crate::conda::{FetchedArchive, record_of};
use crate::error::{BuildError, ErrorKind};
use crate::packages::StopOnDrop;
use crate::pip::FileUrl;
use crate::pip::download::{FetchedFile, WantedFile};

impl Shared<'_> {
    /// Fetches what is asked for by its address, since only that itself says what it is.
    pub(super) async fn packages_by_address(&self) -> Result<Vec<RepoDataRecord>, BuildError> {
        let mut downloader = self.downloader()?;
        downloader.set_channel_credentials(self.plan.conda.credentials.clone());
        let mut records = Vec::new();
        for spec in &self.plan.spec.conda.specs {
            let Some(url) = spec.match_spec().url.clone() else { continue };
            let file_name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
            let file = WantedFile {
                file_name: file_name.to_owned(),
                url: FileUrl::new(url),
                sha256: spec.match_spec().sha256.as_ref().map(hex::encode),
                size: None,
            };
            let fetched = downloader.fetch(&[file], &|_, _| {}, &self.context.cancellation).await?;
            let Some(fetched) = fetched.into_iter().next() else { continue };
            let (spec, staging) = (spec.clone(), Arc::clone(&self.staging));
            let stop = StopOnDrop::new();
            let stopped = stop.flag();
            let record = blocking(move || {
                let folder = staging.subfolder(&format!("address {}", fetched.sha256))?;
                let record = read(&spec, &fetched, &folder.join("contents"), &stopped);
                let _ = std::fs::remove_dir_all(&folder);
                record
            });
            let record: RepoDataRecord = record.await??;
            drop(stop);
            if !records.contains(&record) {
                records.push(record);
            }
        }
        Ok(records)
    }
}

/// The record of an archive, which has to be the one that was asked for.
fn read(
    spec: &CondaSpec,
    fetched: &FetchedFile,
    contents: &Path,
    stopped: &std::sync::atomic::AtomicBool,
) -> Result<RepoDataRecord, BuildError> {
    let Some(url) = &spec.match_spec().url else {
        return Err(BuildError::internal(format!("{spec} has no address")));
    };
    let md5 = spec.match_spec().md5;
    if md5.is_some() {
        let found = compute_file_digest::<Md5>(&fetched.path)
            .map_err(|error| BuildError::file("read", &fetched.path, error))?;
        if Some(found) != md5 {
            let message = format!("the file at {url} has not the MD5 digest that is asked for");
            return Err(BuildError::new(ErrorKind::DigestMismatch, message)
                .with_next_step("correct the digest, or leave it out if the file was replaced on purpose"));
        }
    }
    let archive = FetchedArchive { url, path: &fetched.path, sha256: &fetched.sha256, size: fetched.size };
    let mut record =
        record_of(archive, contents, stopped).map_err(|problem| problem.of(&spec.to_string()))?;
    let name = record.package_record.name.as_normalized();
    if name != spec.name() {
        return Err(BuildError::new(
            ErrorKind::Unsupported,
            format!("the package at {url} is {name}, and not {}", spec.name()),
        )
        .with_next_step("ask for the archive by the name that it was made with"));
    }
    record.package_record.md5 = md5;
    Ok(record)
}

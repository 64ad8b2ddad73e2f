//! What has to change in a prefix so that it has the packages of a solution.

use rattler::install::PythonInfo;
use rattler_conda_types::{PackageRecord, RepoDataRecord, Subdir};

use super::installed::{InstalledPackage, InstalledPrefix};
use crate::error::{BuildError, ErrorKind};

/// What changes.
#[derive(Debug, Default)]
pub struct Transaction<'prefix> {
    /// What is put in, dependencies first: of two packages with the same file, that of the later one stays.
    pub link: Vec<RepoDataRecord>,
    /// What is taken out.
    pub unlink: Vec<&'prefix InstalledPackage>,
}

/// Works out what to put in and what to take out of `below`, so that it has exactly `wanted`.
pub fn transaction<'prefix>(
    below: &'prefix InstalledPrefix,
    wanted: &[RepoDataRecord],
    relink_python: bool,
) -> Transaction<'prefix> {
    let stays = |package: &InstalledPackage, record: &RepoDataRecord| {
        is_same(&package.record, record) && !(relink_python && record.package_record.noarch.is_python())
    };
    let link = wanted.iter().filter(|record| {
        let found = below.find(record.package_record.name.as_normalized());
        !found.is_some_and(|package| stays(package, record))
    });
    let link = PackageRecord::sort_topologically(link.cloned().collect());
    let unlink = below.packages.iter().filter(|package| {
        let found =
            wanted.iter().find(|record| record.package_record.name == package.record.package_record.name);
        !found.is_some_and(|record| stays(package, record))
    });
    Transaction { link, unlink: unlink.collect() }
}

/// Whether two records are of the same archive. Old records lack digests.
fn is_same(left: &RepoDataRecord, right: &RepoDataRecord) -> bool {
    let (one, other) = (&left.package_record, &right.package_record);
    let same_bytes = match (&one.sha256, &other.sha256) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    same_bytes
        && one.version == other.version
        && one.build == other.build
        && one.build_number == other.build_number
        && one.subdir == other.subdir
}

/// What pure Python packages have to know of the prefix's Python; `None` where it has none.
///
/// # Errors
/// A Python whose version is none.
pub fn python_info(records: &[RepoDataRecord], subdir: Subdir) -> Result<Option<PythonInfo>, BuildError> {
    let python = records.iter().find(|record| record.package_record.name.as_normalized() == "python");
    let info = python.map(|python| PythonInfo::from_python_record(&python.package_record, subdir));
    info.transpose().map_err(|error| {
        BuildError::new(ErrorKind::Unsupported, format!("the Python of the conda packages is odd: {error}"))
            .with_next_step("ask for another version, for example python=3.12")
    })
}

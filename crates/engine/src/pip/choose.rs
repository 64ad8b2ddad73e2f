//! From a lock to the files that are installed: what is kept, and which of several wheels is taken.

use std::collections::BTreeMap;

use imagewright_spec::PipRequirement;
use pep508_rs::PackageName;

use super::compile::Question;
use super::error::PipError;
use super::pylock::{LockedFile, LockedPackage};
use super::resolution::{DirectWheel, FileUrl, IndexWheel, Source};
use super::source_only::NeedsBuild;
use super::tags;
use crate::python::PythonTarget;
use crate::python::installed::Installed;

/// Why a package of a lock cannot be installed.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It has to be built.
    NeedsBuild(NeedsBuild),
    /// Anything else.
    Other(PipError),
}

/// What decides which file is taken.
pub(super) struct Chooser<'a> {
    target: &'a PythonTarget,
    installed: &'a Installed,
    /// Digests (`sha256:…`) that people demand, by package.
    hashes: BTreeMap<PackageName, Vec<&'a str>>,
    question: &'a Question,
}

impl<'a> Chooser<'a> {
    /// A chooser for a target; hashes come from the requirements and constraints.
    pub(super) fn new(
        target: &'a PythonTarget,
        installed: &'a Installed,
        requirements: impl Iterator<Item = &'a PipRequirement>,
        question: &'a Question,
    ) -> Self {
        let mut hashes: BTreeMap<PackageName, Vec<&'a str>> = BTreeMap::new();
        for requirement in requirements.filter(|requirement| !requirement.hashes().is_empty()) {
            let of = hashes.entry(requirement.requirement().name.clone()).or_default();
            of.extend(requirement.hashes().iter().map(String::as_str));
        }
        Self { target, installed, hashes, question }
    }

    /// Where a package of the lock comes from.
    pub(super) fn choose(&self, package: &LockedPackage) -> Result<Source, Unusable> {
        let needs_build = || {
            let (name, version) = (package.name.clone(), package.version.clone());
            Unusable::NeedsBuild(NeedsBuild { name, version, sdist: package.sdist.clone().map(Box::new) })
        };
        if let Some(built) = package.archive.as_ref().and_then(|archive| self.built_address(package, archive))
        {
            return Ok(built);
        }
        if let Some(archive) = &package.archive {
            return self.direct(package, archive);
        }
        let there = self.installed.get(&package.name);
        if there.is_some_and(|there| Some(&there.version) == package.version.as_ref()) {
            return Ok(Source::Kept);
        }
        if package.vcs.is_some() || package.directory.is_some() {
            return Err(needs_build());
        }
        let mut candidates: Vec<(_, _, &LockedFile, String)> = package
            .wheels
            .iter()
            .filter(|_| !self.question.refuses_wheels_of(&package.name))
            .filter(|wheel| wheel.url.as_ref().is_some_and(|url| matches!(url.scheme(), "https" | "http")))
            .filter_map(|wheel| Some((wheel, wheel.file_name()?)))
            .filter_map(|(wheel, name)| {
                let build = std::cmp::Reverse(tags::build_number(&name));
                Some((tags::rank(&name, self.target)?, build, wheel, name))
            })
            .collect();
        candidates.sort_by(|a, b| (a.0, &a.1, &a.3).cmp(&(b.0, &b.1, &b.3)));
        if candidates.is_empty() {
            let no_wheel = || {
                Unusable::Other(PipError::NoMatchingWheel {
                    name: package.name.to_string(),
                    target: describe(self.target),
                    available: None,
                    explanation: String::new(),
                })
            };
            let Some(sdist) = &package.sdist else { return Err(no_wheel()) };
            return self.built_version(package, sdist).map_or_else(|| Err(needs_build()), Ok);
        }
        let demanded = self.hashes.get(&package.name);
        let refused = |reason: &str| {
            let reason = reason.to_owned();
            Unusable::Other(PipError::Refused { name: package.name.to_string(), reason })
        };
        let mut promised = candidates
            .into_iter()
            .filter_map(|(_, _, wheel, file_name)| {
                let (sha256, url) = (wheel.sha256()?, FileUrl::new(wheel.url.clone()?));
                Some(IndexWheel { file_name, url, sha256, size: wheel.size, index: None })
            })
            .peekable();
        if promised.peek().is_none() {
            return Err(refused(
                "the index does not say the SHA-256 of its wheels, so they cannot be verified",
            ));
        }
        promised
            .find(|wheel| demanded.is_none_or(|hashes| is_demanded(hashes, &wheel.sha256)))
            .map(Source::Wheel)
            .ok_or_else(|| {
                refused("no wheel for the image has one of the hashes that the requirement demands")
            })
    }

    /// Whether people's hashes, if they demand any, admit a file with this SHA-256.
    pub(super) fn accepts(&self, name: &PackageName, sha256: &str) -> bool {
        self.hashes.get(name).is_none_or(|hashes| is_demanded(hashes, sha256))
    }

    /// What was built from a source distribution.
    fn built_version(&self, package: &LockedPackage, sdist: &LockedFile) -> Option<Source> {
        let sha256 = sdist.sha256()?;
        let built = self.question.built.of_version(&package.name, package.version.as_ref()?, &sha256)?;
        Some(Source::Built(built))
    }

    /// What was built from an address: uv was given the wheel as a file. It is kept when the very same is installed.
    fn built_address(&self, package: &LockedPackage, archive: &LockedFile) -> Option<Source> {
        archive.path.as_ref()?;
        let built = self.question.built.of_address(&package.name)?;
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        let there = self.installed.get(&package.name);
        let same = there.is_some_and(|there| {
            let (there_url, ours) = (there.direct_url.as_deref(), built.direct_url.as_deref());
            Some(&there.version) == package.version.as_ref()
                && ours.and_then(json).is_some_and(|ours| there_url.and_then(json) == Some(ours))
        });
        Some(if same { Source::Kept } else { Source::Built(built) })
    }

    /// A file at an address that was asked for. It is kept when the very same one is installed.
    fn direct(&self, package: &LockedPackage, archive: &LockedFile) -> Result<Source, Unusable> {
        let refused = |reason: &str| {
            let reason = reason.to_owned();
            Unusable::Other(PipError::Refused { name: package.name.to_string(), reason })
        };
        let url = archive.url.clone().filter(|url| matches!(url.scheme(), "https" | "http"));
        let (Some(url), Some(file_name)) = (url, archive.file_name()) else {
            return Err(refused("its address is not that of a file on a web server"));
        };
        let Some(rank) = tags::is_wheel(&file_name).then(|| tags::rank(&file_name, self.target)) else {
            let (name, version) = (package.name.clone(), package.version.clone());
            return Err(Unusable::NeedsBuild(NeedsBuild { name, version, sdist: None }));
        };
        if rank.is_none() {
            return Err(Unusable::Other(PipError::NoMatchingWheel {
                name: file_name,
                target: describe(self.target),
                available: None,
                explanation: String::new(),
            }));
        }
        let sha256 = archive.sha256();
        let demanded = self.hashes.get(&package.name);
        if let (Some(hashes), Some(sha256)) = (demanded, &sha256)
            && !is_demanded(hashes, sha256)
        {
            return Err(refused(
                "the file at its address has none of the hashes that the requirement demands",
            ));
        }
        let there = self.installed.get(&package.name);
        let same = there.is_some_and(|there| {
            Some(&there.version) == package.version.as_ref()
                && is_from(there.direct_url.as_deref(), &url, sha256.as_deref())
        });
        if same {
            return Ok(Source::Kept);
        }
        Ok(Source::DirectUrl(DirectWheel { file_name, url: FileUrl::new(url), sha256 }))
    }
}

/// True when `direct_url.json` names this address with this digest.
fn is_from(direct_url: Option<&str>, url: &url::Url, sha256: Option<&str>) -> bool {
    let Some(value) = direct_url.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()) else {
        return false;
    };
    let digest = value["archive_info"]["hashes"]["sha256"].as_str();
    value["url"].as_str() == Some(FileUrl::new(url.clone()).to_string().as_str())
        && digest.is_some()
        && digest == sha256
}

fn is_demanded(hashes: &[&str], sha256: &str) -> bool {
    hashes.iter().any(|hash| hash.strip_prefix("sha256:") == Some(sha256))
}

/// `CPython 3.11 on x86_64 with glibc 2.36`.
pub(super) fn describe(target: &PythonTarget) -> String {
    let threads = if target.free_threaded { " (free-threaded)" } else { "" };
    let (version, machine) = (target.version.major_minor(), target.architecture.machine());
    format!("CPython {version}{threads} on {machine} with {}", target.libc)
}

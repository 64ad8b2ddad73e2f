//! A lock in the forms that other tools read: conda's explicit lines, Python's `pylock.toml`, and versions for apt.

use serde::Serialize;

use super::{Lock, LockedSource};
use crate::error::BuildError;

/// A form of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockFormat {
    /// An explicit list, as `conda create --file` reads it.
    CondaExplicit,
    /// `pylock.toml` of PEP 751, as `pip install -r` and uv read it.
    Pylock,
    /// `NAME:ARCHITECTURE=VERSION`, one a line, as arguments of `apt-get install`.
    Apt,
}

impl Lock {
    /// The part of the lock that this form is for. Empty lists stay lists.
    ///
    /// # Errors
    /// A defect of ours.
    pub fn export(&self, format: LockFormat) -> Result<String, BuildError> {
        match format {
            LockFormat::CondaExplicit => Ok(self.conda_explicit()),
            LockFormat::Pylock => self.pylock(),
            LockFormat::Apt => Ok(lines(
                self.apt
                    .iter()
                    .map(|package| format!("{}:{}={}", package.name, package.architecture, package.version)),
            )),
        }
    }

    fn conda_explicit(&self) -> String {
        let packages = self.conda.iter().flat_map(|conda| &conda.packages);
        let archives = packages.map(|package| {
            let record = &package.record.package_record;
            // The form that all versions of conda know; where a channel gives no MD5, that of newer ones.
            let md5 = record.md5.map(hex::encode);
            let digest =
                md5.or_else(|| record.sha256.map(|sha256| format!("sha256:{}", hex::encode(sha256))));
            match digest {
                Some(digest) => format!("{}#{digest}", package.record.url),
                None => package.record.url.to_string(),
            }
        });
        let head = [format!("# platform: {}", conda_platform(&self.platform)), "@EXPLICIT".to_owned()];
        lines(head.into_iter().chain(archives))
    }

    fn pylock(&self) -> Result<String, BuildError> {
        let packages = self.pip.iter().map(|package| {
            let mut entry = Package::named(&package.name, &package.version);
            // What was built here is on no server: its sources are.
            match package.built.as_ref().map(|built| &built.source) {
                None => entry.wheels.push(Archive {
                    name: Some(&package.file),
                    url: &package.url,
                    subdirectory: None,
                    hashes: Hashes { sha256: package.sha256.hex() },
                }),
                Some(LockedSource::Archive { url, sha256, subdirectory }) => {
                    let (hashes, subdirectory) = (Hashes { sha256: sha256.hex() }, subdirectory.as_deref());
                    entry.archive = Some(Archive { name: None, url, subdirectory, hashes });
                }
                Some(LockedSource::Git { url, commit, subdirectory }) => {
                    let subdirectory = subdirectory.as_deref();
                    entry.vcs = Some(Repository { r#type: "git", url, commit_id: commit, subdirectory });
                }
            }
            entry
        });
        let pylock = Pylock {
            lock_version: "1.0",
            created_by: "imagewright",
            requires_python: self.python.as_ref().map(|python| format!("=={}", python.version)),
            packages: packages.collect(),
        };
        toml::to_string(&pylock).map_err(|error| {
            BuildError::internal("a lock cannot be written as pylock.toml").with_source(error)
        })
    }
}

/// conda's name of a platform.
fn conda_platform(platform: &str) -> &str {
    match platform {
        "linux/amd64" => "linux-64",
        "linux/arm64" => "linux-aarch64",
        other => other,
    }
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Pylock<'lock> {
    lock_version: &'lock str,
    created_by: &'lock str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<String>,
    packages: Vec<Package<'lock>>,
}

#[derive(Serialize)]
struct Package<'lock> {
    name: &'lock str,
    version: &'lock str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vcs: Option<Repository<'lock>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Archive<'lock>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wheels: Vec<Archive<'lock>>,
}

impl<'lock> Package<'lock> {
    fn named(name: &'lock str, version: &'lock str) -> Self {
        Self { name, version, vcs: None, archive: None, wheels: Vec::new() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Repository<'lock> {
    r#type: &'lock str,
    url: &'lock str,
    commit_id: &'lock str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subdirectory: Option<&'lock str>,
}

#[derive(Serialize)]
struct Archive<'lock> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'lock str>,
    url: &'lock str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subdirectory: Option<&'lock str>,
    hashes: Hashes,
}

#[derive(Serialize)]
struct Hashes {
    sha256: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let digest = "a".repeat(64);
        let lock = serde_json::json!({
            "version": super::super::LOCK_VERSION, "platform": "linux/amd64",
            "base": { "reference": "docker.io/library/python:3.12", "digest": format!("sha256:{digest}") },
            "python": { "version": "3.12.1", "executable": "/usr/local/bin/python3.12" },
            "apt": [{ "name": "jq", "version": "1.6-2.1", "architecture": "amd64" }],
            "conda": {
                "prefix": "/opt/conda", "channels": [], "virtual_packages": [], "removed": [], "requested": [],
                "packages": [
                    { "name": "six", "version": "1.16", "build": "0", "build_number": 0, "subdir": "noarch",
                      "depends": [], "fn": "six-1.16-0.conda", "md5": "0".repeat(32), "sha256": digest,
                      "url": "https://conda.example/forge/noarch/six-1.16-0.conda", "channel": "forge" },
                    { "name": "new", "version": "1", "build": "0", "build_number": 0, "subdir": "noarch",
                      "depends": [], "fn": "new-1-0.conda", "sha256": digest,
                      "url": "https://conda.example/forge/noarch/new-1-0.conda", "channel": "forge" },
                ],
            },
            "pip": [{
                "name": "rich", "version": "13.0", "file": "rich-13.0-py3-none-any.whl",
                "url": "https://files.example/rich-13.0-py3-none-any.whl", "sha256": format!("sha256:{digest}"),
            }, {
                "name": "built", "version": "1.0", "file": "built-1.0-py3-none-any.whl",
                "url": "https://git.example/built", "sha256": format!("sha256:{digest}"),
                "built": {
                    "source": { "kind": "git", "url": "https://git.example/built", "commit": "b".repeat(40) },
                    "requires": [], "source_date_epoch": 0,
                },
            }],
        });
        serde_json::from_value(lock).unwrap()
    }

    #[test]
    fn other_tools_read_the_parts_of_a_lock() {
        let lock = lock();
        insta::assert_snapshot!(lock.export(LockFormat::CondaExplicit).unwrap());
        insta::assert_snapshot!(lock.export(LockFormat::Pylock).unwrap());
        assert_eq!(lock.export(LockFormat::Apt).unwrap(), "jq:amd64=1.6-2.1\n");
    }
}

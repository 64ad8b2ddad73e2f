//! Requirements of sources by address: they are built before anything is resolved, and uv gets the wheel instead.

use imagewright_spec::PipRequirement;
use pep508_rs::{MarkerEnvironment, PackageName, Requirement, VersionOrUrl};
use serde_json::{Value, json};
use url::Url;

use super::address::SourceAddress;
use super::builder::Builder;
use super::git;
use super::locked::LockedSource;
use super::wanted::Wanted;
use crate::error::{BuildError, ErrorKind};
use crate::pip::FileUrl;
use crate::pip::built::BuiltPackages;
use crate::pip::download::WantedFile;
use crate::pip::error::PipError;

impl Builder<'_> {
    /// Builds the sources that a requirement names by address. The result is the line that uv is given instead;
    /// `None` for every other requirement.
    ///
    /// # Errors
    /// Addresses that are none, and whatever building gives.
    pub(crate) async fn build_address(
        &self,
        requirement: &PipRequirement,
        environment: &MarkerEnvironment,
        into: &mut BuiltPackages,
    ) -> Result<Option<String>, PipError> {
        let parsed = requirement.requirement();
        let name = &parsed.name;
        let Some(address) = requirement.url().and_then(|url| SourceAddress::read(url, name)) else {
            return Ok(None);
        };
        if !parsed.marker.evaluate(environment, &[]) {
            // It is not for this Python: a line without a package.
            return Ok(Some(String::new()));
        }
        let refused = |reason: String| PipError::Refused { name: name.to_string(), reason };
        let address = address.map_err(refused)?;
        let (wanted, direct_url) = self.wanted(name, requirement, address).await?;
        let built = match Box::pin(self.build(&wanted)).await {
            Ok(built) => built,
            Err(error) => {
                return Err(match self.settings.rooms.refusal() {
                    Some(refusal) => PipError::SourceOnly {
                        name: name.to_string(),
                        best_version: None,
                        newest_with_wheel: None,
                        reason: Some(refusal.to_owned()),
                    },
                    None => error.into(),
                });
            }
        };
        let url = Url::from_file_path(&built.path)
            .map_err(|()| BuildError::internal("the path of a built wheel is not absolute"))?;
        let line = Requirement { version_or_url: Some(VersionOrUrl::Url(url)), ..parsed.clone() };
        into.add_address(built, direct_url.to_string());
        Ok(Some(line.to_string()))
    }

    /// What is built, and what `direct_url.json` says of it (PEP 610).
    async fn wanted(
        &self,
        name: &PackageName,
        requirement: &PipRequirement,
        address: SourceAddress,
    ) -> Result<(Wanted, Value), PipError> {
        let (source, file, mut direct_url) = match address {
            SourceAddress::Git { url, reference, subdirectory } => {
                let (settings, staging) = (&self.settings.git, &self.settings.staging_folder);
                let commit =
                    git::find_commit(settings, &url, reference.as_deref(), staging, self.cancellation)
                        .await?;
                let mut info = json!({ "vcs": "git", "commit_id": commit });
                if let Some(reference) = reference {
                    info["requested_revision"] = Value::from(reference);
                }
                let direct_url = json!({ "url": url.to_string(), "vcs_info": info });
                (LockedSource::Git { url: url.to_string(), commit, subdirectory }, None, direct_url)
            }
            SourceAddress::Archive { url, file_name, sha256, subdirectory } => {
                let url = FileUrl::new(url);
                let file = WantedFile { file_name, url: url.clone(), sha256, size: None };
                let fetched = self
                    .settings
                    .downloader
                    .fetch(std::slice::from_ref(&file), &|_, _| {}, self.cancellation)
                    .await?;
                let hex = fetched.into_iter().next().map(|file| file.sha256).unwrap_or_default();
                let hashes = requirement.hashes();
                if !hashes.is_empty() && !hashes.iter().any(|hash| hash.strip_prefix("sha256:") == Some(&hex))
                {
                    let reason =
                        "the file at its address has none of the hashes that the requirement demands";
                    return Err(PipError::Refused { name: name.to_string(), reason: reason.to_owned() });
                }
                let sha256 = format!("sha256:{hex}").parse().map_err(|error| {
                    BuildError::new(ErrorKind::Internal, "a file was fetched without a digest")
                        .with_source(error)
                })?;
                let direct_url = json!({
                    "archive_info": { "hash": format!("sha256={hex}"), "hashes": { "sha256": hex } },
                    "url": url.to_string(),
                });
                let file = WantedFile { sha256: Some(hex), ..file };
                (LockedSource::Archive { url: url.to_string(), sha256, subdirectory }, Some(file), direct_url)
            }
        };
        if let Some(subdirectory) = source.subdirectory() {
            direct_url["subdirectory"] = Value::from(subdirectory);
        }
        Ok((Wanted { name: name.clone(), version: None, source, file }, direct_url))
    }
}

//! From a reference to the one image of a platform.

use bytes::Bytes;
use serde::Deserialize;

use super::api::ResolvedImage;
use super::client::RegistryClient;
use super::error::{Attempt, RegistryError};
use super::{RepositoryReference, TagOrDigest};
use crate::manifest::{CONFIG_SIZE_LIMIT, Index, Manifest, ManifestOrIndex, Platform};
use crate::media_type::{DOCKER_CONFIG, OCI_CONFIG, essence};

/// How many indexes may stand between a tag and its image. Real images have one.
const INDEX_DEPTH: usize = 3;

impl RegistryClient {
    pub(super) async fn resolve_image(
        &self,
        repository: &RepositoryReference,
        reference: &TagOrDigest,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let attempt = Attempt::new(format!("find the image “{reference}” for {platform}"), repository);
        let (index, manifest) = self.follow(&attempt, reference, platform).await?;
        if !matches!(essence(&manifest.config.media_type), DOCKER_CONFIG | OCI_CONFIG) {
            let detail = format!(
                "it is no image but an artefact of type “{}”; give the name of an image",
                manifest.artifact_type.as_ref().unwrap_or(&manifest.config.media_type)
            );
            return Err(RegistryError::Unsupported { attempt, detail });
        }
        let config = self.read_blob(repository, &manifest.config, CONFIG_SIZE_LIMIT).await?;
        check_platform(&attempt, &config, platform)?;
        Ok(ResolvedImage { repository: repository.clone(), index, manifest, config })
    }

    async fn follow(
        &self,
        attempt: &Attempt,
        reference: &TagOrDigest,
        platform: &Platform,
    ) -> Result<(Option<Index>, Manifest), RegistryError> {
        let mut reference = reference.clone();
        let mut first_index = None;
        for _ in 0..=INDEX_DEPTH {
            let Some(found) = self.read_manifest(attempt.repository(), &reference).await? else {
                return Err(RegistryError::NotFound {
                    attempt: attempt.clone(),
                    detail: format!(
                        "there is no “{reference}”; check the spelling of repository and tag, \
                         and whether your account may see it"
                    ),
                });
            };
            match found.content {
                ManifestOrIndex::Manifest(manifest) => return Ok((first_index, *manifest)),
                ManifestOrIndex::Index(index) => {
                    let entry = index.select(platform).ok_or_else(|| no_such_platform(attempt, &index))?;
                    reference = entry.digest.into();
                    first_index.get_or_insert(index);
                }
            }
        }
        Err(RegistryError::Unsupported {
            attempt: attempt.clone(),
            detail: "its indexes are nested too deeply; give the digest of the image itself".to_owned(),
        })
    }
}

fn no_such_platform(attempt: &Attempt, index: &Index) -> RegistryError {
    let offered: Vec<String> = index.platforms().into_iter().take(20).map(ToString::to_string).collect();
    RegistryError::NotFound {
        attempt: attempt.clone(),
        detail: match offered.len() {
            0 => "the image names no platforms".to_owned(),
            _ => format!("it exists for {}; choose one of these platforms", offered.join(", ")),
        },
    }
}

/// An image that stands alone may be for another platform than the one asked for.
fn check_platform(attempt: &Attempt, config: &Bytes, platform: &Platform) -> Result<(), RegistryError> {
    #[derive(Deserialize)]
    struct Target {
        #[serde(default)]
        os: String,
        #[serde(default)]
        architecture: String,
    }
    let target: Target = serde_json::from_slice(config).map_err(|_| RegistryError::Protocol {
        attempt: attempt.clone(),
        detail: "the image's configuration is not what its media type says".to_owned(),
    })?;
    let matches = |found: &str, wanted: &str| found.is_empty() || found == wanted;
    if matches(&target.os, &platform.os) && matches(&target.architecture, &platform.architecture) {
        return Ok(());
    }
    let found = Platform::new(target.os, target.architecture);
    Err(RegistryError::NotFound {
        attempt: attempt.clone(),
        detail: format!("it exists for {found} only; choose that platform or another image"),
    })
}

//! Manifests and tags: read, written, removed, listed.

use std::collections::HashSet;

use bytes::Bytes;
use oci_client::secrets::RegistryAuth;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};

use super::api::FetchedManifest;
use super::authentication::{Access, Scope};
use super::client::{Call, RegistryClient};
use super::error::{Attempt, RegistryError, RegistryErrorKind};
use super::failure;
use super::http::{ReadError, read_bounded};
use super::retry::Failure;
use super::{RepositoryReference, TagOrDigest};
use crate::digest::Digest;
use crate::manifest::{MANIFEST_SIZE_LIMIT, ManifestOrIndex};
use crate::media_type::ACCEPTED_MANIFESTS;

const DIGEST_HEADER: &str = "docker-content-digest";

/// The header by which a registry says that it keeps the list of referrers itself.
const SUBJECT_HEADER: &str = "oci-subject";

const TAGS_PER_PAGE: usize = 1000;
const TAG_PAGES: usize = 1000;

impl RegistryClient {
    pub(super) async fn read_manifest(
        &self,
        repository: &RepositoryReference,
        reference: &TagOrDigest,
    ) -> Result<Option<FetchedManifest>, RegistryError> {
        let attempt = Attempt::new(format!("read the manifest “{reference}”"), repository);
        let mut retry = self.retry();
        loop {
            let response = self
                .send(&Call {
                    headers: vec![(ACCEPT, ACCEPTED_MANIFESTS.join(", "))],
                    expected: &[StatusCode::OK, StatusCode::NOT_FOUND],
                    ..manifest_call(&attempt, Method::GET, reference, &[pull(repository)])
                })
                .await?;
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let media_type = header(response.headers(), CONTENT_TYPE.as_str()).map(str::to_owned);
            // Read again if the body breaks off: `send` has only seen the headers.
            let bytes = match read_bounded(response, MANIFEST_SIZE_LIMIT).await {
                Ok(bytes) => bytes,
                Err(ReadError::TooLarge) => {
                    return Err(RegistryError::TooLarge { attempt, limit: MANIFEST_SIZE_LIMIT });
                }
                Err(ReadError::Request(error)) => {
                    retry.wait(failure::of_request(&attempt, error)).await?;
                    continue;
                }
            };
            return parse(attempt, reference, media_type.as_deref(), bytes).map(Some);
        }
    }

    pub(super) async fn find_manifest(
        &self,
        repository: &RepositoryReference,
        reference: &TagOrDigest,
    ) -> Result<Option<Digest>, RegistryError> {
        let attempt = Attempt::new(format!("look up the manifest “{reference}”"), repository);
        let response = self
            .send(&Call {
                headers: vec![(ACCEPT, ACCEPTED_MANIFESTS.join(", "))],
                expected: &[StatusCode::OK, StatusCode::NOT_FOUND],
                ..manifest_call(&attempt, Method::HEAD, reference, &[pull(repository)])
            })
            .await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        match header(response.headers(), DIGEST_HEADER).and_then(|digest| digest.parse().ok()) {
            Some(digest) => Ok(Some(digest)),
            // The header is optional, and may be of another algorithm.
            None => Ok(self.read_manifest(repository, reference).await?.map(|manifest| manifest.digest)),
        }
    }

    pub(super) async fn write_manifest(
        &self,
        repository: &RepositoryReference,
        reference: &TagOrDigest,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, RegistryError> {
        let (digest, subject_is_listed) =
            self.write_manifest_only(repository, reference, media_type, bytes.clone()).await?;
        if !subject_is_listed
            && let Ok(ManifestOrIndex::Manifest(manifest)) = ManifestOrIndex::parse(Some(media_type), bytes)
            && let Some(subject) = &manifest.subject
        {
            self.list_referrer(repository, subject.digest, &manifest).await?;
        }
        Ok(digest)
    }

    /// Writes a manifest and says whether the registry lists it as a referrer by itself.
    pub(super) async fn write_manifest_only(
        &self,
        repository: &RepositoryReference,
        reference: &TagOrDigest,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<(Digest, bool), RegistryError> {
        let attempt = Attempt::new(format!("write the manifest “{reference}”"), repository);
        let digest = Digest::of(&bytes);
        let scopes = [Scope { repository, access: Access::Push }];
        let call = Call {
            headers: vec![(CONTENT_TYPE, media_type.to_owned())],
            body: bytes,
            expected: &[StatusCode::CREATED],
            ..manifest_call(&attempt, Method::PUT, reference, &scopes)
        };
        let response = self.send_manifest(&call).await?;
        if let Some(stored) = header(response.headers(), DIGEST_HEADER)
            && let Ok(stored) = stored.parse::<Digest>()
            && stored != digest
        {
            let actual = stored.to_string();
            return Err(RegistryError::DigestMismatch { attempt, expected: digest, actual });
        }
        Ok((digest, response.headers().contains_key(SUBJECT_HEADER)))
    }

    /// Sends a manifest, again also when the registry calls a digest invalid.
    ///
    /// Distribution keeps a file per blob and repository, and truncates it when the blob is uploaded once more by
    /// somebody else. A manifest that names the blob and arrives in that instant is refused as if it were damaged.
    async fn send_manifest(&self, call: &Call<'_>) -> Result<reqwest::Response, RegistryError> {
        let mut retry = self.retry();
        loop {
            match self.send_once(call).await {
                Ok(response) => return Ok(response),
                Err(Failure { error: error @ RegistryError::UploadRefused { .. }, .. }) => {
                    retry.wait(Failure::passing(error)).await?;
                }
                Err(failure) => self.recover(&mut retry, failure, call.attempt).await?,
            }
        }
    }

    pub(super) async fn remove_manifest(
        &self,
        repository: &RepositoryReference,
        digest: Digest,
    ) -> Result<bool, RegistryError> {
        let attempt = Attempt::new(format!("remove the manifest “{digest}”"), repository);
        let response = self
            .send(&Call {
                expected: &[StatusCode::ACCEPTED, StatusCode::OK, StatusCode::NOT_FOUND],
                ..manifest_call(
                    &attempt,
                    Method::DELETE,
                    &digest.into(),
                    &[Scope { repository, access: Access::Delete }],
                )
            })
            .await?;
        Ok(response.status() != StatusCode::NOT_FOUND)
    }

    pub(super) async fn tags(&self, repository: &RepositoryReference) -> Result<Vec<String>, RegistryError> {
        let attempt = Attempt::new("list the tags", repository);
        let mut tags = Vec::new();
        let mut seen = HashSet::new();
        for _ in 0..TAG_PAGES {
            let page = match self.tag_page(&attempt, tags.last().map(String::as_str)).await {
                Err(error) if error.kind() == RegistryErrorKind::NotFound => break,
                page => page?,
            };
            let before = tags.len();
            tags.extend(page.into_iter().filter(|tag| seen.insert(tag.clone())));
            // A registry that cannot page sends the same tags again; no other sign of the end is
            // reliable, since pages may be shorter than asked for.
            if tags.len() == before {
                break;
            }
        }
        Ok(tags)
    }

    async fn tag_page(&self, attempt: &Attempt, last: Option<&str>) -> Result<Vec<String>, RegistryError> {
        let mut retry = self.retry();
        loop {
            let failure = match self.library(attempt, Access::Pull).await {
                Err(failure) => failure,
                Ok((client, reference)) => {
                    let request =
                        client.list_tags(&reference, &RegistryAuth::Anonymous, Some(TAGS_PER_PAGE), last);
                    match self.answer_in_time(attempt, request).await {
                        Ok(page) => return Ok(page.tags),
                        Err(failure) => failure,
                    }
                }
            };
            self.recover(&mut retry, failure, attempt).await?;
        }
    }
}

fn manifest_call<'a>(
    attempt: &'a Attempt,
    method: Method,
    reference: &TagOrDigest,
    scopes: &'a [Scope<'a>],
) -> Call<'a> {
    Call {
        attempt,
        method,
        path: format!("{}/manifests/{reference}", attempt.repository().repository()),
        scopes,
        headers: Vec::new(),
        body: Bytes::new(),
        expected: &[],
    }
}

fn pull(repository: &RepositoryReference) -> Scope<'_> {
    Scope { repository, access: Access::Pull }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn parse(
    attempt: Attempt,
    reference: &TagOrDigest,
    media_type: Option<&str>,
    bytes: Bytes,
) -> Result<FetchedManifest, RegistryError> {
    let digest = Digest::of(&bytes);
    if let TagOrDigest::Digest(expected) = reference
        && *expected != digest
    {
        let actual = digest.to_string();
        return Err(RegistryError::DigestMismatch { attempt, expected: *expected, actual });
    }
    match ManifestOrIndex::parse(media_type, bytes) {
        Ok(content) => Ok(FetchedManifest { digest, content }),
        Err(source) => Err(RegistryError::Manifest { attempt, source }),
    }
}

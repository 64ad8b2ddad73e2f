//! Small questions about blobs: size, readability, mounts.

use bytes::Bytes;
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};

use super::RepositoryReference;
use super::api::Mounted;
use super::authentication::{Access, Scope};
use super::client::{Call, RegistryClient};
use super::download::Download;
use super::error::{Attempt, RegistryError, RegistryErrorKind};
use super::manifests::header;
use crate::digest::Digest;
use crate::manifest::Descriptor;

impl RegistryClient {
    pub(super) async fn blob_size(
        &self,
        repository: &RepositoryReference,
        digest: &Digest,
    ) -> Result<Option<u64>, RegistryError> {
        let attempt = Attempt::new(format!("look up the blob {digest}"), repository);
        // Sent directly: the client library says whether a blob exists, but not its size.
        let response = self
            .send(&Call {
                attempt: &attempt,
                method: Method::HEAD,
                path: format!("{}/blobs/{digest}", repository.repository()),
                scopes: &[Scope { repository, access: Access::Pull }],
                headers: Vec::new(),
                body: Bytes::new(),
                expected: &[StatusCode::OK, StatusCode::NOT_FOUND],
            })
            .await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let size = header(response.headers(), "content-length").and_then(|length| length.parse().ok());
        size.map(Some).ok_or_else(|| RegistryError::Protocol {
            attempt,
            detail: "it does not say how large the blob is".to_owned(),
        })
    }

    pub(super) async fn blob_is_readable(
        &self,
        repository: &RepositoryReference,
        descriptor: &Descriptor,
    ) -> Result<bool, RegistryError> {
        let attempt = Attempt::new(format!("check the blob {}", descriptor.digest), repository);
        if descriptor.size == 0 {
            return Ok(self.blob_size(repository, &descriptor.digest).await?.is_some());
        }
        let mut download = Download::of_first_byte(self.clone(), attempt, descriptor.clone());
        match download.read_first_byte().await {
            Ok(()) => Ok(true),
            // What has been collected answers in many ways, and none of them is the content.
            Err(error)
                if matches!(
                    error.kind(),
                    RegistryErrorKind::NotFound
                        | RegistryErrorKind::DigestMismatch
                        | RegistryErrorKind::Protocol
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn mount(
        &self,
        target: &RepositoryReference,
        source: &RepositoryReference,
        digest: &Digest,
    ) -> Result<Mounted, RegistryError> {
        if target.registry() != source.registry() {
            return Ok(Mounted::No);
        }
        let attempt = Attempt::new(format!("mount the blob {digest} from {}", source.repository()), target);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("mount", &digest.to_string())
            .append_pair("from", source.repository())
            .finish();
        // Sent directly: the client library asks for one scope only and calls the 202 of a registry
        // that wants an upload instead a violation of the specification.
        let answer = self
            .send(&Call {
                attempt: &attempt,
                method: Method::POST,
                path: format!("{}/blobs/uploads/?{query}", target.repository()),
                scopes: &[
                    Scope { repository: target, access: Access::Push },
                    Scope { repository: source, access: Access::Pull },
                ],
                headers: Vec::new(),
                body: Bytes::new(),
                expected: &[
                    StatusCode::CREATED,
                    StatusCode::ACCEPTED,
                    // From registries that do not know mounts, or not the source: an upload will
                    // tell whether anything else is wrong.
                    StatusCode::NOT_FOUND,
                    StatusCode::METHOD_NOT_ALLOWED,
                ],
            })
            .await;
        match answer {
            Ok(response) if response.status() == StatusCode::CREATED => Ok(Mounted::Yes),
            Ok(response) => {
                if let Some(location) = header(response.headers(), LOCATION.as_str()) {
                    self.abandon_upload(&attempt, location).await;
                }
                Ok(Mounted::No)
            }
            // No right to read the source: the caller may still have the bytes.
            Err(RegistryError::Forbidden { .. }) => Ok(Mounted::No),
            Err(error) => Err(error),
        }
    }

    /// Ends the upload that a registry began in place of a mount; it would end by itself some day.
    async fn abandon_upload(&self, attempt: &Attempt, location: &str) {
        let target = attempt.repository();
        let scopes = [Scope { repository: target, access: Access::Push }];
        let Ok((endpoint, authorization)) = self.enter(attempt, &scopes).await else {
            return;
        };
        let Ok(address) = endpoint.base.join(location) else {
            return;
        };
        if address.origin() == endpoint.base.origin() {
            let request = authorization.apply(self.http().delete(address));
            if let Err(error) = request.send().await {
                tracing::debug!(error = %error.without_url(), "an unused upload could not be ended");
            }
        }
    }
}

//! Reading a blob: verified while it streams, taken up again where it broke off.

use std::error::Error;
use std::io;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use oci_client::client::BlobResponse;
use oci_client::errors::DigestError;

use super::RepositoryReference;
use super::api::BlobStream;
use super::authentication::Access;
use super::client::RegistryClient;
use super::error::{Attempt, RegistryError};
use super::failure;
use super::retry::{Failure, Retry};
use crate::digest::Sha256Hasher;
use crate::manifest::Descriptor;

/// After this many bytes without a failure, earlier failures no longer count: a long transfer may
/// break off more often than a short one.
const FORGIVEN_AFTER: u64 = 4 * 1024 * 1024;

/// A blob on its way.
pub(super) struct Download {
    client: RegistryClient,
    attempt: Attempt,
    descriptor: Descriptor,
    /// How many bytes a request asks for; all that are left when `None`.
    length: Option<u64>,
    body: Option<BoxStream<'static, io::Result<Bytes>>>,
    /// Bytes to drop at the start of the body, from a registry that sends everything again.
    to_skip: u64,
    hasher: Sha256Hasher,
    verified: bool,
    retry: Retry,
    failed_at: u64,
}

impl RegistryClient {
    pub(super) async fn open_blob(
        &self,
        repository: &RepositoryReference,
        descriptor: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        let attempt = Attempt::new(format!("read the blob {}", descriptor.digest), repository);
        let mut download = Download::new(self.clone(), attempt, descriptor.clone());
        // A missing blob is the call's error and not the stream's.
        download.open().await?;
        Ok(stream::try_unfold(download, Download::next).boxed())
    }

    pub(super) async fn read_blob(
        &self,
        repository: &RepositoryReference,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, RegistryError> {
        if descriptor.size > limit {
            let attempt = Attempt::new(format!("read the blob {}", descriptor.digest), repository);
            return Err(RegistryError::TooLarge { attempt, limit });
        }
        let stream = self.open_blob(repository, descriptor).await?;
        let bytes: Vec<u8> = stream
            .try_fold(Vec::new(), async |mut bytes: Vec<u8>, piece| {
                bytes.extend_from_slice(&piece);
                Ok(bytes)
            })
            .await?;
        Ok(bytes.into())
    }
}

impl Download {
    fn new(client: RegistryClient, attempt: Attempt, descriptor: Descriptor) -> Self {
        let retry = client.retry();
        Self {
            client,
            attempt,
            descriptor,
            length: None,
            body: None,
            to_skip: 0,
            hasher: Sha256Hasher::new(),
            verified: false,
            retry,
            failed_at: 0,
        }
    }

    /// A download of the first byte alone, which proves that there are bytes.
    pub(super) fn of_first_byte(client: RegistryClient, attempt: Attempt, descriptor: Descriptor) -> Self {
        Self { length: Some(1), ..Self::new(client, attempt, descriptor) }
    }

    /// Reads some bytes and forgets them.
    pub(super) async fn read_first_byte(&mut self) -> Result<(), RegistryError> {
        loop {
            self.open().await?;
            match self.receive().await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => return Err(self.broken_off().error),
                Err(failure) => self.fail(failure).await?,
            }
        }
    }

    /// The next bytes, or `None` after the last. The last bytes are handed out only when the digest
    /// is right, so that who takes exactly as many as the descriptor says has taken the right ones.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, RegistryError> {
        loop {
            if self.descriptor.size == 0 && !self.verified {
                self.verify()?;
            }
            self.open().await?;
            match self.receive().await {
                Ok(Some(bytes)) => {
                    let bytes = self.accept(bytes)?;
                    if !bytes.is_empty() {
                        return Ok(Some((bytes, self)));
                    }
                }
                // After the last byte it does not matter how the connection ends.
                Ok(None) | Err(_) if self.verified => return Ok(None),
                Ok(None) => {
                    let failure = self.broken_off();
                    self.fail(failure).await?;
                }
                Err(failure) => self.fail(failure).await?,
            }
        }
    }

    /// Sees that there is a body to read from.
    async fn open(&mut self) -> Result<(), RegistryError> {
        while self.body.is_none() && !(self.descriptor.size == 0 && self.length.is_none()) {
            if let Err(failure) = self.request().await {
                self.fail(failure).await?;
            }
        }
        Ok(())
    }

    async fn request(&mut self) -> Result<(), Failure> {
        let client = self.client.clone();
        let (library, reference) = client.library(&self.attempt, Access::Pull).await?;
        let offset = self.hasher.size();
        let digest = self.descriptor.digest.to_string();
        // Only the digest is passed on: with the descriptor's `urls` the library would follow them.
        let request = library.pull_blob_stream_partial(&reference, digest.as_str(), offset, self.length);
        let (body, to_skip) = match client.answer_in_time(&self.attempt, request).await? {
            BlobResponse::Partial(body) => (body, 0),
            BlobResponse::Full(body) => (body, offset),
        };
        self.body = Some(body.boxed());
        self.to_skip = to_skip;
        Ok(())
    }

    /// The next bytes of the body, as they come.
    async fn receive(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        match tokio::time::timeout(self.client.shared.config.timeouts.read, body.next()).await {
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(None) => Ok(None),
            Ok(Some(Err(error))) => Err(self.body_failure(error)),
            Err(_) => {
                Err(Failure::passing(RegistryError::Timeout { attempt: self.attempt.clone(), source: None }))
            }
        }
    }

    /// Counts and hashes bytes, and drops those that were there before.
    fn accept(&mut self, mut bytes: Bytes) -> Result<Bytes, RegistryError> {
        let skipped = self.to_skip.min(bytes.len() as u64);
        self.to_skip -= skipped;
        let bytes = bytes.split_off(usize::try_from(skipped).unwrap_or(bytes.len()));
        self.hasher.update(&bytes);
        let (done, size) = (self.hasher.size(), self.descriptor.size);
        if done > size {
            return Err(RegistryError::TooLarge { attempt: self.attempt.clone(), limit: size });
        }
        if done == size && !self.verified {
            self.verify()?;
        }
        if done >= self.failed_at.saturating_add(FORGIVEN_AFTER) {
            self.retry.forget_failures();
        }
        Ok(bytes)
    }

    fn verify(&mut self) -> Result<(), RegistryError> {
        let (actual, _) = self.hasher.clone().finish();
        let expected = self.descriptor.digest;
        if actual != expected {
            let actual = actual.to_string();
            return Err(RegistryError::DigestMismatch { attempt: self.attempt.clone(), expected, actual });
        }
        self.verified = true;
        Ok(())
    }

    async fn fail(&mut self, failure: Failure) -> Result<(), RegistryError> {
        self.body = None;
        self.failed_at = self.hasher.size();
        self.client.recover(&mut self.retry, failure, &self.attempt).await
    }

    /// The body ended before the blob did.
    fn broken_off(&self) -> Failure {
        Failure::passing(RegistryError::DigestMismatch {
            attempt: self.attempt.clone(),
            expected: self.descriptor.digest,
            actual: format!("only {} of {} bytes", self.hasher.size(), self.descriptor.size),
        })
    }

    fn body_failure(&self, error: io::Error) -> Failure {
        match error.downcast::<reqwest::Error>() {
            // A length that was announced and not kept is the registry's failure, not the network's.
            Ok(error) if !error.is_timeout() => self.broken_off(),
            Ok(error) => failure::of_request(&self.attempt, error),
            // The library has hashed the bytes too; which of them are wrong cannot be known.
            Err(error) if error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<DigestError>) => {
                self.broken_off()
            }
            Err(error) => Failure::passing(RegistryError::Unreachable {
                attempt: self.attempt.clone(),
                detail: "the connection broke off; check the network and try again".to_owned(),
                source: Some(error.into()),
            }),
        }
    }
}

//! Writing a blob, from memory, a file or another registry, in one request.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use oci_client::errors::OciDistributionError;
use tokio_util::io::ReaderStream;

use super::RepositoryReference;
use super::api::{BlobSource, Progress};
use super::authentication::Access;
use super::client::RegistryClient;
use super::error::{Attempt, RegistryError};
use super::failure;
use super::retry::Failure;
use crate::digest::Digest;
use crate::manifest::Descriptor;

const PIECE: usize = 256 * 1024;

type Body = BoxStream<'static, Result<Bytes, RegistryError>>;

/// Where the bytes come from; opened again for each try.
enum Origin<'a> {
    Local(&'a BlobSource),
    Registry(&'a RepositoryReference, &'a Descriptor),
}

impl RegistryClient {
    pub(super) async fn write_blob(
        &self,
        repository: &RepositoryReference,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
        progress: Progress,
    ) -> Result<(), RegistryError> {
        let attempt = Attempt::new(format!("write the blob {digest}"), repository);
        self.upload(&attempt, &digest.to_string(), size, &Origin::Local(source), &progress).await
    }

    pub(super) async fn stream_blob(
        &self,
        source: &RepositoryReference,
        target: &RepositoryReference,
        descriptor: &Descriptor,
        progress: Progress,
    ) -> Result<(), RegistryError> {
        let Descriptor { digest, size, .. } = descriptor;
        let attempt = Attempt::new(format!("copy the blob {digest} from {source}"), target);
        let origin = Origin::Registry(source, descriptor);
        self.upload(&attempt, &digest.to_string(), *size, &origin, &progress).await
    }

    async fn upload(
        &self,
        attempt: &Attempt,
        digest: &str,
        size: u64,
        origin: &Origin<'_>,
        progress: &Progress,
    ) -> Result<(), RegistryError> {
        let mut retry = self.retry();
        loop {
            let body = self.body(attempt, size, origin).await?;
            let transfer = Arc::new(Transfer { size, ..Transfer::default() });
            progress.report(0);
            let body = watched(body, Arc::clone(&transfer), progress.clone());
            let failure = match self.library(attempt, Access::Push).await {
                Err(failure) => failure,
                Ok((client, reference)) => {
                    let upload = client.push_blob_stream(&reference, body, digest, Some(size));
                    match self.unless_stalled(&transfer, upload).await {
                        Some(Ok(_location)) => return Ok(()),
                        Some(Err(error)) => match transfer.take_source_error() {
                            // The source has been retried on its own account.
                            Some(error) => return Err(error),
                            None => failure::of_library(attempt, error, &self.identity(attempt).await),
                        },
                        None => {
                            let attempt = attempt.clone();
                            Failure::passing(RegistryError::Timeout { attempt, source: None })
                        }
                    }
                }
            };
            self.recover(&mut retry, failure, attempt).await?;
        }
    }

    async fn body(&self, attempt: &Attempt, size: u64, origin: &Origin<'_>) -> Result<Body, RegistryError> {
        match origin {
            Origin::Registry(repository, descriptor) => self.open_blob(repository, descriptor).await,
            Origin::Local(source) => {
                let found = length_of(attempt, source).await?;
                if found != size {
                    let reason = format!("it has {found} bytes and not the {size} that were announced");
                    return Err(unreadable(attempt, source, io::Error::other(reason)));
                }
                Ok(local_body(attempt.clone(), (*source).clone()))
            }
        }
    }

    /// The result of an upload, or `None` when it does not get on.
    async fn unless_stalled<T>(&self, transfer: &Transfer, upload: impl Future<Output = T>) -> Option<T> {
        let timeouts = self.shared.config.timeouts;
        let mut upload = std::pin::pin!(upload);
        loop {
            let sent = transfer.sent.load(Ordering::Relaxed);
            let patience: Duration = if sent >= transfer.size { timeouts.commit } else { timeouts.read };
            match tokio::time::timeout(patience, &mut upload).await {
                Ok(result) => return Some(result),
                Err(_) if transfer.sent.load(Ordering::Relaxed) == sent => return None,
                Err(_) => {}
            }
        }
    }
}

/// One try to upload.
#[derive(Default)]
struct Transfer {
    size: u64,
    sent: AtomicU64,
    /// What went wrong with the bytes to send; the library would make a broken connection of it.
    source_error: Mutex<Option<RegistryError>>,
}

impl Transfer {
    fn take_source_error(&self) -> Option<RegistryError> {
        self.source_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Counts what is taken from `body` and keeps its error.
fn watched(
    body: Body,
    transfer: Arc<Transfer>,
    progress: Progress,
) -> BoxStream<'static, Result<Bytes, OciDistributionError>> {
    body.map(move |piece| match piece {
        Ok(bytes) => {
            let length = bytes.len() as u64;
            progress.report(transfer.sent.fetch_add(length, Ordering::Relaxed) + length);
            Ok(bytes)
        }
        Err(error) => {
            *transfer.source_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Err(OciDistributionError::IoError(io::Error::other("the bytes to upload cannot be read")))
        }
    })
    .boxed()
}

fn pieces(mut bytes: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, RegistryError>> + Send {
    let next = move || {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        (!piece.is_empty()).then_some(Ok(piece))
    };
    stream::iter(std::iter::from_fn(next))
}

/// The length of a local source in bytes.
async fn length_of(attempt: &Attempt, source: &BlobSource) -> Result<u64, RegistryError> {
    let mut length = 0;
    let mut pending = vec![source];
    while let Some(source) = pending.pop() {
        match source {
            BlobSource::Bytes(bytes) => length += bytes.len() as u64,
            BlobSource::File(path) => {
                let metadata = tokio::fs::metadata(path).await;
                length += metadata.map_err(|error| unreadable(attempt, source, error))?.len();
            }
            BlobSource::Parts(parts) => pending.extend(parts),
        }
    }
    Ok(length)
}

/// The bytes of a local source. Files are opened one after the other, when their turn comes.
fn local_body(attempt: Attempt, source: BlobSource) -> Body {
    match source {
        BlobSource::Bytes(bytes) => pieces(bytes).boxed(),
        BlobSource::File(path) => stream::once(file_body(attempt, path)).try_flatten().boxed(),
        BlobSource::Parts(parts) => {
            stream::iter(parts).flat_map(move |part| local_body(attempt.clone(), part)).boxed()
        }
    }
}

async fn file_body(attempt: Attempt, path: PathBuf) -> Result<Body, RegistryError> {
    let source = BlobSource::File(path.clone());
    let file = tokio::fs::File::open(path).await.map_err(|error| unreadable(&attempt, &source, error))?;
    let failed = move |error| unreadable(&attempt, &source, error);
    Ok(ReaderStream::with_capacity(file, PIECE).map_err(failed).boxed())
}

fn unreadable(attempt: &Attempt, source: &BlobSource, error: io::Error) -> RegistryError {
    let path = match source {
        BlobSource::File(path) => path.display().to_string(),
        BlobSource::Bytes(_) | BlobSource::Parts(_) => "to upload".to_owned(),
    };
    RegistryError::File { attempt: attempt.clone(), path, source: error }
}

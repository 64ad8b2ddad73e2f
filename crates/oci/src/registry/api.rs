//! The trait that the rest of the program sees of a registry.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;

use super::{RegistryError, RepositoryReference, TagOrDigest};
use crate::digest::Digest;
use crate::manifest::{Descriptor, Index, Manifest, ManifestOrIndex, Platform};

/// What every call of [`Registry`] returns: a boxed future, so that `Arc<dyn Registry>` works and
/// the crates above need no type parameter for their tests.
pub type RegistryFuture<'a, T> = BoxFuture<'a, Result<T, RegistryError>>;

/// The verified bytes of a blob.
///
/// Ends in an error when size or digest are not the descriptor's; nothing that was read before may
/// be trusted until the stream has ended without one.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, RegistryError>> + Send>>;

/// A manifest as a registry served it.
#[derive(Debug, Clone)]
pub struct FetchedManifest {
    /// The digest of the bytes, computed here.
    pub digest: Digest,
    /// The parsed bytes; they are kept inside as `raw`.
    pub content: ManifestOrIndex,
}

/// An image of one platform, pinned.
#[derive(Debug, Clone)]
pub struct ResolvedImage {
    /// Where it is.
    pub repository: RepositoryReference,
    /// The index that was followed, if the reference named one.
    pub index: Option<Index>,
    /// The platform's manifest; its digest pins the image.
    pub manifest: Manifest,
    /// The image's configuration: verified bytes of JSON.
    pub config: Bytes,
}

impl ResolvedImage {
    /// The digest of the platform's manifest.
    pub fn digest(&self) -> Digest {
        self.manifest.digest
    }

    /// The digest of the index that was followed, if any.
    pub fn index_digest(&self) -> Option<Digest> {
        self.index.as_ref().map(|index| index.digest)
    }
}

/// Whether a registry could take a blob from another of its repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mounted {
    /// The blob is now in the target repository; no bytes were moved.
    Yes,
    /// The registry does not mount it: upload or copy the blob.
    No,
}

/// The bytes to upload. Can be read again when an upload has to be repeated.
#[derive(Debug, Clone)]
pub enum BlobSource {
    /// Bytes in memory: configurations and other small blobs.
    Bytes(Bytes),
    /// A file that does not change meanwhile.
    File(PathBuf),
    /// Several sources, one behind the other: a blob that is joined while it is sent and never written out.
    Parts(Vec<BlobSource>),
}

/// Told how many bytes of *one* transfer are done.
///
/// The number is absolute and may go back: a repeated upload starts again at 0.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(u64) + Send + Sync>>);

impl Progress {
    /// Calls `observe` with the bytes done so far, some times per megabyte.
    pub fn new(observe: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Tells nobody.
    pub fn none() -> Self {
        Self(None)
    }

    pub(super) fn report(&self, bytes_done: u64) {
        if let Some(observe) = &self.0 {
            observe(bytes_done);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}

/// A registry, as the OCI distribution specification has it.
///
/// Every call retries what is worth a retry (connections, rate limits, server errors, truncated
/// bodies) and never what is not. Dropping a future cancels the call.
pub trait Registry: Send + Sync {
    /// Follows a tag or digest, through an index if it is one, to the image of `platform`, and
    /// reads its configuration.
    fn resolve<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
        platform: &'a Platform,
    ) -> RegistryFuture<'a, ResolvedImage>;

    /// Whether requests to a repository carry a credential, as far as is known: ask after one that was answered.
    /// What a repository gives without is public.
    fn shows_credentials<'a>(&'a self, repository: &'a RepositoryReference) -> BoxFuture<'a, bool>;

    /// Reads a manifest or index of at most
    /// [`MANIFEST_SIZE_LIMIT`](crate::manifest::MANIFEST_SIZE_LIMIT) bytes; `None` when there is none.
    fn get_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
    ) -> RegistryFuture<'a, Option<FetchedManifest>>;

    /// The digest that a tag points to now; `None` when there is no such tag.
    fn head_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
    ) -> RegistryFuture<'a, Option<Digest>>;

    /// Writes a manifest, byte for byte, and returns its digest. Everything it names must be there.
    ///
    /// A manifest with a `subject` is also entered in the referrers tag of a registry that does not
    /// keep that list itself.
    fn put_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
        media_type: &'a str,
        bytes: Bytes,
    ) -> RegistryFuture<'a, Digest>;

    /// Removes a manifest and all tags that point to it. `false` when it was not there.
    fn delete_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        digest: &'a Digest,
    ) -> RegistryFuture<'a, bool>;

    /// All tags of a repository, in the registry's order; none when there is no such repository.
    fn list_tags<'a>(&'a self, repository: &'a RepositoryReference) -> RegistryFuture<'a, Vec<String>>;

    /// The size of a blob in bytes; `None` when the registry does not know it.
    ///
    /// A registry that collects garbage may answer for a blob that is gone: see [`Self::probe_blob`].
    fn head_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        digest: &'a Digest,
    ) -> RegistryFuture<'a, Option<u64>>;

    /// Whether a blob can really be read: its first bytes are fetched.
    fn probe_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        descriptor: &'a Descriptor,
    ) -> RegistryFuture<'a, bool>;

    /// Reads a blob. A broken transfer is taken up again where it stopped.
    fn get_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        descriptor: &'a Descriptor,
    ) -> RegistryFuture<'a, BlobStream>;

    /// Reads a blob of at most `limit` bytes into memory.
    fn get_blob_bytes<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        descriptor: &'a Descriptor,
        limit: u64,
    ) -> RegistryFuture<'a, Bytes>;

    /// Asks the registry to take a blob from another of its repositories.
    fn mount_blob<'a>(
        &'a self,
        target: &'a RepositoryReference,
        source: &'a RepositoryReference,
        digest: &'a Digest,
    ) -> RegistryFuture<'a, Mounted>;

    /// Uploads a blob of `size` bytes in one request. Whether it is there already is not asked.
    fn put_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        digest: &'a Digest,
        size: u64,
        source: &'a BlobSource,
        progress: Progress,
    ) -> RegistryFuture<'a, ()>;

    /// Streams a blob from one repository to another, on any registries: verified on its way, held
    /// neither in memory nor on disk.
    fn copy_blob<'a>(
        &'a self,
        source: &'a RepositoryReference,
        target: &'a RepositoryReference,
        descriptor: &'a Descriptor,
        progress: Progress,
    ) -> RegistryFuture<'a, ()>;
}

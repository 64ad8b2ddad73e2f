//! [`Registry`] for the client: boxes the calls, which live beside what they are about.

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::api::{
    BlobSource, BlobStream, FetchedManifest, Mounted, Progress, Registry, RegistryFuture, ResolvedImage,
};
use super::client::RegistryClient;
use super::{RepositoryReference, TagOrDigest};
use crate::digest::Digest;
use crate::manifest::{Descriptor, Platform};

impl Registry for RegistryClient {
    fn resolve<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
        platform: &'a Platform,
    ) -> RegistryFuture<'a, ResolvedImage> {
        Box::pin(self.resolve_image(repository, reference, platform))
    }

    fn shows_credentials<'a>(&'a self, repository: &'a RepositoryReference) -> BoxFuture<'a, bool> {
        Box::pin(self.has_credential(repository))
    }

    fn get_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
    ) -> RegistryFuture<'a, Option<FetchedManifest>> {
        Box::pin(self.read_manifest(repository, reference))
    }

    fn head_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
    ) -> RegistryFuture<'a, Option<Digest>> {
        Box::pin(self.find_manifest(repository, reference))
    }

    fn put_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        reference: &'a TagOrDigest,
        media_type: &'a str,
        bytes: Bytes,
    ) -> RegistryFuture<'a, Digest> {
        Box::pin(self.write_manifest(repository, reference, media_type, bytes))
    }

    fn delete_manifest<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        digest: &'a Digest,
    ) -> RegistryFuture<'a, bool> {
        Box::pin(self.remove_manifest(repository, *digest))
    }

    fn list_tags<'a>(&'a self, repository: &'a RepositoryReference) -> RegistryFuture<'a, Vec<String>> {
        Box::pin(self.tags(repository))
    }

    fn head_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        digest: &'a Digest,
    ) -> RegistryFuture<'a, Option<u64>> {
        Box::pin(self.blob_size(repository, digest))
    }

    fn probe_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        descriptor: &'a Descriptor,
    ) -> RegistryFuture<'a, bool> {
        Box::pin(self.blob_is_readable(repository, descriptor))
    }

    fn get_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        descriptor: &'a Descriptor,
    ) -> RegistryFuture<'a, BlobStream> {
        Box::pin(self.open_blob(repository, descriptor))
    }

    fn get_blob_bytes<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        descriptor: &'a Descriptor,
        limit: u64,
    ) -> RegistryFuture<'a, Bytes> {
        Box::pin(self.read_blob(repository, descriptor, limit))
    }

    fn mount_blob<'a>(
        &'a self,
        target: &'a RepositoryReference,
        source: &'a RepositoryReference,
        digest: &'a Digest,
    ) -> RegistryFuture<'a, Mounted> {
        Box::pin(self.mount(target, source, digest))
    }

    fn put_blob<'a>(
        &'a self,
        repository: &'a RepositoryReference,
        digest: &'a Digest,
        size: u64,
        source: &'a BlobSource,
        progress: Progress,
    ) -> RegistryFuture<'a, ()> {
        Box::pin(self.write_blob(repository, digest, size, source, progress))
    }

    fn copy_blob<'a>(
        &'a self,
        source: &'a RepositoryReference,
        target: &'a RepositoryReference,
        descriptor: &'a Descriptor,
        progress: Progress,
    ) -> RegistryFuture<'a, ()> {
        Box::pin(self.stream_blob(source, target, descriptor, progress))
    }
}

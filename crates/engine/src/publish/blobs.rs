//! Getting blobs into the target repository with as few bytes as possible: there already, mounted from another
//! repository of the registry, copied from another registry, or uploaded.
//!
//! Registries collect garbage and may still answer for what is gone. So a blob that was not uploaded just now
//! counts as there only when its first bytes could be read.

use std::path::Path;

use bytes::Bytes;
use imagewright_oci::manifest::Descriptor;
use imagewright_oci::registry::{BlobSource, Mounted, Registry};
use imagewright_spec::RepositoryReference;

use super::Publisher;
use crate::error::{BuildError, ErrorKind};

/// Whether bytes had to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reused {
    /// The blob was there or was mounted.
    Yes,
    /// Its bytes were sent.
    No,
}

impl Publisher {
    /// Makes sure that a blob of `source` is in the target repository.
    ///
    /// # Errors
    /// What the registries give.
    pub async fn copy(&self, source: &RepositoryReference, blob: &Descriptor) -> Result<Reused, BuildError> {
        if self.find(Some(source), blob).await? {
            self.progress.skip(blob.size);
            return Ok(Reused::Yes);
        }
        self.registry.copy_blob(source, &self.target, blob, self.progress.transfer()).await?;
        self.counters.add_read(blob.size);
        self.counters.add_uploaded(blob.size);
        Ok(Reused::No)
    }

    /// Makes sure that a small blob is in the target repository.
    ///
    /// # Errors
    /// What the registry gives.
    pub async fn put_bytes(&self, blob: &Descriptor, bytes: Bytes) -> Result<Reused, BuildError> {
        if self.is_readable(&self.target, blob).await? {
            return Ok(Reused::Yes);
        }
        self.upload(&self.target, blob, &BlobSource::Bytes(bytes)).await?;
        Ok(Reused::No)
    }

    /// Makes sure that a blob whose bytes are in a file is in the target repository, and nowhere else.
    ///
    /// # Errors
    /// What the registry gives.
    pub async fn put_file(&self, blob: &Descriptor, file: &Path) -> Result<Reused, BuildError> {
        if self.is_readable(&self.target, blob).await? {
            self.progress.skip(blob.size);
            return Ok(Reused::Yes);
        }
        self.upload(&self.target, blob, &BlobSource::File(file.to_owned())).await?;
        Ok(Reused::No)
    }

    /// True when the blob is readable in the target repository, or was mounted there from `source` just now.
    pub(super) async fn find(
        &self,
        source: Option<&RepositoryReference>,
        blob: &Descriptor,
    ) -> Result<bool, BuildError> {
        if self.is_readable(&self.target, blob).await? {
            return Ok(true);
        }
        let Some(source) = source.filter(|source| {
            source.registry() == self.target.registry() && source.repository() != self.target.repository()
        }) else {
            return Ok(false);
        };
        match self.registry.mount_blob(&self.target, source, &blob.digest).await {
            Ok(Mounted::Yes) => self.is_readable(&self.target, blob).await,
            Ok(Mounted::No) => Ok(false),
            Err(error) => {
                // A registry that cannot mount is no reason to fail: the bytes are sent instead.
                tracing::debug!(%error, blob = %blob.digest, "a blob cannot be mounted");
                Ok(false)
            }
        }
    }

    /// True when a repository has a blob of the right size and can really give it.
    ///
    /// # Errors
    /// What the registry gives.
    pub async fn is_readable(
        &self,
        repository: &RepositoryReference,
        blob: &Descriptor,
    ) -> Result<bool, BuildError> {
        is_readable(&*self.registry, repository, blob).await
    }

    pub(super) async fn upload(
        &self,
        repository: &RepositoryReference,
        blob: &Descriptor,
        source: &BlobSource,
    ) -> Result<(), BuildError> {
        self.upload_with(&*self.registry, repository, blob, source).await
    }

    pub(super) async fn upload_with(
        &self,
        registry: &dyn Registry,
        repository: &RepositoryReference,
        blob: &Descriptor,
        source: &BlobSource,
    ) -> Result<(), BuildError> {
        registry.put_blob(repository, &blob.digest, blob.size, source, self.progress.transfer()).await?;
        self.counters.add_uploaded(blob.size);
        // A registry whose descriptor cache still believes in a collected blob may take the bytes and lose them.
        if registry.probe_blob(repository, blob).await? {
            return Ok(());
        }
        Err(BuildError::new(
            ErrorKind::Unreachable,
            format!("{repository} took the blob {} and cannot give it back", blob.digest),
        )
        .with_next_step(
            "the registry is collecting garbage or its storage is damaged: restart it, and collect garbage only \
             while it is read-only",
        ))
    }
}

/// True when a repository has a blob of the right size and can really give it.
pub(super) async fn is_readable(
    registry: &dyn Registry,
    repository: &RepositoryReference,
    blob: &Descriptor,
) -> Result<bool, BuildError> {
    match registry.head_blob(repository, &blob.digest).await? {
        Some(size) if size == blob.size => Ok(registry.probe_blob(repository, blob).await?),
        Some(_) | None => Ok(false),
    }
}

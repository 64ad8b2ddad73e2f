//! Pushing one platform's image, and finding one that was pushed before.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use imagewright_oci::manifest::Platform;
use imagewright_oci::media_type::OCI_MANIFEST;
use imagewright_oci::registry::TagOrDigest;

use super::image::AssembledImage;
use super::layers::BuiltLayer;
use super::record::BuildRecord;
use super::{BuiltPlatform, Shared};
use crate::assemble::manifest::NewManifest;
use crate::base::Base;
use crate::error::BuildError;
use crate::event::RunningStep;
use crate::lock::LOCK_MEDIA_TYPE;
use crate::papers::BILL_MEDIA_TYPE;
use crate::publish::{Publisher, PushProgress, Reused};
use crate::summary::StepSeconds;

/// Blobs that are looked up or moved at the same time.
const CONCURRENT_BLOBS: usize = 6;

impl Shared<'_> {
    /// Pushes to the repository of the plan's target.
    pub(super) fn publisher(&self) -> Publisher {
        Publisher {
            registry: Arc::clone(&self.context.registry),
            target: self.plan.to.repository_reference().clone(),
            layer_repository: self.plan.layer_repository.clone(),
            layer_registry: self.context.layer_registry.clone(),
            cache: self.context.cache.clone(),
            events: self.context.events.clone(),
            counters: Arc::clone(&self.counters),
            progress: Arc::new(PushProgress::default()),
            empty_config: tokio::sync::OnceCell::new(),
            layer_repository_refused: AtomicBool::new(false),
        }
    }

    /// True when every part of an earlier build is still readable in the target repository.
    pub(super) async fn is_published(
        &self,
        publisher: &Publisher,
        record: &BuildRecord,
    ) -> Result<bool, BuildError> {
        let digest = TagOrDigest::Digest(record.image.digest);
        // Read, since a registry may answer for what is gone.
        if self.context.registry.get_manifest(&publisher.target, &digest).await?.is_none() {
            return Ok(false);
        }
        let readable = stream::iter(&record.blobs)
            .map(|blob| publisher.is_readable(&publisher.target, blob))
            .buffer_unordered(CONCURRENT_BLOBS);
        readable.try_all(|readable| async move { readable }).await
    }

    /// An image that was built before and is still there.
    pub(super) fn unchanged(
        &self,
        platform: &Platform,
        record: &BuildRecord,
        steps: Vec<StepSeconds>,
    ) -> BuiltPlatform {
        for blob in &record.blobs {
            self.counters.add_reused_layer(blob.size);
        }
        let bytes = record.manifest_bytes();
        let manifest = NewManifest { digest: record.image.digest, bytes, media_type: OCI_MANIFEST };
        BuiltPlatform {
            platform: platform.clone(),
            lock: record.lock.clone(),
            manifest,
            blobs: record.blobs.clone(),
            image: record.image.clone(),
            steps,
            unchanged: true,
        }
    }

    /// Pushes everything but the tag.
    pub(super) async fn push(
        &self,
        publisher: &Publisher,
        base: &Base,
        layers: &[BuiltLayer],
        image: &AssembledImage,
        step: &RunningStep,
    ) -> Result<(), BuildError> {
        let total = image.layers.iter().fold(0, |total: u64, layer| total.saturating_add(layer.size));
        publisher.progress.begin(step.clone(), total);
        let source = &base.image.repository;
        let copies = stream::iter(&base.foundation.layers).map(|layer| async {
            match publisher.copy(source, layer).await? {
                Reused::Yes => self.counters.add_reused_layer(layer.size),
                Reused::No => {}
            }
            Ok::<_, BuildError>(())
        });
        let copies = copies.buffer_unordered(CONCURRENT_BLOBS).try_collect::<Vec<()>>();
        let uploads = stream::iter(layers).map(|layer| async {
            match publisher.put_layer(&layer.recipe, &layer.facts).await? {
                Reused::Yes => self.counters.add_reused_layer(layer.facts.size),
                Reused::No => self.counters.add_new_layer(layer.facts.size),
            }
            Ok::<_, BuildError>(())
        });
        let uploads = uploads.buffer_unordered(CONCURRENT_BLOBS).try_collect::<Vec<()>>();
        let system = stream::iter(&base.system).map(|system| async {
            match publisher.put_file(&system.descriptor, &system.file).await? {
                Reused::Yes => self.counters.add_reused_layer(system.descriptor.size),
                Reused::No => self.counters.add_new_layer(system.descriptor.size),
            }
            Ok::<_, BuildError>(())
        });
        let system = system.buffer_unordered(1).try_collect::<Vec<()>>();
        let config = publisher.put_bytes(&image.config_descriptor, image.config.clone());
        tokio::try_join!(copies, system, uploads, config)?;
        publisher.put_manifest(&image.manifest).await?;
        publisher.put_paper(LOCK_MEDIA_TYPE, image.lock.clone(), &image.manifest).await?;
        publisher.put_paper(BILL_MEDIA_TYPE, image.bill.clone(), &image.manifest).await
    }
}

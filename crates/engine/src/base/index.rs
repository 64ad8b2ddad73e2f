//! Reading the layers of an image into indexes, several at once, each at most once for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use imagewright_oci::digest::Digest;
use imagewright_oci::layer::index::{IndexError, IndexLimits, LayerIndex, index_layer};
use imagewright_oci::manifest::Descriptor;
use imagewright_oci::registry::{Registry, ResolvedImage};
use imagewright_oci::tree::ImageTree;
use imagewright_spec::{Owner, RepositoryReference};
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::cache::{Cache, write_entry};
use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};
use crate::event::{RunningStep, Unit};
use crate::registry_error;
use crate::scope::Scope;

/// Layers read at the same time: decompressing is what takes the time, so about one a core.
const CONCURRENT_LAYERS: usize = 3;

/// Where indexes are kept, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Kept<'build> {
    pub(super) cache: &'build Cache,
    pub(super) owner: &'build Owner,
}

impl Kept<'_> {
    /// For whom the blobs of a repository are. A manifest that names a digest proves nothing: anybody can write one,
    /// on a registry of his own. So what a registry gave to an owner's credentials is not found for another owner.
    async fn scope(self, registry: &dyn Registry, repository: &RepositoryReference) -> Scope {
        let shown = registry.shows_credentials(repository).await;
        if shown { Scope::Owner(self.owner.clone()) } else { Scope::Shared }
    }
}

/// The layers of an image, read.
pub(super) struct IndexedLayers {
    /// What all of them make.
    pub(super) tree: Arc<ImageTree>,
    /// What the lowest of them make.
    pub(super) foundation: Arc<ImageTree>,
    /// Digests of the uncompressed layers.
    pub(super) diff_ids: Vec<Digest>,
    /// Bytes of the uncompressed layers.
    pub(super) uncompressed_sizes: Vec<u64>,
    /// Compressed bytes that were read from the registry.
    pub(super) bytes_read: u64,
    /// For whom they are.
    pub(super) scope: Scope,
}

/// Reads all layers and lays them over each other.
pub(super) async fn index_layers(
    registry: Arc<dyn Registry>,
    image: &ResolvedImage,
    declared_diff_ids: &[String],
    foundation_layers: usize,
    kept: Kept<'_>,
    step: &RunningStep,
    cancellation: &CancellationToken,
) -> Result<IndexedLayers, BuildError> {
    let layers = &image.manifest.layers;
    let asked = Arc::clone(&registry);
    let total = layers.iter().fold(0, |total: u64, layer| total.saturating_add(layer.size));
    let read = Arc::new(AtomicU64::new(0));
    let done = AtomicU64::new(0);
    let mut indexes = stream::iter(layers)
        .map(|layer| {
            let registry = Arc::clone(&registry);
            let read = Arc::clone(&read);
            async move {
                crate::cancel::unless_cancelled(
                    cancellation,
                    layer_index(registry, &image.repository, layer, kept, read),
                )
                .await
            }
        })
        .buffered(CONCURRENT_LAYERS);

    let mut tree = ImageTree::new();
    let mut foundation = None;
    let mut diff_ids = Vec::with_capacity(layers.len());
    let mut uncompressed_sizes = Vec::with_capacity(layers.len());
    while let Some(index) = indexes.try_next().await? {
        let number = diff_ids.len();
        if number == foundation_layers {
            foundation = Some(Arc::new(tree.clone()));
        }
        if declared_diff_ids[number] != index.diff_id.to_string() {
            return Err(BuildError::new(
                ErrorKind::DigestMismatch,
                format!(
                    "layer {} of the base unpacks to other content than the image's configuration says",
                    number + 1
                ),
            )
            .with_next_step("the base was damaged or tampered with: push it again, or use another copy"));
        }
        tree.apply(&index).map_err(|error| unusable(number, &error))?;
        diff_ids.push(index.diff_id);
        uncompressed_sizes.push(index.uncompressed_size);
        let so_far = done.fetch_add(layers[number].size, Ordering::Relaxed) + layers[number].size;
        step.progress(so_far, total, Unit::Bytes);
    }
    let tree = Arc::new(tree);
    let foundation = foundation.unwrap_or_else(|| Arc::clone(&tree));
    let bytes_read = read.load(Ordering::Relaxed);
    let scope = kept.scope(&*asked, &image.repository).await;
    Ok(IndexedLayers { tree, foundation, diff_ids, uncompressed_sizes, bytes_read, scope })
}

async fn layer_index(
    registry: Arc<dyn Registry>,
    repository: &RepositoryReference,
    layer: &Descriptor,
    kept: Kept<'_>,
    read: Arc<AtomicU64>,
) -> Result<LayerIndex, BuildError> {
    for scope in Scope::readable_by(kept.owner) {
        if let Some(index) = stored_index(kept.cache.of(&scope).index().join(layer.digest.hex())).await? {
            return Ok(index);
        }
    }
    let stream = registry.get_blob(repository, layer).await?;
    // Asked now: some registries show their manifests to everybody, and want credentials for the blobs.
    let scope = kept.scope(&*registry, repository).await;
    let path = kept.cache.of(&scope).index().join(layer.digest.hex());
    let counted = stream.inspect_ok(move |bytes| {
        read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    let reader = StreamReader::new(counted.map_err(std::io::Error::other));
    let source = SyncIoBridge::new(Box::pin(reader));
    let index =
        blocking(move || index_layer(source, IndexLimits::default()).map_err(|error| layer_error(&error)))
            .await??;
    blocking(move || {
        write_entry(&path, |file| index.store(file))?;
        Ok(index)
    })
    .await?
}

/// The index of an earlier build; a damaged file counts as none and is made again.
async fn stored_index(path: std::path::PathBuf) -> Result<Option<LayerIndex>, BuildError> {
    blocking(move || match std::fs::File::open(&path) {
        Ok(file) => Ok(LayerIndex::load(std::io::BufReader::new(file)).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BuildError::file("read the index", &path, error)),
    })
    .await?
}

fn layer_error(error: &IndexError) -> BuildError {
    if let Some(registry) = registry_error::inside(error) {
        let kind = registry_error::kind(registry);
        return BuildError::new(kind, registry.to_string()).with_next_step(registry_error::next_step(kind));
    }
    let kind = match error {
        IndexError::TooLarge { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::Unsupported,
    };
    BuildError::new(kind, format!("the base cannot be used: {error}"))
        .with_next_step("rebuild the base with a current tool and push it again, or choose another base")
}

fn unusable(number: usize, error: &imagewright_oci::tree::TreeError) -> BuildError {
    BuildError::new(
        ErrorKind::Unsupported,
        format!("layer {} of the base cannot be used: {error}", number + 1),
    )
    .with_next_step("rebuild the base with a current tool and push it again, or choose another base")
}

/// Runs work on a thread for blocking work. A panic there is a defect of ours and ends the build as one.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BuildError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| BuildError::internal("a part of the build stopped unexpectedly").with_source(error))
}

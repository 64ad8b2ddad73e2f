//! A base, unpacked once for all steps upon it, in the form in which buildah reads it: an additional image store.
//!
//! The layers are fetched and verified by our own registry client, outside of the sandbox, so that no credential is
//! inside; they are unpacked inside, where nothing of the base is run and no network is.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::manifest::Descriptor;
use imagewright_oci::media_type::OCI_CONFIG;
use imagewright_oci::registry::Registry;
use imagewright_spec::RepositoryReference;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::container::{Fence, unpack};
use crate::assemble::layer::PartSource;
use crate::assemble::manifest::{as_oci_layer, image_manifest};
use crate::base::blocking;
use crate::cache::{Cache, mark_used};
use crate::cancel::{CancellationToken, unless_cancelled};
use crate::error::{BuildError, ErrorKind};

/// Layers that are fetched at the same time.
const CONCURRENT_LAYERS: usize = 4;

/// The file that says that a store is whole; its access time says when it was used last.
pub(crate) const COMPLETE: &str = "complete";

/// A layer of an image that is to be unpacked.
#[derive(Debug, Clone)]
pub(crate) struct StoredLayer {
    /// Names its bytes.
    pub(crate) descriptor: Descriptor,
    /// Digest of the uncompressed layer.
    pub(crate) diff_id: Digest,
    /// Where its bytes are on this machine, one part behind the other; in the registry where there are none.
    pub(crate) parts: Vec<PartSource>,
}

/// An image that steps are run upon.
#[derive(Debug, Clone)]
pub(crate) struct StepImage {
    /// Where its layers are.
    pub(crate) repository: RepositoryReference,
    /// Bottom first.
    pub(crate) layers: Vec<StoredLayer>,
    config: Vec<u8>,
    manifest: Vec<u8>,
}

impl StepImage {
    /// An image of these layers with a base's configuration.
    pub(crate) fn new(repository: &RepositoryReference, layers: Vec<StoredLayer>, config: &Value) -> Self {
        let mut config = config.clone();
        if let Some(fields) = config.as_object_mut() {
            let diff_ids: Vec<String> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
            fields.insert("rootfs".to_owned(), json!({"type": "layers", "diff_ids": diff_ids}));
            // It tells of layers that may not be here.
            fields.remove("history");
        }
        let config = config.to_string().into_bytes();
        let descriptor = Descriptor::of(OCI_CONFIG, &config);
        let descriptors: Vec<_> = layers.iter().map(|layer| as_oci_layer(&layer.descriptor)).collect();
        let manifest = image_manifest(&descriptor, &descriptors, &[]).bytes.to_vec();
        Self { repository: repository.clone(), layers, config, manifest }
    }

    /// Names everything of it.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// The name that buildah gives it: the digest of its configuration.
    pub(crate) fn identifier(&self) -> String {
        Digest::of(&self.config).hex()
    }

    /// Writes it as an OCI layout whose only image is called `base`.
    async fn write_layout(
        &self,
        folder: &Path,
        registry: &Arc<dyn Registry>,
        cancellation: &CancellationToken,
    ) -> Result<(), BuildError> {
        let blobs = folder.join("blobs/sha256");
        let write = |path: PathBuf, bytes: &[u8]| {
            fs::write(&path, bytes).map_err(|error| BuildError::file("write", &path, error))
        };
        fs::create_dir_all(&blobs).map_err(|error| BuildError::file("make the folder", &blobs, error))?;
        write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        write(blobs.join(self.identifier()), &self.config)?;
        write(blobs.join(self.digest().hex()), &self.manifest)?;
        let manifest = json!({
            "mediaType": imagewright_oci::media_type::OCI_MANIFEST,
            "digest": self.digest().to_string(),
            "size": self.manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": "base"},
        });
        let index = json!({"schemaVersion": 2, "manifests": [manifest]});
        write(folder.join("index.json"), index.to_string().as_bytes())?;
        // Collected: a stream that borrows what it makes futures of cannot be sent to another thread.
        let layers: Vec<_> =
            self.layers.iter().map(|layer| self.write_layer(layer, &blobs, registry)).collect();
        let fetched = stream::iter(layers).buffer_unordered(CONCURRENT_LAYERS).try_collect::<Vec<()>>();
        unless_cancelled(cancellation, async { fetched.await.map(drop) }).await
    }

    async fn write_layer(
        &self,
        layer: &StoredLayer,
        blobs: &Path,
        registry: &Arc<dyn Registry>,
    ) -> Result<(), BuildError> {
        let path = blobs.join(layer.descriptor.digest.hex());
        let failed = |error| BuildError::file("write", &path, error);
        if !layer.parts.is_empty() {
            let (parts, path) = (layer.parts.clone(), path.clone());
            let joined = blocking(move || join(&parts, &path)).await?;
            return joined.map_err(failed);
        }
        let mut stream = registry.get_blob(&self.repository, &layer.descriptor).await?;
        let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
        let mut hasher = Sha256Hasher::new();
        while let Some(bytes) = stream.try_next().await? {
            hasher.update(&bytes);
            file.write_all(&bytes).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        let (digest, _) = hasher.finish();
        if digest == layer.descriptor.digest {
            return Ok(());
        }
        Err(BuildError::new(
            ErrorKind::DigestMismatch,
            format!("{} gave other bytes than those of {}", self.repository, layer.descriptor.digest),
        )
        .with_next_step("try again; if it stays so, the registry is damaged: push the base again"))
    }
}

/// Writes parts one behind the other into a new file. Blocks.
fn join(parts: &[PartSource], path: &Path) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    for part in parts {
        match part {
            PartSource::Bytes(bytes) => file.write_all(bytes)?,
            PartSource::File(path) => std::io::copy(&mut fs::File::open(path)?, &mut file).map(drop)?,
        }
    }
    Ok(())
}

/// Where a store is kept.
pub(crate) fn store_folder(cache: &Cache, image: &StepImage) -> PathBuf {
    cache.bases().join(image.digest().hex())
}

/// The unpacked image, from the cache or unpacked now in a part of the fence's folder.
///
/// # Errors
/// What the registry, the disk and buildah give.
pub(crate) async fn unpacked(
    image: &StepImage,
    cache: &Cache,
    registry: &Arc<dyn Registry>,
    fence: &Fence,
    cancellation: &CancellationToken,
) -> Result<PathBuf, BuildError> {
    let kept = store_folder(cache, image);
    if kept.join(COMPLETE).exists() {
        mark_used(&kept.join(COMPLETE));
        return Ok(kept);
    }
    let made = fence.folder_for("unpacked")?;
    let layout = fence.folder_for("layout")?;
    image.write_layout(&layout, registry, cancellation).await?;
    unpack(fence, &layout, &made, cancellation).await?;
    let failed = |error| BuildError::file("keep the unpacked base in", &kept, error);
    fs::create_dir_all(cache.bases()).map_err(failed)?;
    let complete = made.join(COMPLETE);
    fs::write(&complete, "").map_err(failed)?;
    match fs::rename(&made, &kept) {
        Ok(()) => {}
        // Another build was faster: its store is as good as ours.
        Err(_) if kept.join(COMPLETE).exists() => {}
        Err(error) => return Err(failed(error)),
    }
    // It may be as large as the base.
    let _ = fs::remove_dir_all(&layout);
    Ok(kept)
}

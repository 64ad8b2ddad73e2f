//! The base image: its manifest and configuration, and the tree that its layers make, without unpacking it.

mod index;
mod system;

use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::registry::{Registry, RepositoryName, ResolvedImage, TagOrDigest};
use imagewright_oci::tree::ImageTree;
use serde_json::Value;

use crate::cache::Cache;
use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};
use crate::event::RunningStep;

pub use system::{OperatingSystem, operating_system};

/// A base image of one platform.
#[derive(Debug)]
pub struct Base {
    /// Where it is and what its manifest says.
    pub image: ResolvedImage,
    /// The configuration as JSON: edited, never rewritten, so that nothing of it is lost.
    pub config: Value,
    /// The tree that its layers make.
    pub tree: ImageTree,
    /// Digests of the uncompressed layers, bottom first.
    pub diff_ids: Vec<imagewright_oci::digest::Digest>,
    /// Compressed bytes that were read from the registry now, because they had never been read before.
    pub bytes_read: u64,
}

/// Finds the image of one platform. One or two small requests.
///
/// # Errors
/// What the registry gives.
pub async fn resolve(
    registry: &dyn Registry,
    repository: &RepositoryName,
    reference: &TagOrDigest,
    platform: &Platform,
) -> Result<ResolvedImage, BuildError> {
    let image = registry.resolve(repository, reference, platform).await?;
    Ok(image)
}

/// Reads an image's configuration and the index of each layer: from the cache, or streaming from the registry
/// the first time.
///
/// # Errors
/// Layers that are malformed, hostile, too large, or not what their digests say.
pub async fn load(
    registry: std::sync::Arc<dyn Registry>,
    image: ResolvedImage,
    cache: &Cache,
    step: &RunningStep,
    cancellation: &CancellationToken,
) -> Result<Base, BuildError> {
    let config: Value = serde_json::from_slice(&image.config).map_err(|error| {
        BuildError::new(ErrorKind::Unsupported, format!("the configuration of {} is no valid JSON", image.repository))
            .with_next_step("push the base again with a current tool")
            .with_source(error)
    })?;
    let declared = declared_diff_ids(&config)?;
    check_layers(&image.manifest.layers, declared.len())?;
    let (tree, diff_ids, bytes_read) =
        index::index_layers(registry, &image, &declared, cache, step, cancellation).await?;
    Ok(Base { image, config, tree, diff_ids, bytes_read })
}

/// `rootfs.diff_ids` of a configuration.
fn declared_diff_ids(config: &Value) -> Result<Vec<String>, BuildError> {
    let listed = config.pointer("/rootfs/diff_ids").and_then(Value::as_array);
    let texts = listed.map(|ids| ids.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    texts.flatten().ok_or_else(|| {
        BuildError::new(ErrorKind::Unsupported, "the base is no container image: its configuration lists no layers")
            .with_next_step("check that the reference names an image, not a chart, a model or another artefact")
    })
}

fn check_layers(layers: &[Descriptor], declared: usize) -> Result<(), BuildError> {
    if layers.len() != declared {
        return Err(BuildError::new(
            ErrorKind::DigestMismatch,
            format!("the base's manifest has {} layers and its configuration {declared}", layers.len()),
        )
        .with_next_step("the image was damaged on its way to the registry: push it again"));
    }
    Ok(())
}

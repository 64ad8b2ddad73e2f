//! The base image: its manifest and configuration, and the tree that its layers make, without unpacking it.

mod index;
mod own;
mod system;

use std::path::PathBuf;
use std::sync::Arc;

use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::Descriptor;
use imagewright_oci::media_type::LayerCompression;
use imagewright_oci::registry::{Registry, ResolvedImage};
use imagewright_oci::tree::ImageTree;
use imagewright_spec::Owner;
use serde_json::Value;

use crate::cache::Cache;
use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};
use crate::event::RunningStep;
use crate::scope::Scope;

pub(crate) use index::blocking;
pub use own::OwnImage;
pub use system::{OperatingSystem, operating_system};

/// A base image of one platform, read.
#[derive(Debug)]
pub struct Base {
    /// Where it is and what its manifest says.
    pub image: ResolvedImage,
    /// The configuration as JSON: edited, never rewritten, so that nothing of it is lost.
    pub config: Value,
    /// The tree that all its layers make: what is installed is looked for here.
    pub tree: Arc<ImageTree>,
    /// The layers that are built upon: all of them, or those of its own base where the image is one of ours.
    pub foundation: Foundation,
    /// The layer with the system packages of this build, directly above the foundation, which its tree has.
    pub system: Option<AddedSystemLayer>,
    /// Bytes of each layer's tar, bottom first.
    pub uncompressed_sizes: Vec<u64>,
    /// Compressed bytes that were read from the registry now, because they had never been read before.
    pub bytes_read: u64,
    /// For whom it is: for everybody only if the registry gives it to everybody.
    pub scope: Scope,
}

/// The layer with the system packages of a build.
#[derive(Debug, Clone)]
pub struct AddedSystemLayer {
    /// Names its bytes.
    pub descriptor: Descriptor,
    /// Digest of the uncompressed layer.
    pub diff_id: Digest,
    /// Where its bytes are on this machine.
    pub file: PathBuf,
    /// What is in it, for the image's history.
    pub description: String,
}

impl Base {
    /// How many layers are built upon, that of the system packages included.
    pub fn foundation_layers(&self) -> usize {
        self.foundation.layers.len() + usize::from(self.system.is_some())
    }
}

/// The layers that new ones are put upon.
#[derive(Debug, Clone)]
pub struct Foundation {
    /// Their tree.
    pub tree: Arc<ImageTree>,
    /// Their descriptors, bottom first.
    pub layers: Vec<Descriptor>,
    /// Digests of the uncompressed layers.
    pub diff_ids: Vec<Digest>,
}

/// Reads an image's configuration and the index of each layer: from the cache, or streaming from the registry
/// the first time. `foundation_layers` of them, from the bottom, are built upon. What a registry gives only to those
/// who show a credential is kept for the `owner`.
///
/// # Errors
/// Layers that are malformed, hostile, too large, or not what their digests say.
pub async fn load(
    registry: Arc<dyn Registry>,
    image: ResolvedImage,
    foundation_layers: usize,
    cache: &Cache,
    owner: &Owner,
    step: &RunningStep,
    cancellation: &CancellationToken,
) -> Result<Base, BuildError> {
    let config: Value = serde_json::from_slice(&image.config).map_err(|error| {
        BuildError::new(
            ErrorKind::Unsupported,
            format!("the configuration of {} is no valid JSON", image.repository),
        )
        .with_next_step("push the base again with a current tool")
        .with_source(error)
    })?;
    let declared = declared_diff_ids(&config)?;
    check_layers(&image.manifest.layers, declared.len())?;
    let kept = index::Kept { cache, owner };
    let indexed =
        index::index_layers(registry, &image, &declared, foundation_layers, kept, step, cancellation).await?;
    let foundation = Foundation {
        tree: indexed.foundation,
        layers: image.manifest.layers[..foundation_layers].to_vec(),
        diff_ids: indexed.diff_ids[..foundation_layers].to_vec(),
    };
    Ok(Base {
        image,
        config,
        tree: indexed.tree,
        foundation,
        system: None,
        uncompressed_sizes: indexed.uncompressed_sizes,
        bytes_read: indexed.bytes_read,
        scope: indexed.scope,
    })
}

/// `rootfs.diff_ids` of a configuration.
fn declared_diff_ids(config: &Value) -> Result<Vec<String>, BuildError> {
    let listed = config.pointer("/rootfs/diff_ids").and_then(Value::as_array);
    let texts =
        listed.map(|ids| ids.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    texts.flatten().ok_or_else(|| {
        BuildError::new(
            ErrorKind::Unsupported,
            "the base is no container image: its configuration lists no layers",
        )
        .with_next_step("check that the reference names an image, not a chart, a model or another artefact")
    })
}

/// Refuses what cannot be read as layers, before anything of it is fetched.
fn check_layers(layers: &[Descriptor], declared: usize) -> Result<(), BuildError> {
    for layer in layers {
        LayerCompression::from_media_type(&layer.media_type).map_err(|error| {
            BuildError::new(ErrorKind::Unsupported, format!("a layer of the base cannot be read: {error}"))
                .with_next_step("choose a base image whose layers are plain, gzip or zstd archives")
                .with_source(error)
        })?;
    }
    if layers.len() != declared {
        return Err(BuildError::new(
            ErrorKind::DigestMismatch,
            format!("the base's manifest has {} layers and its configuration {declared}", layers.len()),
        )
        .with_next_step("the image was damaged on its way to the registry: push it again"));
    }
    Ok(())
}

//! Pushing an image: layers found again or uploaded, configuration, lock, manifest, and the tag last.

mod blobs;
mod gate;
mod layer_repository;
mod manifests;
mod papers;
mod progress;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use imagewright_oci::registry::Registry;
use imagewright_spec::RepositoryReference;

use crate::cache::Cache;
use crate::event::Events;
use crate::summary::Transfer;

pub use blobs::Reused;
pub use gate::{GateKeeper, PublishGate};
pub use layer_repository::LAYER_ARTIFACT;
pub use progress::PushProgress;

/// How the layer repository is written: with credentials of its own, or none. Those of a build would let everybody
/// who may push an image say what another one's layers are.
#[derive(Clone)]
pub enum LayerRegistry {
    /// A client with the credentials of the layer repository.
    Own(Arc<dyn Registry>),
    /// A client without any, for want of them: it can write where everybody can.
    Anonymous(Arc<dyn Registry>),
}

impl LayerRegistry {
    fn client(&self) -> &Arc<dyn Registry> {
        match self {
            Self::Own(client) | Self::Anonymous(client) => client,
        }
    }
}

/// Pushes the parts of an image to one repository.
pub struct Publisher {
    /// The registry client; the base may be on another registry.
    pub registry: Arc<dyn Registry>,
    /// Where the image goes.
    pub target: RepositoryReference,
    /// Where layers are found again by their key, and kept for the next image. Only we write there.
    pub layer_repository: Option<RepositoryReference>,
    /// How the layer repository is written.
    pub layer_registry: LayerRegistry,
    /// Where frames are.
    pub cache: Cache,
    /// Takes warnings.
    pub events: Events,
    /// Bytes moved.
    pub counters: Arc<Counters>,
    /// How far the push is.
    pub progress: Arc<PushProgress>,
    /// The empty configuration is in the layer repository: every stored layer names it.
    pub empty_config: tokio::sync::OnceCell<()>,
    /// Set once the layer repository has refused a write: warned about once, not tried again.
    pub layer_repository_refused: AtomicBool,
}

impl Publisher {
    /// The layer repository, unless it has refused a write.
    fn writable_layer_repository(&self) -> Option<&RepositoryReference> {
        let refused = self.layer_repository_refused.load(Ordering::Relaxed);
        self.layer_repository.as_ref().filter(|_| !refused)
    }
}

/// Bytes moved by one build.
#[derive(Debug, Default)]
pub struct Counters {
    new_layers: AtomicU64,
    reused_layers: AtomicU64,
    uploaded: AtomicU64,
    read: AtomicU64,
}

impl Counters {
    /// Counts a layer that was made in this build.
    pub fn add_new_layer(&self, bytes: u64) {
        self.new_layers.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a layer that was found made.
    pub fn add_reused_layer(&self, bytes: u64) {
        self.reused_layers.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes sent to the registry.
    pub fn add_uploaded(&self, bytes: u64) {
        self.uploaded.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes read from the base's registry.
    pub fn add_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes sent so far.
    pub fn uploaded(&self) -> u64 {
        self.uploaded.load(Ordering::Relaxed)
    }

    /// All of them.
    pub fn transfer(&self) -> Transfer {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Transfer {
            new_layer_bytes: load(&self.new_layers),
            reused_layer_bytes: load(&self.reused_layers),
            uploaded_bytes: load(&self.uploaded),
            read_bytes: load(&self.read),
        }
    }
}

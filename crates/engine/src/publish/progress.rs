//! How far a push is, in bytes: blobs that were found count at once, those that are sent count as they go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use imagewright_oci::registry::Progress;

use crate::event::{RunningStep, Unit};

/// Adds up the transfers of one push.
#[derive(Debug, Default)]
pub struct PushProgress {
    step: OnceLock<(RunningStep, u64)>,
    done: AtomicU64,
}

impl PushProgress {
    /// From now on `step` is told of it; `total` is the size of all blobs in bytes.
    pub fn begin(&self, step: RunningStep, total: u64) {
        // A push begins once; a second call would change nothing.
        let _ = self.step.set((step, total));
        self.add(0);
    }

    /// A blob of this size needs no transfer.
    pub fn skip(&self, size: u64) {
        self.add(size);
    }

    /// Follows one transfer. A transfer that starts again counts from its start.
    pub fn transfer(self: &Arc<Self>) -> Progress {
        let progress = Arc::clone(self);
        let last = AtomicU64::new(0);
        Progress::new(move |bytes| {
            let before = last.swap(bytes, Ordering::Relaxed);
            if bytes >= before {
                progress.add(bytes - before);
            } else {
                progress.done.fetch_sub(before - bytes, Ordering::Relaxed);
            }
        })
    }

    fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some((step, total)) = self.step.get() {
            // A layer kept in the layer repository and sent to the image's as well counts twice.
            step.progress(done.min(*total), *total, Unit::Bytes);
        }
    }
}

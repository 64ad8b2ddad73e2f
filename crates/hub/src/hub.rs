//! The hub: what all app functions share.

use std::ops::Deref;
use std::sync::Arc;

use imagewright_store::Store;

use crate::clock::Clock;

/// The parts of a hub.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

/// A hub. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Parts>);

impl Hub {
    /// A hub of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Hub {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

//! The hub: what all app functions share.

use std::ops::Deref;
use std::sync::Arc;

use imagewright_store::Store;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::rules::Rules;
use crate::sealing::Sealing;
use crate::throttle::Throttle;

/// The parts of a hub.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What the operator allows and limits.
    pub rules: Rules,
    /// Secrets at rest.
    pub sealing: Arc<dyn Sealing>,
    /// Wrong passwords.
    pub throttle: Throttle,
    /// Told when a build was asked for, or asked to end: whoever runs builds waits for it.
    pub wake: Arc<Notify>,
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

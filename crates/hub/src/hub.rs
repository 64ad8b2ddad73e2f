//! The hub: what all app functions share.

use std::ops::Deref;
use std::sync::Arc;

use imagewright_store::Store;
use tokio::sync::Notify;

use crate::app::RecipeRules;
use crate::clock::Clock;
use crate::config::{AddressProblem, AddressRule, BuilderKind, GroupLimits, HubConfig, Resolver};
use crate::metrics::Metrics;
use crate::throttle::Throttle;
use crate::vault::Vault;

/// Under this name the limits of system images and custom image specs are looked up: no group can have it.
const NO_GROUP: &str = "";

/// The parts of a hub.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What the operator wants.
    pub config: HubConfig,
    /// Secrets at rest.
    pub vault: Vault,
    /// Which addresses that people type may be reached.
    pub addresses: AddressRule,
    /// Finds the addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// Wrong passwords.
    pub throttle: Throttle,
    /// Told when a build was asked for, or asked to end: whoever runs builds waits for it.
    pub wake: Arc<Notify>,
    /// What is counted.
    pub metrics: Metrics,
}

/// A hub. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Parts>);

impl Hub {
    /// A hub of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether images are built here at all.
    pub fn is_builder_on(&self) -> bool {
        self.config.builder == BuilderKind::Process
    }

    /// What a group may use, by its name; without, all system images and custom image specs together.
    pub fn limits(&self, group: Option<&str>) -> GroupLimits {
        self.config.limits.of_group(group.unwrap_or(NO_GROUP))
    }

    /// What a recipe of a group may have.
    pub(crate) fn recipe_rules(&self, group: Option<&str>) -> RecipeRules {
        RecipeRules {
            conda: self.config.sources.conda_policy(),
            pip: self.config.sources.pip_policy(),
            most_packages: self.limits(group).packages_per_spec as usize,
        }
    }

    /// Whether a base image may come from a registry, `host` or `host:port`.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) async fn may_reach_registry(&self, registry: &str) -> Result<(), String> {
        if !self.config.sources.allows_registry(registry) {
            return Err(format!("base images do not come from {registry} here"));
        }
        match self.addresses.check(registry, &*self.resolver).await {
            // Behind a proxy names need not be known here; the build says what is wrong.
            Ok(_) | Err(AddressProblem::NotResolved { .. }) => Ok(()),
            Err(problem) => Err(problem.to_string()),
        }
    }
}

impl Deref for Hub {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Hub")
    }
}

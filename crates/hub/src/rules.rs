//! What the operator allows and limits, as app functions need it. The configuration makes one.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::app::RecipeRules;

/// What one group (or all system images and specs together) may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// Builds that wait at once.
    pub queue: usize,
    /// Compressed bytes of what its builds have pushed; no limit without.
    pub storage_bytes: Option<u64>,
}

/// Says whether a registry or another server that somebody typed may be reached: why not, in words.
pub type AddressCheck = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Something that may differ from group to group, by the group's name; for system images and specs, without.
pub type ByGroup<T> = Arc<dyn Fn(Option<&str>) -> T + Send + Sync>;

/// What the operator allows and limits.
#[derive(Clone)]
pub struct Rules {
    /// Whether images are built here at all.
    pub builder: bool,
    /// What recipes may have.
    pub recipes: ByGroup<RecipeRules>,
    /// Limits.
    pub groups: ByGroup<GroupLimits>,
    /// Which servers may be reached.
    pub addresses: AddressCheck,
}

impl Rules {
    /// Whether images are built here at all.
    pub fn is_builder_on(&self) -> bool {
        self.builder
    }

    /// What the recipes of a group may have.
    pub fn recipe(&self, group: Option<&str>) -> RecipeRules {
        (self.recipes)(group)
    }

    /// The limits of a group.
    pub fn limits(&self, group: Option<&str>) -> GroupLimits {
        (self.groups)(group)
    }

    /// Whether a server, `host` or `host:port`, may be reached.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn may_reach(&self, server: &str) -> Result<(), String> {
        (self.addresses)(server.to_owned()).await
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rules").field("builder", &self.builder).finish_non_exhaustive()
    }
}

//! What the clean-up would remove.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::asking::Asking as _;
use crate::app::clean_up::Removal;

/// Queries for the clean-up.
#[derive(Default)]
pub(super) struct CleanUpQueries;

/// What would go of one build.
#[derive(SimpleObject)]
struct CleanUpRemoval {
    /// The identifier of the build.
    build: ID,
    /// Why: its image was deleted, or it is an old revision.
    reason: &'static str,
    /// The addresses that would be good for nothing afterwards. None where other builds made the very same.
    urls: Vec<String>,
    /// Compressed bytes of the image; what other images share of them stays.
    bytes: u64,
}

#[Object]
impl CleanUpQueries {
    /// What the clean-up would remove from the registry now, for admins. Nothing is removed by asking.
    #[graphql(complexity = "20 + child_complexity")]
    async fn clean_up(&self, ctx: &Context<'_>) -> Result<Vec<CleanUpRemoval>> {
        let removals = ctx.hub().plan_clean_up(ctx.actor()).await?;
        Ok(removals.into_iter().map(CleanUpRemoval::from).collect())
    }
}

impl From<Removal> for CleanUpRemoval {
    fn from(removal: Removal) -> Self {
        Self {
            build: ID(removal.build.to_string()),
            reason: removal.reason.title(),
            urls: removal.manifests.iter().map(|(url, _)| url.to_string()).collect(),
            bytes: removal.bytes,
        }
    }
}

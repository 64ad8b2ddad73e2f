//! What this hub is.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::asking::Asking as _;

/// What a hub says of itself, besides what is in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Whether it builds images.
    pub is_builder_on: bool,
}

/// Queries for the hub.
#[derive(Default)]
pub(super) struct SystemQueries;

/// This hub.
#[derive(SimpleObject)]
struct System {
    /// Its version.
    version: &'static str,
    /// Whether it builds images.
    builder: bool,
}

#[Object]
impl SystemQueries {
    /// What this hub is.
    async fn system(&self, ctx: &Context<'_>) -> Result<System> {
        ctx.actor().signed_in()?;
        let about = ctx.data_unchecked::<About>();
        Ok(System { version: env!("CARGO_PKG_VERSION"), builder: about.is_builder_on })
    }
}

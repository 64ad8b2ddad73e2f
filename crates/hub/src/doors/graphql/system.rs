//! What this hub is.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::asking::Asking as _;

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
    #[expect(clippy::unused_async, reason = "fields of an object are asynchronous, all of them")]
    async fn system(&self, ctx: &Context<'_>) -> Result<System> {
        ctx.actor().signed_in()?;
        Ok(System { version: env!("CARGO_PKG_VERSION"), builder: ctx.hub().is_builder_on() })
    }
}

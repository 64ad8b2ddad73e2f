//! One's own account.

use async_graphql::{Context, Object, Result};

use super::super::asking::Asking as _;
use super::super::users::UserObject;
use super::token::TokenObject;

/// Queries for one's own account.
#[derive(Default)]
pub(in super::super) struct AccountQueries;

#[Object]
impl AccountQueries {
    /// Who asks.
    async fn me(&self, ctx: &Context<'_>) -> Result<UserObject> {
        let id = &ctx.actor().signed_in()?.id;
        Ok(UserObject::new(ctx.hub().user(ctx.actor(), id).await?))
    }

    /// One's own tokens, newest first.
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Vec<TokenObject>> {
        let tokens = ctx.hub().tokens(ctx.actor()).await?;
        Ok(tokens.into_iter().map(TokenObject::from).collect())
    }
}

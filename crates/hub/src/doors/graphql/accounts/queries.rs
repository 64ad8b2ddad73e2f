//! One's own account.

use async_graphql::{Context, ID, Object, Result};
use imagewright_store::UserId;

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
        Ok(UserObject::new(ctx.hub().me(ctx.actor()).await?))
    }

    /// One's own tokens, newest first.
    async fn tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifier of another user, for admins.")] user: Option<ID>,
    ) -> Result<Vec<TokenObject>> {
        let tokens = match user {
            None => ctx.hub().tokens(ctx.actor()).await?,
            Some(user) => ctx.hub().tokens_of(ctx.actor(), &UserId::new(user.0)).await?,
        };
        Ok(tokens.into_iter().map(TokenObject::from).collect())
    }
}

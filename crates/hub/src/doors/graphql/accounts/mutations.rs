//! Signing in, tokens, the password.

use async_graphql::{Context, ID, Object, Result};
use imagewright_store::{TokenId, UserId};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::super::asking::{Asking as _, filled};
use super::super::users::UserObject;
use super::token::{NewToken, SignedIn, TokenObject};
use crate::access::Actor;

/// How long somebody stays signed in.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// Mutations of one's own account.
#[derive(Default)]
pub(in super::super) struct AccountMutations;

#[Object]
impl AccountMutations {
    /// Signs in with a password, and gives a token for some hours. A token for programs is made with `createToken`.
    // A password is slow to check, on purpose: a few of these are all that fits into a request.
    #[graphql(complexity = "500 + child_complexity")]
    async fn sign_in(&self, ctx: &Context<'_>, username: String, password: String) -> Result<SignedIn> {
        let hub = ctx.hub();
        let address = ctx.actor().address().map(str::to_owned);
        let actor: Actor = hub.sign_in(&username, &SecretString::from(password), address).await?;
        let expires_at = hub.clock.now() + SESSION;
        let (token, secret) = hub.create_token(&actor, None, "signed in", Some(expires_at)).await?;
        let user = hub.me(&actor).await?;
        Ok(SignedIn {
            secret: secret.expose_secret().to_owned(),
            token: TokenObject::from(token),
            user: UserObject::new(user),
        })
    }

    /// Makes a token for oneself or, as an admin, for another.
    async fn create_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to call it.")] name: Option<String>,
        #[graphql(desc = "When it ends to be good for anything; never without.")] expires_at: Option<
            Timestamp,
        >,
        #[graphql(desc = "The identifier of another user, for admins.")] user: Option<ID>,
    ) -> Result<NewToken> {
        let user = user.map(|user| UserId::new(user.0));
        let name = filled(name).unwrap_or_else(|| "token".to_owned());
        let (token, secret) = ctx.hub().create_token(ctx.actor(), user.as_ref(), &name, expires_at).await?;
        Ok(NewToken { secret: secret.expose_secret().to_owned(), token: TokenObject::from(token) })
    }

    /// Ends a token of one's own or, as an admin, of anybody.
    async fn revoke_token(&self, ctx: &Context<'_>, id: ID) -> Result<TokenObject> {
        Ok(TokenObject::from(ctx.hub().revoke_token(ctx.actor(), &TokenId::new(id.0)).await?))
    }

    /// Changes one's own password.
    #[graphql(complexity = "500 + child_complexity")]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        old_password: String,
        new_password: String,
    ) -> Result<UserObject> {
        let (hub, actor) = (ctx.hub(), ctx.actor());
        hub.change_password(actor, &SecretString::from(old_password), &SecretString::from(new_password))
            .await?;
        Ok(UserObject::new(hub.me(actor).await?))
    }

    /// Makes a code that PrimeHub's client takes once, within some minutes, for a token.
    async fn create_authorization_code(&self, ctx: &Context<'_>) -> Result<String> {
        let code = ctx.hub().create_authorization_code(ctx.actor()).await?;
        Ok(code.expose_secret().to_owned())
    }
}

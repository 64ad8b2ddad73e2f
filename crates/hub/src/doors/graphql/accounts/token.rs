//! An API token, as clients see it: what it proves itself with is shown once.

use async_graphql::{ID, SimpleObject};
use imagewright_store::tokens::Token;
use jiff::Timestamp;

use super::super::users::UserObject;

/// An API token.
#[derive(SimpleObject)]
#[graphql(name = "Token")]
pub(super) struct TokenObject {
    /// Identifier.
    id: ID,
    /// What its owner calls it.
    name: String,
    /// When it was made.
    created_at: Timestamp,
    /// When it ends to be good for anything; never without.
    expires_at: Option<Timestamp>,
    /// When it was last used, to within some minutes.
    used_at: Option<Timestamp>,
}

/// A token that was just made.
#[derive(SimpleObject)]
pub(super) struct NewToken {
    /// What to send as `Authorization: Bearer …`. It is never shown again.
    pub(super) secret: String,
    /// The token.
    pub(super) token: TokenObject,
}

/// What comes of signing in.
#[derive(SimpleObject)]
pub(super) struct SignedIn {
    /// What to send as `Authorization: Bearer …`.
    pub(super) secret: String,
    /// The token, which ends after some hours.
    pub(super) token: TokenObject,
    /// Who has signed in.
    pub(super) user: UserObject,
}

impl From<Token> for TokenObject {
    fn from(token: Token) -> Self {
        let Token { id, name, created_at, expires_at, used_at, .. } = token;
        Self { id: ID(id.to_string()), name, created_at, expires_at, used_at }
    }
}

//! API tokens and authorization codes. Only their hashes are here.

use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction,
    EntityTrait as _, QueryFilter as _, QueryOrder as _,
};

use crate::error::StoreError;
use crate::identifiers::{TokenId, UserId};
use crate::moment::{from_column, to_column};
use crate::session::Session;
use crate::tables::token::{ActiveModel, Column, Entity, Model};
use crate::tables::{authorization_code, user};
use crate::users::User;

/// A token, without what it proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Identifier.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends to be good for anything; never without.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within some minutes.
    pub used_at: Option<Timestamp>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The token with this hash and its user; whether it has expired, or the user may come in, is not asked.
    pub async fn token_by_hash(&self, hash: &str) -> Result<Option<(Token, User)>, StoreError> {
        let Some(token) = Entity::find().filter(Column::Hash.eq(hash)).one(&self.connection).await? else {
            return Ok(None);
        };
        let user = user::Entity::find_by_id(token.user_id.as_str()).one(&self.connection).await?;
        user.map(|user| Ok((Token::from(token), User::try_from(user)?))).transpose()
    }

    /// The tokens of a user, newest first.
    pub async fn tokens_of(&self, user: &UserId) -> Result<Vec<Token>, StoreError> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .order_by_desc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(Token::from).collect())
    }

    /// The token with this identifier.
    pub async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        Ok(Entity::find_by_id(id.as_str()).one(&self.connection).await?.map(Token::from))
    }
}

impl Session<DatabaseTransaction> {
    /// Adds a token with its hash.
    pub async fn insert_token(&self, token: &Token, hash: &str) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: Set(token.id.to_string()),
            user_id: Set(token.user_id.to_string()),
            name: Set(token.name.clone()),
            hash: Set(hash.to_owned()),
            created_at: Set(to_column(token.created_at)),
            expires_at: Set(token.expires_at.map(to_column)),
            used_at: Set(token.used_at.map(to_column)),
        };
        row.insert(&self.connection).await?;
        Ok(())
    }

    /// Notes that a token was used.
    pub async fn touch_token(&self, id: &TokenId, at: Timestamp) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::UsedAt, Expr::value(to_column(at)))
            .filter(Column::Id.eq(id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// Removes a token: it is good for nothing from now on. False when there is none.
    pub async fn delete_token(&self, id: &TokenId) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(id.as_str()).exec(&self.connection).await?.rows_affected > 0)
    }

    /// Removes all tokens of a user, and gives their number.
    pub async fn delete_tokens_of(&self, user: &UserId) -> Result<u64, StoreError> {
        let tokens = Entity::delete_many().filter(Column::UserId.eq(user.as_str()));
        Ok(tokens.exec(&self.connection).await?.rows_affected)
    }

    /// Adds an authorization code by its hash, and removes those that have expired.
    pub async fn insert_authorization_code(
        &self,
        hash: &str,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        authorization_code::Entity::delete_many()
            .filter(authorization_code::Column::ExpiresAt.lte(to_column(now)))
            .exec(&self.connection)
            .await?;
        let row = authorization_code::ActiveModel {
            hash: Set(hash.to_owned()),
            user_id: Set(user.to_string()),
            expires_at: Set(to_column(expires_at)),
        };
        row.insert(&self.connection).await?;
        Ok(())
    }

    /// Takes an authorization code, which is good once: whose it was, unless it has expired.
    pub async fn take_authorization_code(
        &self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let found = authorization_code::Entity::find_by_id(hash).one(&self.connection).await?;
        let Some(code) = found else { return Ok(None) };
        let taken = authorization_code::Entity::delete_by_id(hash).exec(&self.connection).await?;
        let is_good = taken.rows_affected == 1 && code.expires_at > to_column(now);
        Ok(is_good.then(|| code.user_id.into()))
    }
}

impl From<Model> for Token {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            name: row.name,
            created_at: from_column(row.created_at),
            expires_at: row.expires_at.map(from_column),
            used_at: row.used_at.map(from_column),
        }
    }
}

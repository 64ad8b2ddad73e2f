//! Users: accounts of this hub.

use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction,
    EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::error::{StoreError, from_json, to_json};
use crate::identifiers::UserId;
use crate::moment::{from_column, to_column};
use crate::page::{Listed, Page};
use crate::search::{contains, found, search_text};
use crate::session::Session;
use crate::tables::user::{ActiveModel, Column, Entity, Model};

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Name to sign in with, in lower case; unique.
    pub username: String,
    /// Address; unique where there is one.
    pub email: Option<String>,
    /// First name, or nothing.
    pub first_name: String,
    /// Last name, or nothing.
    pub last_name: String,
    /// Whether the user may come in.
    pub is_enabled: bool,
    /// Whether the user is an admin of the hub.
    pub is_admin: bool,
    /// Hash of the password in the PHC format; none for a user without.
    pub password_hash: Option<SecretString>,
    /// Whether the password was set by somebody else, for one use.
    pub must_change_password: bool,
    /// Fields that clients keep here and the hub does not use.
    pub attributes: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a list of users is narrowed to; all that is given holds.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// This user only.
    pub id: Option<UserId>,
    /// Part of the username, the names or the address, whatever its case.
    pub search: Option<String>,
    /// Part of the username, case included.
    pub username_contains: Option<String>,
    /// Part of the address, case included.
    pub email_contains: Option<String>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The user with this identifier.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let found = Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(User::try_from).transpose()
    }

    /// The user with this name, in lower case.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<User>, StoreError> {
        let found = Entity::find().filter(Column::Username.eq(username)).one(&self.connection).await?;
        found.map(User::try_from).transpose()
    }

    /// The user with this address.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let found = Entity::find().filter(Column::Email.eq(email)).one(&self.connection).await?;
        found.map(User::try_from).transpose()
    }

    /// Users with these identifiers, by name; identifiers of nobody are passed over.
    pub async fn users_with(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let ids = ids.iter().map(UserId::as_str);
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids))
            .order_by_asc(Column::Username)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// Users, by name.
    pub async fn users(&self, filter: &UserFilter, page: Page) -> Result<Listed<User>, StoreError> {
        let mut query = Entity::find();
        if let Some(id) = &filter.id {
            query = query.filter(Column::Id.eq(id.as_str()));
        }
        if let Some(keyword) = &filter.search {
            query = query.filter(found(Expr::col(Column::Search), keyword, self.is_postgresql()));
        }
        for (column, part) in
            [(Column::Username, &filter.username_contains), (Column::Email, &filter.email_contains)]
        {
            if let Some(part) = part {
                query = query.filter(contains(Expr::col(column), part, self.is_postgresql()));
            }
        }
        let total = query.clone().count(&self.connection).await?;
        let query = query.order_by_asc(Column::Username);
        let rows = page.of(query).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?, total })
    }

    /// How many users there are.
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        Ok(Entity::find().count(&self.connection).await?)
    }

    /// How many admins may come in.
    pub async fn count_enabled_admins(&self) -> Result<u64, StoreError> {
        let admins = Entity::find().filter(Column::IsAdmin.eq(true)).filter(Column::IsEnabled.eq(true));
        Ok(admins.count(&self.connection).await?)
    }
}

impl Session<DatabaseTransaction> {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a name or an address that somebody has.
    pub async fn insert_user(&self, user: &User) -> Result<(), StoreError> {
        ActiveModel::from(user).insert(&self.connection).await?;
        Ok(())
    }

    /// Writes all fields of a user anew. False when there is no such user.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a name or an address that somebody else has.
    pub async fn update_user(&self, user: &User) -> Result<bool, StoreError> {
        let outcome = Entity::update_many()
            .set(ActiveModel::from(user))
            .filter(Column::Id.eq(user.id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected > 0)
    }

    /// Removes a user, with memberships and tokens. False when there is no such user.
    pub async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(id.as_str()).exec(&self.connection).await?.rows_affected > 0)
    }
}

impl TryFrom<Model> for User {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            username: row.username,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            is_enabled: row.is_enabled,
            is_admin: row.is_admin,
            password_hash: row.password_hash.map(SecretString::from),
            must_change_password: row.must_change_password,
            attributes: from_json("users", &row.attributes)?,
            created_at: from_column(row.created_at),
            updated_at: from_column(row.updated_at),
        })
    }
}

impl From<&User> for ActiveModel {
    fn from(user: &User) -> Self {
        let email = user.email.as_deref().unwrap_or_default();
        Self {
            id: Set(user.id.to_string()),
            username: Set(user.username.clone()),
            email: Set(user.email.clone()),
            first_name: Set(user.first_name.clone()),
            last_name: Set(user.last_name.clone()),
            is_enabled: Set(user.is_enabled),
            is_admin: Set(user.is_admin),
            password_hash: Set(user.password_hash.as_ref().map(|hash| hash.expose_secret().to_owned())),
            must_change_password: Set(user.must_change_password),
            attributes: Set(to_json(&user.attributes)),
            search: Set(search_text(&[&user.username, email, &user.first_name, &user.last_name])),
            created_at: Set(to_column(user.created_at)),
            updated_at: Set(to_column(user.updated_at)),
        }
    }
}

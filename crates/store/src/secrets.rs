//! Pull secrets: where they are for and for whom, and their sealed passwords.

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait,
    DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
};

use crate::error::{StoreError, from_text};
use crate::identifiers::{GroupId, SecretId};
use crate::moment::{from_column, to_column};
use crate::page::{Listed, Page};
use crate::session::Session;
use crate::tables::secret::{ActiveModel, Column, Entity, Model};
use crate::tables::secret_group;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// Pulling images from a registry.
    Pull,
    /// Something else, which clients keep here; never offered for pulling.
    Opaque,
}

impl SecretKind {
    /// The name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Opaque => "opaque",
        }
    }
}

impl std::str::FromStr for SecretKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Pull, Self::Opaque].into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

/// A secret, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Identifier, made from the name.
    pub id: SecretId,
    /// Name; unique, and fixed.
    pub name: String,
    /// Name that is shown.
    pub display_name: String,
    /// What it is for; fixed.
    pub kind: SecretKind,
    /// The registry, of a pull secret.
    pub registry_host: Option<String>,
    /// The user, of a pull secret.
    pub username: Option<String>,
    /// The password, sealed; useless without the hub's key.
    pub sealed: String,
    /// Whether every group may use it.
    pub is_offered_to_all: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a list of secrets is narrowed to; all that is given holds.
#[derive(Debug, Clone, Default)]
pub struct SecretFilter {
    /// Of this kind only.
    pub kind: Option<SecretKind>,
    /// Offered to one of these groups, or to all.
    pub offered_to: Option<Vec<GroupId>>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The secret with this identifier.
    pub async fn secret(&self, id: &SecretId) -> Result<Option<Secret>, StoreError> {
        let found = Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(Secret::try_from).transpose()
    }

    /// Secrets, by name.
    pub async fn secrets(&self, filter: &SecretFilter, page: Page) -> Result<Listed<Secret>, StoreError> {
        let mut query = Entity::find();
        if let Some(kind) = filter.kind {
            query = query.filter(Column::Kind.eq(kind.name()));
        }
        if let Some(groups) = &filter.offered_to {
            let offered = secret_group::Entity::find()
                .select_only()
                .column(secret_group::Column::SecretId)
                .filter(secret_group::Column::GroupId.is_in(groups.iter().map(GroupId::as_str)))
                .into_query();
            query = query.filter(
                Condition::any().add(Column::IsOfferedToAll.eq(true)).add(Column::Id.in_subquery(offered)),
            );
        }
        let total = query.clone().count(&self.connection).await?;
        let query = query.order_by_asc(Column::Name);
        let rows = page.of(query).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(Secret::try_from).collect::<Result<_, _>>()?, total })
    }

    /// The groups that a secret is offered to, if it is not offered to all.
    pub async fn secret_groups(&self, id: &SecretId) -> Result<Vec<GroupId>, StoreError> {
        let rows = secret_group::Entity::find()
            .filter(secret_group::Column::SecretId.eq(id.as_str()))
            .order_by_asc(secret_group::Column::GroupId)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(|row| row.group_id.into()).collect())
    }
}

impl Session<DatabaseTransaction> {
    /// Adds a secret.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a name that another has.
    pub async fn insert_secret(&self, secret: &Secret) -> Result<(), StoreError> {
        ActiveModel::from(secret).insert(&self.connection).await?;
        Ok(())
    }

    /// Writes all fields of a secret anew. False when there is no such secret.
    pub async fn update_secret(&self, secret: &Secret) -> Result<bool, StoreError> {
        let outcome = Entity::update_many()
            .set(ActiveModel::from(secret))
            .filter(Column::Id.eq(secret.id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected > 0)
    }

    /// Seals the password of a secret anew, if it is still what it was.
    pub async fn reseal_secret(&self, id: &SecretId, old: &str, new: &str) -> Result<bool, StoreError> {
        let outcome = Entity::update_many()
            .col_expr(Column::Sealed, Expr::value(new))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::Sealed.eq(old))
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected > 0)
    }

    /// Removes a secret. False when there is no such secret.
    ///
    /// # Errors
    /// [`StoreError::Referred`] when an image or a spec uses it.
    pub async fn delete_secret(&self, id: &SecretId) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(id.as_str()).exec(&self.connection).await?.rows_affected > 0)
    }

    /// Says to which groups a secret is offered, in place of what was said before; one that is named twice
    /// is meant once.
    pub async fn set_secret_groups(&self, id: &SecretId, groups: &[GroupId]) -> Result<(), StoreError> {
        secret_group::Entity::delete_many()
            .filter(secret_group::Column::SecretId.eq(id.as_str()))
            .exec(&self.connection)
            .await?;
        let rows = groups.iter().map(|group| secret_group::ActiveModel {
            secret_id: Set(id.to_string()),
            group_id: Set(group.to_string()),
        });
        if !groups.is_empty() {
            let keys = [secret_group::Column::SecretId, secret_group::Column::GroupId];
            secret_group::Entity::insert_many(rows)
                .on_conflict(OnConflict::columns(keys).do_nothing_on(keys).to_owned())
                .exec_without_returning(&self.connection)
                .await?;
        }
        Ok(())
    }
}

impl TryFrom<Model> for Secret {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            display_name: row.display_name,
            kind: from_text("secrets", &row.kind)?,
            registry_host: row.registry_host,
            username: row.username,
            sealed: row.sealed,
            is_offered_to_all: row.is_offered_to_all,
            created_at: from_column(row.created_at),
            updated_at: from_column(row.updated_at),
        })
    }
}

impl From<&Secret> for ActiveModel {
    fn from(secret: &Secret) -> Self {
        Self {
            id: Set(secret.id.to_string()),
            name: Set(secret.name.clone()),
            display_name: Set(secret.display_name.clone()),
            kind: Set(secret.kind.name().to_owned()),
            registry_host: Set(secret.registry_host.clone()),
            username: Set(secret.username.clone()),
            sealed: Set(secret.sealed.clone()),
            is_offered_to_all: Set(secret.is_offered_to_all),
            created_at: Set(to_column(secret.created_at)),
            updated_at: Set(to_column(secret.updated_at)),
        }
    }
}

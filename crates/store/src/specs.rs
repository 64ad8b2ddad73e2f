//! Custom image specs of the Image Builder.

use imagewright_spec::{ImageReference, SpecName};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction,
    EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
};

use crate::error::{StoreError, from_json, from_text, to_json};
use crate::identifiers::{BuildId, SecretId};
use crate::images::Recipe;
use crate::moment::{from_column, to_column};
use crate::page::{Listed, Page};
use crate::search::contains;
use crate::session::Session;
use crate::tables::spec::{ActiveModel, Column, Entity, Model};

/// A custom image spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomSpec {
    /// Name, which identifies it; fixed.
    pub name: SpecName,
    /// What it is built from.
    pub recipe: Recipe,
    /// The secret that pulls the base.
    pub pull_secret: Option<SecretId>,
    /// The latest image that was built, once there is one.
    pub url: Option<ImageReference>,
    /// The build that made it.
    pub build: Option<BuildId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a list of specs is narrowed to, and its order.
#[derive(Debug, Clone, Default)]
pub struct SpecFilter {
    /// This spec only.
    pub name: Option<String>,
    /// Part of the name, case included.
    pub name_contains: Option<String>,
    /// By name, instead of newest change first.
    pub by_name: bool,
}

impl<C: ConnectionTrait> Session<C> {
    /// The spec with this name.
    pub async fn spec(&self, name: &SpecName) -> Result<Option<CustomSpec>, StoreError> {
        let found = Entity::find_by_id(name.as_str()).one(&self.connection).await?;
        found.map(CustomSpec::try_from).transpose()
    }

    /// Specs.
    pub async fn specs(&self, filter: &SpecFilter, page: Page) -> Result<Listed<CustomSpec>, StoreError> {
        let mut query = Entity::find();
        if let Some(name) = &filter.name {
            query = query.filter(Column::Name.eq(name.as_str()));
        }
        if let Some(part) = &filter.name_contains {
            query = query.filter(contains(Expr::col(Column::Name), part, self.is_postgresql()));
        }
        let total = query.clone().count(&self.connection).await?;
        if !filter.by_name {
            query = query.order_by_desc(Column::UpdatedAt);
        }
        let query = query.order_by_asc(Column::Name);
        let rows = page.of(query).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(CustomSpec::try_from).collect::<Result<_, _>>()?, total })
    }

    /// The specs that use a secret for their base.
    pub async fn specs_with_secret(&self, secret: &SecretId) -> Result<Vec<CustomSpec>, StoreError> {
        let rows = Entity::find()
            .filter(Column::RecipeSecretId.eq(secret.as_str()))
            .order_by_asc(Column::Name)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(CustomSpec::try_from).collect()
    }
}

impl Session<DatabaseTransaction> {
    /// Adds a spec.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a name that another has.
    pub async fn insert_spec(&self, spec: &CustomSpec) -> Result<(), StoreError> {
        ActiveModel::from(spec).insert(&self.connection).await?;
        Ok(())
    }

    /// Writes all fields of a spec anew. False when there is no such spec.
    pub async fn update_spec(&self, spec: &CustomSpec) -> Result<bool, StoreError> {
        let outcome = Entity::update_many()
            .set(ActiveModel::from(spec))
            .filter(Column::Name.eq(spec.name.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected > 0)
    }

    /// Removes a spec; its builds stay. False when there is no such spec.
    pub async fn delete_spec(&self, name: &SpecName) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(name.as_str()).exec(&self.connection).await?.rows_affected > 0)
    }
}

impl TryFrom<Model> for CustomSpec {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            name: from_text("specs", &row.name)?,
            recipe: from_json("specs", &row.recipe)?,
            pull_secret: row.recipe_secret_id.map(SecretId::from),
            url: row.url.map(|url| from_text("specs", &url)).transpose()?,
            build: row.build_id.map(BuildId::from),
            created_at: from_column(row.created_at),
            updated_at: from_column(row.updated_at),
        })
    }
}

impl From<&CustomSpec> for ActiveModel {
    fn from(spec: &CustomSpec) -> Self {
        Self {
            name: Set(spec.name.to_string()),
            recipe: Set(to_json(&spec.recipe)),
            recipe_secret_id: Set(spec.pull_secret.as_ref().map(ToString::to_string)),
            url: Set(spec.url.as_ref().map(ToString::to_string)),
            build_id: Set(spec.build.as_ref().map(ToString::to_string)),
            created_at: Set(to_column(spec.created_at)),
            updated_at: Set(to_column(spec.updated_at)),
        }
    }
}

//! Groups and who is in them.

use std::collections::HashMap;

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction,
    EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};
use serde_json::Value;

use crate::error::{StoreError, from_json, to_json};
use crate::identifiers::{GroupId, UserId};
use crate::moment::{from_column, to_column};
use crate::page::{Listed, Page};
use crate::search::{contains, found, search_text};
use crate::session::Session;
use crate::tables::group::{ActiveModel, Column, Entity, Model};
use crate::tables::{member, user};
use crate::users::User;

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Identifier.
    pub id: GroupId,
    /// Name; unique, and fixed.
    pub name: String,
    /// Name that is shown.
    pub display_name: String,
    /// Fields that clients keep here, quotas of notebooks for example, and the hub does not use.
    pub attributes: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Group {
    /// What names are compared by: those that people confuse are the same.
    pub fn name_key(name: &str) -> String {
        name.to_lowercase().replace('_', "-")
    }
}

/// A user in a group.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub user: User,
    /// Whether as an admin of the group.
    pub is_admin: bool,
}

/// What a list of groups is narrowed to; all that is given holds.
#[derive(Debug, Clone, Default)]
pub struct GroupFilter {
    /// These groups only.
    pub ids: Option<Vec<GroupId>>,
    /// Part of the name or of the name that is shown, whatever its case.
    pub search: Option<String>,
    /// Part of the name, case included.
    pub name_contains: Option<String>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The group with this identifier.
    pub async fn group(&self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        let found = Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(Group::try_from).transpose()
    }

    /// The group with this very name.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<Group>, StoreError> {
        let found = Entity::find().filter(Column::Name.eq(name)).one(&self.connection).await?;
        found.map(Group::try_from).transpose()
    }

    /// Groups, by name.
    pub async fn groups(&self, filter: &GroupFilter, page: Page) -> Result<Listed<Group>, StoreError> {
        let mut query = Entity::find();
        if let Some(ids) = &filter.ids {
            query = query.filter(Column::Id.is_in(ids.iter().map(GroupId::as_str)));
        }
        if let Some(keyword) = &filter.search {
            query = query.filter(found(Expr::col(Column::Search), keyword, self.is_postgresql()));
        }
        if let Some(part) = &filter.name_contains {
            query = query.filter(contains(Expr::col(Column::Name), part, self.is_postgresql()));
        }
        let total = query.clone().count(&self.connection).await?;
        let query = query.order_by_asc(Column::Name);
        let rows = page.of(query).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(Group::try_from).collect::<Result<_, _>>()?, total })
    }

    /// The groups that a user is in, by name, and whether as an admin of the group.
    pub async fn groups_of(&self, user: &UserId) -> Result<Vec<(Group, bool)>, StoreError> {
        let of_user = member::Entity::find().filter(member::Column::UserId.eq(user.as_str()));
        let memberships = of_user.clone().all(&self.connection).await?;
        let groups = Entity::find()
            .filter(
                Column::Id.in_subquery(of_user.select_only().column(member::Column::GroupId).into_query()),
            )
            .order_by_asc(Column::Name)
            .all(&self.connection)
            .await?;
        let roles: HashMap<&str, bool> =
            memberships.iter().map(|role| (role.group_id.as_str(), role.is_admin)).collect();
        // Between the two queries somebody may have come or gone.
        let both = groups.into_iter().filter_map(|group| Some((*roles.get(group.id.as_str())?, group)));
        both.map(|(is_admin, group)| Ok((Group::try_from(group)?, is_admin))).collect()
    }

    /// Who is in a group, by name.
    pub async fn members(&self, group: &GroupId) -> Result<Vec<Member>, StoreError> {
        let of_group = member::Entity::find().filter(member::Column::GroupId.eq(group.as_str()));
        let memberships = of_group.clone().all(&self.connection).await?;
        let ids = of_group.select_only().column(member::Column::UserId).into_query();
        let users = user::Entity::find()
            .filter(user::Column::Id.in_subquery(ids))
            .order_by_asc(user::Column::Username)
            .all(&self.connection)
            .await?;
        let roles: HashMap<&str, bool> =
            memberships.iter().map(|role| (role.user_id.as_str(), role.is_admin)).collect();
        let both = users.into_iter().filter_map(|user| Some((*roles.get(user.id.as_str())?, user)));
        both.map(|(is_admin, user)| Ok(Member { user: User::try_from(user)?, is_admin })).collect()
    }
}

impl Session<DatabaseTransaction> {
    /// Adds a group.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a name that another group has, or one that people would confuse with it.
    pub async fn insert_group(&self, group: &Group) -> Result<(), StoreError> {
        ActiveModel::from(group).insert(&self.connection).await?;
        Ok(())
    }

    /// Writes all fields of a group anew. False when there is no such group.
    pub async fn update_group(&self, group: &Group) -> Result<bool, StoreError> {
        let outcome = Entity::update_many()
            .set(ActiveModel::from(group))
            .filter(Column::Id.eq(group.id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected > 0)
    }

    /// Removes a group and its memberships. False when there is no such group.
    ///
    /// # Errors
    /// [`StoreError::Referred`] when it owns images.
    pub async fn delete_group(&self, id: &GroupId) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(id.as_str()).exec(&self.connection).await?.rows_affected > 0)
    }

    /// Puts a user into a group, or changes as what the user is in it.
    pub async fn set_member(&self, group: &GroupId, user: &UserId, is_admin: bool) -> Result<(), StoreError> {
        let row = member::ActiveModel {
            group_id: Set(group.to_string()),
            user_id: Set(user.to_string()),
            is_admin: Set(is_admin),
        };
        let keys = [member::Column::GroupId, member::Column::UserId];
        member::Entity::insert(row)
            .on_conflict(OnConflict::columns(keys).update_column(member::Column::IsAdmin).to_owned())
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Takes a user out of a group. False when the user was not in it.
    pub async fn remove_member(&self, group: &GroupId, user: &UserId) -> Result<bool, StoreError> {
        let row = member::Entity::delete_many()
            .filter(member::Column::GroupId.eq(group.as_str()))
            .filter(member::Column::UserId.eq(user.as_str()));
        Ok(row.exec(&self.connection).await?.rows_affected > 0)
    }
}

impl TryFrom<Model> for Group {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            display_name: row.display_name,
            attributes: from_json("groups", &row.attributes)?,
            created_at: from_column(row.created_at),
            updated_at: from_column(row.updated_at),
        })
    }
}

impl From<&Group> for ActiveModel {
    fn from(group: &Group) -> Self {
        Self {
            id: Set(group.id.to_string()),
            name: Set(group.name.clone()),
            name_key: Set(Group::name_key(&group.name)),
            display_name: Set(group.display_name.clone()),
            attributes: Set(to_json(&group.attributes)),
            search: Set(search_text(&[&group.name, &group.display_name])),
            created_at: Set(to_column(group.created_at)),
            updated_at: Set(to_column(group.updated_at)),
        }
    }
}

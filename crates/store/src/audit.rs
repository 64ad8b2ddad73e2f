//! Who did what to what, when and from where. Rows are added, never changed.

use jiff::Timestamp;
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _,
};
use serde_json::Value;

use crate::error::{StoreError, from_json, to_json};
use crate::identifiers::{GroupId, UserId};
use crate::moment::{from_column, to_column};
use crate::page::{Listed, Page};
use crate::session::Session;
use crate::tables::audit_entry::{ActiveModel, Column, Entity, Model};

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its number; given by the database.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who; nothing for the hub itself and for people who are not signed in.
    pub actor: Option<UserId>,
    /// The actor's name then.
    pub actor_name: String,
    /// What was done: `image.create`.
    pub action: String,
    /// To what kind of thing: `image`.
    pub object_kind: String,
    /// To which.
    pub object: String,
    /// For which group.
    pub group: Option<GroupId>,
    /// From which address.
    pub address: Option<String>,
    /// What else is worth knowing; never a secret.
    pub detail: Value,
}

/// What the audit is narrowed to; all that is given holds.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// What this user did.
    pub actor_name: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// To what kind of thing.
    pub object_kind: Option<String>,
    /// To which.
    pub object: Option<String>,
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The audit, newest first.
    pub async fn audit(&self, filter: &AuditFilter, page: Page) -> Result<Listed<AuditEntry>, StoreError> {
        let mut query = Entity::find();
        for (column, value) in [
            (Column::ActorName, &filter.actor_name),
            (Column::Action, &filter.action),
            (Column::ObjectKind, &filter.object_kind),
            (Column::ObjectId, &filter.object),
        ] {
            if let Some(value) = value {
                query = query.filter(column.eq(value.as_str()));
            }
        }
        if let Some(since) = filter.since {
            query = query.filter(Column::At.gte(to_column(since)));
        }
        if let Some(until) = filter.until {
            query = query.filter(Column::At.lt(to_column(until)));
        }
        let total = query.clone().count(&self.connection).await?;
        let query = query.order_by_desc(Column::Id);
        let rows = page.of(query).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?, total })
    }
}

impl Session<DatabaseTransaction> {
    /// Adds an entry; its number is the database's to give.
    pub async fn add_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: NotSet,
            at: Set(to_column(entry.at)),
            actor_id: Set(entry.actor.as_ref().map(ToString::to_string)),
            actor_name: Set(entry.actor_name.clone()),
            action: Set(entry.action.clone()),
            object_kind: Set(entry.object_kind.clone()),
            object_id: Set(entry.object.clone()),
            group_id: Set(entry.group.as_ref().map(ToString::to_string)),
            address: Set(entry.address.clone()),
            detail: Set(to_json(&entry.detail)),
        };
        row.insert(&self.connection).await?;
        Ok(())
    }
}

impl TryFrom<Model> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            at: from_column(row.at),
            actor: row.actor_id.map(UserId::from),
            actor_name: row.actor_name,
            action: row.action,
            object_kind: row.object_kind,
            object: row.object_id,
            group: row.group_id.map(GroupId::from),
            address: row.address,
            detail: from_json("audit", &row.detail)?,
        })
    }
}

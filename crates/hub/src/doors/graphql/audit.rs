//! The audit.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use imagewright_store::audit::{AuditEntry, AuditFilter};
use jiff::Timestamp;
use serde_json::Value;

use super::asking::Asking as _;
use super::paging::{Connection, Paging};

/// Queries for the audit.
#[derive(Default)]
pub(super) struct AuditQueries;

/// Something that was done.
#[derive(SimpleObject)]
#[graphql(name = "AuditEntry")]
pub(super) struct AuditObject {
    /// Its number.
    id: i64,
    /// When.
    at: Timestamp,
    /// The name of who did it, then; `hub` for the hub itself.
    actor: String,
    /// The identifier of who did it.
    actor_id: Option<String>,
    /// What was done: `image.create`.
    action: String,
    /// To what kind of thing: `image`.
    object_kind: String,
    /// To which.
    object: String,
    /// The identifier of the group for which.
    group_id: Option<String>,
    /// From which address.
    address: Option<String>,
    /// What else is worth knowing.
    detail: Value,
}

/// What the audit is narrowed to; all that is given holds.
#[derive(InputObject, Default)]
struct AuditWhereInput {
    /// What this user did, by name.
    actor: Option<String>,
    /// What was done.
    action: Option<String>,
    /// To what kind of thing.
    object_kind: Option<String>,
    /// To which.
    object: Option<String>,
    /// At this moment or later.
    since: Option<Timestamp>,
    /// Before this moment.
    until: Option<Timestamp>,
}

#[Object]
impl AuditQueries {
    /// Who did what to what, newest first, for admins.
    #[graphql(complexity = "20 + child_complexity")]
    async fn audit(
        &self,
        ctx: &Context<'_>,
        r#where: Option<AuditWhereInput>,
        page: Option<i64>,
    ) -> Result<Connection<AuditObject>> {
        let paging = Paging::numbered(page)?;
        let filter = r#where.unwrap_or_default();
        let filter = AuditFilter {
            actor_name: filter.actor,
            action: filter.action,
            object_kind: filter.object_kind,
            object: filter.object,
            since: filter.since,
            until: filter.until,
        };
        let entries = ctx.hub().audit(ctx.actor(), &filter, paging.rows()).await?;
        Ok(paging.connection(entries, |entry| entry.id.to_string(), AuditObject::from))
    }
}

impl From<AuditEntry> for AuditObject {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            actor: entry.actor_name,
            actor_id: entry.actor.map(|actor| actor.to_string()),
            action: entry.action,
            object_kind: entry.object_kind,
            object: entry.object,
            group_id: entry.group.map(|group| group.to_string()),
            address: entry.address,
            detail: entry.detail,
        }
    }
}

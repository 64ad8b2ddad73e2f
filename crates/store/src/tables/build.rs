//! The table `builds`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "builds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) subject_kind: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) subject: String,
    pub(crate) number: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) group_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) status: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) recipe: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) recipe_secret_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) spec_hash: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) tag: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) requested_by: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) requested_by_name: String,
    pub(crate) requested_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) updated_at: i64,
    pub(crate) attempt: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) worker: Option<String>,
    pub(crate) lease_until: Option<i64>,
    pub(crate) fence: i64,
    pub(crate) is_cancel_requested: bool,
    pub(crate) publish_granted_at: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub(crate) stages: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) result: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) error: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) base_digest: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) url: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) digest: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) gpu_url: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) gpu_digest: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) pull_secret_id: Option<String>,
    pub(crate) size_bytes: Option<i64>,
    pub(crate) orphaned_at: Option<i64>,
    pub(crate) removed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

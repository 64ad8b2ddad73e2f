//! The table `audit`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = true)]
    pub(crate) id: i64,
    pub(crate) at: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) actor_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) actor_name: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) action: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) object_kind: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) object_id: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) group_id: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) address: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) detail: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

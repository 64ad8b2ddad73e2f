//! The table `images`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "images")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) name: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) display_name: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) description: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) kind: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) url: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) url_for_gpu: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) pull_secret_id: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) group_id: Option<String>,
    pub(crate) is_global: bool,
    #[sea_orm(column_type = "Text")]
    pub(crate) source: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) recipe: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) recipe_secret_id: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) build_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) search: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) sort_name: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

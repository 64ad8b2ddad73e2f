//! The table `specs`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "specs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) name: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) recipe: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) recipe_secret_id: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) url: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) build_id: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

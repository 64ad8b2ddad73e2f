//! The table `image_groups`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "image_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) image_name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) group_id: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

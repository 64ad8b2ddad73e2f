//! The table `users`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) username: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) email: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) first_name: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) last_name: String,
    pub(crate) is_enabled: bool,
    pub(crate) is_admin: bool,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) password_hash: Option<String>,
    pub(crate) must_change_password: bool,
    #[sea_orm(column_type = "Text")]
    pub(crate) attributes: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) search: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

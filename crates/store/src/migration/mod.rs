//! The tables, version by version. A migration that was released is never changed: the next one changes its tables.

mod first;

use sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::error::StoreError;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(first::First)]
    }
}

/// Brings the tables up to date.
pub(crate) async fn run(connection: &DatabaseConnection) -> Result<(), StoreError> {
    match Migrator::up(connection, None).await {
        Ok(()) => Ok(()),
        // What sea-orm says of applied migrations that it has no file for.
        Err(DbErr::Custom(text)) if text.contains("been applied but its file is missing") => {
            let name = text.split('\'').nth(1).unwrap_or("unknown");
            Err(StoreError::Newer(name.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

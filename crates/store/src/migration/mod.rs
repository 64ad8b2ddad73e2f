//! The tables, version by version. A migration that was released is never changed: the next one changes its tables.

mod first;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::error::StoreError;
use crate::session;

/// The number by which PostgreSQL knows the lock of whoever changes the tables.
const MIGRATION_LOCK: i64 = 0x696d_6167_6578;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(first::First)]
    }
}

/// Brings the tables up to date, at once: a process that is killed meanwhile leaves what was there before, and one that
/// comes at the same time waits.
pub(crate) async fn run(connection: &DatabaseConnection) -> Result<(), StoreError> {
    // Mostly there is nothing to do, and nobody who writes has to be waited for.
    if Migrator::get_pending_migrations_read_only(connection).await.map_err(explained)?.is_empty() {
        return Ok(());
    }
    let transaction = session::begin(connection).await?;
    if session::is_postgresql(&transaction) {
        let statement = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
        transaction.execute_unprepared(&statement).await?;
    }
    Migrator::up(&transaction, None).await.map_err(explained)?;
    Ok(transaction.commit().await?)
}

fn explained(error: DbErr) -> StoreError {
    match error {
        // What sea-orm says of applied migrations that it has no file for.
        DbErr::Custom(text) if text.contains("been applied but its file is missing") => {
            let name = text.split('\'').nth(1).unwrap_or("unknown");
            StoreError::Newer(name.to_owned())
        }
        error => error.into(),
    }
}

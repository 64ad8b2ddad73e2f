//! The tables of the first release.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

const TABLES: &str = include_str!("first.sql");

/// The audit can be added to, by whatever means, and nothing else.
const APPEND_ONLY_SQLITE: &str = "
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- What REPLACE removes, no trigger for deletions sees.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
    WHEN NEW.id IN (SELECT id FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
";
const APPEND_ONLY_POSTGRESQL: &str = "
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
";

pub(super) struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "first"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let (text, serial, append_only) = match connection.get_database_backend() {
            DbBackend::Postgres => (
                "TEXT COLLATE \"C\"",
                "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                APPEND_ONLY_POSTGRESQL,
            ),
            _ => ("TEXT", "INTEGER PRIMARY KEY AUTOINCREMENT", APPEND_ONLY_SQLITE),
        };
        let tables = TABLES.replace("{text}", text).replace("{serial}", serial);
        connection.execute_unprepared(&tables).await?;
        connection.execute_unprepared(append_only).await?;
        Ok(())
    }
}

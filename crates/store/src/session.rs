//! What queries run on.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};

use crate::error::StoreError;

/// A connection to read from, or a transaction.
#[derive(Debug)]
pub struct Session<C> {
    pub(crate) connection: C,
}

/// A transaction that reads and writes. Dropped without [`commit`](Session::commit), it leaves nothing behind.
///
/// After a query that failed, for a name that is taken for example, it is good for nothing but to be dropped:
/// PostgreSQL answers no more in it, and commits nothing of it.
pub type Writer = Session<DatabaseTransaction>;

impl<C: ConnectionTrait> Session<C> {
    pub(crate) fn is_postgresql(&self) -> bool {
        is_postgresql(&self.connection)
    }
}

pub(crate) fn is_postgresql(connection: &impl ConnectionTrait) -> bool {
    connection.get_database_backend() == DbBackend::Postgres
}

/// Begins a transaction that writes.
pub(crate) async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        // A transaction that begins as a reader can fail when it turns to writing.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(options).await
}

impl Session<DatabaseTransaction> {
    /// Makes everything that was written visible, at once.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.connection.commit().await?)
    }
}

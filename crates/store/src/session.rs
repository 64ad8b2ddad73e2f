//! What queries run on.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};

use crate::error::StoreError;

/// A connection to read from, or a transaction.
#[derive(Debug)]
pub struct Session<C> {
    pub(crate) connection: C,
}

/// A transaction that reads and writes. Dropped without [`commit`](Session::commit), it leaves nothing behind.
pub type Writer = Session<DatabaseTransaction>;

impl<C: ConnectionTrait> Session<C> {
    pub(crate) fn is_postgresql(&self) -> bool {
        self.connection.get_database_backend() == DbBackend::Postgres
    }
}

impl Session<DatabaseTransaction> {
    /// Makes everything that was written visible, at once.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.connection.commit().await?)
    }
}

//! Connecting, and who may write when.

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::StoreError;
use crate::migration;
use crate::session::{self, Session, Writer};

/// How long a writer waits for another process that writes.
const BUSY: Duration = Duration::from_secs(15);
/// How long is waited between two attempts to open a file that is locked.
const LOCKED_PAUSE: Duration = Duration::from_millis(50);
/// How long a query waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(30);
/// SQLite answers readers on threads of its own; more of them than cores help nobody.
const SQLITE_READERS: u32 = 4;
const POSTGRESQL_CONNECTIONS: u32 = 16;

/// A database with the hub's tables. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    read: DatabaseConnection,
    /// On SQLite a pool of one connection: writers take turns in here instead of failing in the file.
    write: DatabaseConnection,
}

impl Store {
    /// Opens the SQLite database in this file, which is made if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// A file that cannot be written; tables of a newer version.
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_str().ok_or_else(|| {
            StoreError::Address(format!("the path of the database is not UTF-8: {}", path.display()))
        })?;
        let connect = async |connections: u32| {
            let mut options = ConnectOptions::new("sqlite::memory:");
            let file = path.to_owned();
            options.map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .filename(&file)
                    .in_memory(false)
                    .shared_cache(false)
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .busy_timeout(BUSY)
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
                    .pragma("temp_store", "MEMORY")
                    .pragma("cache_size", "-8192")
            });
            connected(options, connections).await
        };
        // Turning to WAL waits for nobody, though others may be at it: whoever opens the same file for the first time.
        let begin = std::time::Instant::now();
        let write = loop {
            match connect(1).await {
                Err(error) if is_locked(&error) && begin.elapsed() < BUSY => {
                    tokio::time::sleep(LOCKED_PAUSE).await;
                }
                outcome => break outcome?,
            }
        };
        migration::run(&write).await?;
        Ok(Self { read: connect(SQLITE_READERS).await?, write })
    }

    /// Connects to the PostgreSQL database at this address and brings its tables up to date.
    ///
    /// # Errors
    /// A server that does not answer or refuses; tables of a newer version.
    pub async fn connect(address: &SecretString) -> Result<Self, StoreError> {
        let address = address.expose_secret();
        if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(StoreError::Address(
                "the address of a database begins with postgres://; leave it out for SQLite".to_owned(),
            ));
        }
        let options = ConnectOptions::new(address.to_owned());
        let pool = connected(options, POSTGRESQL_CONNECTIONS).await?;
        migration::run(&pool).await?;
        Ok(Self { read: pool.clone(), write: pool })
    }

    /// A session that reads.
    pub fn read(&self) -> Session<DatabaseConnection> {
        Session { connection: self.read.clone() }
    }

    /// A transaction that reads and writes: keep it short, and commit it.
    pub async fn write(&self) -> Result<Writer, StoreError> {
        Ok(Session { connection: session::begin(&self.write).await? })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.read.ping().await?)
    }

    /// Waits for what is under way and closes all connections.
    pub async fn close(self) {
        for connection in [self.read, self.write] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a connection to the database was not closed in order");
            }
        }
    }
}

/// Whether another process has the file to itself for a moment.
fn is_locked(error: &StoreError) -> bool {
    let StoreError::Database(source) = error else { return false };
    let mut cause: Option<&dyn std::error::Error> = Some(&**source);
    while let Some(current) = cause {
        if current.to_string().contains("database is locked") {
            return true;
        }
        cause = current.source();
    }
    false
}

async fn connected(mut options: ConnectOptions, connections: u32) -> Result<DatabaseConnection, StoreError> {
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        .sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

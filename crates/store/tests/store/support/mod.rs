//! Databases for tests, and rows to put into them.

pub(crate) mod rows;

use std::ops::Deref;
use std::path::PathBuf;

use imagewright_store::{Store, StoreError, Writer};
use imagewright_testkit::PostgreSql;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use tempfile::TempDir;

/// Makes two tests of each of these functions, which take a [`TestStore`]: one for each database.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let store = crate::support::TestStore::sqlite().await;
                    super::$test(&store).await;
                }
            )+
        }

        mod postgresql {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    imagewright_testkit::require_tool!("postgres", "setpriv");
                    let store = crate::support::TestStore::postgresql().await;
                    super::$test(&store).await;
                }
            )+
        }
    };
}
pub(crate) use on_both_databases;

/// An empty store in a database of its own, which goes with this value.
pub(crate) struct TestStore {
    store: Store,
    pub(crate) place: Place,
}

/// Where a database is.
pub(crate) enum Place {
    Folder(TempDir),
    Server { server: std::sync::Arc<PostgreSql>, address: String },
}

impl Place {
    pub(crate) fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn server() -> Self {
        let server = PostgreSql::shared();
        let address = server.database();
        Self::Server { server, address }
    }

    pub(crate) fn is_postgresql(&self) -> bool {
        matches!(self, Self::Server { .. })
    }

    /// Opens the store as the hub does.
    pub(crate) async fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::Folder(folder) => Store::open_file(&file(folder)).await,
            Self::Server { address, .. } => Store::connect(&address.as_str().into()).await,
        }
    }

    /// A connection that knows nothing of the store.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        let address = match self {
            Self::Folder(folder) => format!("sqlite://{}?mode=rwc", file(folder).display()),
            Self::Server { address, .. } => address.clone(),
        };
        Database::connect(address).await.unwrap()
    }

    /// Runs statements as somebody could who has the database and not the store.
    pub(crate) async fn execute(&self, statements: &str) -> Result<(), String> {
        let connection = self.connect().await;
        let outcome = connection.execute_unprepared(statements).await;
        connection.close().await.unwrap();
        outcome.map(drop).map_err(|error| error.to_string())
    }

    /// The first column, a text, of every row of a query.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let connection = self.connect().await;
        let query = Statement::from_string(connection.get_database_backend(), query);
        let rows = connection.query_all_raw(query).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("hub.db")
}

impl TestStore {
    pub(crate) async fn sqlite() -> Self {
        Self::at(Place::folder()).await
    }

    pub(crate) async fn postgresql() -> Self {
        Self::at(Place::server()).await
    }

    async fn at(place: Place) -> Self {
        Self { store: place.open().await.unwrap(), place }
    }

    /// A second store on the same database, as another process has it.
    pub(crate) async fn another(&self) -> Store {
        self.place.open().await.unwrap()
    }

    /// Writes and commits.
    pub(crate) async fn change<T>(&self, change: impl AsyncFnOnce(&Writer) -> Result<T, StoreError>) -> T {
        let writer = self.write().await.unwrap();
        let value = change(&writer).await.unwrap();
        writer.commit().await.unwrap();
        value
    }

    /// The error of a change that must fail. Nothing of it stays.
    pub(crate) async fn refused<T>(
        &self,
        change: impl AsyncFnOnce(&Writer) -> Result<T, StoreError>,
    ) -> StoreError {
        let writer = self.write().await.unwrap();
        match change(&writer).await {
            Ok(_) => panic!("a change was not refused"),
            Err(error) => error,
        }
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

//! Opening the hub that a configuration describes.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imagewright_store::{Store, StoreError};

use crate::clock::Clock;
use crate::config::{HubConfig, SystemResolver};
use crate::hub::{Hub, Parts};
use crate::metrics::Metrics;
use crate::throttle::Throttle;
use crate::vault::{Vault, VaultError};

/// Why a hub cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made or entered.
    #[error("the data folder {path} cannot be used: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database does not work.
    #[error("the database cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The key of the secrets cannot be used.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// What a hub needs in its database cannot be made.
    #[error("{0}")]
    Prepare(#[from] crate::error::HubError),
}

impl Hub {
    /// Opens the hub: makes the data folder, the key of the secrets and the database where they are not there yet, and
    /// brings the tables up to date. Several processes may have the same hub open.
    ///
    /// # Errors
    /// A folder, a key or a database that cannot be used.
    pub async fn open(config: HubConfig, clock: Clock) -> Result<Self, OpenError> {
        make_folder(&config.data_dir)?;
        let vault = Vault::open(config.key_file())?;
        let store = if let Some(address) = &config.database_url {
            Store::connect(address).await?
        } else {
            let file = config.database_file();
            make_private(&file).map_err(|source| OpenError::Folder { path: file.clone(), source })?;
            Store::open_file(&file).await?
        };
        let hub = Self::new(Parts {
            store,
            clock,
            vault,
            addresses: config.address_rule(),
            resolver: Arc::new(SystemResolver),
            throttle: Throttle::new(config.login.attempts, config.login.window_seconds),
            wake: Arc::default(),
            metrics: Metrics::default(),
            config,
        });
        hub.prepare().await?;
        Ok(hub)
    }
}

/// Makes a file that nobody else may read, if it is not there; SQLite gives its other files the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Makes a folder that nobody else may look into: the database has what people write about their images, and logs have
/// what programs print.
pub(crate) fn make_folder(path: &Path) -> Result<(), OpenError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| OpenError::Folder { path: path.to_owned(), source })
}

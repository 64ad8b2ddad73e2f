//! Encryption of the secrets that the hub stores: pull secrets, and whatever else must not be read in its database.
//!
//! A sealed value is `v1.KEY.BYTES`: the name of its key, and a random nonce with what XChaCha20-Poly1305 made of the
//! plaintext, in base64. The name of the record that it belongs to is authenticated with it, so that whoever can write
//! to the database cannot have one record's secret used as another's.
//!
//! The keys are in a file of the data folder, the newest first, which only the hub's account may read. *Rotation* is:
//! [`rotate`](Vault::rotate), then in one writing transaction seal again all that
//! [`needs_resealing`](Vault::needs_resealing), then [`drop_old_keys`](Vault::drop_old_keys). It may be done by
//! another process while the hub runs: a vault looks whether its file was replaced before it seals, and when it meets
//! a key that it does not know. Whoever seals does so inside of the writing transaction that stores the value; then
//! none is sealed with an old key after all were looked at.

mod cipher;
mod error;
mod key_file;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use secrecy::SecretString;

pub use error::VaultError;

use key_file::{Identity, Key, KeyFile};

/// Seals secrets and opens them again.
pub struct Vault {
    path: PathBuf,
    keys: RwLock<Keys>,
}

/// What was read of the file, and which file that was.
struct Keys {
    newest_first: Vec<Key>,
    identity: Identity,
}

impl Vault {
    /// Opens the file of keys, and makes one with a new key where there is none. The folder has to exist.
    ///
    /// # Errors
    /// A file that others may read, that belongs to another account, or that holds no keys.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let path = path.into();
        if !path.try_exists().map_err(|source| VaultError::io("look for", &path, source))? {
            key_file::create(&path)?;
        }
        Self::open_existing(path)
    }

    /// Opens a file of keys that has to be there: for a database that has sealed values, which a new key would not
    /// open.
    ///
    /// # Errors
    /// As [`open`](Self::open), and where there is no file.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let path = path.into();
        let keys = Keys::read(&path)?;
        Ok(Self { path, keys: RwLock::new(keys) })
    }

    /// The file of keys.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Encrypts a secret with the newest key. `record` names what it belongs to, such as `secrets/7/password`, and has
    /// to be the same when it is opened.
    ///
    /// # Errors
    /// The file of keys was replaced by one that cannot be used; the system gives no randomness.
    pub fn seal(&self, record: &str, plaintext: &SecretString) -> Result<String, VaultError> {
        if KeyFile::identity(&self.path)? != self.read().identity {
            self.reload()?;
        }
        let keys = self.read();
        let newest = keys.newest_first.first().ok_or_else(|| VaultError::no_keys(&self.path))?;
        cipher::seal(newest, record, plaintext)
    }

    /// Decrypts what was sealed for this record.
    ///
    /// # Errors
    /// Text that is nothing sealed; a key that is not in the file; what was sealed for another record, or changed.
    pub fn open_sealed(&self, record: &str, sealed: &str) -> Result<SecretString, VaultError> {
        let id = cipher::key_of(sealed).ok_or(VaultError::NotSealed)?;
        if let Some(key) = self.read().find(id) {
            return cipher::open(key, record, sealed);
        }
        // Another process may have added it.
        self.reload()?;
        match self.read().find(id) {
            Some(key) => cipher::open(key, record, sealed),
            None => Err(VaultError::UnknownKey { id: id.to_owned(), path: self.path.clone() }),
        }
    }

    /// Whether a value is sealed with another key than the newest. Looks at the file as it was read last: ask after
    /// [`rotate`](Self::rotate).
    pub fn needs_resealing(&self, sealed: &str) -> bool {
        cipher::key_of(sealed) != self.read().newest_first.first().map(Key::id)
    }

    /// Puts a new key first in the file; the others stay, so that all can still be opened.
    ///
    /// # Errors
    /// The file cannot be replaced.
    pub fn rotate(&self) -> Result<(), VaultError> {
        self.change(|keys| {
            keys.insert(0, Key::generate()?);
            Ok(())
        })
    }

    /// Takes all keys but the newest out of the file. What is still sealed with them is lost: only for who has just
    /// seen, in a writing transaction, that [nothing is](Self::needs_resealing).
    ///
    /// # Errors
    /// The file cannot be replaced.
    pub fn drop_old_keys(&self) -> Result<(), VaultError> {
        self.change(|keys| {
            keys.truncate(1);
            Ok(())
        })
    }

    /// Changes what is in the file now, whoever has written that.
    fn change(&self, change: impl FnOnce(&mut Vec<Key>) -> Result<(), VaultError>) -> Result<(), VaultError> {
        let mut file = KeyFile::open(&self.path)?;
        file.lock()?;
        let mut keys = file.keys()?;
        change(&mut keys)?;
        file.replace(&keys)?;
        self.reload()
    }

    fn reload(&self) -> Result<(), VaultError> {
        let keys = Keys::read(&self.path)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Keys> {
        // Keys are replaced as a whole: a panic elsewhere leaves none half written.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.read().newest_first.iter().map(|key| key.id().to_owned()).collect();
        formatter.debug_struct("Vault").field("path", &self.path).field("keys", &ids).finish()
    }
}

impl Keys {
    fn read(path: &Path) -> Result<Self, VaultError> {
        let mut file = KeyFile::open(path)?;
        Ok(Self { newest_first: file.keys()?, identity: file.own_identity()? })
    }

    fn find(&self, id: &str) -> Option<&Key> {
        self.newest_first.iter().find(|key| key.id() == id)
    }
}

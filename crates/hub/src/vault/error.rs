//! What can be wrong with a vault.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a vault does not open, or does not open or seal a value. None of them holds a secret.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The file of keys could not be read or written.
    #[error("cannot {attempt} the key file {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the hub's account may read it.
    #[error(
        "the key file {} can be read by others (mode {mode:o}): allow it to its owner alone, `chmod 600 {}`, and \
         change the keys (`imagewright secrets rotate-key`) if somebody may have read it",
        path.display(), path.display()
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is another account's.
    #[error(
        "the key file {} belongs to the account with number {owner}, and this process is that with number {own}: \
         run it as the account that the hub runs as, or give the file to it with `chown`",
        path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        own: u32,
    },
    /// Its text is none of ours.
    #[error(
        "the key file {} has no keys, or a line that is none: put back its backup. The secrets in the database cannot \
         be opened without it; with a new file they have to be entered again",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// A value is sealed with a key that is not there any more.
    #[error(
        "the secret is sealed with the key {id}, which is not in {}: put back the backup of that file that goes with \
         the database, or enter the secret again",
        path.display()
    )]
    UnknownKey {
        /// The name of the key.
        id: String,
        /// The file of keys.
        path: PathBuf,
    },
    /// A value is not of a vault.
    #[error("this is not a sealed secret")]
    NotSealed,
    /// A value was sealed for another record, or has been changed.
    #[error("the secret was not sealed for {record}, or was changed since: enter it again")]
    Damaged {
        /// The record that it was to be opened for.
        record: String,
    },
    /// The operating system gives no random numbers.
    #[error("the system gives no random numbers")]
    Randomness,
}

impl VaultError {
    pub(super) fn io(attempt: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { attempt, path: path.to_owned(), source }
    }

    pub(super) fn no_keys(path: &Path) -> Self {
        Self::Malformed { path: path.to_owned() }
    }
}

//! Who may do what in the registry, generated at the first start.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::ManagedRegistryError;
use crate::{private_file, random};

const FILE: &str = "credentials.json";

/// A user and a password.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password, generated.
    pub password: SecretString,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credentials({}, …)", self.user)
    }
}

/// All that is secret about the registry.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    pub(super) push: Credentials,
    pub(super) pull: Credentials,
    /// What the registry signs the state of uploads with; kept, so that one goes on after a restart.
    pub(super) http: SecretString,
}

/// The file: secrets in plain text, which is why only the hub's account reads it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    push: StoredCredentials,
    pull: StoredCredentials,
    http_secret: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCredentials {
    user: String,
    password: String,
}

impl Secrets {
    /// Reads the file, or makes it.
    pub(super) fn load_or_make(folder: &Path) -> Result<Self, ManagedRegistryError> {
        if let Some(secrets) = Self::load(folder)? {
            return Ok(secrets);
        }
        let failed = |source| ManagedRegistryError::Folder { folder: folder.to_owned(), source };
        let made = Self::generate();
        let text = serde_json::to_vec_pretty(&made.stored()).map_err(|error| failed(error.into()))?;
        private_file::create(&folder.join(FILE), &text).map_err(failed)?;
        Ok(made)
    }

    /// Reads the file; none before the first start.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>, ManagedRegistryError> {
        let file = folder.join(FILE);
        match std::fs::read(&file) {
            Ok(bytes) => {
                let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| {
                    let consequence = "pull secrets with the old password have to be changed";
                    ManagedRegistryError::Damaged { file, consequence }
                })?;
                Ok(Some(stored.into()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ManagedRegistryError::Folder { folder: folder.to_owned(), source }),
        }
    }

    fn generate() -> Self {
        let credentials =
            |user: &str| Credentials { user: user.to_owned(), password: random::credential("") };
        Self {
            push: credentials("imagewright-push"),
            pull: credentials("imagewright-pull"),
            http: random::credential(""),
        }
    }

    fn stored(&self) -> Stored {
        let stored = |credentials: &Credentials| StoredCredentials {
            user: credentials.user.clone(),
            password: credentials.password.expose_secret().to_owned(),
        };
        Stored {
            push: stored(&self.push),
            pull: stored(&self.pull),
            http_secret: self.http.expose_secret().to_owned(),
        }
    }
}

impl From<Stored> for Secrets {
    fn from(stored: Stored) -> Self {
        let credentials = |stored: StoredCredentials| Credentials {
            user: stored.user,
            password: SecretString::from(stored.password),
        };
        Self {
            push: credentials(stored.push),
            pull: credentials(stored.pull),
            http: SecretString::from(stored.http_secret),
        }
    }
}

//! The folder of one build with its credentials for registries: for its process alone, and for as long.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, json};

use super::Launcher;
use super::account::own_folder;

/// What opens a part of a registry.
#[derive(Debug, Clone)]
pub struct RegistryCredential {
    /// `host`, or `host/path` where it is for what is below that alone.
    pub scope: String,
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// The folder. It goes with this value.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
}

impl Room {
    /// Makes the room of a build.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn make(launcher: &Launcher, name: &str) -> io::Result<Self> {
        let path = launcher.rooms.join(name);
        // One of an earlier attempt was left by a hub that was killed.
        let _ = std::fs::remove_dir_all(&path);
        own_folder(&path, launcher.account.as_ref())?;
        Ok(Self { path })
    }

    /// Writes credentials as `docker login` would, and gives the file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn auth_file(
        &self,
        launcher: &Launcher,
        name: &str,
        credentials: &[RegistryCredential],
    ) -> io::Result<PathBuf> {
        let mut auths = Map::new();
        for credential in credentials {
            let pair = format!("{}:{}", credential.user, credential.password.expose_secret());
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            auths.insert(credential.scope.clone(), json!({ "auth": encoded }));
        }
        let path = self.path.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(json!({ "auths": auths }).to_string().as_bytes())?;
        if let Some(account) = &launcher.account {
            std::os::unix::fs::lchown(&path, Some(account.user), Some(account.group))?;
        }
        Ok(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::error!(%error, path = %self.path.display(), "the credentials of a build cannot be removed");
        }
    }
}

impl Launcher {
    /// Makes the folders of builds, and removes what a hub that was killed has left in them.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn prepare(&self) -> io::Result<()> {
        let _ = std::fs::remove_dir_all(&self.rooms);
        own_folder(&self.rooms, self.account.as_ref())?;
        own_folder(&self.cache, self.account.as_ref())
    }
}

//! Who has the cache open: what a running build is about to read must not be trimmed away under it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::BuildError;

/// The file that every user of the cache holds locked, shared; the kernel lets it go with the process.
const USERS_LOCK: &str = "users.lock";

/// A place among the users of a cache.
#[derive(Debug)]
pub(super) struct Users {
    file: File,
    path: PathBuf,
}

impl Users {
    /// Joins the users of the cache in `root`. Waits while somebody empties it, which takes a moment.
    pub(super) fn join(root: &Path) -> Result<Self, BuildError> {
        let path = root.join(USERS_LOCK);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| BuildError::file("make the cache's file", &path, error))?;
        let users = Self { file, path };
        users.lock(FlockOperation::LockShared)?;
        Ok(users)
    }

    /// Runs `work`, and tells it whether nobody else has the cache open; nobody can open it meanwhile then.
    pub(super) fn alone<T>(&self, work: impl FnOnce(bool) -> Result<T, BuildError>) -> Result<T, BuildError> {
        let alone = flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok();
        if !alone {
            // Asking for more may have lost what was held.
            self.lock(FlockOperation::LockShared)?;
        }
        let outcome = work(alone);
        self.lock(FlockOperation::LockShared)?;
        outcome
    }

    fn lock(&self, operation: FlockOperation) -> Result<(), BuildError> {
        flock(&self.file, operation).map_err(|error| BuildError::file("lock", &self.path, error.into()))
    }
}

//! A build's own folder, and sweeping those that a killed build left behind.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

use super::trim::files_below;
use crate::error::BuildError;
use crate::sandbox::{remove_tree, sweep_groups, sweep_processes};

/// Held locked as long as the folder's owner lives: the kernel lets it go with the process, however that ends.
const OWNER_LOCK: &str = "owner.lock";

/// A folder that ends with its owner.
#[derive(Debug)]
pub struct StagingFolder {
    path: PathBuf,
    _lock: File,
}

impl Drop for StagingFolder {
    fn drop(&mut self) {
        // While the lock is still held. What a sandbox of this build left running is in its last moments.
        if let Err(error) = remove_tree(&self.path) {
            tracing::warn!(folder = %self.path.display(), %error, "a temporary folder cannot be removed");
        }
    }
}

impl StagingFolder {
    pub(super) fn create(parent: &Path) -> Result<Self, BuildError> {
        let failed = |error| BuildError::file("make a temporary folder in", parent, error);
        loop {
            let folder = tempfile::Builder::new().prefix("build-").tempdir_in(parent).map_err(failed)?;
            let lock = File::create(folder.path().join(OWNER_LOCK)).map_err(failed)?;
            // A sweep may have come between the two lines and taken the folder for an orphan: try another.
            if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() && folder.path().exists() {
                return Ok(Self { path: folder.keep(), _lock: lock });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder inside it.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn subfolder(&self, name: &str) -> Result<PathBuf, BuildError> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).map_err(|error| BuildError::file("make the folder", &path, error))?;
        Ok(path)
    }
}

/// A folder that a killed build left, removed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SweptFolder {
    /// Where it was.
    pub path: PathBuf,
    /// Bytes of the files in it.
    pub bytes: u64,
    /// Processes that still worked in it, ended now.
    pub processes: usize,
}

/// Removes the folders whose owner is gone, and tells which. What cannot be removed is left for the next time.
pub(super) fn sweep(parent: &Path) -> Vec<SweptFolder> {
    let mut swept = Vec::new();
    sweep_groups();
    let Ok(entries) = std::fs::read_dir(parent) else { return swept };
    for entry in entries.flatten() {
        let path = entry.path();
        // Held until the folder is gone: a build that is just making it then finds it locked, and takes another.
        let lock = File::open(path.join(OWNER_LOCK)).ok();
        let orphaned = match &lock {
            Some(lock) => flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
            // Without a lock file its owner was killed at once, or is just about to make it.
            None => is_older_than_a_minute(&path),
        };
        if !orphaned {
            continue;
        }
        let processes = sweep_processes(&path);
        let bytes = files_below(&path).iter().map(|file| file.bytes).sum();
        match remove_tree(&path) {
            Ok(()) => swept.push(SweptFolder { path, bytes, processes }),
            Err(error) => {
                tracing::warn!(folder = %path.display(), %error, "a left temporary folder cannot be removed");
            }
        }
        drop(lock);
    }
    swept
}

fn is_older_than_a_minute(path: &Path) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified()).ok();
    modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age.as_secs() > 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lives_as_long_as_its_owner_and_is_swept_when_it_is_orphaned() {
        let parent = tempfile::tempdir().unwrap();
        let owned = StagingFolder::create(parent.path()).unwrap();
        let orphan = parent.path().join("build-orphan");
        std::fs::create_dir(&orphan).unwrap();
        File::create(orphan.join(OWNER_LOCK)).unwrap();
        std::fs::write(orphan.join("half a wheel"), [0; 1000]).unwrap();

        let swept = sweep(parent.path());
        assert_eq!(swept, [SweptFolder { path: orphan.clone(), bytes: 1000, processes: 0 }]);
        assert!(owned.path().exists());
        assert!(!orphan.exists());

        let path = owned.path().to_owned();
        drop(owned);
        assert!(!path.exists());
    }
}

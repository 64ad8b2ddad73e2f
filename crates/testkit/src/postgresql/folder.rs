//! Folders of servers, in memory where there is enough of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::account;

const PREFIX: &str = "imagewright-postgresql-";
const LOCK: &str = "lock";
/// A folder that is younger may not be locked yet.
const SETTLED: Duration = Duration::from_mins(1);
/// A server needs some 20 MB.
const ENOUGH_MEMORY: u64 = 512 << 20;

/// The folder of a server, gone with this value.
pub(super) struct Folder {
    folder: TempDir,
    /// Says that the folder is in use until the kernel closes it.
    _lock: File,
}

impl Folder {
    pub(super) fn create() -> Self {
        let root = root();
        remove_abandoned(&root);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&root);
        let folder = folder.expect("a folder for PostgreSQL");
        let lock = File::create(folder.path().join(LOCK)).expect("a lock for PostgreSQL's folder");
        lock.lock().expect("a lock that nobody else has");
        account::own(folder.path());
        Self { folder, _lock: lock }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path().join("data")
    }
}

/// A server's thousand small files are copied in no time there.
fn root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let has_room = rustix::fs::statvfs(memory)
        .is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) >= ENOUGH_MEMORY);
    if has_room { memory.to_owned() } else { std::env::temp_dir() }
}

/// Removes what tests that were killed could not.
fn remove_abandoned(root: &Path) {
    let is_old = |path: &Path| {
        let made = fs::metadata(path).and_then(|metadata| metadata.modified());
        made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age > SETTLED))
    };
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_folder = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !is_old(&path) {
            continue;
        }
        if File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            // It may be somebody else's, or go under our hands: then it is not ours to remove.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

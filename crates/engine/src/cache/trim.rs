//! How large the cache is, and making it smaller.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Cache;
use crate::error::BuildError;
use crate::sandbox::remove_tree;
use crate::system::COMPLETE;

/// One kind of thing in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What people call it.
    pub title: &'static str,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// How large the cache is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheUsage {
    /// Each kind.
    pub sections: Vec<Section>,
}

impl CacheUsage {
    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        self.sections.iter().map(|section| section.bytes).sum()
    }
}

/// What is removed as one.
pub(super) struct CachedFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    used: SystemTime,
    /// A folder that is worth nothing without one of its files.
    is_tree: bool,
}

/// What trimming did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes that were removed.
    pub removed: u64,
    /// Bytes that stayed beyond the target, because a build that runs may need them.
    pub in_use: u64,
}

/// Files that were used within this time belong to a build that runs, where one does.
const USED_LATELY: Duration = Duration::from_hours(1);

/// A folder of a room.
type Folder = fn(&Cache) -> PathBuf;

/// What every room of a cache may have, and what people call it.
const KEPT: [(&str, Folder); 9] = [
    ("path indexes of base images", Cache::index),
    ("wheels", Cache::wheels),
    ("wheels that were built", Cache::built),
    ("packages ready for layers", Cache::frames),
    ("known layers", Cache::layers),
    ("system packages", |cache| cache.room().join("system/1")),
    ("what conda channels have", Cache::channels),
    ("finished builds", Cache::builds),
    ("uv's cache", Cache::uv),
];

impl Cache {
    /// The cache as each scope sees it that has something there: everybody, every owner, every base of an owner.
    fn rooms(&self) -> Vec<Self> {
        let mut rooms = vec![Self { room: self.root.clone(), ..self.clone() }];
        for owner in folders_in(&self.root.join("owners")) {
            rooms.extend(folders_in(&owner.join("on")).map(|room| Self { room, ..self.clone() }));
            rooms.push(Self { room: owner, ..self.clone() });
        }
        rooms
    }

    /// Measures the cache.
    pub fn usage(&self) -> CacheUsage {
        let measure = |title: &'static str, folders: &[PathBuf]| {
            let files: Vec<_> = folders.iter().flat_map(|folder| files_below(folder)).collect();
            Section { title, files: files.len() as u64, bytes: files.iter().map(|file| file.bytes).sum() }
        };
        let rooms = self.rooms();
        let kept = KEPT.iter().map(|(title, folder)| {
            let folders: Vec<PathBuf> = rooms.iter().map(folder).collect();
            measure(title, &folders)
        });
        let bases: Vec<PathBuf> = rooms.iter().map(Self::bases).collect();
        let unpacked = measure("bases unpacked for system packages", &bases);
        let running = measure("running builds", &[self.staging()]);
        CacheUsage { sections: kept.chain([unpacked, running]).collect() }
    }

    /// Removes what was not used for longest until at most `target` bytes are left. While anybody else has the
    /// cache open, files that were used within the last hour stay: a build may be about to read them.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub fn trim(&self, target: u64) -> Result<Trimmed, BuildError> {
        self.users.alone(|alone| {
            let lately = SystemTime::now().checked_sub(USED_LATELY).filter(|_| !alone);
            self.remove_oldest(target, lately)
        })
    }

    /// Removes files until `target` bytes are left, but none that was used after `lately`.
    fn remove_oldest(&self, target: u64, lately: Option<SystemTime>) -> Result<Trimmed, BuildError> {
        let rooms = self.rooms();
        let folders = rooms.iter().flat_map(|room| KEPT.iter().map(|(_, folder)| folder(room)));
        let mut files: Vec<CachedFile> = folders.flat_map(|folder| files_below(&folder)).collect();
        let bases: Vec<PathBuf> = rooms.iter().map(Self::bases).collect();
        files.extend(bases.iter().flat_map(|folder| folders_in(folder)).map(unpacked_base));
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let mut removed = 0;
        for file in files {
            if total <= target || lately.is_some_and(|lately| file.used > lately) {
                break;
            }
            let removal =
                if file.is_tree { remove_tree(&file.path) } else { std::fs::remove_file(&file.path) };
            match removal {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(BuildError::file("remove from the cache", &file.path, error)),
            }
            total -= file.bytes;
            removed += file.bytes;
        }
        Ok(Trimmed { removed, in_use: total.saturating_sub(target) })
    }
}

/// The folders in a folder; links are not followed.
fn folders_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// An unpacked base: used when the file that says that it is whole was.
fn unpacked_base(folder: PathBuf) -> CachedFile {
    let files = files_below(&folder);
    let complete = files.iter().find(|file| file.path == folder.join(COMPLETE));
    let used = complete.map_or(SystemTime::UNIX_EPOCH, |file| file.used);
    CachedFile { bytes: files.iter().map(|file| file.bytes).sum(), path: folder, used, is_tree: true }
}

/// The regular files below a folder; links are not followed.
pub(super) fn files_below(folder: &Path) -> Vec<CachedFile> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                pending.push(entry.path());
            } else if metadata.is_file() {
                let used = [metadata.accessed().ok(), metadata.modified().ok()].into_iter().flatten().max();
                files.push(CachedFile {
                    path: entry.path(),
                    bytes: metadata.len(),
                    used: used.unwrap_or(SystemTime::UNIX_EPOCH),
                    is_tree: false,
                });
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imagewright_oci::digest::Digest;
    use imagewright_spec::Owner;

    use super::super::{Cache, mark_used};
    use super::*;
    use crate::scope::Scope;

    fn put(cache: &Cache, name: &str, hours_ago: u64) -> PathBuf {
        let path = cache.frames().join(name);
        std::fs::write(&path, [0; 1000]).unwrap();
        let time = SystemTime::now() - Duration::from_hours(hours_ago);
        let times = std::fs::FileTimes::new().set_accessed(time).set_modified(time);
        std::fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
        path
    }

    fn left(paths: &[&Path]) -> Vec<bool> {
        paths.iter().map(|path| path.exists()).collect()
    }

    #[test]
    fn an_unpacked_base_goes_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let make = |name: &str| {
            let base = cache.bases().join(name);
            std::fs::create_dir_all(base.join("overlay")).unwrap();
            for file in ["overlay/old", COMPLETE] {
                std::fs::write(base.join(file), [0; 1000]).unwrap();
            }
            base
        };
        let (old, used) = (make("old"), make("used"));
        let times = std::fs::FileTimes::new()
            .set_accessed(SystemTime::UNIX_EPOCH)
            .set_modified(SystemTime::UNIX_EPOCH);
        for file in [old.join(COMPLETE), used.join("overlay/old"), used.join(COMPLETE)] {
            std::fs::File::options().write(true).open(file).unwrap().set_times(times).unwrap();
        }
        mark_used(&used.join(COMPLETE));
        assert_eq!(cache.trim(2500).unwrap(), Trimmed { removed: 2000, in_use: 0 });
        assert_eq!((old.exists(), used.join("overlay/old").exists()), (false, true));
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let (old, used_again, new) = (put(&cache, "a", 50), put(&cache, "b", 99), put(&cache, "c", 0));
        mark_used(&used_again);
        assert_eq!(cache.trim(2500).unwrap(), Trimmed { removed: 1000, in_use: 0 });
        assert_eq!(left(&[&old, &used_again, &new]), [false, true, true]);
    }

    #[test]
    fn what_is_an_owners_is_counted_and_removed_with_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let owner: Owner = "vision".parse().unwrap();
        let scopes =
            [Scope::Shared, Scope::Owner(owner.clone()), Scope::OwnerAndBase(owner, Digest::of(b"base"))];
        let files = scopes.map(|scope| {
            let frames = cache.of(&scope).frames();
            std::fs::create_dir_all(&frames).unwrap();
            put(&cache.of(&scope), "a", 5)
        });
        let frames = cache.usage().sections.into_iter().find(|one| one.title.contains("packages")).unwrap();
        assert_eq!((frames.files, frames.bytes), (3, 3000));
        assert_eq!(cache.trim(0).unwrap(), Trimmed { removed: 3000, in_use: 0 });
        assert_eq!(files.map(|file| file.exists()), [false; 3]);
    }

    #[test]
    fn a_cache_that_nobody_uses_is_emptied_and_that_of_a_running_build_keeps_what_it_may_need() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let (old, new) = (put(&cache, "a", 2), put(&cache, "b", 0));
        let build = Cache::open(folder.path()).unwrap();
        assert_eq!(cache.trim(0).unwrap(), Trimmed { removed: 1000, in_use: 1000 });
        assert_eq!(left(&[&old, &new]), [false, true]);
        drop(build);
        assert_eq!(cache.trim(0).unwrap(), Trimmed { removed: 1000, in_use: 0 });
        assert!(!new.exists());
    }
}

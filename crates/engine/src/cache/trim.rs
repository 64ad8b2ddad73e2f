//! How large the cache is, and making it smaller.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Cache;
use crate::error::BuildError;

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

pub(super) struct CachedFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    used: SystemTime,
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

impl Cache {
    /// Measures the cache.
    pub fn usage(&self) -> CacheUsage {
        let sections = [
            ("path indexes of base images", self.index()),
            ("wheels", self.wheels()),
            ("packages ready for layers", self.frames()),
            ("known layers", self.layers()),
            ("finished builds", self.builds()),
            ("uv's cache", self.uv()),
            ("running builds", self.staging()),
        ];
        let measure = |(title, folder): (&'static str, PathBuf)| {
            let files = files_below(&folder);
            Section { title, files: files.len() as u64, bytes: files.iter().map(|file| file.bytes).sum() }
        };
        CacheUsage { sections: sections.into_iter().map(measure).collect() }
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
        let folders = [self.index(), self.wheels(), self.frames(), self.layers(), self.builds(), self.uv()];
        let mut files: Vec<CachedFile> = folders.iter().flat_map(|folder| files_below(folder)).collect();
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let mut removed = 0;
        for file in files {
            if total <= target || lately.is_some_and(|lately| file.used > lately) {
                break;
            }
            match std::fs::remove_file(&file.path) {
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
                });
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Cache, mark_used};
    use super::*;

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
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let (old, used_again, new) = (put(&cache, "a", 50), put(&cache, "b", 99), put(&cache, "c", 0));
        mark_used(&used_again);
        assert_eq!(cache.trim(2500).unwrap(), Trimmed { removed: 1000, in_use: 0 });
        assert_eq!(left(&[&old, &used_again, &new]), [false, true, true]);
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

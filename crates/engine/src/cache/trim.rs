//! How large the cache is, and making it smaller.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

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

struct CachedFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

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

    /// Removes what was not used for longest until at most `target` bytes are left. Running builds are left
    /// alone, and so are files used within the last hour, since a build may be about to read them. Returns the
    /// bytes removed.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub fn trim(&self, target: u64) -> Result<u64, BuildError> {
        let folders = [self.index(), self.wheels(), self.frames(), self.layers(), self.builds(), self.uv()];
        let mut files: Vec<CachedFile> = folders.iter().flat_map(|folder| files_below(folder)).collect();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let in_use = SystemTime::now() - std::time::Duration::from_hours(1);
        files.sort_by_key(|file| file.used);
        let mut removed = 0;
        for file in files {
            if total <= target || (target > 0 && file.used > in_use) {
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
        Ok(removed)
    }
}

/// The regular files below a folder; links are not followed.
fn files_below(folder: &Path) -> Vec<CachedFile> {
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

//! A limit of the space that a step uses: counted while it runs, since nothing of the kernel counts it for us.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat, statvfs};

use super::SandboxSettings;
use crate::base::blocking;
use crate::error::{BuildError, ErrorKind};
use crate::words;

/// How often the free space is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Files are counted so rarely that counting takes at most this part of the time.
const SHARE_OF_TIME: u32 = 10;

/// More files than any image has: a step that writes more fills the disk's tables instead of its bytes.
const MOST_FILES: u64 = 4_000_000;

/// Deepest folder that is counted.
const DEEPEST: usize = 200;

/// What is watched.
pub(super) struct Watch<'run> {
    /// Folders of this machine that are written to.
    pub(super) folders: Vec<PathBuf>,
    pub(super) settings: &'run SandboxSettings,
    pub(super) purpose: &'run str,
}

impl Watch<'_> {
    /// Returns when too much space is used, and never otherwise.
    pub(super) async fn exceeded(&self) -> BuildError {
        if self.folders.is_empty() {
            return std::future::pending().await;
        }
        let mut counted = Instant::now();
        let mut pause = INTERVAL;
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Some(free) = self.folders.iter().filter_map(|folder| free(folder)).min()
                && free < self.settings.free_disk
            {
                return BuildError::new(
                    ErrorKind::DiskFull,
                    format!(
                        "{} was ended: it left only {} free on this machine's disk",
                        self.purpose,
                        words::bytes(free)
                    ),
                )
                .with_next_step(
                    "free some space, ask for fewer packages, or put the cache on a larger disk",
                );
            }
            if counted.elapsed() < pause {
                continue;
            }
            let started = Instant::now();
            let folders = self.folders.clone();
            let Ok(used) = blocking(move || usage(&folders)).await else { continue };
            counted = Instant::now();
            pause = INTERVAL.max((counted - started) * SHARE_OF_TIME);
            if used.bytes > self.settings.disk || used.files > MOST_FILES {
                return BuildError::new(
                    ErrorKind::TooLarge,
                    format!(
                        "{} was ended: it wrote {} in {} files; {} are allowed",
                        self.purpose,
                        words::bytes(used.bytes),
                        used.files,
                        words::bytes(self.settings.disk)
                    ),
                )
                .with_next_step(
                    "ask for fewer packages, or let the administrator raise `disk` in [sandbox]",
                );
            }
        }
    }
}

/// Bytes that are free for us on the disk of a folder.
fn free(folder: &Path) -> Option<u64> {
    statvfs(folder).ok().map(|space| space.f_bavail.saturating_mul(space.f_frsize))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Usage {
    bytes: u64,
    files: u64,
}

/// The space of folders that somebody hostile is changing: links are never followed.
fn usage(folders: &[PathBuf]) -> Usage {
    let mut usage = Usage::default();
    for folder in folders {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(opened) = rustix::fs::open(folder, flags, Mode::empty()) {
            count(&opened, 0, &mut usage);
        }
    }
    usage
}

fn count(folder: &rustix::fd::OwnedFd, depth: usize, usage: &mut Usage) {
    let Ok(entries) = Dir::read_from(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        usage.files += 1;
        if usage.files > MOST_FILES {
            return;
        }
        let Ok(status) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        usage.bytes =
            usage.bytes.saturating_add(u64::try_from(status.st_blocks).unwrap_or(0).saturating_mul(512));
        if FileType::from_raw_mode(status.st_mode) == FileType::Directory && depth < DEEPEST {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(opened) = openat(folder, name, flags, Mode::empty()) {
                count(&opened, depth + 1, usage);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_counted_below_folders_and_not_behind_links() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/c"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("elsewhere")).unwrap();
        let used = usage(&[folder.path().to_owned()]);
        assert_eq!(used.files, 4);
        assert!((100_000..200_000).contains(&used.bytes), "{used:?}");
    }
}

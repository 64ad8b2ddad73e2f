//! Files that were begun and never finished: by a program that was killed before it could rename them.

use std::path::Path;

use super::Cache;
use crate::error::BuildError;

/// How the names of unfinished files and folders begin: those of ours, and those of uv, which is ended in the
/// middle of its work when a build is.
const UNFINISHED: [&str; 4] = [".new-", ".stubs-", ".python3-", ".tmp"];

/// The folder of unpacked bases.
const BASES: &str = "bases";

impl Cache {
    /// Removes what a build that ended early has left half made. Nothing happens while somebody else has the
    /// cache open, who may be about to finish it; whoever fails last, or is the first after a kill, tidies up.
    ///
    /// # Errors
    /// A cache that cannot be locked.
    pub fn remove_unfinished(&self) -> Result<(), BuildError> {
        self.users.alone(|alone| {
            if alone {
                remove_below(self.root());
            }
            Ok(())
        })
    }
}

/// Links are not followed. What cannot be removed is left for the next time.
fn remove_below(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = name.to_string_lossy();
        if UNFINISHED.iter().any(|start| name.starts_with(start)) {
            let removed =
                if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            if let Err(error) = removed {
                tracing::warn!(path = %path.display(), %error, "an unfinished file cannot be removed");
            }
        // The files of an unpacked base are called as its makers like.
        } else if is_folder && name != BASES {
            remove_below(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[test]
    fn what_was_never_finished_goes_when_nobody_can_finish_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let (begun, done) = (cache.frames().join(".new-abc"), cache.frames().join("abc"));
        let stubs = cache.uv().join("stubs/.stubs-abc");
        std::fs::create_dir_all(&stubs).unwrap();
        for file in [&begun, &done, &stubs.join("a.whl")] {
            std::fs::write(file, "x").unwrap();
        }

        let another = Cache::open(folder.path()).unwrap();
        cache.remove_unfinished().unwrap();
        assert!(begun.exists(), "somebody may be about to finish it");

        drop(another);
        cache.remove_unfinished().unwrap();
        assert_eq!((begun.exists(), stubs.exists(), done.exists()), (false, false, true));
    }
}

//! Files that only the hub's own account may read, written so that whoever reads sees all of one or of the other.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a new file in the folder of `path`, under another name, down to the disk.
pub(crate) fn write_beside(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let mut suffix = [0; 6];
    getrandom::fill(&mut suffix).map_err(io::Error::other)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", hex::encode(suffix)));
    let new = PathBuf::from(name);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
    if let Err(error) = written {
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    Ok(new)
}

/// Writes a file, in place of one that may be there.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = write_beside(path, content)?;
    if let Err(error) = std::fs::rename(&new, path) {
        // The old file is as it was.
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(path)
}

/// Writes a file unless there is one: of two processes that start at once one wins.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = write_beside(path, content)?;
    // A link, not a renaming: it fails where the name is taken.
    let linked = std::fs::hard_link(&new, path);
    let removed = std::fs::remove_file(&new);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) | Ok(()) => {}
    }
    removed?;
    sync_folder(path)
}

/// A name is on the disk when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

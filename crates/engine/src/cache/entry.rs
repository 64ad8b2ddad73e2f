//! Single files of the cache: written whole or not at all.

use std::io::Write;
use std::path::Path;

use imagewright_oci::digest::Digest;

use crate::error::BuildError;

/// Writes a file next to its place and renames it there. Files that are written at the same time from the same
/// inputs are equal, so the last one may win.
///
/// # Errors
/// A full disk and other failures to write.
pub fn write_entry(
    path: &Path,
    write: impl FnOnce(&mut std::io::BufWriter<&mut std::fs::File>) -> std::io::Result<()>,
) -> Result<(), BuildError> {
    let failed = |error| BuildError::file("write to the cache", path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    // The first thing of its kind that an owner has.
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(failed)?;
    let mut output = std::io::BufWriter::with_capacity(256 << 10, file.as_file_mut());
    write(&mut output).map_err(failed)?;
    output.flush().map_err(failed)?;
    drop(output);
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Notes that a file of the cache is used now: `trim` goes by its access time, which most file systems keep
/// only roughly or not at all.
pub fn mark_used(path: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    };
    // A cache of another owner can be read without being marked: it is trimmed a little early then.
    let _ = utimensat(CWD, path, &times, AtFlags::empty());
}

/// Writes a small file with its own digest before it, for [`read_checked`].
///
/// # Errors
/// As [`write_entry`].
pub fn write_checked(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    write_entry(path, |file| {
        writeln!(file, "{}", Digest::of(content))?;
        file.write_all(content)
    })
}

/// Reads what [`write_checked`] wrote. A file that was damaged since counts as none: what it says would otherwise
/// go into an image.
///
/// # Errors
/// A cache that cannot be read; a file that is not there is none.
pub fn read_checked(path: &Path) -> Result<Option<Vec<u8>>, BuildError> {
    let Some(mut bytes) = read_entry(path)? else { return Ok(None) };
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let content = bytes.split_off(end + 1);
    Ok((bytes[..end] == *Digest::of(&content).to_string().as_bytes()).then_some(content))
}

/// Reads a file; `None` when it is not there.
///
/// # Errors
/// Failures other than that it is not there.
pub(super) fn read_entry(path: &Path) -> Result<Option<Vec<u8>>, BuildError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BuildError::file("read from the cache", path, error)),
    }
}

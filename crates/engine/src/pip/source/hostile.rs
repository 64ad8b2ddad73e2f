//! Taking files out of the folder of a room, where hostile code writes.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};

/// Opens the regular file `name` in the folder `folder` of `room`. No link is followed, nothing that blocks is
/// opened, and a file of more than `limit` bytes is refused.
///
/// # Errors
/// Whatever else stands there.
pub(super) fn open_file(room: &Path, folder: &str, name: &str, limit: u64) -> io::Result<(File, u64)> {
    let base = OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let room = open(room, base | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?;
    let folder = openat(&room, folder, base | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?;
    let file =
        openat(&folder, name, base | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::RDONLY, Mode::empty())?;
    let found = fstat(&file)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file"));
    }
    let size = u64::try_from(found.st_size).unwrap_or(u64::MAX);
    if size > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok((File::from(file), size))
}

/// Reads a small file, as [`open_file`] opens it.
///
/// # Errors
/// As [`open_file`].
pub(super) fn read(room: &Path, folder: &str, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open_file(room, folder, name, limit)?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Copies a file, as [`open_file`] opens it, to a place of ours.
///
/// # Errors
/// As [`open_file`], and a full disk.
pub(super) fn copy(room: &Path, folder: &str, name: &str, limit: u64, to: &Path) -> io::Result<()> {
    let (file, _) = open_file(room, folder, name, limit)?;
    let copied = io::copy(&mut file.take(limit + 1), &mut File::create_new(to)?)?;
    if copied > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_fifos_and_large_files_are_refused() {
        let room = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        let out = room.path().join("out");
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("good"), "12345").unwrap();
        symlink(outside.path().join("secret"), out.join("link")).unwrap();
        symlink(outside.path(), room.path().join("elsewhere")).unwrap();
        std::fs::create_dir(out.join("folder")).unwrap();
        let fifo = out.join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_eq!(read(room.path(), "out", "good", 5).unwrap(), b"12345");
        assert!(read(room.path(), "out", "good", 4).is_err());
        for (folder, name) in
            [("out", "link"), ("elsewhere", "secret"), ("out", "fifo"), ("out", "folder"), ("out", "none")]
        {
            assert!(read(room.path(), folder, name, 100).is_err(), "{folder}/{name}");
        }
    }
}

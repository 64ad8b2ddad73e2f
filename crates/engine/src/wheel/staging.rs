//! The file in the staging folder that all members of one wheel are unpacked into.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::error::WheelProblem;
use super::package::StagedRange;

/// Writes members one behind the other.
#[derive(Debug)]
pub(super) struct StagingFile {
    path: Arc<Path>,
    writer: BufWriter<File>,
    position: u64,
}

impl StagingFile {
    /// Creates a file that must not exist yet.
    pub(super) fn create(path: &Path) -> Result<Self, WheelProblem> {
        let file = File::options().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|source| staging_error(path, source))?;
        Ok(Self { path: path.into(), writer: BufWriter::with_capacity(256 * 1024, file), position: 0 })
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Where the next byte will stand.
    pub(super) fn next(&self) -> StagedRange {
        StagedRange { file: Arc::clone(&self.path), offset: self.position }
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), WheelProblem> {
        self.writer.write_all(bytes).map_err(|source| staging_error(&self.path, source))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Hands everything written so far to the system, so that others can read it.
    pub(super) fn flush(&mut self) -> Result<(), WheelProblem> {
        self.writer.flush().map_err(|source| staging_error(&self.path, source))
    }

    /// Reads back what was written from `offset` on, and continues from there as if it had not been written.
    pub(super) fn take_back(&mut self, offset: u64) -> Result<Vec<u8>, WheelProblem> {
        self.flush()?;
        self.read_from(offset).map_err(|source| staging_error(&self.path, source))
    }

    fn read_from(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        let file = self.writer.get_mut();
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut bytes)?;
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        self.position = offset;
        Ok(bytes)
    }
}

/// A failure to write to the staging folder.
pub(super) fn staging_error(path: &Path, source: io::Error) -> WheelProblem {
    WheelProblem::Staging { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_leaves_no_gap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contents");
        let mut staging = StagingFile::create(&path).unwrap();
        staging.write(b"one").unwrap();
        let second = staging.next().offset;
        staging.write(b"two").unwrap();
        assert_eq!(staging.take_back(second).unwrap(), b"two");
        assert_eq!(staging.next().offset, 3);
        staging.write(b"three").unwrap();
        staging.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"onethree");
        assert!(matches!(StagingFile::create(&path), Err(WheelProblem::Staging { .. })));
    }
}

//! Reads a wheel file for the ZIP reader, which seeks a lot and trusts what an archive says of its own size.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeks within what is buffered cost nothing with this reader: members mostly follow each other.
const BUFFER: usize = 16 * 1024;

/// A buffered file that keeps its buffer over short seeks, and gives out no more bytes than its allowance.
#[derive(Debug)]
pub(super) struct ArchiveReader {
    buffered: BufReader<File>,
    position: u64,
    allowance: Allowance,
}

/// How many bytes may still be read. The ZIP reader holds a table of all members in memory, built from an
/// archive's directory: to bound the directory's bytes is to bound the table.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// Whether a read was refused, or would be.
    pub(super) fn is_used_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// From now on anything may be read: members are bounded by what the directory says of them.
    pub(super) fn lift(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    fn take(&self, bytes: u64) -> io::Result<()> {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(bytes), Ordering::Relaxed);
        if bytes > left { Err(io::ErrorKind::QuotaExceeded.into()) } else { Ok(()) }
    }
}

impl ArchiveReader {
    /// Reads `file` from its start, up to `allowance` bytes until that is lifted.
    pub(super) fn new(file: File, allowance: u64) -> (Self, Allowance) {
        let allowance = Allowance(Arc::new(AtomicU64::new(allowance)));
        let buffered = BufReader::with_capacity(BUFFER, file);
        (Self { buffered, position: 0, allowance: allowance.clone() }, allowance)
    }
}

impl Read for ArchiveReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.buffered.read(buffer)?;
        self.allowance.take(count as u64)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for ArchiveReader {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let distance = match target {
            SeekFrom::Start(position) => position.checked_signed_diff(self.position),
            SeekFrom::Current(distance) => Some(distance),
            SeekFrom::End(_) => None,
        };
        let nearby = distance.filter(|distance| self.position.checked_add_signed(*distance).is_some());
        if let Some(distance) = nearby {
            self.buffered.seek_relative(distance)?;
            self.position = self.position.saturating_add_signed(distance);
        } else {
            self.position = self.buffered.seek(target)?;
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn open(allowance: u64) -> (ArchiveReader, Allowance) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&(0..=255_u8).cycle().take(BUFFER * 3).collect::<Vec<_>>()).unwrap();
        file.rewind().unwrap();
        ArchiveReader::new(file, allowance)
    }

    fn byte(reader: &mut ArchiveReader) -> u8 {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        byte[0]
    }

    #[test]
    fn short_and_long_seeks_lead_to_the_same_bytes() {
        let (mut reader, _) = open(u64::MAX);
        for (target, position) in [
            (SeekFrom::Start(7), 7),
            (SeekFrom::Start(5), 5),
            (SeekFrom::Current(4), 10),
            (SeekFrom::Start(BUFFER as u64 * 2 + 3), BUFFER as u64 * 2 + 3),
            (SeekFrom::End(-1), BUFFER as u64 * 3 - 1),
            (SeekFrom::Start(0), 0),
        ] {
            assert_eq!(reader.seek(target).unwrap(), position);
            assert_eq!(u64::from(byte(&mut reader)), position % 256);
        }
        assert!(reader.seek(SeekFrom::Current(-100)).is_err());
    }

    #[test]
    fn the_allowance_ends_reading_until_it_is_lifted() {
        let (mut reader, allowance) = open(2);
        byte(&mut reader);
        assert!(!allowance.is_used_up());
        let refused = reader.read_exact(&mut [0; 2]).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::QuotaExceeded);
        assert!(allowance.is_used_up());
        allowance.lift();
        byte(&mut reader);
    }
}

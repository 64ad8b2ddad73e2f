//! The end of a file, in lines.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;

const BLOCK: u64 = 64 << 10;
/// Bytes that are looked through at most for the beginning.
const MOST: u64 = 8 << 20;

/// Where the last `lines` of the first `end` bytes begin.
pub(super) fn start(file: &File, end: u64, lines: usize) -> io::Result<u64> {
    if lines == 0 {
        return Ok(end);
    }
    let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
    let (mut at, mut found, mut earliest) = (end, 0, end);
    while at > 0 && end - at < MOST {
        let begin = at.saturating_sub(BLOCK);
        let part = &mut block[..usize::try_from(at - begin).unwrap_or(usize::MAX)];
        file.read_exact_at(part, begin)?;
        for newline in memchr::memrchr_iter(b'\n', part) {
            let next = begin + newline as u64 + 1;
            // The last line ends with one, and begins after the one before it.
            if next == end {
                continue;
            }
            found += 1;
            earliest = next;
            if found == lines {
                return Ok(next);
            }
        }
        at = begin;
    }
    Ok(if at == 0 { 0 } else { earliest })
}

/// The bytes from `start` to `end`.
pub(super) fn read(file: &File, start: u64, end: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes.into())
}

/// A piece of the file from `start`, not beyond `end`, that ends where a line does.
pub(super) fn piece(file: &File, start: u64, end: u64) -> io::Result<Bytes> {
    let bytes = read(file, start, end.min(start + BLOCK))?;
    match memchr::memrchr(b'\n', &bytes) {
        Some(newline) => Ok(bytes.slice(..=newline)),
        // Lines are shorter than a block: this one is not complete yet.
        None => Ok(bytes),
    }
}

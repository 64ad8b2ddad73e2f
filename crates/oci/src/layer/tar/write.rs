//! Writing tar entries: every field is given by the caller or fixed, so that equal input gives equal bytes.
//!
//! Owners have no names (`uname`, `gname`): a puller would look them up on its own machine.

use std::io::{self, Write};

use super::header::field;
use super::{BLOCK, padding, pax};
use crate::layer::entry::Metadata;

/// The two blocks of zeros that end an archive.
pub const END_OF_ARCHIVE: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The largest number that eleven octal digits hold.
const LARGEST_OCTAL_SIZE: u64 = 0o777_7777_7777;
/// The largest number that seven octal digits hold.
const LARGEST_OCTAL_OWNER: u64 = 0o777_7777;

/// Writes a folder. `path` is normalised.
///
/// # Errors
/// What `output` gives.
pub fn write_directory(
    output: &mut (impl Write + ?Sized),
    path: &str,
    metadata: &Metadata,
) -> io::Result<()> {
    write_header(output, &format!("{path}/"), b'5', 0, "", metadata)
}

/// Writes the header of a regular file; its content of exactly `size` bytes and [`write_padding`] follow.
///
/// # Errors
/// What `output` gives.
pub fn write_file_header(
    output: &mut (impl Write + ?Sized),
    path: &str,
    metadata: &Metadata,
    size: u64,
) -> io::Result<()> {
    write_header(output, path, b'0', size, "", metadata)
}

/// Fills the last block of a content of `size` bytes.
///
/// # Errors
/// What `output` gives.
pub fn write_padding(output: &mut (impl Write + ?Sized), size: u64) -> io::Result<()> {
    output.write_all(&[0; BLOCK][..padding(size)])
}

/// Writes a symbolic link.
///
/// # Errors
/// What `output` gives.
pub fn write_symlink(
    output: &mut (impl Write + ?Sized),
    path: &str,
    target: &str,
    metadata: &Metadata,
) -> io::Result<()> {
    write_header(output, path, b'2', 0, target, metadata)
}

/// Writes another name of a file that stands earlier in the archive.
///
/// # Errors
/// What `output` gives.
pub fn write_hard_link(
    output: &mut (impl Write + ?Sized),
    path: &str,
    target: &str,
    metadata: &Metadata,
) -> io::Result<()> {
    write_header(output, path, b'1', 0, target, metadata)
}

/// Writes a named pipe.
///
/// # Errors
/// What `output` gives.
pub fn write_fifo(output: &mut (impl Write + ?Sized), path: &str, metadata: &Metadata) -> io::Result<()> {
    write_header(output, path, b'6', 0, "", metadata)
}

/// Writes the mark that empties the folder `path` of what the layers below have in it.
///
/// # Errors
/// What `output` gives.
pub fn write_opaque(output: &mut (impl Write + ?Sized), path: &str) -> io::Result<()> {
    let marker = crate::layer::path::join(path, ".wh..wh..opq");
    write_header(output, &marker, b'0', 0, "", &Metadata::new(0o644, 0, 0, 0))
}

/// Writes the whiteout that removes `path` of the layers below.
///
/// # Errors
/// What `output` gives.
pub fn write_whiteout(output: &mut (impl Write + ?Sized), path: &str) -> io::Result<()> {
    let (folder, name) = crate::layer::path::split(path);
    let marker = crate::layer::path::join(folder, &format!(".wh.{name}"));
    write_header(output, &marker, b'0', 0, "", &Metadata::new(0o644, 0, 0, 0))
}

fn write_header(
    output: &mut (impl Write + ?Sized),
    path: &str,
    type_flag: u8,
    size: u64,
    link_name: &str,
    metadata: &Metadata,
) -> io::Result<()> {
    let mut records = Vec::new();
    if path.len() > field::NAME.1 {
        records.extend(pax::record("path", path.as_bytes()));
    }
    if link_name.len() > field::LINK_NAME.1 {
        records.extend(pax::record("linkpath", link_name.as_bytes()));
    }
    for (key, value) in [("uid", metadata.user_id), ("gid", metadata.group_id)] {
        if value > LARGEST_OCTAL_OWNER {
            records.extend(pax::record(key, value.to_string().as_bytes()));
        }
    }
    if size > LARGEST_OCTAL_SIZE {
        records.extend(pax::record("size", size.to_string().as_bytes()));
    }
    let octal_time = u64::try_from(metadata.modified).ok().filter(|time| *time <= LARGEST_OCTAL_SIZE);
    if octal_time.is_none() {
        records.extend(pax::record("mtime", metadata.modified.to_string().as_bytes()));
    }
    for (name, value) in metadata.extended_attributes.iter().flat_map(|attributes| attributes.iter()) {
        records.extend(pax::record(&format!("SCHILY.xattr.{name}"), value));
    }
    if !records.is_empty() {
        let length = records.len() as u64;
        output.write_all(&block("././@PaxHeader", b'x', length, "", &Metadata::new(0o644, 0, 0, 0)))?;
        output.write_all(&records)?;
        write_padding(output, length)?;
    }
    output.write_all(&block(path, type_flag, size, link_name, metadata))
}

/// A header block; what does not fit is cut, since a PAX record then tells the whole.
fn block(path: &str, type_flag: u8, size: u64, link_name: &str, metadata: &Metadata) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    put_text(&mut block, field::NAME, path);
    put_octal(&mut block, field::MODE, u64::from(metadata.mode));
    put_octal(&mut block, field::USER_ID, metadata.user_id.min(LARGEST_OCTAL_OWNER));
    put_octal(&mut block, field::GROUP_ID, metadata.group_id.min(LARGEST_OCTAL_OWNER));
    put_octal(&mut block, field::SIZE, size.min(LARGEST_OCTAL_SIZE));
    put_octal(
        &mut block,
        field::MODIFIED,
        u64::try_from(metadata.modified).unwrap_or(0).min(LARGEST_OCTAL_SIZE),
    );
    block[field::TYPE_FLAG.0] = type_flag;
    put_text(&mut block, field::LINK_NAME, link_name);
    block[field::MAGIC.0..field::MAGIC.0 + 8].copy_from_slice(b"ustar\x0000");
    block[field::CHECKSUM.0..field::CHECKSUM.0 + 8].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let digits = format!("{sum:06o}\0 ");
    block[field::CHECKSUM.0..field::CHECKSUM.0 + 8].copy_from_slice(digits.as_bytes());
    block
}

fn put_text(block: &mut [u8; BLOCK], (offset, length): (usize, usize), text: &str) {
    let kept = text.len().min(length);
    block[offset..offset + kept].copy_from_slice(&text.as_bytes()[..kept]);
}

fn put_octal(block: &mut [u8; BLOCK], (offset, length): (usize, usize), value: u64) {
    let digits = format!("{value:0width$o}", width = length - 1);
    block[offset..offset + length - 1].copy_from_slice(digits.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::layer::tar::{TarReader, TypeFlag};

    fn read_all(bytes: &[u8]) -> Vec<(crate::layer::tar::TarEntry, Vec<u8>)> {
        let mut reader = TarReader::new(bytes);
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            let mut content = vec![0; usize::try_from(entry.size).unwrap()];
            let mut filled = 0;
            while filled < content.len() {
                filled += reader.read_content(&mut content[filled..]).unwrap();
            }
            entries.push((entry, content));
        }
        entries
    }

    #[test]
    fn what_is_written_is_read_back() {
        let long = format!("usr/{}/{}", "a".repeat(120), "b".repeat(120));
        let mut attributes = BTreeMap::new();
        attributes.insert("security.capability".to_owned(), vec![1, 0, b'\n', 0xff]);
        let metadata = Metadata {
            mode: 0o2775,
            user_id: 3_000_000_000,
            group_id: 100,
            modified: 99_999_999_999_999,
            extended_attributes: Some(Box::new(attributes)),
        };
        let mut bytes = Vec::new();
        write_directory(&mut bytes, "usr", &Metadata::new(0o755, 0, 0, 7)).unwrap();
        write_file_header(&mut bytes, &long, &metadata, 3).unwrap();
        bytes.extend(b"abc");
        write_padding(&mut bytes, 3).unwrap();
        write_symlink(&mut bytes, "bin", &long, &Metadata::new(0o777, 0, 0, 0)).unwrap();
        write_whiteout(&mut bytes, "etc/gone").unwrap();
        bytes.extend(END_OF_ARCHIVE);

        let entries = read_all(&bytes);
        assert_eq!(entries.len(), 4);
        assert_eq!(
            (entries[0].0.path.as_slice(), entries[0].0.type_flag),
            (&b"usr/"[..], TypeFlag::Directory)
        );
        let (file, content) = &entries[1];
        assert_eq!((file.path.as_slice(), content.as_slice()), (long.as_bytes(), &b"abc"[..]));
        assert_eq!(
            (file.mode, file.user_id, file.group_id, file.modified),
            (0o2775, 3_000_000_000, 100, 99_999_999_999_999)
        );
        assert_eq!(file.extended_attributes["security.capability"], [1, 0, b'\n', 0xff]);
        assert_eq!(entries[2].0.link_name, long.as_bytes());
        assert_eq!(entries[3].0.path, b"etc/.wh.gone");
    }
}

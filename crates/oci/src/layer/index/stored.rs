//! An index on disk: a serialised head, then the kept contents one after the other, all of it compressed.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BinaryFacts, LayerIndex};
use crate::digest::Digest;
use crate::layer::entry::Change;

/// Longest head that is read back: bounds what a damaged file can make us allocate.
const MAXIMUM_HEAD: u64 = 2 << 30;

#[derive(Serialize, Deserialize)]
struct Head {
    diff_id: Digest,
    uncompressed_size: u64,
    changes: Vec<Change>,
    binaries: BTreeMap<Box<str>, BinaryFacts>,
    /// Path and length of each kept content, in the order in which they follow.
    contents: Vec<(Box<str>, u64)>,
}

impl LayerIndex {
    /// Writes the index.
    ///
    /// # Errors
    /// What `output` gives.
    pub fn store(&self, output: impl Write) -> io::Result<()> {
        let head = Head {
            diff_id: self.diff_id,
            uncompressed_size: self.uncompressed_size,
            changes: self.changes.clone(),
            binaries: self.binaries.clone(),
            contents: self.contents.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect(),
        };
        let head = postcard::to_allocvec(&head).map_err(io::Error::other)?;
        let mut output = zstd::stream::write::Encoder::new(output, 1)?;
        // A flipped bit on a disk must not become another image.
        output.include_checksum(true)?;
        output.write_all(&(head.len() as u64).to_le_bytes())?;
        output.write_all(&head)?;
        for content in self.contents.values() {
            output.write_all(content)?;
        }
        output.finish()?.flush()
    }

    /// Reads an index back.
    ///
    /// # Errors
    /// A file that breaks off or holds something else.
    pub fn load(input: impl Read) -> io::Result<Self> {
        let mut input = zstd::stream::read::Decoder::new(input)?;
        let mut length = [0; 8];
        input.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > MAXIMUM_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::new();
        input.by_ref().take(length).read_to_end(&mut bytes)?;
        let head: Head = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
        drop(bytes);
        let mut contents = BTreeMap::new();
        for (path, length) in head.contents {
            let mut content = Vec::new();
            if input.by_ref().take(length).read_to_end(&mut content)? as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            contents.insert(path, Arc::from(content));
        }
        // The checksum stands behind the last byte: only who reads to the end has it checked.
        if input.read(&mut [0])? != 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self {
            diff_id: head.diff_id,
            uncompressed_size: head.uncompressed_size,
            changes: head.changes,
            contents,
            binaries: head.binaries,
        })
    }
}

//! Reading one layer into its index.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use thiserror::Error;

use super::binary::BinaryScanner;
use super::{LayerIndex, is_kept};
use crate::digest::Sha256Hasher;
use crate::layer::codec::decompress;
use crate::layer::entry::{Change, Kind, Metadata};
use crate::layer::path::{self, PathError};
use crate::layer::tar::{TarEntry, TarError, TarReader, TypeFlag};

/// The prefix of names that remove something of the layers below.
const WHITEOUT: &str = ".wh.";
/// The name that empties its folder of what the layers below have.
const OPAQUE: &str = ".wh..wh..opq";
/// The prefix of names that aufs kept for itself.
const AUFS: &str = ".wh..wh.";

/// Bounds of what one layer may hold; the defaults are far above any real image.
#[derive(Debug, Clone, Copy)]
pub struct IndexLimits {
    /// Bytes of the uncompressed tar.
    pub uncompressed: u64,
    /// Entries.
    pub entries: usize,
    /// Bytes of all small files kept.
    pub kept: u64,
    /// Bytes of all paths, link targets and extended attributes.
    pub names: u64,
}

impl Default for IndexLimits {
    fn default() -> Self {
        Self { uncompressed: 128 << 30, entries: 3_000_000, kept: 128 << 20, names: 96 << 20 }
    }
}

/// Why a layer has no index.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The archive cannot be read.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// The layer cannot be decompressed.
    #[error("the layer cannot be decompressed")]
    Decompress(#[source] io::Error),
    /// A path that no image may have.
    #[error("the layer holds a path that is not allowed: {0}")]
    Path(#[from] PathError),
    /// A link whose target is longer than Linux allows.
    #[error("the link /{path} has a target of {length} bytes, more than Linux allows")]
    LinkTooLong {
        /// Path of the link.
        path: String,
        /// Length of its target in bytes.
        length: usize,
    },
    /// A whiteout that names no single path.
    #[error("the layer removes what it does not name: the whiteout {path:?} is followed by no name")]
    Whiteout {
        /// The path of the marker.
        path: String,
    },
    /// More than [`IndexLimits`] allow.
    #[error("the layer holds more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is accepted.
        limit: u64,
    },
}

/// Reads a layer, compressed or not, to its end.
///
/// Blocks: call it on a thread for blocking work. The caller verifies the compressed bytes' digest by reading
/// them through a hasher; [`LayerIndex::diff_id`] is that of the uncompressed bytes.
///
/// # Errors
/// Archives that are malformed, hostile or too large.
pub fn index_layer(source: impl Read, limits: IndexLimits) -> Result<LayerIndex, IndexError> {
    let plain = decompress(source).map_err(IndexError::Decompress)?;
    let counted =
        Counted { inner: plain, hasher: Sha256Hasher::new(), limit: limits.uncompressed, over: false };
    let mut reader = TarReader::new(counted);
    let mut builder = Builder::new(limits);
    let outcome = builder.read(&mut reader);
    let mut counted = reader.into_inner();
    let outcome = outcome.and_then(|()| counted.drain().map_err(IndexError::Decompress));
    if counted.over {
        return Err(IndexError::TooLarge { what: "uncompressed bytes", limit: limits.uncompressed });
    }
    outcome?;
    let (diff_id, uncompressed_size) = counted.hasher.finish();
    Ok(LayerIndex {
        diff_id,
        uncompressed_size,
        changes: builder.changes,
        contents: builder.contents,
        binaries: builder.binaries,
    })
}

struct Builder {
    limits: IndexLimits,
    changes: Vec<Change>,
    contents: BTreeMap<Box<str>, Arc<[u8]>>,
    binaries: BTreeMap<Box<str>, super::BinaryFacts>,
    kept: u64,
    names: u64,
}

impl Builder {
    fn new(limits: IndexLimits) -> Self {
        Self {
            limits,
            changes: Vec::new(),
            contents: BTreeMap::new(),
            binaries: BTreeMap::new(),
            kept: 0,
            names: 0,
        }
    }

    fn read<R: Read>(&mut self, reader: &mut TarReader<R>) -> Result<(), IndexError> {
        while let Some(entry) = reader.next_entry()? {
            if self.changes.len() >= self.limits.entries {
                return Err(IndexError::TooLarge { what: "entries", limit: self.limits.entries as u64 });
            }
            let attributes: usize =
                entry.extended_attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
            self.names += (entry.path.len() + entry.link_name.len() + attributes) as u64;
            if self.names > self.limits.names {
                return Err(IndexError::TooLarge {
                    what: "bytes of names and attributes",
                    limit: self.limits.names,
                });
            }
            let path = path::normalise(&entry.path)?;
            let (folder, name) = path::split(&path);
            if name == OPAQUE {
                self.changes.push(Change::Opaque { path: folder.into() });
            } else if name.starts_with(AUFS) {
                // What aufs kept for itself means nothing to anyone else.
            } else if let Some(removed) = name.strip_prefix(WHITEOUT) {
                if matches!(removed, "" | "." | "..") {
                    // To some pullers this is the folder itself, or the one above it.
                    return Err(IndexError::Whiteout { path });
                }
                self.changes.push(Change::Remove { path: path::join(folder, removed).into() });
            } else {
                self.add(reader, &path, entry)?;
            }
        }
        Ok(())
    }

    fn add<R: Read>(
        &mut self,
        reader: &mut TarReader<R>,
        path: &str,
        entry: TarEntry,
    ) -> Result<(), IndexError> {
        let kind = match entry.type_flag {
            TypeFlag::File => {
                self.content(reader, path, entry.size)?;
                Kind::File { size: entry.size }
            }
            TypeFlag::HardLink => {
                let target = path::normalise(&entry.link_name)?.into();
                self.changes.push(Change::HardLink { path: path.into(), target });
                return Ok(());
            }
            TypeFlag::Symlink => {
                if entry.link_name.len() > path::MAXIMUM_LENGTH {
                    return Err(IndexError::LinkTooLong {
                        path: path.to_owned(),
                        length: entry.link_name.len(),
                    });
                }
                Kind::Symlink { target: String::from_utf8_lossy(&entry.link_name).into() }
            }
            TypeFlag::Directory => Kind::Directory,
            TypeFlag::Fifo => Kind::Fifo,
            TypeFlag::CharacterDevice => Kind::Device { block: false, number: entry.device },
            TypeFlag::BlockDevice => Kind::Device { block: true, number: entry.device },
        };
        let metadata = Metadata {
            mode: entry.mode,
            user_id: entry.user_id,
            group_id: entry.group_id,
            modified: entry.modified,
            extended_attributes: (!entry.extended_attributes.is_empty())
                .then(|| Box::new(entry.extended_attributes)),
        };
        self.changes.push(Change::Add { path: path.into(), metadata, kind });
        Ok(())
    }

    /// Keeps a small file's content, and looks into binaries.
    fn content<R: Read>(
        &mut self,
        reader: &mut TarReader<R>,
        path: &str,
        size: u64,
    ) -> Result<(), IndexError> {
        // A path that stands twice in one layer: the last one holds.
        self.contents.remove(path);
        self.binaries.remove(path);
        let mut buffer = vec![0; 64 << 10];
        let keep = is_kept(path, size);
        if keep {
            self.kept += size;
            if self.kept > self.limits.kept {
                return Err(IndexError::TooLarge {
                    what: "bytes of package metadata",
                    limit: self.limits.kept,
                });
            }
        }
        let mut scanner = BinaryScanner::for_path(path);
        if !keep && scanner.is_none() {
            return Ok(());
        }
        let mut content = Vec::new();
        loop {
            let read = reader.read_content(&mut buffer)?;
            if read == 0 {
                break;
            }
            if keep {
                content.extend_from_slice(&buffer[..read]);
            }
            if let Some(scanner) = &mut scanner {
                scanner.update(&buffer[..read]);
            }
        }
        if keep {
            self.contents.insert(path.into(), content.into());
        }
        if let Some(scanner) = scanner {
            self.binaries.insert(path.into(), scanner.finish());
        }
        Ok(())
    }
}

/// Hashes and counts the uncompressed bytes, and stops a bomb.
struct Counted<R> {
    inner: R,
    hasher: Sha256Hasher,
    limit: u64,
    over: bool,
}

impl<R: Read> Counted<R> {
    /// Reads what follows the end of the archive: it belongs to the digests.
    fn drain(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        while self.read(&mut buffer)? > 0 {}
        Ok(())
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        if self.hasher.size() > self.limit {
            self.over = true;
            return Err(io::Error::other("more uncompressed bytes than are accepted"));
        }
        Ok(read)
    }
}

//! The index of one layer: every change it makes to the tree, the small files that resolvers read, and what
//! binaries say of themselves. A layer is read once, streaming; the index is kept for ever by its digest.

mod binary;
mod build;
mod kept;
mod stored;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::Change;
use crate::digest::Digest;

pub use build::{IndexError, IndexLimits, index_layer};
pub use kept::is_kept;

/// Raised whenever the same layer would give another index: an index of an older version is made again.
pub const INDEX_VERSION: u32 = 2;

/// What one layer changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerIndex {
    /// Digest of the uncompressed tar, as the image config's `rootfs.diff_ids` should list it.
    pub diff_id: Digest,
    /// Length of the uncompressed tar in bytes.
    pub uncompressed_size: u64,
    /// The changes in the order of the tar.
    pub changes: Vec<Change>,
    /// Contents of small files by path, see [`is_kept`].
    pub contents: BTreeMap<Box<str>, Arc<[u8]>>,
    /// What interpreters and C libraries say of themselves, by path.
    pub binaries: BTreeMap<Box<str>, BinaryFacts>,
}

/// What was read out of an ELF file while it streamed past.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BinaryFacts {
    /// `e_machine` of the ELF header (62 is x86-64, 183 is `AArch64`); `None` where the file is no ELF file.
    pub machine: Option<u16>,
    /// The version that the file embeds: `3.11.2` for a Python interpreter or its library, `2.36` for glibc,
    /// `1.2.4` for musl.
    pub version: Option<String>,
}

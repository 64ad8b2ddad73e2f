//! Small trees for tests.

use std::collections::BTreeMap;

use imagewright_oci::digest::Digest;
use imagewright_oci::layer::entry::{Change, Kind, Metadata};
use imagewright_oci::layer::index::LayerIndex;
use imagewright_oci::tree::ImageTree;

/// The tree of an image with these files.
pub(super) fn tree<'file>(files: impl IntoIterator<Item = (&'file str, &'file [u8])>) -> ImageTree {
    let mut index = LayerIndex {
        diff_id: Digest::of(b"test"),
        uncompressed_size: 0,
        changes: Vec::new(),
        contents: BTreeMap::new(),
        binaries: BTreeMap::new(),
    };
    for (path, content) in files {
        let kind = Kind::File { size: content.len() as u64 };
        index.changes.push(Change::Add { path: path.into(), metadata: Metadata::new(0o644, 0, 0, 0), kind });
        index.contents.insert(path.into(), content.into());
    }
    let mut tree = ImageTree::new();
    tree.apply(&index).unwrap();
    tree
}

//! The parts of the suite, and the archives that they are made of.

mod archives;
mod damage;
mod headers;
mod sizes;
mod trees;

use imagewright_oci::layer::index::{IndexError, IndexLimits, LayerIndex, index_layer};
use imagewright_oci::tree::{ImageTree, TreeError};

/// Limits that small archives reach.
pub(crate) const SMALL: IndexLimits =
    IndexLimits { entries: 1000, uncompressed: 1 << 20, kept: 64 << 10, names: 256 << 10 };

/// Reads a layer within the usual limits.
pub(crate) fn index(archive: &[u8]) -> Result<LayerIndex, IndexError> {
    index_layer(archive, IndexLimits::default())
}

/// The sentence with which a layer is refused, its causes behind it.
pub(crate) fn refusal(archive: &[u8]) -> String {
    refusal_within(archive, IndexLimits::default())
}

/// The same within other limits.
pub(crate) fn refusal_within(archive: &[u8], limits: IndexLimits) -> String {
    let error = index_layer(archive, limits).expect_err("a layer that should be refused");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The tree of layers laid over each other.
pub(crate) fn tree(layers: &[&[u8]]) -> Result<ImageTree, TreeError> {
    let mut tree = ImageTree::new();
    for layer in layers {
        tree.apply(&index(layer).unwrap())?;
    }
    Ok(tree)
}

/// All paths of a tree.
pub(crate) fn paths(tree: &ImageTree) -> Vec<String> {
    tree.walk("").map(|(path, _)| path.to_owned()).collect()
}

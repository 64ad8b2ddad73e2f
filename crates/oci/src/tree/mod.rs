//! The file tree of an image, as its layers make it: which path stands where, with which mode and owner, and
//! where a path really leads once symbolic links are followed *inside the image*.
//!
//! Nothing here touches the machine's own file system: the tree is built from
//! [`LayerIndex`](crate::layer::index::LayerIndex) values, and the content of the few small files that resolvers
//! read comes from the same index.

mod apply;
mod resolve;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::layer::entry::{Kind, Metadata};
use crate::layer::index::BinaryFacts;

pub use apply::TreeError;
pub use resolve::{ResolveError, Resolved};

/// What stands at a path of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Mode, owner and time.
    pub metadata: Metadata,
    /// Folder, file, link or device.
    pub kind: Kind,
    /// Number of the layer that put it there, from the bottom, starting at 0.
    pub layer: u32,
}

impl Node {
    /// True for a folder.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory)
    }

    /// True for a regular file.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File { .. })
    }
}

/// The merged tree of an image's layers.
#[derive(Debug, Clone, Default)]
pub struct ImageTree {
    /// Normalised path → node. The root folder is not in it unless a layer lists it (as `""`).
    nodes: BTreeMap<Box<str>, Node>,
    /// Contents of small files by normalised path.
    contents: BTreeMap<Box<str>, Arc<[u8]>>,
    /// What was read out of binaries (interpreters, C libraries) by normalised path.
    binaries: BTreeMap<Box<str>, BinaryFacts>,
    /// How many layers have been applied.
    layers: u32,
    /// Bytes of names and attributes in all layers that have been applied.
    names: usize,
}

impl ImageTree {
    /// An image without layers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The node at exactly this normalised path; links are not followed.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Number of paths.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True where no layer put anything.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The content of a small file that the index kept, links followed; see
    /// [`crate::layer::index::is_kept`] for which files these are.
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        let resolved = self.resolve(path).ok()??;
        self.contents.get(resolved.path.as_str()).map(AsRef::as_ref)
    }

    /// [`ImageTree::content`] as text, with the replacement character where it is not UTF-8.
    pub fn text(&self, path: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.content(path).map(String::from_utf8_lossy)
    }

    /// What the index read out of the binary at this path (machine, embedded version), links followed.
    pub fn binary(&self, path: &str) -> Option<&BinaryFacts> {
        let resolved = self.resolve(path).ok()??;
        self.binaries.get(resolved.path.as_str())
    }

    /// Everything below a folder, depth first in byte order of the paths, without the folder itself. The
    /// folder's own path is taken literally: resolve it first.
    pub fn walk<'tree>(&'tree self, folder: &str) -> impl Iterator<Item = (&'tree str, &'tree Node)> + 'tree {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let start = prefix.clone();
        self.nodes
            .range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded))
            .map(|(path, node)| (path.as_ref(), node))
            .skip_while(|(path, _)| path.is_empty())
            .take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// The names directly inside a folder with their nodes, in byte order; links are not followed, neither at
    /// the folder nor at its children. A path that is no folder has no children.
    pub fn children<'tree>(
        &'tree self,
        folder: &str,
    ) -> impl Iterator<Item = (&'tree str, &'tree Node)> + 'tree {
        let offset = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let mut next = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let prefix = next.clone();
        std::iter::from_fn(move || {
            loop {
                let (path, node) =
                    self.nodes.range::<str, _>((Bound::Included(next.as_str()), Bound::Unbounded)).next()?;
                if !path.starts_with(&prefix) {
                    return None;
                }
                if path.is_empty() {
                    "\0".clone_into(&mut next);
                    continue;
                }
                let name_end = path[offset..].find('/').map_or(path.len(), |at| offset + at);
                // '0' is the character after '/': the search goes on behind everything inside this child.
                next = if name_end == path.len() {
                    format!("{path}\0")
                } else {
                    format!("{}0", &path[..name_end])
                };
                if name_end == path.len() {
                    return Some((&path[offset..], node));
                }
            }
        })
    }

    /// Numeric owner of the nearest existing folder at or above a normalised path: what a new file there is
    /// given. `(0, 0)` in an empty image.
    pub fn owner_of_nearest_folder(&self, path: &str) -> (u64, u64) {
        let mut at = path;
        loop {
            if let Some(node) = self.nodes.get(at).filter(|node| node.is_directory()) {
                return (node.metadata.user_id, node.metadata.group_id);
            }
            if at.is_empty() {
                return (0, 0);
            }
            at = crate::layer::path::split(at).0;
        }
    }
}

#[cfg(test)]
mod tests;

//! Laying one more layer over a tree.

use std::ops::Bound;
use std::sync::Arc;

use thiserror::Error;

use super::{ImageTree, Node};
use crate::layer::entry::{Change, Kind, Metadata};
use crate::layer::index::{BinaryFacts, LayerIndex};
use crate::layer::path::ancestors;

/// The most paths one image may have: some fifteen times what a large data-science image holds.
pub(super) const MAXIMUM_PATHS: usize = 4_000_000;

/// The most bytes that paths, links and attributes of one image may have.
pub(super) const MAXIMUM_NAMES: usize = 192 << 20;

/// Why a layer cannot be laid over the tree.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TreeError {
    /// A hard link to something that neither the layer nor a lower one has.
    #[error("the hard link /{path} points to /{target}, which is not in the image")]
    DanglingHardLink {
        /// Path of the link.
        path: String,
        /// The missing target.
        target: String,
    },
    /// More paths than an image may have.
    #[error("the image has more than {MAXIMUM_PATHS} paths")]
    TooManyPaths,
    /// More bytes of names and attributes than an image may have.
    #[error("the names and attributes of the image's files have more than {MAXIMUM_NAMES} bytes")]
    TooManyNames,
}

impl ImageTree {
    /// Lays the next layer over the tree: first everything it removes, then everything it adds, since a
    /// whiteout hides what *lower* layers have wherever it stands in the tar.
    ///
    /// # Errors
    /// Hard links to nothing, and more paths than an image may have.
    pub fn apply(&mut self, layer: &LayerIndex) -> Result<(), TreeError> {
        let number = self.layers;
        self.layers += 1;
        self.names += layer.changes.iter().map(size_of_names).sum::<usize>();
        if self.names > MAXIMUM_NAMES {
            return Err(TreeError::TooManyNames);
        }
        for change in &layer.changes {
            match change {
                Change::Remove { path } => self.remove(path),
                Change::Opaque { path } => self.remove_below(path),
                Change::Add { .. } | Change::HardLink { .. } => {}
            }
        }
        for change in &layer.changes {
            match change {
                Change::Add { path, metadata, kind } => {
                    let node = Node { metadata: metadata.clone(), kind: kind.clone(), layer: number };
                    let place = self.landing(path);
                    self.put(&place, node, number);
                    let content = layer.contents.get(path).cloned();
                    let facts = layer.binaries.get(path).cloned();
                    self.describe(place, content, facts);
                }
                Change::HardLink { path, target } => {
                    let target = self.landing(target);
                    let Some(mut node) = self.nodes.get(&target).cloned() else {
                        return Err(TreeError::DanglingHardLink {
                            path: path.to_string(),
                            target: target.to_string(),
                        });
                    };
                    node.layer = number;
                    let content = self.contents.get(&target).cloned();
                    let facts = self.binaries.get(&target).cloned();
                    let place = self.landing(path);
                    self.put(&place, node, number);
                    self.describe(place, content, facts);
                }
                Change::Remove { .. } | Change::Opaque { .. } => {}
            }
            if self.nodes.len() > MAXIMUM_PATHS {
                return Err(TreeError::TooManyPaths);
            }
        }
        Ok(())
    }

    /// Keeps what the index knows of the file at a path.
    fn describe(&mut self, path: Box<str>, content: Option<Arc<[u8]>>, facts: Option<BinaryFacts>) {
        if let Some(content) = content {
            self.contents.insert(path.clone(), content);
        }
        if let Some(facts) = facts {
            self.binaries.insert(path, facts);
        }
    }

    /// The path at which an entry lands: one below a link is written through the link.
    fn landing(&self, path: &str) -> Box<str> {
        let is_link = |ancestor: &str| {
            self.nodes.get(ancestor).is_some_and(|node| matches!(node.kind, Kind::Symlink { .. }))
        };
        if ancestors(path).any(is_link) {
            // A way that loops or ends at a file leads nowhere; the entry then stands where it says.
            return self.real_parent(path).unwrap_or_else(|_| path.to_owned()).into();
        }
        path.into()
    }

    /// Puts a node at a path. A folder over a folder keeps what is inside; anything else replaces it whole.
    /// Folders that no layer lists are made as pullers make them: 0755, owned by root.
    fn put(&mut self, path: &str, node: Node, number: u32) {
        for ancestor in ancestors(path) {
            if !self.nodes.get(ancestor).is_some_and(Node::is_directory) {
                self.forget(ancestor);
                let metadata = Metadata::new(0o755, 0, 0, 0);
                self.nodes.insert(ancestor.into(), Node { metadata, kind: Kind::Directory, layer: number });
            }
        }
        // The root is a folder in every image, whether a layer lists it or not.
        let was_folder = path.is_empty() || self.nodes.get(path).is_some_and(Node::is_directory);
        let keeps_children = was_folder && node.is_directory();
        if !keeps_children {
            self.remove_below(path);
        }
        self.forget(path);
        self.nodes.insert(path.into(), node);
    }

    /// Takes a normalised path out, and everything below it.
    pub fn remove(&mut self, path: &str) {
        self.remove_below(path);
        self.forget(path);
    }

    /// Removes one path from all three maps.
    fn forget(&mut self, path: &str) {
        self.nodes.remove(path);
        self.contents.remove(path);
        self.binaries.remove(path);
    }

    fn remove_below(&mut self, folder: &str) {
        if folder.is_empty() {
            self.nodes.retain(|path, _| path.is_empty());
            self.contents.clear();
            self.binaries.clear();
            return;
        }
        let prefix = format!("{folder}/");
        let range = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let inside: Vec<Box<str>> = self
            .nodes
            .range::<str, _>(range)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&prefix))
            .cloned()
            .collect();
        for path in inside {
            self.forget(&path);
        }
    }
}

/// Bytes of a change's path, link target and attributes.
fn size_of_names(change: &Change) -> usize {
    let rest = match change {
        Change::Add { metadata, kind, .. } => {
            let attributes = metadata.extended_attributes.iter().flat_map(|attributes| attributes.iter());
            let attributes: usize = attributes.map(|(name, value)| name.len() + value.len()).sum();
            attributes + if let Kind::Symlink { target } = kind { target.len() } else { 0 }
        }
        Change::HardLink { target, .. } => target.len(),
        Change::Remove { .. } | Change::Opaque { .. } => 0,
    };
    change.path().len() + rest
}

//! Finding an executable the way a shell in the image would.

use imagewright_oci::layer::path::join;
use imagewright_oci::tree::ImageTree;

/// The first executable file of this name in the folders, as it is named there (links not followed).
pub(super) fn find(tree: &ImageTree, folders: &[String], name: &str) -> Option<String> {
    folders.iter().map(|folder| join(folder, name)).find(|candidate| is_executable(tree, candidate))
}

/// True for a regular file, behind any links, that someone may execute.
pub(super) fn is_executable(tree: &ImageTree, path: &str) -> bool {
    matches!(tree.resolve(path), Ok(Some(found)) if found.node.is_file() && found.node.metadata.mode & 0o111 != 0)
}

//! The folders above a layer's files.
//!
//! Pullers make a missing parent folder as they like, and give an existing one the mode and owner that the
//! layer says. So each layer repeats every folder above its files: those of the base with exactly the base's
//! mode, owner, time and attributes; new ones as `mkdir` would make them.

use std::collections::BTreeSet;
use std::io::{self, Write};

use imagewright_oci::layer::entry::Metadata;
use imagewright_oci::layer::path::split;
use imagewright_oci::layer::tar::write_directory;
use imagewright_oci::tree::ImageTree;

use crate::wheel::GENERATED_MTIME;

/// The bit that makes new files and folders belong to the folder's own group.
const SET_GROUP_ID: u32 = 0o2000;

/// The metadata of a folder in the finished image.
///
/// `folder` is a normalised path without links on its way.
pub fn folder_metadata(tree: &ImageTree, folder: &str) -> Metadata {
    if let Some(node) = tree.get(folder).filter(|node| node.is_directory()) {
        return node.metadata.clone();
    }
    let (user_id, group_id) = tree.owner_of_nearest_folder(folder);
    let inherited = inherits_group(tree, split(folder).0);
    let mode = if inherited { 0o755 | SET_GROUP_ID } else { 0o755 };
    Metadata::new(mode, user_id, group_id, GENERATED_MTIME)
}

/// Writes the entries of all folders, outermost first.
///
/// # Errors
/// What `output` gives.
pub fn write_folders(
    output: &mut (impl Write + ?Sized),
    tree: &ImageTree,
    folders: &BTreeSet<String>,
) -> io::Result<()> {
    // Byte order puts a folder before what is inside it.
    for folder in folders {
        write_directory(output, folder, &folder_metadata(tree, folder))?;
    }
    Ok(())
}

/// True when the nearest existing folder passes its group on.
fn inherits_group(tree: &ImageTree, folder: &str) -> bool {
    let mut at = folder;
    loop {
        if let Some(node) = tree.get(at).filter(|node| node.is_directory()) {
            return node.metadata.mode & SET_GROUP_ID != 0;
        }
        if at.is_empty() {
            return false;
        }
        at = split(at).0;
    }
}

//! The topmost layer: the few small files that differ from image to image although the packages are the same.
//!
//! pip marks what the user asked for by a `REQUESTED` file, listed in the package's `RECORD`. Were they in the
//! package's own layer, `numpy` asked for and `numpy` as a dependency would be two layers.

use std::collections::BTreeSet;
use std::io::{self, Write};

use imagewright_oci::layer::entry::Metadata;
use imagewright_oci::layer::path::ancestors;
use imagewright_oci::layer::tar::{write_file_header, write_padding};
use imagewright_oci::tree::ImageTree;

use super::folders::write_folders;
use crate::wheel::GENERATED_MTIME;

/// One small file of the topmost layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopFile {
    /// Normalised path without links on its way.
    pub path: String,
    /// Numeric user and group.
    pub owner: (u64, u64),
    /// Its content.
    pub content: Vec<u8>,
}

/// Writes the files in order of their paths, and the folders above them.
///
/// # Errors
/// What `output` gives.
pub fn write_top(output: &mut dyn Write, tree: &ImageTree, files: &[TopFile]) -> io::Result<()> {
    let folders: BTreeSet<String> =
        files.iter().flat_map(|file| ancestors(&file.path)).map(str::to_owned).collect();
    write_folders(output, tree, &folders)?;
    let mut files: Vec<&TopFile> = files.iter().collect();
    files.sort_by(|left, right| left.path.cmp(&right.path));
    for file in files {
        let metadata = Metadata::new(0o644, file.owner.0, file.owner.1, GENERATED_MTIME);
        let size = file.content.len() as u64;
        write_file_header(output, &file.path, &metadata, size)?;
        output.write_all(&file.content)?;
        write_padding(output, size)?;
    }
    Ok(())
}

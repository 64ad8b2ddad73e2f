//! Writing the entries of a layer, and above each the folders that lead to it.

use std::collections::HashSet;
use std::io::{self, Write};

use imagewright_oci::layer::entry::{Kind, Metadata};
use imagewright_oci::layer::path::split;
use imagewright_oci::layer::tar::{
    END_OF_ARCHIVE, TarEntry, write_directory, write_fifo, write_file_header, write_hard_link, write_opaque,
    write_padding, write_symlink, write_whiteout,
};

use super::LayerOptions;
use super::overlay::{Meaning, metadata};
use crate::error::{BuildError, ErrorKind};

/// Writes content of exactly as many bytes.
type Content<'content> = &'content mut dyn FnMut(&mut dyn Write, u64) -> io::Result<()>;

/// Writes a layer, entry after entry, depth first.
pub(super) struct LayerWriter<'options, W> {
    output: W,
    options: &'options LayerOptions,
    /// Folders above the current entry that are not written: they may be there only for what is dropped.
    pending: Vec<(String, Metadata)>,
    written: HashSet<String>,
    notes: Vec<String>,
}

impl<'options, W: Write> LayerWriter<'options, W> {
    pub(super) fn new(output: W, options: &'options LayerOptions) -> Self {
        Self { output, options, pending: Vec::new(), written: HashSet::new(), notes: Vec::new() }
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Writes one change. An `emptied` file loses its content, and is dropped where the base has it.
    pub(super) fn write(
        &mut self,
        path: &str,
        meaning: &Meaning,
        entry: &TarEntry,
        emptied: bool,
        content: Content<'_>,
    ) -> Result<(), BuildError> {
        let metadata = metadata(entry, self.options.began, self.options.epoch);
        self.leave_folders(path);
        let below = self.options.base.get(path);
        match meaning {
            Meaning::Directory { opaque } => {
                let opaque = *opaque && below.is_some();
                let same =
                    below.is_some_and(|node| node.is_directory() && is_same(&node.metadata, &metadata));
                if same && !opaque {
                    self.pending.push((path.to_owned(), metadata));
                    return Ok(());
                }
                self.put(path, |output| {
                    write_directory(output, path, &metadata)?;
                    if opaque { write_opaque(output, path) } else { Ok(()) }
                })
            }
            Meaning::File { size } => {
                let size = if emptied { 0 } else { *size };
                let was = below.filter(|node| is_same(&node.metadata, &metadata)).map(|node| &node.kind);
                if (emptied && below.is_some()) || (size == 0 && was == Some(&Kind::File { size: 0 })) {
                    return Ok(());
                }
                self.put(path, |output| {
                    write_file_header(output, path, &metadata, size)?;
                    content(output, size)?;
                    write_padding(output, size)
                })
            }
            Meaning::HardLink { target } => {
                if !self.written.contains(target) {
                    return Err(BuildError::new(
                        ErrorKind::SandboxFailed,
                        format!("/{path} is another name of /{target}, which is no part of the image"),
                    )
                    .with_next_step("leave out the package that makes it"));
                }
                self.put(path, |output| write_hard_link(output, path, target, &metadata))
            }
            Meaning::Symlink { target } => {
                self.put(path, |output| write_symlink(output, path, target, &metadata))
            }
            Meaning::Fifo => self.put(path, |output| write_fifo(output, path, &metadata)),
            Meaning::Removed => {
                if below.is_none() {
                    return Ok(());
                }
                self.put(path, |output| write_whiteout(output, path))
            }
            Meaning::Device => {
                self.notes.push(format!("/{path} is left out: images hold no devices"));
                Ok(())
            }
        }
    }

    /// Forgets the folders that do not lead to a path.
    fn leave_folders(&mut self, path: &str) {
        let folder = split(path).0;
        let leads = |above: &str| {
            folder == above || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
        };
        self.pending.retain(|(above, _)| leads(above));
    }

    /// Writes the folders that lead to an entry, and the entry.
    fn put(&mut self, path: &str, write: impl FnOnce(&mut W) -> io::Result<()>) -> Result<(), BuildError> {
        let failed = |error| BuildError::file("write the layer to", std::path::Path::new("the cache"), error);
        for (folder, metadata) in std::mem::take(&mut self.pending) {
            write_directory(&mut self.output, &folder, &metadata).map_err(failed)?;
            self.written.insert(folder);
        }
        if !self.written.insert(path.to_owned()) {
            return Err(BuildError::new(
                ErrorKind::SandboxFailed,
                format!("/{path} was changed twice at once"),
            )
            .with_next_step("try again"));
        }
        write(&mut self.output).map_err(failed)
    }

    /// Ends the archive; `None` where nothing was written.
    pub(super) fn finish(mut self) -> io::Result<Option<W>> {
        if self.written.is_empty() {
            return Ok(None);
        }
        self.output.write_all(&END_OF_ARCHIVE)?;
        Ok(Some(self.output))
    }
}

/// True for metadata that differs in nothing but the time.
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    let fields = |metadata: &Metadata| {
        (metadata.mode, metadata.user_id, metadata.group_id, metadata.extended_attributes.clone())
    };
    fields(one) == fields(other)
}

//! From what a step changed to a layer: the same changes give the same bytes, and nothing of the run is in it.
//!
//! ```text
//! rules.rs    what of the changes is no part of the image
//! overlay.rs  overlayfs' way of writing changes down
//! writer.rs   entries of the layer, with the folders above them
//! ```

mod overlay;
mod rules;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use imagewright_oci::digest::Sha256Hasher;
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::layer::path::normalise;
use imagewright_oci::layer::tar::{TarEntry, TarReader};
use imagewright_oci::tree::ImageTree;

use crate::assemble::layer::LayerFacts;
use crate::error::{BuildError, ErrorKind};
use overlay::{Meaning, meaning};
use rules::{Fate, fate};
use writer::LayerWriter;

/// More changes than any installation makes.
const MOST_ENTRIES: usize = 3_000_000;

/// How a layer is written.
#[derive(Debug, Clone)]
pub(crate) struct LayerOptions {
    /// The tree below it.
    pub(crate) base: Arc<ImageTree>,
    pub(crate) compression: Compression,
    /// When the step began, in seconds since the Unix epoch. Times from then on only say when it ran.
    pub(crate) began: i64,
    /// What stands in their place.
    pub(crate) epoch: i64,
    /// Further paths that are no part of the image.
    pub(crate) ours: Vec<String>,
}

/// A layer that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemLayerFile {
    pub(crate) facts: LayerFacts,
    /// What people should know.
    pub(crate) notes: Vec<String>,
}

/// Writes the layer of changes that come as a tar archive in overlayfs' form, sorted by name within each folder.
/// `None` where nothing has changed. Blocks.
///
/// # Errors
/// Changes that no layer can hold, and a disk that is full.
pub(crate) fn write_layer(
    changes: impl Read,
    options: &LayerOptions,
    output: &Path,
) -> Result<Option<SystemLayerFile>, BuildError> {
    let failed = |error| BuildError::file("write", output, error);
    let file = BufWriter::with_capacity(256 << 10, File::create(output).map_err(failed)?);
    let frame = options.compression.frame(Hashed::new(file)).map_err(failed)?;
    let mut writer = LayerWriter::new(Hashed::new(frame), options);
    let mut reader = TarReader::new(changes);
    let mut entries = 0;
    while let Some(entry) = reader.next_entry().map_err(unreadable)? {
        entries += 1;
        if entries > MOST_ENTRIES {
            return Err(BuildError::new(
                ErrorKind::TooLarge,
                format!("the step changed more than {MOST_ENTRIES} files"),
            )
            .with_next_step("ask for fewer packages"));
        }
        let path = normalise(&entry.path).map_err(|error| {
            BuildError::new(
                ErrorKind::SandboxFailed,
                format!("the step made a file that no layer can hold: {error}"),
            )
            .with_next_step("leave out the package that makes it")
        })?;
        if !path.is_empty() && !options.ours.contains(&path) {
            take(&mut writer, &mut reader, &path, &entry)?;
        }
    }
    // What follows the end of the archive fills it up. Who writes it would fail if nobody read it.
    io::copy(&mut reader.into_inner(), &mut io::sink())
        .map_err(|error| BuildError::internal("what the step changed cannot be read").with_source(error))?;
    let notes = writer.notes();
    let Some(plain) = writer.finish().map_err(failed)? else {
        let _ = std::fs::remove_file(output);
        return Ok(None);
    };
    let (frame, diff_id, uncompressed_size) = plain.finish();
    let (mut file, digest, size) = frame.finish().map_err(failed)?.finish();
    file.flush().map_err(failed)?;
    Ok(Some(SystemLayerFile { facts: LayerFacts { digest, diff_id, size, uncompressed_size }, notes }))
}

/// Takes one change into the layer, or not.
fn take(
    writer: &mut LayerWriter<'_, impl Write>,
    reader: &mut TarReader<impl Read>,
    path: &str,
    entry: &TarEntry,
) -> Result<(), BuildError> {
    let meaning = meaning(path, entry)?;
    let fate = fate(path);
    match (fate, &meaning) {
        (Fate::Dropped, _) => return Ok(()),
        (Fate::Secret, Meaning::File { .. }) => {
            writer.note(format!(
                "/{path} is left out: it would be the same in every container; make it when a container starts"
            ));
            return Ok(());
        }
        _ => {}
    }
    let emptied = fate == Fate::Emptied;
    writer.write(path, &meaning, entry, emptied, &mut |output, size| copy(reader, output, size))
}

/// Copies the content of an entry.
fn copy(reader: &mut TarReader<impl Read>, output: &mut dyn Write, size: u64) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut left = size;
    while left > 0 {
        let read = reader.read_content(&mut buffer).map_err(io::Error::other)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        output.write_all(&buffer[..read])?;
        left = left.saturating_sub(read as u64);
    }
    Ok(())
}

fn unreadable(error: imagewright_oci::layer::tar::TarError) -> BuildError {
    BuildError::new(ErrorKind::SandboxFailed, "what the step changed cannot be read")
        .with_next_step("try again; if it stays so, one of the packages makes files that no image can hold")
        .with_source(error)
}

/// Counts and hashes what is written.
struct Hashed<W> {
    inner: W,
    hasher: Sha256Hasher,
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256Hasher::new() }
    }

    fn finish(self) -> (W, imagewright_oci::digest::Digest, u64) {
        let (digest, size) = self.hasher.finish();
        (self.inner, digest, size)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

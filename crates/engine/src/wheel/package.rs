//! What a staged wheel looks like to those who write layers.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crate::papers::Licence;

/// The time of every file that we write ourselves: 1980-01-01T00:00:00Z, the earliest that ZIP tools accept.
pub const GENERATED_MTIME: i64 = 315_532_800;

/// One wheel, unpacked and completed for one interpreter. Equal wheels and options give equal packages.
#[derive(Debug)]
pub struct StagedPackage {
    /// Name as the package's metadata spells it.
    pub name: String,
    /// Version as PEP 440 normalises it.
    pub version: String,
    /// What its metadata says of its licence.
    pub licence: Option<Licence>,
    /// Absolute path of the `.dist-info` folder in the image.
    pub dist_info_dir: String,
    /// Every file, sorted by path, no path twice, none below another.
    pub files: Vec<StagedFile>,
    /// Absolute paths of commands: launchers and the wheel's own scripts, sorted.
    pub scripts: Vec<String>,
    /// What marks this package as one the user asked for by name.
    pub requested: RequestedOverlay,
    /// How many `.pyc` files were made.
    pub compiled_files: usize,
    /// Oddities that do not stop an installation, as sentences.
    pub warnings: Vec<String>,
}

impl StagedPackage {
    /// Bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// The two files that differ in an image where the user asked for the package by name.
///
/// They are kept apart so that the package's own layer is the same for those who asked for it and those who
/// got it as a dependency. `record` replaces the file of the same path in [`StagedPackage::files`].
#[derive(Debug)]
pub struct RequestedOverlay {
    /// The empty `REQUESTED` file.
    pub marker: StagedFile,
    /// `RECORD` with a row for the marker.
    pub record: StagedFile,
}

/// A file or symbolic link to be written into a layer.
#[derive(Debug)]
pub struct StagedFile {
    /// Absolute path in the image: `/`-separated, without `.`, `..` or empty components.
    pub path: String,
    /// Permission bits: `0o644` or `0o755`.
    pub mode: u32,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub mtime: i64,
    /// Length in bytes.
    pub size: u64,
    /// Where the bytes are.
    pub content: Content,
}

impl StagedFile {
    /// A small file that we made ourselves: mode `0o644`, fixed time.
    pub(crate) fn generated(path: String, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        Self { path, mode: 0o644, mtime: GENERATED_MTIME, size, content: Content::Bytes(bytes) }
    }

    /// Reads the file's bytes, exactly [`Self::size`] of them unless the staged file was cut short.
    ///
    /// # Errors
    /// When the staged file cannot be opened.
    pub fn open(&self) -> io::Result<ContentReader<'_>> {
        match &self.content {
            Content::Bytes(bytes) => Ok(ContentReader::Bytes(bytes)),
            Content::Symlink(_) => Ok(ContentReader::Bytes(&[])),
            Content::Staged(range) => {
                let mut file = File::open(&range.file)?;
                file.seek(SeekFrom::Start(range.offset))?;
                Ok(ContentReader::Staged(file.take(self.size)))
            }
        }
    }
}

/// Where a staged file's bytes are.
#[derive(Debug, Clone)]
pub enum Content {
    /// A stretch of a file in the staging folder, [`StagedFile::size`] bytes long.
    Staged(StagedRange),
    /// Held in memory: small files that we made.
    Bytes(Vec<u8>),
    /// No bytes: a symbolic link to this target, as conda packages have them. Its size is 0.
    Symlink(String),
}

/// The start of a stretch of bytes in a file of the staging folder.
///
/// All members of a wheel are unpacked one behind the other into a single file. Names out of an archive thus
/// never become names on the host, and ten thousand small files cost one file's bookkeeping.
#[derive(Debug, Clone)]
pub struct StagedRange {
    /// The file in the staging folder.
    pub file: Arc<Path>,
    /// Where the bytes begin in it.
    pub offset: u64,
}

/// Reads the bytes of a [`StagedFile`].
#[derive(Debug)]
pub enum ContentReader<'a> {
    /// Out of a file in the staging folder.
    Staged(io::Take<File>),
    /// Out of memory.
    Bytes(&'a [u8]),
}

impl Read for ContentReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Staged(file) => file.read(buffer),
            Self::Bytes(bytes) => bytes.read(buffer),
        }
    }
}

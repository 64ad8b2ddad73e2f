//! One package as a frame: its files as tar entries, compressed on their own, without folders and without the
//! end of the archive. Frames are kept in the cache and joined to layers, see [`super::layer`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::layer::entry::Metadata;
use imagewright_oci::layer::tar::{write_file_header, write_padding, write_symlink};

use super::FORMAT_VERSION;
use super::placement::Placement;
use crate::cache::{Cache, mark_used, write_entry};
use crate::error::BuildError;
use crate::wheel::{Content, StagedFile};

/// Names everything that the bytes of a frame depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKey(Digest);

impl FrameKey {
    /// The key of a package's frame.
    ///
    /// `staged` names the staged files (wheel, scheme, bytecode), see [`crate::packages::StagedKey`];
    /// `left_out` are the paths that another package keeps.
    pub fn new(
        staged: Digest,
        placement: &Placement,
        left_out: &BTreeSet<String>,
        compression: Compression,
    ) -> Self {
        let mut hasher = Sha256Hasher::new();
        let head = format!(
            "frame {FORMAT_VERSION}\n{staged}\n{}\n{}\n",
            placement.fingerprint(),
            compression.fingerprint()
        );
        hasher.update(head.as_bytes());
        for path in left_out {
            hasher.update(path.as_bytes());
            hasher.update(b"\n");
        }
        Self(hasher.finish().0)
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.hex()
    }

    /// Where the frame is kept.
    pub fn path(&self, cache: &Cache) -> PathBuf {
        cache.frames().join(self.hex())
    }

    /// Bytes of the frame in the cache; `None` when it has to be made.
    pub fn cached_size(&self, cache: &Cache) -> Option<u64> {
        let path = self.path(cache);
        // A disk that was full or lost its power may leave a name without content.
        let size = std::fs::metadata(&path).ok().map(|metadata| metadata.len()).filter(|size| *size > 0)?;
        // The build reads it again when it joins and pushes layers: until then it must not be trimmed.
        mark_used(&path);
        Some(size)
    }
}

/// Writes the frame of a staged package into the cache. Returns its compressed size in bytes. Ends early when
/// `stop` is set: the frame of a large package takes seconds.
///
/// # Errors
/// A full disk, staged files that cannot be read, and being stopped.
pub fn write_frame(
    cache: &Cache,
    key: &FrameKey,
    files: &[StagedFile],
    placement: &Placement,
    left_out: &BTreeSet<String>,
    compression: Compression,
    stop: &AtomicBool,
) -> Result<u64, BuildError> {
    let path = key.path(cache);
    let written = write_entry(&path, |file| {
        let mut frame = Stoppable { output: compression.frame(file)?, stop };
        // Two folders of a scheme may be one in the image, by a link: of two files on one path the later holds.
        let last: BTreeMap<&str, usize> =
            placement.places.iter().enumerate().map(|(at, place)| (place.path.as_str(), at)).collect();
        for (at, (staged, place)) in files.iter().zip(&placement.places).enumerate() {
            if last.get(place.path.as_str()) == Some(&at) && !left_out.contains(&place.path) {
                write_file(&mut frame, &place.path, place.owner, staged)?;
            }
        }
        frame.output.finish().map(|_| ())
    });
    if stop.load(Ordering::Relaxed) {
        return Err(BuildError::cancelled());
    }
    written?;
    std::fs::metadata(&path)
        .map(|metadata| metadata.len())
        .map_err(|error| BuildError::file("read the size of", &path, error))
}

/// Passes bytes on until it is told to stop.
struct Stoppable<'stop, W> {
    output: W,
    stop: &'stop AtomicBool,
}

impl<W: Write> Write for Stoppable<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the build was cancelled"));
        }
        self.output.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Writes one staged file as a tar entry.
///
/// # Errors
/// What `output` gives, and staged files that are shorter than they were.
pub fn write_file(
    output: &mut (impl Write + ?Sized),
    path: &str,
    owner: (u64, u64),
    staged: &StagedFile,
) -> io::Result<()> {
    let metadata = Metadata::new(staged.mode, owner.0, owner.1, staged.mtime);
    if let Content::Symlink(target) = &staged.content {
        return write_symlink(output, path, target, &metadata);
    }
    write_file_header(output, path, &metadata, staged.size)?;
    let copied = io::copy(&mut staged.open()?.take(staged.size), output)?;
    if copied != staged.size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    write_padding(output, staged.size)
}

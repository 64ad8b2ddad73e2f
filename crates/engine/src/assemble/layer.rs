//! Joining frames to a layer.
//!
//! A layer is: a frame with the folders, the frames of its packages, a frame with the end of the archive. It is
//! never written out as one file: an upload reads the parts one after the other.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use bytes::Bytes;
use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::layer::codec::{Compression, decompress};
use imagewright_oci::layer::tar::END_OF_ARCHIVE;
use imagewright_oci::tree::ImageTree;
use serde::{Deserialize, Serialize};

use super::FORMAT_VERSION;
use super::folders::write_folders;
use super::frame::FrameKey;
use crate::cache::{Cache, read_checked, write_checked};
use crate::error::BuildError;
use crate::scope::Scope;

/// Names everything that the bytes of a layer depend on: the tag under which it is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerKey(Digest);

impl LayerKey {
    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.hex()
    }
}

/// What is known of a layer without having its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Digest of the compressed layer.
    pub digest: Digest,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Compressed bytes.
    pub size: u64,
    /// Uncompressed bytes.
    pub uncompressed_size: u64,
}

/// One part of a layer's bytes.
#[derive(Debug, Clone)]
pub enum LayerPart {
    /// Small, in memory.
    Bytes(Bytes),
    /// A frame in the cache, and for whom it is.
    Frame(FrameKey, Scope),
}

/// A layer to be: its parts in order.
#[derive(Debug, Clone)]
pub struct LayerRecipe {
    /// Names its bytes.
    pub key: LayerKey,
    /// Frames of folders, packages and end.
    pub parts: Vec<LayerPart>,
    /// What the layer holds, for the image's history: `numpy 2.2.6`.
    pub contents: Vec<String>,
    /// How it is compressed.
    pub compression: Compression,
    /// For whom it is: for everybody only if all that is in it is.
    pub scope: Scope,
}

impl LayerRecipe {
    /// A layer of package frames.
    ///
    /// `tree` is the base's with replaced packages taken out; `folders` are those above all files.
    ///
    /// # Errors
    /// A compressor that cannot be made.
    pub fn of_frames(
        tree: &ImageTree,
        folders: &BTreeSet<String>,
        frames: &[(FrameKey, Scope)],
        contents: Vec<String>,
        compression: Compression,
    ) -> Result<Self, BuildError> {
        let head = compressed(compression, |output| write_folders(output, tree, folders))?;
        let scope = Scope::of_all(frames.iter().map(|(_, scope)| scope));
        Self::new(head, frames, contents, compression, scope)
    }

    /// A small layer for `scope`, whose tar entries `write` writes, folders included.
    ///
    /// # Errors
    /// What `write` gives.
    pub fn of_entries(
        contents: Vec<String>,
        compression: Compression,
        scope: Scope,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, BuildError> {
        let head = compressed(compression, |mut output| write(&mut output))?;
        Self::new(head, &[], contents, compression, scope)
    }

    fn new(
        head: Bytes,
        frames: &[(FrameKey, Scope)],
        contents: Vec<String>,
        compression: Compression,
        scope: Scope,
    ) -> Result<Self, BuildError> {
        let mut hasher = Sha256Hasher::new();
        // The head's compressed bytes depend on its entries and on the codec: they stand for both.
        let line = format!("layer {FORMAT_VERSION}\n{}\n{}\n", compression.fingerprint(), Digest::of(&head));
        hasher.update(line.as_bytes());
        for (frame, _) in frames {
            hasher.update(frame.hex().as_bytes());
            hasher.update(b"\n");
        }
        let end = compressed(compression, |output| output.write_all(&END_OF_ARCHIVE))?;
        let mut parts = vec![LayerPart::Bytes(head)];
        parts.extend(frames.iter().cloned().map(|(key, scope)| LayerPart::Frame(key, scope)));
        parts.push(LayerPart::Bytes(end));
        Ok(Self { key: LayerKey(hasher.finish().0), parts, contents, compression, scope })
    }

    /// The frames that are not in the cache, so that the layer cannot be joined now.
    pub fn missing_frames(&self, cache: &Cache) -> Vec<FrameKey> {
        let missing = |part: &LayerPart| match part {
            LayerPart::Frame(key, scope) if key.cached_size(&cache.of(scope)).is_none() => Some(*key),
            _ => None,
        };
        self.parts.iter().filter_map(missing).collect()
    }

    /// What earlier builds on this machine knew of this layer, in one of these scopes.
    ///
    /// # Errors
    /// A cache that cannot be read. A damaged entry counts as none.
    pub fn known_facts(&self, cache: &Cache, scopes: &[Scope]) -> Result<Option<LayerFacts>, BuildError> {
        for scope in scopes {
            let bytes = read_checked(&cache.of(scope).layers().join(self.key.hex()))?;
            if let Some(facts) = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                return Ok(Some(facts));
            }
        }
        Ok(None)
    }

    /// Remembers in one scope what is known of this layer.
    ///
    /// # Errors
    /// A cache that cannot be written.
    pub fn remember(&self, cache: &Cache, scope: &Scope, facts: &LayerFacts) -> Result<(), BuildError> {
        let bytes = serde_json::to_vec(facts)
            .map_err(|error| BuildError::internal("a layer's facts cannot be written").with_source(error))?;
        write_checked(&cache.of(scope).layers().join(self.key.hex()), &bytes)
    }

    /// Reads all parts once for the digests. Blocks.
    ///
    /// # Errors
    /// [`FramesLost`] where a frame is missing or damaged.
    pub fn measure(&self, cache: &Cache) -> Result<LayerFacts, BuildError> {
        let failed = |error| self.lose_frames(cache, error);
        let mut parts =
            PartsReader { parts: self.readers(cache).map_err(failed)?, hasher: Sha256Hasher::new() };
        let mut plain = Sha256Hasher::new();
        let mut buffer = vec![0; 256 << 10];
        {
            let mut decompressed = decompress(&mut parts).map_err(failed)?;
            loop {
                let read = decompressed.read(&mut buffer).map_err(failed)?;
                if read == 0 {
                    break;
                }
                plain.update(&buffer[..read]);
            }
        }
        let (digest, size) = parts.hasher.finish();
        let (diff_id, uncompressed_size) = plain.finish();
        Ok(LayerFacts { digest, diff_id, size, uncompressed_size })
    }

    /// Whether the frames still make the layer with this digest. Blocks.
    pub fn makes(&self, cache: &Cache, facts: &LayerFacts) -> bool {
        let digest = || -> io::Result<Digest> {
            let mut parts = PartsReader { parts: self.readers(cache)?, hasher: Sha256Hasher::new() };
            io::copy(&mut parts, &mut io::sink())?;
            Ok(parts.hasher.finish().0)
        };
        digest().is_ok_and(|digest| digest == facts.digest)
    }

    /// Throws the layer's frames away, which are not what they were when they were made, so that they are made
    /// anew.
    pub fn lose_frames(&self, cache: &Cache, cause: impl Into<Box<dyn Error + Send + Sync>>) -> BuildError {
        for part in &self.parts {
            if let LayerPart::Frame(key, scope) = part {
                // It may be gone already: that is one way in which it is lost.
                let _ = std::fs::remove_file(key.path(&cache.of(scope)));
            }
        }
        let lost = FramesLost { contents: self.contents.join(", "), cause: cause.into() };
        BuildError::internal(lost.to_string()).with_source(lost)
    }

    /// The files and bytes of an upload, in order.
    pub fn sources(&self, cache: &Cache) -> Vec<PartSource> {
        let source = |part: &LayerPart| match part {
            LayerPart::Bytes(bytes) => PartSource::Bytes(bytes.clone()),
            LayerPart::Frame(key, scope) => PartSource::File(key.path(&cache.of(scope))),
        };
        self.parts.iter().map(source).collect()
    }

    fn readers(&self, cache: &Cache) -> io::Result<Vec<Box<dyn Read>>> {
        let open = |source| -> io::Result<Box<dyn Read>> {
            Ok(match source {
                PartSource::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
                PartSource::File(path) => Box::new(File::open(path)?),
            })
        };
        // Read from the back, so that the next part is popped.
        self.sources(cache).into_iter().rev().map(open).collect()
    }
}

/// Frames that were in the cache when a build began to count on them, and are missing or damaged now.
#[derive(Debug, thiserror::Error)]
#[error("the prepared files of {contents} have disappeared from the cache or were damaged")]
pub struct FramesLost {
    contents: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

/// Where one part's bytes are.
#[derive(Debug, Clone)]
pub enum PartSource {
    /// In memory.
    Bytes(Bytes),
    /// In a file.
    File(PathBuf),
}

/// Reads parts one after the other and hashes them.
struct PartsReader {
    /// The next part is the last one.
    parts: Vec<Box<dyn Read>>,
    hasher: Sha256Hasher,
}

impl Read for PartsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.last_mut() {
            let read = part.read(buffer)?;
            if read > 0 {
                self.hasher.update(&buffer[..read]);
                return Ok(read);
            }
            self.parts.pop();
        }
        Ok(0)
    }
}

fn compressed(
    compression: Compression,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Bytes, BuildError> {
    let frame = || -> io::Result<Vec<u8>> {
        let mut frame = compression.frame(Vec::new())?;
        write(&mut frame)?;
        frame.finish()
    };
    frame()
        .map(Bytes::from)
        .map_err(|error| BuildError::internal("a layer cannot be compressed").with_source(error))
}

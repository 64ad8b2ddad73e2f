//! Layers: an archive, its compression and what its descriptor claims.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Entry;
use crate::digest::{HashingWriter, sha256};

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// gzip, as nearly every image has it.
    #[default]
    Gzip,
    /// zstd, which OCI allows and Docker's manifests do not.
    Zstd,
    /// None.
    Plain,
}

/// A compressor whose output can be had back.
pub(crate) enum Encoder<W: Write> {
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
    Plain(W),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(compression: Compression, inner: W) -> io::Result<Self> {
        Ok(match compression {
            Compression::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(inner, flate2::Compression::fast()))
            }
            Compression::Zstd => Self::Zstd(zstd::Encoder::new(inner, 3)?),
            Compression::Plain => Self::Plain(inner),
        })
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Plain(inner) => Ok(inner),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Plain(inner) => inner.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
            Self::Plain(inner) => inner.flush(),
        }
    }
}

/// Makes a layer entry by entry, in the order in which they are added.
#[derive(Debug, Clone, Default)]
pub struct LayerBuilder {
    entries: Vec<Entry>,
    compression: Compression,
}

impl LayerBuilder {
    /// A layer without entries, to be compressed with gzip.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry with metadata of your choice. Parents are not added: say what you want to have.
    // Not arithmetic: `add` is what one does with an entry, and no two builders are ever summed.
    #[expect(clippy::should_implement_trait, reason = "adding an entry is no addition")]
    #[must_use]
    pub fn add(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Adds a file (0644, root).
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.add(Entry::file(path, content))
    }

    /// Adds a program (0755, root).
    #[must_use]
    pub fn program(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.add(Entry::file(path, content).mode(0o755))
    }

    /// Adds a directory (0755, root).
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        self.add(Entry::directory(path))
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.add(Entry::symlink(path, target))
    }

    /// Adds a hard link.
    #[must_use]
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.add(Entry::hard_link(path, target))
    }

    /// Removes a path of the layers below.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        self.add(Entry::whiteout(path))
    }

    /// Hides what the layers below have in a directory.
    #[must_use]
    pub fn opaque(self, directory: &str) -> Self {
        self.add(Entry::opaque(directory))
    }

    /// Compresses with zstd.
    #[must_use]
    pub fn zstd(mut self) -> Self {
        self.compression = Compression::Zstd;
        self
    }

    /// Does not compress.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.compression = Compression::Plain;
        self
    }

    /// Writes the archive. Only the compressed layer is held in memory.
    pub fn build(self) -> Layer {
        Layer::compressed(self.compression, |archive| {
            let mut archive = tar::Builder::new(archive);
            self.entries.iter().try_for_each(|entry| entry.append(&mut archive))?;
            archive.into_inner().map(drop)
        })
    }
}

/// A finished layer, with what its descriptor will claim.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) content: Content,
    pub(super) compression: Compression,
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) diff_id: String,
    pub(super) claims: Claims,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Bytes(Bytes),
    File(PathBuf),
}

/// What the manifest and the configuration say where it is not the truth.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    pub(super) digest: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) diff_id: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) urls: Vec<String>,
}

impl Layer {
    /// A layer from an archive's bytes, well-formed or not.
    pub fn from_archive(archive: &[u8], compression: Compression) -> Self {
        Self::compressed(compression, |output| output.write_all(archive))
    }

    /// A layer from bytes as they are served; the compression only names the media type.
    pub fn from_blob(blob: impl Into<Bytes>, compression: Compression, diff_id: &str) -> Self {
        let blob = blob.into();
        let (digest, size) = (sha256(&blob), blob.len() as u64);
        Self::new(Content::Bytes(blob), compression, digest, size, diff_id.to_owned())
    }

    /// A layer that is read from a file each time it is pushed.
    pub(crate) fn from_file(
        file: &Path,
        compression: Compression,
        digest: &str,
        size: u64,
        diff_id: &str,
    ) -> Self {
        Self::new(Content::File(file.to_owned()), compression, digest.to_owned(), size, diff_id.to_owned())
    }

    fn new(content: Content, compression: Compression, digest: String, size: u64, diff_id: String) -> Self {
        Self { content, compression, digest, size, diff_id, claims: Claims::default() }
    }

    fn compressed(compression: Compression, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Self {
        let compress = || {
            let mut archive = HashingWriter::new(Encoder::new(compression, Vec::new())?);
            write(&mut archive)?;
            let (encoder, diff_id, _) = archive.finish();
            Ok::<_, io::Error>((encoder.finish()?, diff_id))
        };
        let (blob, diff_id) = compress().expect("a layer written to memory");
        Self::from_blob(blob, compression, &diff_id)
    }

    /// The compressed bytes.
    pub fn blob(&self) -> Bytes {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::File(path) => std::fs::read(path).expect("a cached layer").into(),
        }
    }

    /// The file the blob is kept in, for a layer that is.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.content {
            Content::Bytes(_) => None,
            Content::File(path) => Some(path),
        }
    }

    /// The digest of the blob.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The digest of the uncompressed archive.
    pub fn diff_id(&self) -> &str {
        &self.diff_id
    }

    /// The blob's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes the manifest name another digest. A registry accepts it only if it has a blob of that digest; see also
    /// [`Registry::replace_blob`](crate::Registry::replace_blob).
    #[must_use]
    pub fn claiming_digest(mut self, digest: &str) -> Self {
        self.claims.digest = Some(digest.to_owned());
        self
    }

    /// Makes the manifest name another size.
    #[must_use]
    pub fn claiming_size(mut self, size: u64) -> Self {
        self.claims.size = Some(size);
        self
    }

    /// Makes the configuration name another digest of the uncompressed archive.
    #[must_use]
    pub fn claiming_diff_id(mut self, diff_id: &str) -> Self {
        self.claims.diff_id = Some(diff_id.to_owned());
        self
    }

    /// Makes the manifest name another media type.
    #[must_use]
    pub fn claiming_media_type(mut self, media_type: &str) -> Self {
        self.claims.media_type = Some(media_type.to_owned());
        self
    }

    /// Adds an address to the descriptor's `urls`, from where a careless client would fetch the layer.
    #[must_use]
    pub fn url(mut self, url: &str) -> Self {
        self.claims.urls.push(url.to_owned());
        self
    }
}

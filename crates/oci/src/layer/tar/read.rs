//! Reading a tar stream that may be hostile: every number is checked, metadata is bounded, nothing is held but
//! one block and the current entry's names.

use std::collections::BTreeMap;
use std::io::{self, Read};

use thiserror::Error;

use super::header::{Header, field};
use super::{BLOCK, padding, pax};

/// Most bytes of one PAX header or GNU long name. Extended attributes are at most 64 KiB each on Linux.
const MAXIMUM_EXTENSION: u64 = 1 << 20;

/// Most bytes of all global PAX records together.
const MAXIMUM_GLOBAL: usize = 64 << 10;

/// What an entry is, by its type flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeFlag {
    /// A regular file (also contiguous files and GNU sparse ones in old form are refused, see [`TarError`]).
    File,
    /// Another name of an earlier entry.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A folder.
    Directory,
    /// A named pipe.
    Fifo,
}

/// One entry's header, with PAX and GNU extensions taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// The name as it was written: not normalised, may be hostile.
    pub path: Vec<u8>,
    /// What it is.
    pub type_flag: TypeFlag,
    /// Mode bits as written.
    pub mode: u32,
    /// Numeric owner.
    pub user_id: u64,
    /// Numeric group.
    pub group_id: u64,
    /// Seconds since the Unix epoch.
    pub modified: i64,
    /// Bytes of content that follow.
    pub size: u64,
    /// Target of a link as written.
    pub link_name: Vec<u8>,
    /// Device numbers.
    pub device: (u32, u32),
    /// Extended attributes by full name.
    pub extended_attributes: BTreeMap<String, Vec<u8>>,
}

/// Why a tar stream cannot be read.
#[derive(Debug, Error)]
pub enum TarError {
    /// The stream broke off or could not be decompressed.
    #[error("the layer's content cannot be read")]
    Read(#[source] io::Error),
    /// A header that is no header.
    #[error("the layer is no valid tar archive: {reason} (at byte {offset})")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
        /// Where the header starts in the uncompressed stream.
        offset: u64,
    },
    /// A long name or PAX header that is larger than any real one.
    #[error(
        "the layer has a header of {size} bytes (at byte {offset}); at most {MAXIMUM_EXTENSION} are accepted"
    )]
    ExtensionTooLarge {
        /// Its claimed size in bytes.
        size: u64,
        /// Where it starts.
        offset: u64,
    },
}

/// Reads entries one after the other.
#[derive(Debug)]
pub struct TarReader<R> {
    source: R,
    offset: u64,
    /// Content and padding of the current entry that have not been read yet.
    content_left: u64,
    padding_left: u64,
    global: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What PAX and GNU headers said about the next entry.
#[derive(Debug, Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link_name: Option<Vec<u8>>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<R: Read> TarReader<R> {
    /// Reads from an uncompressed stream.
    pub fn new(source: R) -> Self {
        Self { source, offset: 0, content_left: 0, padding_left: 0, global: BTreeMap::new() }
    }

    /// The wrapped stream, wherever it stands.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// The next entry; what is left of the current one's content is skipped. `None` at the end of the archive:
    /// a block of zeros, or the end of the stream on a block boundary as some writers leave it.
    ///
    /// # Errors
    /// Streams that break off and headers that are none.
    pub fn next_entry(&mut self) -> Result<Option<TarEntry>, TarError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_content()?;
            let start = self.offset;
            let Some(header) = self.header()? else { return Ok(None) };
            let malformed = |reason| TarError::Malformed { reason, offset: start };
            if !header.checksum_matches() {
                return Err(malformed("a header has a wrong checksum"));
            }
            let size = header.number(field::SIZE).ok_or(malformed("a size is no number"))?;
            let size = u64::try_from(size).map_err(|_| malformed("a size is negative"))?;
            match header.0[field::TYPE_FLAG.0] {
                b'x' => {
                    let bytes = self.extension(size, start)?;
                    let records = pax::parse(&bytes).ok_or(malformed("a PAX header is malformed"))?;
                    extensions.records = owned(&records);
                }
                b'g' => {
                    let bytes = self.extension(size, start)?;
                    let records = pax::parse(&bytes).ok_or(malformed("a PAX header is malformed"))?;
                    self.global.extend(owned(&records));
                    let size: usize = self.global.iter().map(|(key, value)| key.len() + value.len()).sum();
                    // Every entry starts from a copy of them, and real archives have a comment here at most.
                    if size > MAXIMUM_GLOBAL {
                        return Err(TarError::ExtensionTooLarge { size: size as u64, offset: start });
                    }
                }
                b'L' => extensions.path = Some(until_nul(self.extension(size, start)?)),
                b'K' => extensions.link_name = Some(until_nul(self.extension(size, start)?)),
                flag => {
                    let entry = self.entry(&header, flag, size, extensions).map_err(malformed)?;
                    self.content_left = entry.size;
                    self.padding_left = padding(entry.size) as u64;
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// Reads content of the current entry; 0 at its end.
    ///
    /// # Errors
    /// When the stream breaks off.
    pub fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let wanted = buffer.len().min(usize::try_from(self.content_left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..wanted]).map_err(TarError::Read)?;
        if read == 0 {
            return Err(TarError::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        self.content_left -= read as u64;
        self.offset += read as u64;
        Ok(read)
    }

    fn entry(
        &self,
        header: &Header,
        flag: u8,
        header_size: u64,
        extensions: Extensions,
    ) -> Result<TarEntry, &'static str> {
        let mut records = self.global.clone();
        records.extend(extensions.records);
        let number = |key: &[u8], field| match records.get(key) {
            // PAX times have fractions: whole seconds are what images keep.
            Some(value) => std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.split('.').next())
                .and_then(|text| text.parse::<i64>().ok())
                .ok_or("a number in a PAX header is no number"),
            None => header.number(field).ok_or("a number in a header is no number"),
        };
        let unsigned = |value: i64| u64::try_from(value).map_err(|_| "an owner is negative");
        if records.keys().any(|key| key.starts_with(b"GNU.sparse.")) || flag == b'S' {
            return Err("sparse files are not supported in layers");
        }
        let path = records.get(&b"path"[..]).cloned().or(extensions.path).unwrap_or_else(|| name_of(header));
        let link_name = records
            .get(&b"linkpath"[..])
            .cloned()
            .or(extensions.link_name)
            .unwrap_or_else(|| header.text(field::LINK_NAME).to_vec());
        let size = match records.get(&b"size"[..]) {
            Some(_) => u64::try_from(number(b"size", field::SIZE)?).map_err(|_| "a size is negative")?,
            None => header_size,
        };
        let type_flag = match flag {
            // Old archives mark a folder by the slash at its name's end.
            0 | b'0' if path.ends_with(b"/") => TypeFlag::Directory,
            0 | b'0' | b'7' => TypeFlag::File,
            b'1' => TypeFlag::HardLink,
            b'2' => TypeFlag::Symlink,
            b'3' => TypeFlag::CharacterDevice,
            b'4' => TypeFlag::BlockDevice,
            b'5' => TypeFlag::Directory,
            b'6' => TypeFlag::Fifo,
            _ => return Err("an entry has an unknown type"),
        };
        let device =
            |field| header.number(field).and_then(|value| u32::try_from(value).ok()).unwrap_or_default();
        Ok(TarEntry {
            path,
            // Links and devices have no content, whatever their size field says.
            size: if type_flag == TypeFlag::File { size } else { 0 },
            type_flag,
            mode: u32::try_from(header.number(field::MODE).ok_or("a mode is no number")? & 0o7777)
                .map_err(|_| "a mode is negative")?,
            user_id: unsigned(number(b"uid", field::USER_ID)?)?,
            group_id: unsigned(number(b"gid", field::GROUP_ID)?)?,
            modified: number(b"mtime", field::MODIFIED)?,
            link_name,
            device: (device(field::DEVICE_MAJOR), device(field::DEVICE_MINOR)),
            extended_attributes: extended_attributes(&records),
        })
    }

    /// The next header block, `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            let read = match self.source.read(&mut block[filled..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(TarError::Read(error)),
            };
            if read == 0 {
                return if filled == 0 {
                    Ok(None)
                } else {
                    Err(TarError::Read(io::ErrorKind::UnexpectedEof.into()))
                };
            }
            filled += read;
        }
        self.offset += BLOCK as u64;
        Ok(block.iter().any(|byte| *byte != 0).then_some(Header(block)))
    }

    fn extension(&mut self, size: u64, offset: u64) -> Result<Vec<u8>, TarError> {
        if size > MAXIMUM_EXTENSION {
            return Err(TarError::ExtensionTooLarge { size, offset });
        }
        self.content_left = size;
        self.padding_left = padding(size) as u64;
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = self.read_content(&mut buffer)?;
            if read == 0 {
                return Ok(bytes);
            }
            bytes.extend_from_slice(&buffer[..read]);
        }
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let mut buffer = [0; 16 << 10];
        self.content_left += std::mem::take(&mut self.padding_left);
        while self.read_content(&mut buffer)? > 0 {}
        Ok(())
    }
}

fn owned(records: &[(&[u8], &[u8])]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    records.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

fn name_of(header: &Header) -> Vec<u8> {
    let name = header.text(field::NAME);
    let prefix = if header.has_prefix() { header.text(field::PREFIX) } else { &[] };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

fn extended_attributes(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    records
        .iter()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix(b"SCHILY.xattr.")?;
            Some((String::from_utf8_lossy(name).into_owned(), value.clone()))
        })
        .collect()
}

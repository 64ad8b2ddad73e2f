//! One entry of a layer's archive.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};

/// A path with its type and metadata, written into the archive exactly as given: nothing is checked, so that
/// hostile names and types can be made as well.
#[derive(Debug, Clone)]
pub struct Entry {
    path: String,
    kind: Kind,
    mode: u32,
    uid: u64,
    gid: u64,
    modified: u64,
    extended: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone)]
enum Kind {
    File(Vec<u8>),
    Zeros(u64),
    Directory,
    Symlink(String),
    HardLink(String),
    CharacterDevice(u32, u32),
    BlockDevice(u32, u32),
    Fifo,
}

impl Entry {
    fn new(path: impl Into<String>, kind: Kind, mode: u32) -> Self {
        // 2024-01-01, so that a time that was lost (0) can be told from one that was kept.
        Self { path: path.into(), kind, mode, uid: 0, gid: 0, modified: 1_704_067_200, extended: Vec::new() }
    }

    /// A regular file, mode 0644.
    pub fn file(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self::new(path, Kind::File(content.into()), 0o644)
    }

    /// A regular file of so many zero bytes, which take no room in a compressed layer: a bomb.
    pub fn zeros(path: impl Into<String>, size: u64) -> Self {
        Self::new(path, Kind::Zeros(size), 0o644)
    }

    /// A directory, mode 0755.
    pub fn directory(path: impl Into<String>) -> Self {
        Self::new(path, Kind::Directory, 0o755)
    }

    /// A symbolic link.
    pub fn symlink(path: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(path, Kind::Symlink(target.into()), 0o777)
    }

    /// A hard link to another path of the archive (or of the layers below).
    pub fn hard_link(path: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(path, Kind::HardLink(target.into()), 0o644)
    }

    /// A character device.
    pub fn character_device(path: impl Into<String>, major: u32, minor: u32) -> Self {
        Self::new(path, Kind::CharacterDevice(major, minor), 0o666)
    }

    /// A block device.
    pub fn block_device(path: impl Into<String>, major: u32, minor: u32) -> Self {
        Self::new(path, Kind::BlockDevice(major, minor), 0o660)
    }

    /// A named pipe.
    pub fn fifo(path: impl Into<String>) -> Self {
        Self::new(path, Kind::Fifo, 0o644)
    }

    /// The mark that removes a path of the layers below.
    pub fn whiteout(path: &str) -> Self {
        let (parent, name) = path.rsplit_once('/').map_or(("", path), |(parent, name)| (parent, name));
        let separator = if parent.is_empty() { "" } else { "/" };
        Self::file(format!("{parent}{separator}.wh.{name}"), "")
    }

    /// The mark that hides all that the layers below have in a directory.
    pub fn opaque(directory: &str) -> Self {
        Self::file(format!("{}/.wh..wh..opq", directory.trim_end_matches('/')), "")
    }

    /// Permissions, with the set-user-id, set-group-id and sticky bits.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Numeric user and group.
    #[must_use]
    pub fn owner(mut self, uid: u64, gid: u64) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// The time of the last change, in seconds since 1970.
    #[must_use]
    pub fn modified(mut self, seconds: u64) -> Self {
        self.modified = seconds;
        self
    }

    /// An extended attribute, such as `security.capability`.
    #[must_use]
    pub fn extended_attribute(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.extended.push((format!("SCHILY.xattr.{name}"), value.into()));
        self
    }

    /// Appends the entry to an archive.
    pub(super) fn append<W: Write>(&self, archive: &mut Builder<W>) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let mut extended = self.extended.clone();
        header.set_mode(self.mode);
        header.set_uid(self.uid);
        header.set_gid(self.gid);
        header.set_mtime(self.modified);
        header.set_size(0);

        let mut name = self.path.clone();
        let mut target = "";
        let mut content: Box<dyn Read> = Box::new(io::empty());
        let entry_type = match &self.kind {
            Kind::File(bytes) => {
                header.set_size(bytes.len() as u64);
                content = Box::new(bytes.as_slice());
                EntryType::Regular
            }
            Kind::Zeros(size) => {
                header.set_size(*size);
                content = Box::new(io::repeat(0).take(*size));
                EntryType::Regular
            }
            Kind::Directory => {
                if !name.ends_with('/') {
                    name.push('/');
                }
                EntryType::Directory
            }
            Kind::Symlink(to) => {
                target = to;
                EntryType::Symlink
            }
            Kind::HardLink(to) => {
                target = to;
                EntryType::Link
            }
            Kind::CharacterDevice(major, minor) => {
                header.set_device_major(*major)?;
                header.set_device_minor(*minor)?;
                EntryType::Char
            }
            Kind::BlockDevice(major, minor) => {
                header.set_device_major(*major)?;
                header.set_device_minor(*minor)?;
                EntryType::Block
            }
            Kind::Fifo => EntryType::Fifo,
        };
        header.set_entry_type(entry_type);

        // The fields are filled by hand: the crate's own setters refuse `..` and absolute paths.
        let old = header.as_old_mut();
        if !fill(&mut old.name, &name) {
            extended.push(("path".to_owned(), name.into_bytes()));
        }
        if !fill(&mut old.linkname, target) {
            extended.push(("linkpath".to_owned(), target.as_bytes().to_vec()));
        }
        header.set_cksum();
        if !extended.is_empty() {
            archive.append_pax_extensions(
                extended.iter().map(|(key, value)| (key.as_str(), value.as_slice())),
            )?;
        }
        archive.append(&header, content)
    }
}

/// Copies as much of a value as fits into a header's field, and says whether all of it did.
fn fill(field: &mut [u8], value: &str) -> bool {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value.as_bytes()[..length]);
    value.len() <= field.len()
}

//! What one entry of a layer says about one path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Mode bits, owner, time and extended attributes of a path, as a layer's tar header gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Permission bits with set-user-id, set-group-id and sticky: the low twelve bits of `st_mode`.
    pub mode: u32,
    /// Numeric user id of the owner.
    pub user_id: u64,
    /// Numeric group id of the owner.
    pub group_id: u64,
    /// Modification time in whole seconds since the Unix epoch.
    pub modified: i64,
    /// Extended attributes by full name (`security.capability`); `None` where there are none, which is
    /// almost everywhere.
    pub extended_attributes: Option<Box<BTreeMap<String, Vec<u8>>>>,
}

impl Metadata {
    /// Metadata without extended attributes.
    pub fn new(mode: u32, user_id: u64, group_id: u64, modified: i64) -> Self {
        Self { mode: mode & 0o7777, user_id, group_id, modified, extended_attributes: None }
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A folder.
    Directory,
    /// A regular file of `size` bytes.
    File {
        /// Length of the content in bytes.
        size: u64,
    },
    /// A symbolic link; the target is the text of the link, relative or absolute in the image.
    Symlink {
        /// The text of the link.
        target: Box<str>,
    },
    /// A character or block device.
    Device {
        /// True for a block device, false for a character device.
        block: bool,
        /// Major and minor number.
        number: (u32, u32),
    },
    /// A named pipe.
    Fifo,
}

/// One change that a layer makes, in the order of its tar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Something stands at the path now, instead of whatever a lower layer had there.
    Add {
        /// Normalised path, see [`crate::layer::path`].
        path: Box<str>,
        /// Mode, owner and time.
        metadata: Metadata,
        /// What it is.
        kind: Kind,
    },
    /// The path is another name of a file that is already there (a hard link within the layer or to a
    /// lower one).
    HardLink {
        /// Normalised path of the new name.
        path: Box<str>,
        /// Normalised path of the existing name.
        target: Box<str>,
    },
    /// The path of the lower layers is gone (`.wh.NAME`).
    Remove {
        /// Normalised path that is removed.
        path: Box<str>,
    },
    /// Everything the lower layers had inside this folder is gone (`.wh..wh..opq`).
    Opaque {
        /// Normalised path of the folder.
        path: Box<str>,
    },
}

impl Change {
    /// The path that the change is about.
    pub fn path(&self) -> &str {
        match self {
            Self::Add { path, .. }
            | Self::HardLink { path, .. }
            | Self::Remove { path }
            | Self::Opaque { path } => path,
        }
    }
}

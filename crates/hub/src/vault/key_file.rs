//! The file of keys: a line for each, the newest first. Only the hub's account may read it.
//!
//! It is never written in place: whoever reads sees the old keys or the new ones.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::FlockOperation;
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

use super::VaultError;
use crate::private_file;

const KEY_BYTES: usize = 32;
/// Larger is nothing that we have written.
const LARGEST: u64 = 1 << 20;
const HEADING: &str = "# Keys of the secrets in the hub's database, the newest first. Without this file they cannot be \
                       read: keep a backup,\n# apart from that of the database.\n";

/// A key and its name.
pub(super) struct Key {
    id: String,
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

impl Key {
    pub(super) fn generate() -> Result<Self, VaultError> {
        let mut id = [0; 6];
        getrandom::fill(&mut id).map_err(|_| VaultError::Randomness)?;
        let bytes = SecretBox::try_init_with(|| {
            let mut bytes = [0; KEY_BYTES];
            getrandom::fill(&mut bytes).map(|()| bytes)
        });
        Ok(Self { id: hex::encode(id), bytes: bytes.map_err(|_| VaultError::Randomness)? })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        self.bytes.expose_secret()
    }

    fn parse(line: &str) -> Option<Self> {
        let (id, encoded) = line.split_once(' ')?;
        let is_name = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| is_name)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(decoded.as_slice()).ok();
        decoded.zeroize();
        Some(Self { id: id.to_owned(), bytes: SecretBox::new(Box::new(bytes?)) })
    }
}

/// Tells one file from another that has taken its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &std::fs::Metadata) -> Self {
        // Numbers of files are given again: the time tells such a one.
        let changed = (metadata.mtime(), metadata.mtime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), changed }
    }
}

/// The file, open, and allowed to be used.
pub(super) struct KeyFile {
    path: PathBuf,
    file: File,
}

/// Makes the first file, with one key. Where there is one meanwhile, that stays.
pub(super) fn create(path: &Path) -> Result<(), VaultError> {
    let text = text_of(&[Key::generate()?]);
    private_file::create(path, text.expose_secret().as_bytes())
        .map_err(|source| VaultError::io("create", path, source))
}

impl KeyFile {
    /// Opens a file and checks that nobody else may read it.
    pub(super) fn open(path: &Path) -> Result<Self, VaultError> {
        let failed = |source| VaultError::io("open", path, source);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let own = rustix::process::geteuid().as_raw();
        if metadata.uid() != own {
            return Err(VaultError::Owner { path: path.to_owned(), owner: metadata.uid(), own });
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(VaultError::Mode { path: path.to_owned(), mode });
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Which file has the name now.
    pub(super) fn identity(path: &Path) -> Result<Identity, VaultError> {
        let metadata = std::fs::metadata(path).map_err(|source| VaultError::io("look at", path, source))?;
        Ok(Identity::of(&metadata))
    }

    pub(super) fn own_identity(&self) -> Result<Identity, VaultError> {
        let metadata = self.file.metadata();
        Ok(Identity::of(&metadata.map_err(|source| VaultError::io("look at", &self.path, source))?))
    }

    /// Waits until nobody else changes the file.
    pub(super) fn lock(&mut self) -> Result<(), VaultError> {
        loop {
            rustix::fs::flock(&self.file, FlockOperation::LockExclusive)
                .map_err(|error| VaultError::io("lock", &self.path, error.into()))?;
            // The one before us may have put another file in its place, which has a lock of its own.
            if Self::identity(&self.path)? == self.own_identity()? {
                return Ok(());
            }
            *self = Self::open(&self.path)?;
        }
    }

    /// Reads the keys.
    pub(super) fn keys(&mut self) -> Result<Vec<Key>, VaultError> {
        let mut text = String::new();
        let read = (&mut self.file).take(LARGEST).read_to_string(&mut text);
        // From here on the text is wiped when it is dropped.
        let text = SecretString::from(text);
        match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(VaultError::no_keys(&self.path));
            }
            Err(error) => return Err(VaultError::io("read", &self.path, error)),
            Ok(_) => {}
        }
        let lines = text.expose_secret().lines().map(str::trim);
        let keys: Option<Vec<Key>> =
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Key::parse).collect();
        keys.filter(|keys| !keys.is_empty()).ok_or_else(|| VaultError::no_keys(&self.path))
    }

    /// Puts a file with these keys in its place.
    pub(super) fn replace(&self, keys: &[Key]) -> Result<(), VaultError> {
        private_file::replace(&self.path, text_of(keys).expose_secret().as_bytes())
            .map_err(|source| VaultError::io("replace", &self.path, source))
    }
}

fn text_of(keys: &[Key]) -> SecretString {
    let mut text = HEADING.to_owned();
    for key in keys {
        text.push_str(&key.id);
        text.push(' ');
        STANDARD.encode_string(key.bytes(), &mut text);
        text.push('\n');
    }
    SecretString::from(text)
}

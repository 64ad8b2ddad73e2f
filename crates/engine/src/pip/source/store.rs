//! Built wheels, kept for their owner and base.
//!
//! ```text
//! built/1/plans/KEY            how sources are built, once they have said it
//! built/1/wheels/KEY           name and digest of the wheel that came out
//! built/1/files/SHA256/NAME    the wheel
//! ```

use std::path::{Path, PathBuf};

use imagewright_oci::digest::{Digest, Sha256Hasher};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cache::{mark_used, read_checked, write_checked};
use crate::error::BuildError;

/// A wheel of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Its name.
    pub(super) file_name: String,
    /// Its digest.
    pub(super) sha256: Digest,
    /// Its `METADATA`.
    pub(super) metadata: String,
}

/// A key made of texts; none can run into the next.
pub(super) fn key(fields: &[&str]) -> String {
    let mut hasher = Sha256Hasher::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hasher.finish().0.hex()
}

/// The folder of a scope in which built wheels are.
#[derive(Debug, Clone)]
pub(super) struct Store(PathBuf);

impl Store {
    /// The store in the folder of a scope.
    pub(super) fn in_room(room: &Path) -> Self {
        Self(room.join("built/1"))
    }

    /// How sources are built, as they said in an earlier build.
    pub(super) fn plan<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, BuildError> {
        read(&self.0.join("plans").join(key))
    }

    /// Keeps how sources are built.
    pub(super) fn keep_plan(&self, key: &str, plan: &impl Serialize) -> Result<(), BuildError> {
        write(&self.0.join("plans").join(key), plan)
    }

    /// The wheel of an earlier build, if it is still whole.
    pub(super) fn wheel(&self, key: &str) -> Result<Option<(Kept, PathBuf)>, BuildError> {
        let facts = self.0.join("wheels").join(key);
        let Some(kept) = read::<Kept>(&facts)? else { return Ok(None) };
        let path = self.place(&kept.sha256, &kept.file_name);
        if digest_of(&path).is_none_or(|digest| digest != kept.sha256) {
            return Ok(None);
        }
        mark_used(&facts);
        mark_used(&path);
        Ok(Some((kept, path)))
    }

    /// Takes a wheel in, which is moved, and was checked.
    pub(super) fn keep_wheel(&self, key: &str, kept: &Kept, from: &Path) -> Result<PathBuf, BuildError> {
        let path = self.place(&kept.sha256, &kept.file_name);
        let folder = path.parent().unwrap_or(&self.0);
        let failed = |error| BuildError::file("write to the cache", &path, error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        std::fs::rename(from, &path).map_err(failed)?;
        write(&self.0.join("wheels").join(key), kept)?;
        Ok(path)
    }

    /// Where a wheel is.
    fn place(&self, sha256: &Digest, file_name: &str) -> PathBuf {
        self.0.join("files").join(sha256.hex()).join(file_name)
    }
}

/// The built wheel of this digest and name in the folder of a scope, if it is there and whole.
pub fn find_built(room: &Path, sha256: &Digest, file_name: &str) -> Option<PathBuf> {
    let path = Store::in_room(room).place(sha256, file_name);
    (digest_of(&path)? == *sha256).then(|| {
        mark_used(&path);
        path
    })
}

/// The digest of a file; `None` when it cannot be read.
pub(super) fn digest_of(path: &Path) -> Option<Digest> {
    let mut file = std::fs::File::open(path).ok()?;
    let mut writer = imagewright_oci::digest::DigestWriter::new(std::io::sink());
    std::io::copy(&mut file, &mut writer).ok()?;
    Some(writer.finish().1)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, BuildError> {
    Ok(read_checked(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), BuildError> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        BuildError::internal("what is known of a built wheel cannot be written").with_source(error)
    })?;
    write_checked(path, &bytes)
}

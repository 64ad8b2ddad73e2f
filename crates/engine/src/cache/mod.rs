//! The folders in which work is kept from one build to the next.
//!
//! ```text
//! CACHE/
//!   index/1/HEX           path index of a base layer, by the digest of the compressed layer
//!   wheels/sha256/…       verified wheels
//!   frames/1/KEY          a package as a compressed piece of a layer, KEY.facts what is in it
//!   layers/1/KEY          digest, diff id and size of a layer that was joined from frames
//!   bases/1/HEX/          a base that was unpacked for steps that run it, by its digest
//!   built/1/              wheels that were built from sources: see [`crate::pip::source`]
//!   builds/1/KEY          the lock and the manifest of a finished build
//!   uv/                   uv's own cache
//!   owners/OWNER/         the same folders for what is one owner's: see [`crate::scope`]
//!   owners/OWNER/on/HEX/  the same for what was made by executing this owner's base, by its digest
//!   users.lock            held by whoever has the cache open
//!   staging/              one folder a running build; swept when its owner is gone
//! ```
//!
//! Finished builds and uv's cache hold what an owner's credentials have opened: they are always an owner's.
//! Everything but `staging` is made elsewhere and renamed into its place, so a reader sees whole files only,
//! and two builds that make the same file at once do no harm.

mod entry;
mod staging;
mod trim;
mod unfinished;
mod users;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::BuildError;
use crate::scope::Scope;

pub use entry::{mark_used, read_checked, write_checked, write_entry};
pub use staging::{StagingFolder, SweptFolder};
pub use trim::{CacheUsage, Section, Trimmed};
use users::Users;

/// The cache of one user on one machine, seen from one [`Scope`]: what everybody may have, unless said otherwise.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
    /// The folder of the scope that is looked at.
    room: PathBuf,
    users: Arc<Users>,
}

impl Cache {
    /// Opens the cache, making its folders where they are missing, and sweeps what builds that were killed
    /// left in `staging`.
    ///
    /// # Errors
    /// Folders that cannot be made.
    pub fn open(root: &Path) -> Result<Self, BuildError> {
        Self::open_and_sweep(root).map(|(cache, _)| cache)
    }

    /// [`Cache::open`], with what was swept.
    ///
    /// # Errors
    /// Folders that cannot be made.
    pub fn open_and_sweep(root: &Path) -> Result<(Self, Vec<SweptFolder>), BuildError> {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let failed = |folder: &Path, error| BuildError::file("make the cache folder", folder, error);
        std::fs::create_dir_all(&root).map_err(|error| failed(&root, error))?;
        let users = Arc::new(Users::join(&root)?);
        let cache = Self { room: root.clone(), root, users };
        for folder in
            [cache.index(), cache.wheels(), cache.frames(), cache.layers(), cache.bases(), cache.staging()]
        {
            std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        }
        let swept = staging::sweep(&cache.staging());
        if !swept.is_empty() {
            cache.remove_unfinished()?;
        }
        Ok((cache, swept))
    }

    /// The same cache, seen from another scope. The folders of an owner are made when something is put there.
    #[must_use]
    pub fn of(&self, scope: &Scope) -> Self {
        Self { room: self.root.join(scope.folder()), ..self.clone() }
    }

    /// Where a user's cache is when nothing else is said: `$IMAGEWRIGHT_CACHE`, else
    /// `$XDG_CACHE_HOME/imagewright`, else `~/.cache/imagewright`.
    pub fn default_root() -> PathBuf {
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        from("IMAGEWRIGHT_CACHE")
            .or_else(|| from("XDG_CACHE_HOME").map(|folder| folder.join("imagewright")))
            .or_else(|| from("HOME").map(|folder| folder.join(".cache/imagewright")))
            .unwrap_or_else(|| PathBuf::from("/var/cache/imagewright"))
    }

    /// The folder that holds everything.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that holds everything of this scope.
    pub fn room(&self) -> &Path {
        &self.room
    }

    /// Path indexes of base layers.
    pub fn index(&self) -> PathBuf {
        self.room.join(format!("index/{}", imagewright_oci::layer::index::INDEX_VERSION))
    }

    /// Verified wheels.
    pub fn wheels(&self) -> PathBuf {
        self.room.join("wheels")
    }

    /// Compressed pieces of layers.
    pub fn frames(&self) -> PathBuf {
        self.room.join("frames/1")
    }

    /// What is known of joined layers.
    pub fn layers(&self) -> PathBuf {
        self.room.join("layers/1")
    }

    /// Wheels that were built from sources.
    pub fn built(&self) -> PathBuf {
        self.room.join("built/1")
    }

    /// Finished builds.
    pub fn builds(&self) -> PathBuf {
        self.room.join("builds/1")
    }

    /// System images: what came out of running a base is for its owner alone.
    pub fn system(&self) -> PathBuf {
        self.room.join("system/1")
    }

    /// Bases that were unpacked for steps that run them.
    pub fn bases(&self) -> PathBuf {
        self.room.join("bases/1")
    }

    /// uv's cache.
    pub fn uv(&self) -> PathBuf {
        self.room.join("uv")
    }

    /// What conda channels have.
    pub fn channels(&self) -> PathBuf {
        self.room.join("channels")
    }

    /// Folders of running builds.
    pub fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// Bytes of a package's wheel, where it is in the cache.
    pub fn wheel_size(&self, package: &crate::lock::LockedPackage) -> Option<u64> {
        let hex = package.sha256.hex();
        if package.built.is_some() {
            let path = self.built().join("files").join(&hex).join(&package.file);
            return std::fs::metadata(path).ok().map(|metadata| metadata.len());
        }
        let path = self.wheels().join("sha256").join(&hex[..2]).join(&hex).join(&package.file);
        std::fs::metadata(path).ok().map(|metadata| metadata.len())
    }

    /// A folder of this build's own, removed when it is dropped, and by the next start of anything of ours if
    /// this process is killed.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn staging_folder(&self) -> Result<StagingFolder, BuildError> {
        StagingFolder::create(&self.staging())
    }
}

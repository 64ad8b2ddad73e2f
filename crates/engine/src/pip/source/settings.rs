//! What building needs from outside.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::git::GitSettings;
use super::room::Rooms;
use crate::pip::download::Downloader;

/// What building needs from outside.
#[derive(Clone)]
pub struct SourceSettings {
    /// Where hostile code runs.
    pub rooms: Arc<Rooms>,
    /// Fetches source distributions and requirements of builds, into the cache of the owner.
    pub downloader: Downloader,
    /// Folder of the cache of this owner and base; `built/` is made in it.
    pub cache_folder: PathBuf,
    /// Names what is executed: the digest of the base, or of the system image above it.
    pub environment: String,
    /// Folder of this build, on the file system of the cache.
    pub staging_folder: PathBuf,
    /// How repositories are fetched.
    pub git: GitSettings,
    /// How long one build may take.
    pub timeout: Duration,
    /// Is told what is being built, in a sentence.
    pub report: Arc<dyn Fn(String) + Send + Sync>,
}

impl Debug for SourceSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SourceSettings")
            .field("cache_folder", &self.cache_folder)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

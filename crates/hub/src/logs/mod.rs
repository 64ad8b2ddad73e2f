//! The logs of builds: a file for each, written line by line as things happen, and read by many while it grows.
//!
//! ```text
//! writer.rs    what a build writes
//! scrub.rs     secrets are taken out of it before
//! tail.rs      the last lines of a file
//! follow.rs    reading on while it grows
//! live.rs      what those who write and those who follow share
//! ```
//!
//! Everything is in the file before it is anywhere else, so that whoever is too slow, or comes later, reads it there.

mod follow;
mod live;
mod scrub;
mod tail;
mod writer;

use std::collections::HashMap;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::Stream;
use imagewright_store::BuildId;

pub use scrub::Scrubber;
pub use writer::LogWriter;

use live::Live;

/// The logs of a hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logs {
    folder: Arc<Path>,
    maximum_bytes: u64,
    /// Of builds that have not ended: those that are written or waited for here.
    live: Arc<Mutex<HashMap<BuildId, Arc<Live>>>>,
}

impl Logs {
    /// The logs in a folder, which is made where there is none. One that is larger than `maximum_bytes` goes on without
    /// what comes after.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(folder: &Path, maximum_bytes: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.into(), maximum_bytes, live: Arc::default() })
    }

    /// Writes on in the log of a build. What is secret in its lines is taken out.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn writer(&self, build: &BuildId, scrubber: Scrubber) -> io::Result<LogWriter> {
        LogWriter::open(&self.path(build)?, self.live(build), scrubber, self.maximum_bytes)
    }

    /// The file for the events of a build, as its process tells them: JSON lines.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn events(&self, build: &BuildId) -> io::Result<File> {
        writer::append(&self.path(build)?.with_extension("events"))
    }

    /// The log is complete: who follows it comes to an end.
    pub fn close(&self, build: &BuildId) {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(build);
        if let Some(live) = live {
            live.close();
        }
    }

    /// The builds whose logs are written or followed here.
    pub fn live_builds(&self) -> Vec<BuildId> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Whole lines of a log: the last `lines` of it (all without), and then, if the build has not ended, what comes
    /// until it has.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn follow(
        &self,
        build: &BuildId,
        lines: Option<usize>,
        has_ended: bool,
    ) -> io::Result<impl Stream<Item = Bytes> + Send + use<>> {
        let live = if has_ended { None } else { Some(self.live(build)) };
        follow::follow(self.path(build)?, live, lines)
    }

    /// The last lines of a log.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn tail(&self, build: &BuildId, lines: usize) -> io::Result<Bytes> {
        let Some(file) = existing(&self.path(build)?)? else { return Ok(Bytes::new()) };
        let end = file.metadata()?.len();
        tail::read(&file, tail::start(&file, end, lines)?, end)
    }

    /// The log as a file with its length; nothing where the build has written none.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn whole(&self, build: &BuildId) -> io::Result<Option<(File, u64)>> {
        let Some(file) = existing(&self.path(build)?)? else { return Ok(None) };
        let length = file.metadata()?.len();
        Ok(Some((file, length)))
    }

    fn live(&self, build: &BuildId) -> Arc<Live> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(live.entry(build.clone()).or_default())
    }

    /// Identifiers are made by the hub of names that it has checked; here once more, since this is a path.
    fn path(&self, build: &BuildId) -> io::Result<PathBuf> {
        let id = build.as_str();
        let is_good =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
        if id.is_empty() || id.starts_with('.') || id.len() > 200 || !id.chars().all(is_good) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no identifier of a build"));
        }
        Ok(self.folder.join(format!("{id}.log")))
    }
}

fn existing(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;

//! Reading a log while it grows.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::live::{Chunk, Live};
use super::{existing, tail};

/// Somebody who reads.
struct Follower {
    path: PathBuf,
    file: Option<Arc<File>>,
    /// What was read.
    at: u64,
    /// What the file has, as far as is known.
    known: u64,
    chunks: Option<Receiver<Chunk>>,
}

/// See [`super::Logs::follow`].
pub(super) fn follow(
    path: PathBuf,
    live: Option<Arc<Live>>,
    lines: Option<usize>,
) -> io::Result<impl Stream<Item = Bytes> + Send + use<>> {
    // Asked before the file is looked at: nothing falls between the two.
    let chunks = live.and_then(|live| {
        let (chunks, is_closed) = live.subscribe();
        (!is_closed).then_some(chunks)
    });
    let file = existing(&path)?;
    let known = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|metadata| metadata.len()))?;
    let at = match (&file, lines) {
        (Some(file), Some(lines)) => tail::start(file, known, lines)?,
        _ => 0,
    };
    let follower = Follower { path, file: file.map(Arc::new), at, known, chunks };
    Ok(stream::unfold(follower, |mut follower| async move {
        let next = follower.next().await?;
        Some((next, follower))
    }))
}

impl Follower {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.at < self.known {
                let bytes = self.read().await?;
                self.at += bytes.len() as u64;
                return Some(bytes);
            }
            match self.chunks.as_mut()?.recv().await {
                Ok(Chunk::Lines { start, bytes }) if start == self.at => {
                    self.at += bytes.len() as u64;
                    self.known = self.at;
                    return Some(bytes);
                }
                // Some of it, or more than it, was read from the file.
                Ok(Chunk::Lines { start, bytes }) => self.known = self.known.max(start + bytes.len() as u64),
                Ok(Chunk::Grown(length)) => self.known = self.known.max(length),
                Ok(Chunk::End(length)) => {
                    self.known = self.known.max(length);
                    self.chunks = None;
                }
                // Too slow: all of it is in the file.
                Err(RecvError::Lagged(_)) => self.known = self.known.max(length_of(&self.path)),
                Err(RecvError::Closed) => {
                    self.known = self.known.max(length_of(&self.path));
                    self.chunks = None;
                }
            }
        }
    }

    /// The next piece of the file; nothing when it cannot be read.
    async fn read(&mut self) -> Option<Bytes> {
        if self.file.is_none() {
            self.file = existing(&self.path).ok()?.map(Arc::new);
        }
        let (file, at, known) = (Arc::clone(self.file.as_ref()?), self.at, self.known);
        let piece = tokio::task::spawn_blocking(move || tail::piece(&file, at, known));
        match piece.await {
            Ok(Ok(bytes)) if !bytes.is_empty() => Some(bytes),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a log cannot be read");
                None
            }
            Ok(Ok(_)) | Err(_) => None,
        }
    }
}

fn length_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

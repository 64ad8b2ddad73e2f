//! What the writer of a log and those who follow it share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast;

/// How long lines are gathered before those who follow are woken: a thousand of them are woken some times a second,
/// however many lines come.
pub(super) const GATHER: Duration = Duration::from_millis(300);
/// Chunks that a slow follower may lag behind before it has to read the file instead.
const CHUNKS: usize = 32;
/// Bytes that are gathered at most; what comes faster is read from the file.
const MOST_GATHERED: usize = 256 << 10;

/// Lines that were just written: where they begin in the file, and how the file is longer now.
#[derive(Debug, Clone)]
pub(super) enum Chunk {
    /// Here they are.
    Lines {
        /// Where they begin.
        start: u64,
        /// The lines.
        bytes: Bytes,
    },
    /// There were too many: they are in the file, up to here.
    Grown(u64),
    /// Nothing more will come; the file ends here.
    End(u64),
}

/// A log that has not ended.
#[derive(Debug)]
pub(super) struct Live {
    state: Mutex<State>,
    chunks: broadcast::Sender<Chunk>,
}

#[derive(Debug, Default)]
struct State {
    /// The length of the file.
    length: u64,
    /// Where the gathered lines begin.
    start: u64,
    gathered: Vec<u8>,
    has_overflown: bool,
    is_sending: bool,
    is_closed: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self { state: Mutex::default(), chunks: broadcast::channel(CHUNKS).0 }
    }
}

impl Live {
    /// A file that is so long already is written on.
    pub(super) fn begin(&self, length: u64) {
        let mut state = self.state();
        (state.length, state.start) = (length, length);
    }

    /// Lines were written. True when somebody has to send them in a while.
    pub(super) fn written(&self, lines: &[u8]) -> bool {
        let mut state = self.state();
        state.length += lines.len() as u64;
        if self.chunks.receiver_count() == 0 {
            // Who comes now reads the file.
            state.gathered.clear();
            (state.start, state.has_overflown) = (state.length, false);
            return false;
        }
        if state.gathered.len() + lines.len() > MOST_GATHERED {
            state.gathered.clear();
            state.has_overflown = true;
        } else if !state.has_overflown {
            state.gathered.extend_from_slice(lines);
        }
        !std::mem::replace(&mut state.is_sending, true)
    }

    /// Sends what was gathered.
    pub(super) fn send(&self) {
        let mut state = self.state();
        state.is_sending = false;
        let chunk = if std::mem::take(&mut state.has_overflown) {
            Chunk::Grown(state.length)
        } else if state.gathered.is_empty() {
            return;
        } else {
            Chunk::Lines { start: state.start, bytes: std::mem::take(&mut state.gathered).into() }
        };
        state.start = state.length;
        // Nobody follows any more: the lines are in the file.
        let _ = self.chunks.send(chunk);
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.send();
        let mut state = self.state();
        state.is_closed = true;
        let _ = self.chunks.send(Chunk::End(state.length));
    }

    /// What comes from now on, and whether nothing will.
    pub(super) fn subscribe(&self) -> (broadcast::Receiver<Chunk>, bool) {
        let state = self.state();
        (self.chunks.subscribe(), state.is_closed)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

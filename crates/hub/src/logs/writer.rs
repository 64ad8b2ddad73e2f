//! Writing a log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use super::live::{GATHER, Live};
use super::scrub::Scrubber;

/// The longest line that is kept, in bytes.
const LONGEST_LINE: usize = 16 << 10;

/// Writes the lines of one build. Each is handed to the system at once: what was written is there, whatever happens to
/// this process.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    live: Arc<Live>,
    scrubber: Scrubber,
    length: u64,
    maximum: u64,
    is_full: bool,
}

impl LogWriter {
    pub(super) fn open(path: &Path, live: Arc<Live>, scrubber: Scrubber, maximum: u64) -> io::Result<Self> {
        let file = append(path)?;
        let length = file.metadata()?.len();
        live.begin(length);
        Ok(Self { file, live, scrubber, length, maximum, is_full: length >= maximum })
    }

    /// Writes text, line by line, without its secrets.
    ///
    /// # Errors
    /// A disk that is full or broken.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        if self.is_full {
            return Ok(());
        }
        let mut lines = String::new();
        for line in self.scrubber.scrub(text).split(['\n', '\r']) {
            let end = line.floor_char_boundary(LONGEST_LINE);
            lines.extend(line[..end].chars().filter(|character| is_kept(*character)));
            lines.push_str(if end < line.len() { " …\n" } else { "\n" });
        }
        if self.length + lines.len() as u64 > self.maximum {
            self.is_full = true;
            "The log is too long: what comes after this is left out.\n".clone_into(&mut lines);
        }
        self.file.write_all(lines.as_bytes())?;
        self.length += lines.len() as u64;
        if self.live.written(lines.as_bytes()) {
            let live = Arc::clone(&self.live);
            tokio::spawn(async move {
                tokio::time::sleep(GATHER).await;
                live.send();
            });
        }
        Ok(())
    }

    /// What takes the secrets out.
    pub fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }
}

/// Tabs and the beginning of colours are kept; what else steers a terminal is not.
fn is_kept(character: char) -> bool {
    !character.is_control() || matches!(character, '\t' | '\u{1b}')
}

/// Opens a file of our own for writing at its end.
pub(super) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

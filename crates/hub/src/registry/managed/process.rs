//! The processes of the registry: found, started, and bound to the thread that starts them.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::ManagedRegistryError;

/// How long a process may take to end that was asked to: a little longer than the registry answers what it has begun.
const END_DEADLINE: Duration = Duration::from_secs(12);
/// How much of what a process writes is kept.
const KEPT_LINES: usize = 20;
const KEPT_LENGTH: usize = 500;

/// The programs that are needed.
pub(super) struct Programs {
    registry: PathBuf,
    setpriv: PathBuf,
}

impl Programs {
    pub(super) fn find(search_path: &OsStr) -> Result<Self, ManagedRegistryError> {
        let find = |program: &'static str, package: &'static str| {
            std::env::split_paths(search_path)
                .map(|folder| folder.join(program))
                .find(|candidate| candidate.is_file())
                .ok_or(ManagedRegistryError::Missing { program, package })
        };
        Ok(Self {
            registry: find("docker-registry", "docker-registry")?,
            setpriv: find("setpriv", "util-linux")?,
        })
    }

    /// A command that the kernel kills when the thread that starts it ends.
    pub(super) fn registry(&self, arguments: &[&OsStr], folder: &Path) -> Command {
        let mut command = Command::new(&self.setpriv);
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.registry).args(arguments);
        // Every variable REGISTRY_… would change its configuration, and OTEL_… where it sends what it does.
        command.env_clear().current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

/// Ends a process after what it is doing, and waits for that.
pub(super) async fn end_gently(child: &mut Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id {
        // It may have ended by itself.
        let _ = kill_process(id, Signal::TERM);
        if tokio::time::timeout(END_DEADLINE, child.wait()).await.is_ok() {
            return;
        }
    }
    end(child).await;
}

/// Kills a process, and waits until it is gone.
pub(super) async fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill().await;
}

/// The last lines that a process has written.
#[derive(Clone, Default)]
pub(super) struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
    /// Reads a process's lines to their end, and hands each to `line`.
    pub(super) async fn read(&self, from: impl AsyncRead + Unpin, mut line: impl FnMut(&str)) {
        let mut reader = BufReader::new(from);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes);
            let text: String = text.trim_end().chars().take(KEPT_LENGTH).collect();
            line(&text);
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(text);
            bytes.clear();
        }
    }

    /// The lines, in one.
    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            "(none)".to_owned()
        } else {
            lines.iter().cloned().collect::<Vec<_>>().join(" | ")
        }
    }
}

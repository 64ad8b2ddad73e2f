//! Ends a registry that has lost its hub.
//!
//! The kernel does that, but for one moment: a hub that is killed before the new process has asked to die with it leaves
//! that process behind, which would keep the port.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Kills the processes of ours that were started with this configuration. Only for who holds the folder's lock.
pub(super) async fn end(configuration: &Path) {
    let Ok(processes) = std::fs::read_dir("/proc") else { return };
    let mut ended = false;
    for process in processes.flatten() {
        let id = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            ended |= end_if_ours(id, &process.path(), configuration);
        }
    }
    if ended {
        tracing::warn!("a registry that had lost its hub was ended");
        // The port is asked for again and again anyway.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn end_if_ours(id: Pid, process: &Path, configuration: &Path) -> bool {
    if !is_ours(process, configuration) {
        return false;
    }
    // The handle stays with the process; its number may be another one's before the next line.
    let Ok(handle) = pidfd_open(id, PidfdFlags::empty()) else { return false };
    is_ours(process, configuration) && pidfd_send_signal(&handle, Signal::KILL).is_ok()
}

fn is_ours(process: &Path, configuration: &Path) -> bool {
    let Ok(line) = std::fs::read(process.join("cmdline")) else { return false };
    let mut arguments = line.split(|byte| *byte == 0);
    let program = arguments.next().map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name)));
    let name = program.as_deref().and_then(Path::file_name);
    name.is_some_and(|name| name == "docker-registry" || name == "setpriv")
        && arguments.any(|argument| argument == configuration.as_os_str().as_bytes())
}

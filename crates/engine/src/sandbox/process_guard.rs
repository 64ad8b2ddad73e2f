//! A process that ends with the value that names it: when that is gone, so is the process.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use super::sweep::processes_of_group;

/// How long it is waited for a process that was killed. What is of the lowest class dies late on a busy machine.
const MOST: Duration = Duration::from_secs(1);

/// Names a process for as long as it is held, whoever gets its number later.
#[derive(Debug)]
pub(super) struct ProcessGuard(OwnedFd);

impl ProcessGuard {
    /// Holds a process that has not been waited for, or somebody else's; `None` when there is none of this number.
    pub(super) fn of(process: u32) -> Option<Self> {
        let number = Pid::from_raw(i32::try_from(process).ok()?)?;
        pidfd_open(number, PidfdFlags::empty()).ok().map(Self)
    }
}

impl Drop for ProcessGuard {
    /// Ends it, with all others of its PID namespace where it is their first. Returns when nothing of them runs any
    /// more: futures are dropped when a build is cancelled, and its caller may look for what is left at once.
    fn drop(&mut self) {
        if pidfd_send_signal(&self.0, Signal::KILL).is_err() {
            return;
        }
        let end = Instant::now() + MOST;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // The handle is readable when the process has ended.
            let mut handles = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut handles, Timespec::try_from(left).ok().as_ref()) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(0) => return tracing::warn!("a process of a sandbox is slow to end"),
                Ok(_) | Err(_) => return,
            }
        }
    }
}

/// Ends a process group whose leader has not been waited for. Returns when none of its processes runs any more.
pub(super) fn end_group(leader: u32) {
    let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    // All are told at once, so that none can start another one meanwhile.
    let _ = kill_process_group(group, Signal::KILL);
    for process in processes_of_group(leader) {
        drop(ProcessGuard::of(process));
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_ended_when_nobody_holds_it_any_more() {
        let mut child = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
        drop(ProcessGuard::of(child.id()).unwrap());
        assert!(child.try_wait().unwrap().is_some(), "it has ended when the value has");
        assert!(ProcessGuard::of(child.id()).is_none());
    }

    #[test]
    fn a_group_ends_with_what_its_leader_has_started() {
        use std::os::unix::process::CommandExt as _;
        let mut leader = Command::new("sh")
            .args(["-c", "sleep 1000 & exec sleep 1000"])
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while processes_of_group(leader.id()).len() < 2 && Instant::now() < end {
            std::thread::yield_now();
        }
        end_group(leader.id());
        assert!(processes_of_group(leader.id()).is_empty());
        assert!(!leader.wait().unwrap().success());
    }
}

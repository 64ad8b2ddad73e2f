//! What a build that was killed may have left. Nearly everything ends with its owner by itself; this is for what was
//! just being started, and for what has no owner that the kernel knows.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

pub(crate) use super::control_group::sweep as sweep_groups;

/// The variable by which processes of a sandbox are known: the folder that they work in.
pub(super) const MARK: &str = "IMAGEWRIGHT_SANDBOX";

/// How often removing a folder is tried again while what wrote into it is ending.
const ATTEMPTS: u32 = 100;

/// When a process was started, in ticks since the machine was.
pub(super) fn process_start(process: u32) -> Option<u64> {
    status_fields(process)?.get(19)?.parse().ok()
}

/// What the kernel tells of a process in one line, from its state on.
fn status_fields(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the state follows it as the third field.
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// The running processes of a process group.
pub(super) fn processes_of_group(leader: u32) -> Vec<u32> {
    let is_of_group = |process: &u32| {
        let fields = status_fields(*process).unwrap_or_default();
        matches!(&fields[..], [state, _, group, ..] if *group == leader.to_string() && !"ZX".contains(state.as_str()))
    };
    processes().filter(is_of_group).collect()
}

/// All processes that we can see.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// True while the process that was started then lives.
pub(super) fn is_alive(process: u32, start: u64) -> bool {
    process_start(process) == Some(start)
}

/// Ends the processes of a sandbox that worked in a folder, and tells how many there were.
pub(crate) fn sweep_processes(folder: &Path) -> usize {
    let mut mark = MARK.as_bytes().to_vec();
    mark.push(b'=');
    mark.extend_from_slice(folder.as_os_str().as_bytes());
    let marked = processes().filter(|number| {
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        // The folder itself, or one below it.
        let is_below = |rest: &[u8]| rest.is_empty() || rest[0] == b'/';
        environment.split(|byte| *byte == 0).any(|one| one.strip_prefix(&mark[..]).is_some_and(is_below))
    });
    let marked = marked.filter_map(|number| Pid::from_raw(i32::try_from(number).ok()?));
    marked.filter(|process| kill_process(*process, Signal::KILL).is_ok()).count()
}

/// Removes a folder in which a sandbox may have written, also files that belong to the users inside.
///
/// # Errors
/// What the last attempt gave.
pub(crate) fn remove_tree(folder: &Path) -> io::Result<()> {
    let mut outcome = Ok(());
    for _ in 0..ATTEMPTS {
        outcome = match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => remove_as_owner(folder),
            outcome => outcome,
        };
        match &outcome {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Something is still writing: it was told to end.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(_) => break,
        }
    }
    outcome
}

/// An ordinary user may not remove what belongs to the users inside, but root inside may.
fn remove_as_owner(folder: &Path) -> io::Result<()> {
    let status = Command::new("buildah")
        .args(["unshare", "rm", "--recursive", "--force", "--"].map(OsStr::new))
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() && !folder.exists() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let own = std::process::id();
        let start = process_start(own).unwrap();
        assert!(is_alive(own, start));
        assert!(!is_alive(own, start + 1));
    }

    #[test]
    fn processes_that_work_in_a_folder_are_ended_and_others_are_not() {
        let start = |folder: &str| {
            Command::new("sleep").arg("1000").env(MARK, folder).stdin(Stdio::null()).spawn().unwrap()
        };
        let (mut ours, mut other) =
            (start("/cache/staging/build-a/system"), start("/cache/staging/build-ab"));
        assert_eq!(sweep_processes(Path::new("/cache/staging/build-a")), 1);
        assert!(!ours.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}

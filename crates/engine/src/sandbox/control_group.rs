//! Limits of memory and processes for everything that runs inside together, where this machine lets us make control
//! groups: as root with their file system writable. Version 1 and version 2 of the interface are known.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::SandboxSettings;
use super::sweep::{is_alive, process_start};

const MOUNT: &str = "/sys/fs/cgroup";

/// How the names of our groups begin; the owner's number and time of start follow.
const PREFIX: &str = "imagewright-";

/// A group of processes. It ends with this value, and takes everything that is in it along.
#[derive(Debug)]
pub(super) struct ControlGroup {
    /// One folder, or with version 1 one for each controller.
    folders: Vec<PathBuf>,
    limits_memory: bool,
}

impl ControlGroup {
    /// Makes one; `None` where this machine does not let us.
    pub(super) fn create(settings: &SandboxSettings) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{process}-{}-{number}", process_start(process)?);
        let mut group = Self { folders: Vec::new(), limits_memory: false };
        let memory = settings.memory.to_string();
        let processes = settings.processes.to_string();
        if Path::new(MOUNT).join("cgroup.controllers").exists() {
            let folder = group.add(&parent(""), &name)?;
            group.limits_memory = fs::write(folder.join("memory.max"), &memory).is_ok();
            let _ = fs::write(folder.join("memory.swap.max"), "0");
            let _ = fs::write(folder.join("pids.max"), &processes);
        } else {
            if let Some(folder) = group.add(&parent("memory"), &name) {
                group.limits_memory = fs::write(folder.join("memory.limit_in_bytes"), &memory).is_ok();
                let _ = fs::write(folder.join("memory.memsw.limit_in_bytes"), &memory);
            }
            if let Some(folder) = group.add(&parent("pids"), &name) {
                let _ = fs::write(folder.join("pids.max"), &processes);
            }
        }
        (!group.folders.is_empty()).then_some(group)
    }

    fn add(&mut self, parent: &Path, name: &str) -> Option<PathBuf> {
        let folder = parent.join(name);
        fs::create_dir(&folder).ok()?;
        self.folders.push(folder.clone());
        Some(folder)
    }

    /// True when the memory of all together is limited.
    pub(super) fn limits_memory(&self) -> bool {
        self.limits_memory
    }

    /// Takes a process in; what it starts from now on is in, too.
    pub(super) fn admit(&self, process: u32) -> io::Result<()> {
        self.folders.iter().try_for_each(|folder| fs::write(folder.join("cgroup.procs"), process.to_string()))
    }

    /// How often the kernel ended a process for want of memory.
    pub(super) fn killed_for_memory(&self) -> Option<u64> {
        let counts = self.folders.iter().flat_map(|folder| {
            ["memory.events", "memory.oom_control"].map(|file| fs::read_to_string(folder.join(file)).ok())
        });
        counts.flatten().find_map(|text| {
            text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        })
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        for folder in &self.folders {
            end(folder);
        }
    }
}

/// The folder in which groups are made. With version 1 that is the group that we are in ourselves, so that its
/// limits hold for us; with version 2 a group with processes cannot have limited groups below it.
fn parent(controller: &str) -> PathBuf {
    let mount = Path::new(MOUNT).join(controller);
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        let path = fields.next()?;
        (!controller.is_empty() && controllers.split(',').any(|one| one == controller)).then_some(path)
    });
    let own = path.map(|path| mount.join(path.trim_start_matches('/')));
    own.filter(|folder| folder.is_dir()).unwrap_or(mount)
}

/// Ends all processes of a group, and the group.
fn end(folder: &Path) {
    // A group can be removed when its last process is reaped, which takes a moment.
    for _ in 0..200 {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            _ => return,
        }
        let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for process in processes.lines().filter_map(|line| line.trim().parse().ok()).filter_map(Pid::from_raw)
        {
            let _ = kill_process(process, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    tracing::warn!(folder = %folder.display(), "a control group cannot be removed");
}

/// Ends the groups whose owner is gone, and tells how many there were.
pub(crate) fn sweep() -> usize {
    let parents = if Path::new(MOUNT).join("cgroup.controllers").exists() {
        vec![parent("")]
    } else {
        vec![parent("memory"), parent("pids")]
    };
    let mut swept = 0;
    for entry in parents.iter().filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let mut numbers = rest.split('-').map(str::parse::<u64>);
        let (Some(Ok(process)), Some(Ok(start))) = (numbers.next(), numbers.next()) else { continue };
        if !u32::try_from(process).is_ok_and(|process| is_alive(process, start)) {
            end(&entry.path());
            swept += 1;
        }
    }
    swept
}

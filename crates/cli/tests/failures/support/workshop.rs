//! The folders of one test, and what is in them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imagewright_testkit::PackageIndex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::Build;

/// A home, a cache, a folder for temporary files and a working folder: all that a build may write to.
pub(crate) struct Workshop {
    root: TempDir,
    cache: PathBuf,
}

impl Workshop {
    /// Fresh folders: nothing is cached.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("workshop-").tempdir().unwrap();
        for folder in ["home", "tmp", "work"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let cache = root.path().join("cache");
        Self { root, cache }
    }

    /// The same with the cache elsewhere.
    pub(crate) fn with_cache(cache: &Path) -> Self {
        let mut workshop = Self::new();
        cache.clone_into(&mut workshop.cache);
        workshop
    }

    /// Where everything is.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The folder of the cache.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// A build of `packages` on a base, from an index, as the image `to`.
    pub(crate) fn build(&self, base: &str, index: &PackageIndex, packages: &[&str], to: &str) -> Build {
        let mut build = self.command(["build", "--base", base, "--to", to, "--index-url", &index.url()]);
        for package in packages {
            build = build.options(["--pip", package]);
        }
        build
    }

    /// A build of a plan with a supervisor, who is whoever holds the running command.
    pub(crate) fn supervised(&self, plan: &Value) -> Build {
        self.command(["build", "--plan", "-", "--supervised"]).input(&format!("{plan}\n"))
    }

    /// The command with these arguments.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Build {
        Build::new(self.root(), &self.cache, arguments)
    }

    /// Every file that is no finished part of the cache: work that was left behind. Empty after any build.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let root = self.root();
        let mut left = files_below(root);
        left.extend(files_below(&self.cache));
        left.sort();
        left.dedup();
        left.retain(|path| {
            let in_cache = path.strip_prefix(&self.cache).ok();
            in_cache.is_none_or(|path| path.starts_with("staging") || is_unfinished(path))
        });
        left.iter().map(|path| path.strip_prefix(root).unwrap_or(path).display().to_string()).collect()
    }

    /// Waits until the kernel has ended what dies with a build that was killed.
    pub(crate) fn wait_until_no_process_is_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "still running: {:#?}", self.processes());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Processes that work for a build in these folders: those that name one of them, or stand in one.
    pub(crate) fn processes(&self) -> Vec<String> {
        let root = self.root().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            // A process may end while it is looked at.
            let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let folder = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let mark = format!("IMAGEWRIGHT_SANDBOX={root}");
            let is_marked = String::from_utf8_lossy(&environment).contains(&mark);
            if line.contains(&root) || is_marked || folder.starts_with(self.root()) {
                found.push(format!("{} {line}", entry.file_name().display()));
            }
        }
        found
    }
}

impl Drop for Workshop {
    /// A command that is killed cannot end what it had started: the test does.
    fn drop(&mut self) {
        for process in self.processes() {
            let id = process.split(' ').next().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
            // It may have ended meanwhile.
            let _ = id.map(|id| kill_process(id, Signal::KILL));
        }
    }
}

/// Names under which files are made before they are renamed into their places.
fn is_unfinished(path: &Path) -> bool {
    path.components().any(|component| {
        let name = component.as_os_str().to_string_lossy();
        name == "partial"
            || name.starts_with(".new-")
            || name.starts_with(".tmp")
            || name.starts_with(".stubs-")
    })
}

/// All regular files and links below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(_) => files.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    files
}

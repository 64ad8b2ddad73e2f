//! What of this machine's files a program inside can see, and with which environment it starts.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::holder::Holder;
use crate::error::BuildError;

/// Folders of this machine's programs besides `/usr`; links into it on current systems.
const SYSTEM_FOLDERS: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Bytes of a file system in memory inside.
const MEMORY_FILES: &str = "268435456";

/// A file or folder of this machine that is seen inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Where it is on this machine.
    pub outside: PathBuf,
    /// Where it is seen.
    pub inside: PathBuf,
    /// True when it may be written to.
    pub writable: bool,
}

/// A view of this machine: its programs, read-only, and what is named here. Nothing else.
#[derive(Debug, Clone, Default)]
pub struct Enclosure {
    /// What is seen, parents first.
    pub binds: Vec<Bind>,
    /// The whole environment. Nothing secret.
    pub environment: Vec<(String, OsString)>,
    /// Whether it has the sandbox's way to the network.
    pub network: bool,
}

impl Enclosure {
    /// Shows something read-only.
    #[must_use]
    pub fn read_only(mut self, outside: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        self.binds.push(Bind { outside: outside.into(), inside: inside.into(), writable: false });
        self
    }

    /// Shows a folder that may be written to.
    #[must_use]
    pub fn writing(mut self, outside: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        self.binds.push(Bind { outside: outside.into(), inside: inside.into(), writable: true });
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The folders of this machine that can be written to.
    pub(super) fn writable(&self) -> Vec<PathBuf> {
        self.binds.iter().filter(|bind| bind.writable).map(|bind| bind.outside.clone()).collect()
    }

    /// The beginning of an argument vector that runs a program in this view.
    pub(super) fn arguments(&self, holder: &Holder, network: bool) -> Result<Vec<OsString>, BuildError> {
        let mut arguments: Vec<OsString> = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
        add(&["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]);
        add(&["--unshare-cgroup-try", "--hostname", "imagewright"]);
        if !network {
            add(&["--unshare-net"]);
        }
        add(&["--ro-bind", "/usr", "/usr"]);
        if Path::new("/usr/local").is_dir() {
            // What administrators put there is nobody's business.
            add(&["--tmpfs", "/usr/local"]);
        }
        for name in SYSTEM_FOLDERS {
            let path = format!("/{name}");
            match fs::read_link(&path) {
                Ok(target) => add(&["--symlink", &target.to_string_lossy(), &path]),
                Err(_) if Path::new(&path).is_dir() => add(&["--ro-bind", &path, &path]),
                Err(_) => {}
            }
        }
        add(&["--proc", "/proc", "--dev", "/dev"]);
        for folder in ["/sys", "/tmp", "/run", "/root", "/var"] {
            add(&["--size", MEMORY_FILES, "--tmpfs", folder]);
        }
        for bind in &self.binds {
            arguments.push(if bind.writable { "--bind" } else { "--ro-bind" }.into());
            arguments.push(holder.place(&bind.outside)?.into());
            arguments.push(bind.inside.clone().into());
        }
        arguments.push("--clearenv".into());
        for (name, value) in &self.environment {
            arguments.extend(["--setenv".into(), name.into(), value.clone()]);
        }
        Ok(arguments)
    }
}

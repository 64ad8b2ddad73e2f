//! A fence around what has to be executed: installers and build backends, chosen by tenants and hostile until
//! proved otherwise.
//!
//! ```text
//! settings.rs     what the operator allows
//! programs.rs     the programs of this machine that make the fence
//! identities.rs   which users of this machine stand for those inside
//! holder.rs       the process that keeps the namespaces of users, mounts and the network
//! network.rs      a way out that leads neither to this machine nor to its neighbours' metadata
//! control_group.rs  limits of memory and processes for all that runs inside together
//! enclosure.rs    what of this machine's files can be seen inside
//! process.rs      running one program inside: bounded output, deadline, cancellation
//! process_guard.rs  a process that ends with the value that names it
//! disk.rs         a limit of the space that is used
//! protections.rs  which of all this the machine gives
//! sweep.rs        what a killed build left
//! trial.rs        whether a program really runs in it
//! ```
//!
//! From the outside to the inside: a *holder* process keeps a user namespace whose root is nobody on this machine,
//! and a network namespace with slirp4netns as its only way out. Each program enters both and is put by bubblewrap
//! into mount, PID, IPC and host name namespaces of its own, in which buildah runs the step with chroot isolation,
//! without the right to a second chroot and without new privileges. All of it ends with this process: the holder
//! reads a pipe that we hold, bubblewrap dies with its parent, and its PID namespace takes everything else along.

mod control_group;
mod disk;
mod enclosure;
mod holder;
mod identities;
mod network;
mod process;
mod process_guard;
mod programs;
mod protections;
mod settings;
mod sweep;
mod trial;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cancel::CancellationToken;
use crate::error::BuildError;

pub use enclosure::{Bind, Enclosure};
pub use process::{Finished, Output};
pub use protections::{Finding, Protection, examine, refuse_if_too_few};
pub use settings::SandboxSettings;
pub(crate) use sweep::{remove_tree, sweep_groups, sweep_processes};
pub use trial::try_out;

use control_group::ControlGroup;
use holder::Holder;
use network::Network;

/// What runs inside starts with the usual number of files that may be open: package tools close
/// every file that could be open, one by one.
const OPEN_FILES: &str = "--nofile=1024:";

/// An open sandbox: namespaces and limits, in which programs are run one after the other.
#[derive(Debug)]
pub struct Sandbox {
    // The order is that of the end: the way out first, the namespaces after it.
    network: Option<Network>,
    /// True where this machine gives no network of its own, and the operator does without.
    shares_network: bool,
    holder: Holder,
    group: Option<ControlGroup>,
    settings: SandboxSettings,
    /// A folder on this machine whose files the sandbox may be shown.
    folder: PathBuf,
}

/// A program to run inside.
#[derive(Debug)]
pub struct Program<'run> {
    /// Its arguments, the program first. Nothing secret: everybody inside can read them.
    pub arguments: Vec<OsString>,
    /// What it sees.
    pub enclosure: &'run Enclosure,
    /// Where its output goes.
    pub output: Output<'run>,
    /// How long it may take.
    pub timeout: Duration,
    /// What people are told that it does: `installing system packages`.
    pub purpose: &'run str,
}

impl Sandbox {
    /// Opens a sandbox that can be shown files below `folder`, with a way to the network where `network` says so.
    ///
    /// # Errors
    /// A machine that does not give the namespaces, and the cancellation.
    pub async fn open(
        folder: &Path,
        settings: &SandboxSettings,
        network: bool,
        cancellation: &CancellationToken,
    ) -> Result<Self, BuildError> {
        refuse_if_too_few(settings)?;
        let mut holder = Holder::start(folder, settings, cancellation).await?;
        holder.show(folder).await?;
        let shares_network = network && !protections::is_given(Protection::PrivateNetwork);
        let network = if network && !shares_network {
            Some(Network::connect(&holder, settings, cancellation).await?)
        } else {
            None
        };
        holder.forbid_more_namespaces().await?;
        let group = ControlGroup::create(settings);
        Ok(Self {
            network,
            shares_network,
            holder,
            group,
            settings: settings.clone(),
            folder: folder.to_owned(),
        })
    }

    /// The folder whose files can be shown.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets a further folder of this machine be shown. Its files must be readable for those inside.
    ///
    /// # Errors
    /// A folder that cannot be mounted.
    pub async fn show(&mut self, folder: &Path) -> Result<(), BuildError> {
        self.holder.show(folder).await
    }

    /// Gives a file or an empty folder to the user who is root inside.
    ///
    /// # Errors
    /// A file that does not exist, and a file system that has no owners.
    pub fn give(&self, path: &Path) -> Result<(), BuildError> {
        self.holder.identities().give(path)
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// It cannot be started, takes too long, uses too much space, or the build is cancelled. A program that ends
    /// with a failure of its own is no error here.
    pub async fn run(
        &self,
        program: Program<'_>,
        cancellation: &CancellationToken,
    ) -> Result<Finished, BuildError> {
        let mut arguments = self.holder.entry(self.network.is_some());
        arguments.extend(self.rlimits());
        let has_network = program.enclosure.network && (self.network.is_some() || self.shares_network);
        arguments.extend(program.enclosure.arguments(&self.holder, has_network)?);
        arguments.extend(lowest_class());
        arguments.extend(program.arguments);
        let watched = program.enclosure.writable();
        let running = process::Running {
            arguments,
            output: program.output,
            timeout: program.timeout,
            purpose: program.purpose,
            group: self.group.as_ref(),
            folder: &self.folder,
        };
        let disk = disk::Watch { folders: watched, settings: &self.settings, purpose: program.purpose };
        process::run(running, disk, cancellation).await
    }

    /// How often the kernel ended a process inside for want of memory; `None` where it does not tell.
    pub fn killed_for_memory(&self) -> Option<u64> {
        self.group.as_ref().and_then(ControlGroup::killed_for_memory)
    }

    fn rlimits(&self) -> Vec<OsString> {
        let mut limits: Vec<OsString> = ["prlimit", "--core=0", OPEN_FILES].map(OsString::from).into();
        limits.push(format!("--nproc={}", self.settings.processes).into());
        if self.group.as_ref().is_none_or(|group| !group.limits_memory()) {
            // Each process by itself: the best that can be done without a control group.
            limits.push(format!("--as={}", self.settings.memory).into());
        }
        limits
    }
}

/// Nothing inside runs while anybody else wants the processor or the disk, and all of it dies first when memory
/// runs out. Not so the fence itself: on a busy machine it would be set up, and end, late.
fn lowest_class() -> Vec<OsString> {
    ["chrt", "--idle", "0", "ionice", "--class", "3", "choom", "--adjust", "1000", "--"]
        .map(OsString::from)
        .into()
}

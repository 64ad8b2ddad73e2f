//! Builds as processes of their own: `imagewright build --plan - --supervised`.
//!
//! ```text
//! account.rs    as whom it runs
//! command.rs    the argument vector and the environment
//! process.rs    from its start to its end
//! room.rs       the folder with its credentials
//! session.rs    all processes of a build, to be ended with it
//! ```
//!
//! The plan goes in on standard input, which stays open for as long as the hub wants the build: a hub that is gone,
//! however it went, has ended the build with that. Events come back on standard output, line by line.

mod account;
mod command;
mod process;
mod room;
mod session;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use imagewright_engine::event::Event;
use imagewright_engine::summary::BuildSummary;
use imagewright_store::builds::Failure;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

pub use account::{Account, AccountError};
pub use room::{RegistryCredential, Room};

/// How builds are started on this machine.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The `imagewright` program.
    pub program: PathBuf,
    /// As whom builds run; as the hub's own user without.
    pub account: Option<Account>,
    /// The folder of their cache, which is theirs.
    pub cache: PathBuf,
    /// The folder in which each has its room.
    pub rooms: PathBuf,
    /// The machine's own configuration of builds, where it is not at its usual place.
    pub config: Option<PathBuf>,
    /// What a build finds in its environment besides its account: proxies, certificates, the search path.
    pub environment: Vec<(OsString, OsString)>,
    /// How far builds step back behind everything else, 0 to 19.
    pub nice: u8,
}

/// A build to be started.
#[derive(Debug)]
pub struct Order {
    /// The plan as one line of JSON, with the credentials of indexes and channels.
    pub plan: SecretString,
    /// How long it may take.
    pub limit: Duration,
}

/// How a build's process has ended.
#[derive(Debug)]
pub enum Ended {
    /// It has pushed its image.
    Succeeded(Box<BuildSummary>),
    /// It has failed, and said why.
    Failed(Failure),
    /// It was told to end.
    Cancelled,
    /// It took longer than it may.
    TimedOut,
    /// It is gone without a word: killed, or crashed.
    Died(String),
}

/// Who listens to a build.
pub trait Listener: Send {
    /// Something happened.
    fn event(&mut self, event: &Event, line: &str) -> impl Future<Output = ()> + Send;
    /// It wrote a line to standard error, or one that is no event.
    fn line(&mut self, line: &str) -> impl Future<Output = ()> + Send;
    /// It asks whether it may move its tags.
    fn may_publish(&mut self) -> impl Future<Output = bool> + Send;
}

impl Launcher {
    /// Runs a build to its end. Cancelling ends it in order; dropping the future ends it at once.
    pub async fn run(
        &self,
        order: &Order,
        listener: &mut impl Listener,
        cancellation: &CancellationToken,
    ) -> Ended {
        match process::run(self, order, listener, cancellation).await {
            Ok(ended) => ended,
            Err(error) => Ended::Died(format!("its process cannot be run: {error}")),
        }
    }

    /// Removes what builds that were killed have left: processes, mounts, folders.
    pub async fn sweep(&self) {
        process::sweep(self).await;
    }
}

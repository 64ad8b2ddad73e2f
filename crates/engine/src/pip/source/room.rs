//! Where source distributions are built: a place with the base's own files, fenced in. Who makes one is not the
//! concern of this folder; what is expected of it is.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio_util::sync::CancellationToken;

use crate::error::{BuildError, ErrorKind};

/// A place with the base's own root file system in which a program runs, fenced in. Hostile code runs there.
///
/// Between two calls of [`BuildRoom::run`] nothing runs in it: what a program has started ends with that program.
/// There need be no network, and nothing secret may be there.
pub trait BuildRoom: Send + Sync {
    /// A folder on this machine that the room sees at [`BuildRoom::inside`]. We, and those inside, can make files
    /// and folders in it. What the room writes there is hostile; those inside must be able to read what we write
    /// (files have mode 0644, folders 0755), and we what they have made readable for all.
    fn folder(&self) -> &Path;

    /// Where the room sees it: an absolute path without blanks, the same in every build, since it finds its way into
    /// what compilers make.
    fn inside(&self) -> &str;

    /// Runs an argument vector to its end. An exit status other than zero is no error.
    ///
    /// # Errors
    /// A room that does not work, the deadline ([`crate::error::ErrorKind::Timeout`]), and the cancellation.
    fn run<'a>(
        &'a self,
        command: RoomCommand,
        cancellation: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<RoomOutcome, BuildError>>;
}

/// Makes a room, when the first source distribution really has to be built.
pub trait RoomMaker: Send + Sync {
    /// Makes the room.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Unsupported`] where this machine cannot give any room: packages that have to be
    /// built are refused then, with this error's words as the reason.
    fn make<'a>(
        &'a self,
        cancellation: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Box<dyn BuildRoom>, BuildError>>;
}

/// A program to run in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomCommand {
    /// The program, as an absolute path in the room, and its arguments.
    pub arguments: Vec<String>,
    /// What is added to the environment that the base's configuration gives. Nothing secret.
    pub environment: Vec<(String, String)>,
    /// How long it may take.
    pub timeout: Duration,
    /// What people are told that it does: `building seqeval 1.2.2`.
    pub purpose: String,
}

/// How a program in a room ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomOutcome {
    /// Its exit status; `None` where a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to both outputs, as lines; bounded in number and length.
    pub lines: Vec<String>,
}

impl RoomOutcome {
    /// True when the program ended well.
    pub fn is_success(&self) -> bool {
        self.exit_code == Some(0)
    }
}

/// The one room of a build, made when it is needed and used by one after the other.
pub struct Rooms {
    maker: Box<dyn RoomMaker>,
    room: OnceCell<Mutex<Box<dyn BuildRoom>>>,
    /// Why there can be none on this machine.
    refusal: OnceLock<String>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rooms").field("made", &self.room.initialized()).finish_non_exhaustive()
    }
}

impl Rooms {
    /// A room that this maker will make.
    pub fn new(maker: Box<dyn RoomMaker>) -> Self {
        Self { maker, room: OnceCell::new(), refusal: OnceLock::new() }
    }

    /// Why this machine can give no room, once that was found out.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }

    /// Refuses all builds, whatever room there may be.
    pub(super) fn refuse(&self, why: String) -> BuildError {
        // Whoever comes next learns the same.
        let _ = self.refusal.set(why.clone());
        BuildError::new(ErrorKind::Unsupported, why)
    }

    /// The room, for one user at a time.
    ///
    /// # Errors
    /// As [`RoomMaker::make`].
    pub(super) async fn enter(
        &self,
        cancellation: &CancellationToken,
    ) -> Result<MutexGuard<'_, Box<dyn BuildRoom>>, BuildError> {
        let make = || async {
            self.maker.make(cancellation).await.map(Mutex::new).inspect_err(|error| {
                if error.kind() == ErrorKind::Unsupported {
                    // Whoever comes next learns the same.
                    let _ = self.refusal.set(error.message().to_owned());
                }
            })
        };
        Ok(self.room.get_or_try_init(make).await?.lock().await)
    }
}

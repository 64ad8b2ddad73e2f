//! A room without walls: programs run on this machine. For tests alone.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::error::{BuildError, ErrorKind};
use crate::pip::source::{BuildRoom, RoomCommand, RoomMaker, RoomOutcome};

/// Makes rooms without walls.
pub(super) struct OpenRoomMaker {
    pub(super) folder: PathBuf,
    pub(super) runs: Arc<AtomicUsize>,
    pub(super) refusal: Option<&'static str>,
}

struct OpenRoom {
    folder: PathBuf,
    inside: String,
    runs: Arc<AtomicUsize>,
}

impl RoomMaker for OpenRoomMaker {
    fn make<'a>(
        &'a self,
        _cancellation: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Box<dyn BuildRoom>, BuildError>> {
        Box::pin(async {
            if let Some(refusal) = self.refusal {
                return Err(BuildError::new(ErrorKind::Unsupported, refusal));
            }
            let folder = self.folder.join("room");
            std::fs::create_dir(&folder).unwrap();
            let inside = folder.to_str().unwrap().to_owned();
            Ok(Box::new(OpenRoom { folder, inside, runs: Arc::clone(&self.runs) }) as Box<dyn BuildRoom>)
        })
    }
}

impl BuildRoom for OpenRoom {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn inside(&self) -> &str {
        &self.inside
    }

    fn run<'a>(
        &'a self,
        command: RoomCommand,
        _cancellation: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<RoomOutcome, BuildError>> {
        Box::pin(async move {
            self.runs.fetch_add(1, Ordering::SeqCst);
            let (log, reader) = (self.folder.join("log"), std::fs::File::create);
            let file = reader(&log).unwrap();
            // The image's python3 is that of this machine.
            let running = tokio::process::Command::new("python3")
                .args(&command.arguments[1..])
                .envs(command.environment)
                .stdin(Stdio::null())
                .stdout(file.try_clone().unwrap())
                .stderr(file)
                .kill_on_drop(true)
                .status();
            let Ok(status) = tokio::time::timeout(command.timeout, running).await else {
                return Err(BuildError::new(
                    ErrorKind::Timeout,
                    format!("{} took too long", command.purpose),
                ));
            };
            let text = std::fs::read(&log).unwrap();
            let lines = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
            Ok(RoomOutcome { exit_code: status.unwrap().code(), signal: None, lines })
        })
    }
}

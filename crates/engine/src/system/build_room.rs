//! The sandbox as a place where packages are built from source: a container of the base, with its system packages.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use imagewright_oci::registry::Registry;

use super::base_store::{StepImage, unpacked};
use super::container::{Container, Fence, Step};
use super::output::teller;
use super::proxies::NetworkSettings;
use crate::cache::Cache;
use crate::cancel::CancellationToken;
use crate::error::BuildError;
use crate::event::Events;
use crate::pip::source::{BuildRoom, RoomCommand, RoomMaker, RoomOutcome};
use crate::sandbox::SandboxSettings;

/// Where a room sees the folder that it shares with us.
const INSIDE: &str = "/run/imagewright-work";

/// What people are told when the kernel ended something.
const OUT_OF_MEMORY: &str = "a process was ended: the step needed more memory than a step may have";

/// Makes a room of an image.
pub(crate) struct SandboxRooms {
    /// What it has the files of.
    pub(crate) image: StepImage,
    /// The cache as the owner sees it.
    pub(crate) cache: Cache,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) settings: SandboxSettings,
    pub(crate) events: Events,
    /// A folder of the build's own.
    pub(crate) staging: PathBuf,
    pub(crate) ca_bundles: Vec<PathBuf>,
}

impl RoomMaker for SandboxRooms {
    fn make<'a>(
        &'a self,
        cancellation: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Box<dyn BuildRoom>, BuildError>> {
        Box::pin(async move {
            let fence = Fence::open(&self.staging, &self.settings, cancellation).await?;
            let store = unpacked(&self.image, &self.cache, &self.registry, &fence, cancellation).await?;
            let network = NetworkSettings::gather(&self.ca_bundles, &fence.given())?;
            let folder = fence.folder_for("work")?;
            let container = Container::create(fence, &store, &self.image.identifier(), cancellation).await?;
            let events = self.events.clone();
            Ok(Box::new(SandboxRoom { container, folder, network, events }) as Box<dyn BuildRoom>)
        })
    }
}

/// A room in a sandbox.
struct SandboxRoom {
    container: Container,
    folder: PathBuf,
    network: NetworkSettings,
    events: Events,
}

impl BuildRoom for SandboxRoom {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn inside(&self) -> &str {
        INSIDE
    }

    fn run<'a>(
        &'a self,
        command: RoomCommand,
        cancellation: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<RoomOutcome, BuildError>> {
        Box::pin(async move {
            let see = teller(&self.events);
            let environment = [self.network.environment.clone(), command.environment].concat();
            let step = Step {
                arguments: &command.arguments,
                environment: &environment,
                folders: &[(self.folder.clone(), INSIDE, true)],
                // As with pip: build tools fetch what they need, such as crates.
                network: true,
                folder: "/",
                timeout: Some(command.timeout),
                purpose: &command.purpose,
            };
            let finished = self.container.run(&step, &see, cancellation).await?;
            let mut lines = finished.lines;
            if !finished.status.success() && self.container.was_killed_for_memory() {
                lines.push(OUT_OF_MEMORY.to_owned());
            }
            Ok(RoomOutcome { exit_code: finished.status.code(), signal: finished.status.signal(), lines })
        })
    }
}

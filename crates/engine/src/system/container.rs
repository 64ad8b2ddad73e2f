//! A container of a base inside the sandbox, run by buildah with chroot isolation.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::cancel::CancellationToken;
use crate::error::{BuildError, ErrorKind};
use crate::sandbox::{Enclosure, Finished, Output, Program, Sandbox, SandboxSettings};

/// Where things are seen inside the fence.
const STORE: &str = "/imagewright/store";
const BASE: &str = "/imagewright/base";
const LAYOUT: &str = "/imagewright/layout";
const GIVEN: &str = "/imagewright/given";

/// Where a step sees what it was given.
pub(crate) const GIVEN_IN_STEP: &str = "/run/imagewright";

/// The container's name.
const CONTAINER: &str = "step";

/// How long buildah may take for what runs nothing of the base: unpacking a large one is the longest.
const BUILDAH_TIMEOUT: Duration = Duration::from_mins(20);

/// Powers that a step does not have: a second chroot leads out of the first one, device files lead to disks, and raw
/// packets to whoever is on the network.
const DROPPED: [&str; 4] = ["CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_NET_RAW", "CAP_AUDIT_WRITE"];

/// Lines of buildah's that an error shows.
const SHOWN_LINES: usize = 12;

/// A sandbox that is set up to run buildah.
#[derive(Debug)]
pub(crate) struct Fence {
    sandbox: Sandbox,
    settings: SandboxSettings,
}

impl Fence {
    /// Opens a sandbox in a folder of the build's own.
    ///
    /// # Errors
    /// A machine that gives too few protections.
    pub(crate) async fn open(
        folder: &Path,
        settings: &SandboxSettings,
        cancellation: &CancellationToken,
    ) -> Result<Self, BuildError> {
        // Its own users walk through it, and nobody else has to.
        let mode = fs::Permissions::from_mode(0o711);
        fs::set_permissions(folder, mode).map_err(|error| BuildError::file("open", folder, error))?;
        write_settings(folder)?;
        let sandbox = Sandbox::open(folder, settings, true, cancellation).await?;
        let fence = Self { sandbox, settings: settings.clone() };
        fence.folder_for("temporary")?;
        fence.folder_for("given")?;
        Ok(fence)
    }

    /// Lets a folder of this machine be seen in what is run.
    pub(crate) async fn show(&mut self, folder: &Path) -> Result<(), BuildError> {
        self.sandbox.show(folder).await
    }

    /// A new folder that belongs to root inside, below the build's own.
    pub(crate) fn folder_for(&self, name: &str) -> Result<PathBuf, BuildError> {
        let path = self.sandbox.folder().join(name);
        fs::create_dir_all(&path).map_err(|error| BuildError::file("make the folder", &path, error))?;
        self.sandbox.give(&path)?;
        Ok(path)
    }

    /// The folder whose files a step sees at [`GIVEN_IN_STEP`], read-only: they are everybody's to read.
    pub(crate) fn given(&self) -> PathBuf {
        self.sandbox.folder().join("given")
    }

    /// What all programs inside see.
    fn enclosure(&self) -> Enclosure {
        let folder = self.sandbox.folder();
        Enclosure::default()
            .read_only(folder.join("etc"), "/etc")
            .writing(folder.join("temporary"), "/var/tmp")
            .variable("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .variable("HOME", "/root")
            .variable("TMPDIR", "/var/tmp")
            .variable("LC_ALL", "C")
            .variable("BUILDAH_ISOLATION", "chroot")
            .variable("STORAGE_DRIVER", "overlay")
            // Said to buildah, which would otherwise try to make a namespace of users of its own.
            .variable("_CONTAINERS_USERNS_CONFIGURED", "")
    }

    /// Runs buildah for what runs nothing of the base.
    async fn buildah(
        &self,
        enclosure: &Enclosure,
        arguments: &[&str],
        purpose: &str,
        cancellation: &CancellationToken,
    ) -> Result<(), BuildError> {
        let program = Program {
            arguments: std::iter::once("buildah").chain(arguments.iter().copied()).map(Into::into).collect(),
            enclosure,
            output: Output::Lines(&|_| {}),
            timeout: BUILDAH_TIMEOUT,
            purpose,
        };
        let finished = self.sandbox.run(program, cancellation).await?;
        if finished.status.success() { Ok(()) } else { Err(failed(purpose, &finished)) }
    }
}

/// The files that stand for this machine's `/etc`.
fn write_settings(folder: &Path) -> Result<(), BuildError> {
    let storage =
        format!("[storage]\ndriver = \"overlay\"\ngraphroot = \"{STORE}\"\nrunroot = \"/run/containers\"\n");
    let upon_base = format!("{storage}\n[storage.options]\nadditionalimagestores = [\"{BASE}\"]\n");
    let files = [
        ("containers/policy.json", r#"{"default": [{"type": "insecureAcceptAnything"}]}"#),
        ("containers/registries.conf", "unqualified-search-registries = []\n"),
        ("containers/storage.conf", storage.as_str()),
        ("containers/storage-upon-base.conf", upon_base.as_str()),
        ("passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("group", "root:x:0:\n"),
        ("hosts", "127.0.0.1 localhost\n"),
        ("resolv.conf", "nameserver 10.0.2.3\noptions edns0\n"),
    ];
    for (name, content) in files {
        let path = folder.join("etc").join(name);
        let parent = path.parent().unwrap_or(folder);
        let written = fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, content))
            .and_then(|()| fs::set_permissions(parent, fs::Permissions::from_mode(0o755)))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)));
        written.map_err(|error| BuildError::file("write", &path, error))?;
    }
    Ok(())
}

/// Unpacks the image of a layout into a store.
pub(super) async fn unpack(
    fence: &Fence,
    layout: &Path,
    store: &Path,
    cancellation: &CancellationToken,
) -> Result<(), BuildError> {
    let enclosure = fence.enclosure().writing(store, STORE).read_only(layout, LAYOUT);
    let image = format!("oci:{LAYOUT}:base");
    fence.buildah(&enclosure, &["pull", "--quiet", &image], "unpacking the base", cancellation).await
}

/// A container in which steps are run, one after the other.
#[derive(Debug)]
pub(crate) struct Container {
    fence: Fence,
    enclosure: Enclosure,
    /// The name of the layer that it writes to.
    layer: String,
}

/// A program of the base to run.
#[derive(Debug)]
pub(crate) struct Step<'run> {
    /// Its arguments, the program first.
    pub(crate) arguments: &'run [String],
    /// Variables besides the image's own.
    pub(crate) environment: &'run [(String, String)],
    /// Folders of the fence that are seen in it: where they are outside, where in the step, and whether they can
    /// be written to.
    pub(crate) folders: &'run [(PathBuf, &'run str, bool)],
    /// Whether it may use the network.
    pub(crate) network: bool,
    /// The folder in which it starts.
    pub(crate) folder: &'run str,
    /// How long it may take, where that is less than every step may.
    pub(crate) timeout: Option<Duration>,
    /// What people are told that it does.
    pub(crate) purpose: &'run str,
}

impl Container {
    /// Makes a container of an image that was unpacked to a store.
    ///
    /// # Errors
    /// What buildah gives.
    pub(crate) async fn create(
        mut fence: Fence,
        store: &Path,
        image: &str,
        cancellation: &CancellationToken,
    ) -> Result<Self, BuildError> {
        fence.show(store).await?;
        let own = fence.folder_for("store")?;
        let enclosure = fence
            .enclosure()
            .writing(&own, STORE)
            .read_only(store, BASE)
            .read_only(fence.given(), GIVEN)
            .variable("CONTAINERS_STORAGE_CONF", "/etc/containers/storage-upon-base.conf");
        let arguments = ["from", "--quiet", "--pull-never", "--name", CONTAINER, image];
        fence.buildah(&enclosure, &arguments, "starting from the base", cancellation).await?;
        // Now, as long as nothing of the base has run that could put something else there.
        let layer = container_layer(&own)?;
        Ok(Self { fence, enclosure, layer })
    }

    /// True when the kernel ended something inside for want of memory.
    pub(crate) fn was_killed_for_memory(&self) -> bool {
        self.fence.sandbox.killed_for_memory().is_some_and(|times| times > 0)
    }

    /// Runs a program of the base to its end. That it fails is no error here.
    ///
    /// # Errors
    /// A sandbox that fails, limits, and the cancellation.
    pub(crate) async fn run(
        &self,
        step: &Step<'_>,
        see: &(dyn Fn(&str) + Send + Sync),
        cancellation: &CancellationToken,
    ) -> Result<Finished, BuildError> {
        let mut enclosure = self.enclosure.clone();
        enclosure.network = step.network;
        let mut arguments: Vec<OsString> =
            ["buildah", "run", "--isolation", "chroot", "--user", "0:0"].map(OsString::from).into();
        arguments.extend(["--workingdir".into(), step.folder.into()]);
        for capability in DROPPED {
            arguments.extend(["--cap-drop".into(), capability.into()]);
        }
        for (name, value) in step.environment {
            arguments.extend(["--env".into(), format!("{name}={value}").into()]);
        }
        arguments.extend(["--volume".into(), format!("{GIVEN}:{GIVEN_IN_STEP}:ro").into()]);
        for (number, (outside, inside, writable)) in step.folders.iter().enumerate() {
            let place = format!("/imagewright/folders/{number}");
            let mode = if *writable { "rw" } else { "ro" };
            arguments.extend(["--volume".into(), format!("{place}:{inside}:{mode}").into()]);
            enclosure = if *writable {
                enclosure.writing(outside, place)
            } else {
                enclosure.read_only(outside, place)
            };
        }
        arguments.extend([CONTAINER.into(), "--".into()]);
        arguments.extend(step.arguments.iter().map(OsString::from));
        let longest = Duration::from_secs(self.fence.settings.timeout_seconds);
        let program = Program {
            arguments,
            enclosure: &enclosure,
            output: Output::Lines(see),
            timeout: step.timeout.map_or(longest, |timeout| timeout.min(longest)),
            purpose: step.purpose,
        };
        let mut finished = self.fence.sandbox.run(program, cancellation).await?;
        finished.lines.retain(|line| !is_buildahs(line));
        Ok(finished)
    }

    /// Gives all that the steps have changed to a reader, as a tar archive in the form of overlayfs.
    ///
    /// # Errors
    /// What the reader gives, and a sandbox that fails.
    pub(crate) async fn read_changes(
        &self,
        reader: impl FnOnce(File) -> Result<(), BuildError> + Send + 'static,
        cancellation: &CancellationToken,
    ) -> Result<(), BuildError> {
        let folder = format!("{STORE}/overlay/{}/diff", self.layer);
        let tar = ["tar", "--create", "--format=posix", "--xattrs", "--xattrs-include=*", "--numeric-owner"];
        let arguments = tar.into_iter().chain(["--sort=name", "--directory", &folder, "."]);
        let purpose = "reading what has changed";
        let program = Program {
            arguments: arguments.map(OsString::from).collect(),
            enclosure: &self.enclosure,
            output: Output::Reader(Box::new(reader)),
            timeout: BUILDAH_TIMEOUT,
            purpose,
        };
        let finished = self.fence.sandbox.run(program, cancellation).await?;
        if finished.status.success() { Ok(()) } else { Err(failed(purpose, &finished)) }
    }
}

/// The name of the layer that the container in a store writes to.
fn container_layer(store: &Path) -> Result<String, BuildError> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default)]
        names: Vec<String>,
        layer: String,
    }
    let path = store.join("overlay-containers/containers.json");
    let bytes = fs::read(&path).map_err(|error| BuildError::file("read", &path, error))?;
    let entries: Vec<Entry> = serde_json::from_slice(&bytes)
        .map_err(|error| BuildError::internal("buildah's container cannot be found").with_source(error))?;
    let found = entries.into_iter().find(|entry| entry.names.iter().any(|name| name == CONTAINER));
    found
        .map(|entry| entry.layer)
        .filter(|layer| layer.len() == 64 && layer.chars().all(|digit| digit.is_ascii_hexdigit()))
        .ok_or_else(|| BuildError::internal("buildah's container has no layer"))
}

/// True for what buildah says of a step that failed: the step has said it better.
fn is_buildahs(line: &str) -> bool {
    ["subprocess exited with status ", "Error: exit status ", "Error: while running runtime: exit status "]
        .iter()
        .any(|start| line.strip_prefix(start).is_some_and(|code| code.parse::<u8>().is_ok()))
}

/// The error of a program of ours inside the fence.
fn failed(purpose: &str, finished: &Finished) -> BuildError {
    let start = finished.lines.len().saturating_sub(SHOWN_LINES);
    BuildError::new(
        ErrorKind::SandboxFailed,
        format!("{purpose} failed in the sandbox ({})", finished.status),
    )
    .with_explanation(finished.lines[start..].join("\n"))
    .with_next_step("`imagewright doctor` tells whether this machine can run sandboxes")
}

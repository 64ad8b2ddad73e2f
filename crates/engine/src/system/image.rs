//! The system image: a base with its system packages, from the cache or made now.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::layer::index::{IndexLimits, LayerIndex, index_layer};
use imagewright_oci::registry::Registry;
use imagewright_oci::tree::ImageTree;
use imagewright_spec::AptPackage;
use serde::{Deserialize, Serialize};

use super::base_store::{StepImage, unpacked};
use super::container::{Container, Fence};
use super::detect::AptBase;
use super::install::{Installation, POLICY_PATH};
use super::layer::{LayerOptions, write_layer};
use super::output::teller;
use super::proxies::NetworkSettings;
use super::record::{LockedSystemPackage, installed_difference};
use crate::assemble::layer::LayerFacts;
use crate::base::blocking;
use crate::cache::{Cache, mark_used, read_checked, write_checked, write_entry};
use crate::cancel::CancellationToken;
use crate::error::BuildError;
use crate::event::Events;
use crate::sandbox::SandboxSettings;

/// Raised when the same packages on the same base would give another layer.
const FORMAT_VERSION: u32 = 1;

/// What a system image is made from.
pub(crate) struct SystemRequest<'build> {
    /// The image below it.
    pub(crate) image: StepImage,
    /// Its tree.
    pub(crate) tree: Arc<ImageTree>,
    /// What was found out about its APT.
    pub(crate) apt: &'build AptBase,
    /// Its reference, for people.
    pub(crate) reference: &'build str,
    pub(crate) packages: &'build [AptPackage],
    /// The exact versions that these and all others must have; none where apt decides.
    pub(crate) pins: &'build [LockedSystemPackage],
    pub(crate) compression: Compression,
    /// Seconds for which an earlier one is used again.
    pub(crate) freshness_seconds: u64,
    pub(crate) ca_bundles: &'build [PathBuf],
    /// The caller's proxies, `name=value`: behind another one there may be other mirrors.
    pub(crate) network: Vec<String>,
}

/// What a build works with.
pub(crate) struct SystemContext<'build> {
    /// The cache as the owner sees it: what came out of running a base is for nobody else.
    pub(crate) cache: &'build Cache,
    pub(crate) registry: &'build Arc<dyn Registry>,
    pub(crate) settings: &'build SandboxSettings,
    pub(crate) events: &'build Events,
    /// A folder of the build's own.
    pub(crate) staging: &'build Path,
    pub(crate) cancellation: &'build CancellationToken,
}

/// A system image.
#[derive(Debug, Clone)]
pub(crate) struct SystemImage {
    /// The layer above the base; `None` where everything was installed already.
    pub(crate) layer: Option<SystemLayer>,
    /// What was installed, sorted.
    pub(crate) packages: Vec<LockedSystemPackage>,
    /// Seconds since the Unix epoch at which it was made.
    pub(crate) made_at: u64,
    /// True when it was found in the cache.
    pub(crate) found: bool,
}

/// The layer of a system image.
#[derive(Debug, Clone)]
pub(crate) struct SystemLayer {
    pub(crate) facts: LayerFacts,
    pub(crate) compression: Compression,
    /// Where its bytes are.
    pub(crate) file: PathBuf,
    /// What it changes.
    pub(crate) index: Arc<LayerIndex>,
}

/// What is kept of a system image besides its layer.
#[derive(Serialize, Deserialize)]
struct Record {
    made_at: u64,
    facts: Option<LayerFacts>,
    packages: Vec<LockedSystemPackage>,
}

/// The system image of a request: one that is fresh enough, or a new one.
///
/// # Errors
/// What apt, the sandbox and the disk give.
pub(crate) async fn system_image(
    request: &SystemRequest<'_>,
    context: &SystemContext<'_>,
) -> Result<SystemImage, BuildError> {
    let key = key(request);
    for folder in [context.cache.system(), context.cache.index()] {
        fs::create_dir_all(&folder)
            .map_err(|error| BuildError::file("make the cache folder", &folder, error))?;
    }
    if let Some(found) = find(request, context.cache, &key).await? {
        return Ok(found);
    }
    make(request, context, &key).await
}

/// Names everything that a system image depends on, but for what the mirrors offer today.
fn key(request: &SystemRequest<'_>) -> Digest {
    let mut packages: Vec<String> = request.packages.iter().map(ToString::to_string).collect();
    packages.sort();
    packages.dedup();
    packages
        .extend(request.pins.iter().map(|pin| format!("{}:{}={}", pin.name, pin.architecture, pin.version)));
    let mut hasher = Sha256Hasher::new();
    let fixed = [
        format!("system {FORMAT_VERSION} {}", env!("CARGO_PKG_VERSION")),
        request.image.digest().to_string(),
        request.network.join(" "),
        request.compression.fingerprint(),
    ];
    for field in fixed.iter().chain(&packages) {
        hasher.update(field.as_bytes());
        hasher.update(b"\0");
    }
    hasher.finish().0
}

fn layer_path(cache: &Cache, key: &Digest) -> PathBuf {
    cache.system().join(format!("{}.layer", key.hex()))
}

async fn find(
    request: &SystemRequest<'_>,
    cache: &Cache,
    key: &Digest,
) -> Result<Option<SystemImage>, BuildError> {
    let Some(bytes) = read_checked(&cache.system().join(key.hex()))? else { return Ok(None) };
    let Ok(record) = serde_json::from_slice::<Record>(&bytes) else { return Ok(None) };
    if crate::build::now().saturating_sub(record.made_at) > request.freshness_seconds {
        return Ok(None);
    }
    let Record { made_at, facts, packages } = record;
    let Some(facts) = facts else {
        return Ok(Some(SystemImage { layer: None, packages, made_at, found: true }));
    };
    let file = layer_path(cache, key);
    let (path, index_path) = (file.clone(), cache.index().join(facts.digest.hex()));
    // Read whole: a damaged one is made anew, and does not end the build when it is pushed.
    let index = blocking(move || sound(&path, &facts, &index_path)).await?;
    Ok(index.map(|index| {
        mark_used(&file);
        let layer = SystemLayer { facts, compression: request.compression, file, index: Arc::new(index) };
        SystemImage { layer: Some(layer), packages, made_at, found: true }
    }))
}

/// The index of a layer whose file is what it was.
fn sound(path: &Path, facts: &LayerFacts, index_path: &Path) -> Option<LayerIndex> {
    let mut hasher = Sha256Hasher::new();
    let mut file = File::open(path).ok()?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match std::io::Read::read(&mut file, &mut buffer).ok()? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    if hasher.finish().0 != facts.digest {
        return None;
    }
    let stored = File::open(index_path).ok().and_then(|file| LayerIndex::load(BufReader::new(file)).ok());
    stored.or_else(|| index_layer(File::open(path).ok()?, IndexLimits::default()).ok())
}

async fn make(
    request: &SystemRequest<'_>,
    context: &SystemContext<'_>,
    key: &Digest,
) -> Result<SystemImage, BuildError> {
    let made_at = crate::build::now();
    let cancellation = context.cancellation;
    let fence = Fence::open(context.staging, context.settings, cancellation).await?;
    let store = unpacked(&request.image, context.cache, context.registry, &fence, cancellation).await?;
    let network = NetworkSettings::gather(request.ca_bundles, &fence.given())?;
    Installation::prepare(&fence, request.pins)?;
    let with_policy = !matches!(request.tree.resolve(POLICY_PATH), Ok(Some(_)));
    let installation = Installation {
        packages: request.packages,
        is_pinned: !request.pins.is_empty(),
        base: request.reference,
        system: &request.apt.system,
        epoch: request.apt.epoch,
        network: &network,
        with_policy,
    };
    let container = Container::create(fence, &store, &request.image.identifier(), cancellation).await?;
    installation.run(&container, context.staging, &teller(context.events), cancellation).await?;

    let made = context.staging.join("system.layer");
    let options = LayerOptions {
        base: Arc::clone(&request.tree),
        compression: request.compression,
        began: i64::try_from(made_at).unwrap_or(i64::MAX),
        epoch: request.apt.epoch,
        ours: if with_policy { vec![POLICY_PATH.to_owned()] } else { Vec::new() },
    };
    let output = made.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = move |changes: File| {
        let written = write_layer(BufReader::with_capacity(256 << 10, changes), &options, &output)?;
        // The receiver waits for nothing else.
        let _ = sender.send(written);
        Ok(())
    };
    container.read_changes(reader, cancellation).await?;
    let written = receiver
        .try_recv()
        .map_err(|error| BuildError::internal("what the step changed was not read").with_source(error))?;
    let Some(written) = written else {
        remember(context.cache, key, &Record { made_at, facts: None, packages: Vec::new() })?;
        return Ok(SystemImage { layer: None, packages: Vec::new(), made_at, found: false });
    };
    for note in &written.notes {
        context.events.log(note.clone());
    }
    let facts = written.facts;
    let file = layer_path(context.cache, key);
    fs::rename(&made, &file).map_err(|error| BuildError::file("keep the layer in", &file, error))?;
    let (path, index_path) = (file.clone(), context.cache.index().join(facts.digest.hex()));
    let index = blocking(move || -> Result<LayerIndex, BuildError> {
        let opened = File::open(&path).map_err(|error| BuildError::file("read", &path, error))?;
        let index = index_layer(opened, IndexLimits::default())
            .map_err(|error| BuildError::internal("a layer of ours cannot be read").with_source(error))?;
        write_entry(&index_path, |file| index.store(file))?;
        Ok(index)
    })
    .await??;
    let mut tree = ImageTree::clone(&request.tree);
    tree.apply(&index)
        .map_err(|error| BuildError::internal("a layer of ours does not fit its base").with_source(error))?;
    let packages = installed_difference(&request.tree, &tree);
    remember(context.cache, key, &Record { made_at, facts: Some(facts), packages: packages.clone() })?;
    let layer = SystemLayer { facts, compression: request.compression, file, index: Arc::new(index) };
    Ok(SystemImage { layer: Some(layer), packages, made_at, found: false })
}

fn remember(cache: &Cache, key: &Digest, record: &Record) -> Result<(), BuildError> {
    let bytes = serde_json::to_vec(record).map_err(|error| {
        BuildError::internal("a system image's record cannot be written").with_source(error)
    })?;
    write_checked(&cache.system().join(key.hex()), &bytes)
}

//! Making the frames of packages, several at once: while one wheel downloads, another is compiled and a third
//! is compressed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::tree::ImageTree;
use tokio::sync::Semaphore;

use super::staged::{StagedFacts, StagedKey};
use super::together::{Placed, prepare_together};
use crate::assemble::frame::{FrameKey, write_frame};
use crate::assemble::overlap::Overlaps;
use crate::assemble::placement::{Placement, Placer};
use crate::base::blocking;
use crate::cache::{Cache, StagingFolder};
use crate::cancel::CancellationToken;
use crate::error::BuildError;
use crate::event::RunningStep;
use crate::lock::LockedPackage;
use crate::scope::Scope;
use crate::wheel::{BytecodeCompiler, InstallScheme, StageOptions, WheelLimits, stage_wheel};

/// Gives the verified wheel of a locked package: from the cache, or by downloading it.
pub trait PackageSource: Send + Sync {
    /// The wheel.
    fn wheel<'a>(&'a self, package: &'a LockedPackage) -> BoxFuture<'a, Result<LocalWheel, BuildError>>;
}

/// A verified wheel on this machine.
#[derive(Debug, Clone)]
pub struct LocalWheel {
    /// Where it is.
    pub path: PathBuf,
    /// For whom it is, and all that is made of it.
    pub scope: Scope,
}

/// A package whose frame is in the cache.
#[derive(Debug, Clone)]
pub struct PreparedPackage {
    /// What is in it.
    pub facts: Arc<StagedFacts>,
    /// Where its files go.
    pub placement: Arc<Placement>,
    /// Its frame.
    pub frame: FrameKey,
    /// For whom the frame is.
    pub scope: Scope,
    /// Compressed bytes of the frame.
    pub size: u64,
    /// True when the frame was made in this build.
    pub fresh: bool,
}

impl Placed for PreparedPackage {
    fn label(&self) -> &str {
        &self.facts.name
    }

    fn placement(&self) -> &Placement {
        &self.placement
    }
}

/// Everything that preparing packages needs.
pub struct Preparer {
    /// Where frames are kept.
    pub cache: Cache,
    /// The scopes in which frames of earlier builds may be found, the best first.
    pub scopes: Vec<Scope>,
    /// This build's own folder.
    pub staging: Arc<StagingFolder>,
    /// The base's tree, with replaced packages taken out.
    pub tree: Arc<ImageTree>,
    /// The target's folders.
    pub scheme: Arc<InstallScheme>,
    /// Makes bytecode, where a trusted interpreter of the exact version is at hand.
    pub compiler: Option<Arc<BytecodeCompiler>>,
    /// Codec of the frames.
    pub compression: Compression,
    /// Gives wheels.
    pub source: Arc<dyn PackageSource>,
    /// One permit a processor: staging, compiling and compressing hold one.
    pub processors: Arc<Semaphore>,
    /// Ends the work.
    pub cancellation: CancellationToken,
}

impl Preparer {
    /// Prepares all packages, given in pip's order, and settles the paths that several of them bring. Returns
    /// them in the same order, with the overlaps to tell people of.
    ///
    /// # Errors
    /// Downloads that fail, wheels that are refused, files that cannot be placed, a full disk.
    pub async fn prepare(
        &self,
        packages: &[LockedPackage],
        step: &RunningStep,
    ) -> Result<(Vec<PreparedPackage>, Overlaps), BuildError> {
        let prepare =
            async |at: usize, left_out: &BTreeSet<String>| self.package(&packages[at], left_out).await;
        prepare_together(packages.len(), prepare, step, &self.cancellation).await
    }

    /// Makes one package's frame, or finds it.
    async fn package(
        &self,
        package: &LockedPackage,
        left_out: &BTreeSet<String>,
    ) -> Result<PreparedPackage, BuildError> {
        let key = StagedKey::new(
            &package.sha256,
            &self.scheme,
            self.compiler.as_deref().map(BytecodeCompiler::interpreter),
            package.direct_url.as_deref(),
        );
        for scope in &self.scopes {
            if let Some(found) = self.find(package, key, left_out.clone(), scope.clone()).await? {
                return Ok(found);
            }
        }
        let wheel = self.source.wheel(package).await?;
        self.make(package, wheel, key, left_out.clone()).await
    }

    /// The frame of an earlier build, in one scope.
    async fn find(
        &self,
        package: &LockedPackage,
        key: StagedKey,
        left_out: BTreeSet<String>,
        scope: Scope,
    ) -> Result<Option<PreparedPackage>, BuildError> {
        let (cache, tree, compression) = (self.cache.of(&scope), Arc::clone(&self.tree), self.compression);
        let name = package.name.clone();
        blocking(move || {
            let Some(facts) = StagedFacts::known(&cache, key)? else { return Ok(None) };
            let placement = Placer::new(&tree).place(&name, facts.paths.iter().map(String::as_str))?;
            let frame = FrameKey::new(key.0, &placement, &left_out, compression);
            let size = frame.cached_size(&cache);
            Ok(size.map(|size| PreparedPackage {
                facts: Arc::new(facts),
                placement: Arc::new(placement),
                frame,
                scope,
                size,
                fresh: false,
            }))
        })
        .await?
    }

    /// Stages the wheel and compresses its frame, on one processor.
    async fn make(
        &self,
        package: &LockedPackage,
        wheel: LocalWheel,
        key: StagedKey,
        left_out: BTreeSet<String>,
    ) -> Result<PreparedPackage, BuildError> {
        let permit = Arc::clone(&self.processors)
            .acquire_owned()
            .await
            .map_err(|error| BuildError::internal("the build's processors are gone").with_source(error))?;
        let stop = StopOnDrop::new();
        let stopped = stop.flag();
        let LocalWheel { path: wheel, scope } = wheel;
        let (cache, tree, scheme) = (self.cache.of(&scope), Arc::clone(&self.tree), Arc::clone(&self.scheme));
        let (compiler, compression) = (self.compiler.clone(), self.compression);
        let (staging, package) = (Arc::clone(&self.staging), package.clone());
        let outcome = blocking(move || {
            // Held until the work on this thread has really ended, also when nobody waits for it any more.
            let _permit = permit;
            let folder = staging.subfolder(&key.0.hex())?;
            let options = StageOptions {
                direct_url: package.direct_url.clone(),
                bytecode: compiler.as_deref(),
                leave_out_tests: true,
                limits: WheelLimits::default(),
            };
            let staged = stage_wheel(&wheel, &scheme, &options, &folder, &stopped)?;
            let facts = StagedFacts::of(&staged);
            let placement =
                Placer::new(&tree).place(&package.name, facts.paths.iter().map(String::as_str))?;
            let frame = FrameKey::new(key.0, &placement, &left_out, compression);
            let size =
                write_frame(&cache, &frame, &staged.files, &placement, &left_out, compression, &stopped)?;
            facts.remember(&cache, key)?;
            drop(staged);
            // Frees the space early; the build's own folder goes in any case.
            let _ = std::fs::remove_dir_all(&folder);
            Ok(PreparedPackage {
                facts: Arc::new(facts),
                placement: Arc::new(placement),
                frame,
                scope,
                size,
                fresh: true,
            })
        })
        .await?;
        drop(stop);
        outcome
    }
}

/// Tells work on another thread to stop when the future that waits for it is dropped.
pub(crate) struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

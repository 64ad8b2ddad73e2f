//! One platform's image, from its base to a manifest in the registry. The tag is not moved here.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use imagewright_oci::manifest::Platform;
use imagewright_oci::media_type::OCI_MANIFEST;
use imagewright_oci::registry::{ResolvedImage, TagOrDigest};
use imagewright_oci::tree::ImageTree;
use serde::Serialize;

use super::image::{AssembledImage, assemble};
use super::layers::{BuiltLayer, LayerInputs, measure, recipes};
use super::record::{BuildRecord, RecordKey, now};
use super::target::{PythonBase, compiler, scheme};
use super::wheels::WheelSource;
use super::{BuiltPlatform, Shared};
use crate::assemble::manifest::NewManifest;
use crate::assemble::overlap::Overlaps;
use crate::assemble::removal::{Removal, RemovedPackage};
use crate::base::{self, Base, OwnImage, blocking};
use crate::error::BuildError;
use crate::event::{RunningStep, Step, Unit};
use crate::lock::Lock;
use crate::packages::{PreparedPackage, Preparer};
use crate::publish::{Publisher, Reused};
use crate::python::installed::{InstalledDistribution, Owner};
use crate::summary::{PlatformImage, StepSeconds};

/// Blobs that are looked up or moved at the same time.
const CONCURRENT_BLOBS: usize = 6;

/// What a dry run says of one platform.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedImage {
    /// `linux/amd64`.
    pub platform: String,
    /// Digest of the base's manifest.
    pub base_digest: imagewright_oci::digest::Digest,
    /// Packages that would be added, in pip's order.
    pub packages: Vec<PlannedPackage>,
    /// Packages of the base that would be replaced, `name old → new`.
    pub replaced: Vec<String>,
    /// Packages of the base that satisfy a requirement, `name==version`.
    pub kept: Vec<String>,
}

/// A package that would be added.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedPackage {
    /// Normalised name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Name of the wheel.
    pub file: String,
    /// Bytes of the wheel, where they could be told.
    pub size: Option<u64>,
    /// True when nothing of it is on this machine yet.
    pub new: bool,
}

impl Shared<'_> {
    pub(super) async fn dry_run(&self, platform: &Platform) -> Result<PlannedImage, BuildError> {
        let (image, own) = self.find_base(platform).await?;
        let base_digest = image.digest();
        let step = self.context.events.start(Step::Base, Some(&platform.to_string()));
        let base = self.load_base(image, own.as_ref(), &step).await?;
        step.finish(describe_base(&base));
        let python = self.python(&base)?;
        let step = self.context.events.start(Step::Resolve, Some(&platform.to_string()));
        let lock = self.resolve(&base, own.as_ref(), python.as_ref(), platform).await?;
        step.finish(format!("{} packages", lock.pip.len()));
        let downloader = self.downloader()?;
        let sizes = stream::iter(&lock.pip)
            .map(|package| async {
                let cached = self.context.cache.wheel_size(package);
                let size = match cached {
                    Some(size) => Some(size),
                    None => downloader.size(&package.url).await,
                };
                PlannedPackage {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    file: package.file.clone(),
                    size,
                    new: cached.is_none(),
                }
            })
            .buffered(8);
        Ok(PlannedImage {
            platform: platform.to_string(),
            base_digest,
            packages: sizes.collect().await,
            replaced: replaced_lines(&lock),
            kept: lock.kept,
        })
    }

    /// Builds and pushes one platform's image by digest.
    pub(super) async fn platform(&self, platform: &Platform) -> Result<BuiltPlatform, BuildError> {
        let name = platform.to_string();
        let events = &self.context.events;
        let mut steps = Vec::new();
        let publisher = self.publisher();

        let step = events.start(Step::Base, Some(&name));
        let (image, own) = self.find_base(platform).await?;
        let key = RecordKey::new(self.plan, platform, &image.digest());
        let record = if self.plan.fresh {
            None
        } else {
            BuildRecord::find(&self.context.cache, key, self.plan.freshness_seconds)?
        };
        if let Some(record) = &record
            && self.is_published(&publisher, record).await?
        {
            let seconds = step.finish("the very same image was built before");
            steps.push(StepSeconds { step: Step::Base, seconds });
            return self.unchanged(platform, record, steps).await;
        }
        let base = self.load_base(image, own.as_ref(), &step).await?;
        self.counters.add_read(base.bytes_read);
        steps.push(StepSeconds { step: Step::Base, seconds: step.finish(describe_base(&base)) });

        let step = events.start(Step::Resolve, Some(&name));
        let python = self.python(&base)?;
        let (lock, resolved_at) = match record {
            Some(record) => (record.lock, record.resolved_at),
            None => (self.resolve(&base, own.as_ref(), python.as_ref(), platform).await?, now()),
        };
        steps.push(StepSeconds { step: Step::Resolve, seconds: step.finish(describe_lock(&lock)) });

        let step = events.start(Step::Packages, Some(&name));
        let (removal, reduced) = self.removal(&base, &lock)?;
        let (prepared, downloaded) = match &python {
            Some(python) => self.prepare(python, &lock, &reduced, &step).await?,
            None => (Vec::new(), 0),
        };
        let fresh = prepared.iter().filter(|package| package.fresh).count();
        let detail =
            format!("{fresh} made, {} from the cache, {downloaded} bytes downloaded", prepared.len() - fresh);
        steps.push(StepSeconds { step: Step::Packages, seconds: step.finish(detail) });

        let step = events.start(Step::Layers, Some(&name));
        let inputs = LayerInputs {
            whole: &base.foundation.tree,
            reduced: &reduced,
            removal: &removal,
            locked: &lock.pip,
            prepared: &prepared,
            foundation_layers: base.foundation.layers.len(),
            compression: self.plan.compression,
        };
        let recipes = recipes(&inputs)?;
        let layers = measure(recipes, &self.context.cache, &publisher, &self.processors).await?;
        let assembled = assemble(&base, &lock, &layers, &self.plan.spec.spec_hash())?;
        steps.push(StepSeconds {
            step: Step::Layers,
            seconds: step.finish(format!("{} layers", layers.len())),
        });

        let step = events.start(Step::Push, Some(&name));
        self.push(&publisher, &base, &layers, &assembled, &step).await?;
        let detail = format!("{} bytes uploaded", self.counters.uploaded());
        steps.push(StepSeconds { step: Step::Push, seconds: step.finish(detail) });

        let image = platform_image(&name, &base, &lock, &assembled);
        let record = BuildRecord {
            resolved_at,
            lock,
            manifest: String::from_utf8_lossy(&assembled.manifest.bytes).into_owned(),
            config: String::from_utf8_lossy(&assembled.config).into_owned(),
            blobs: [vec![assembled.config_descriptor.clone()], assembled.layers.clone()].concat(),
            image: image.clone(),
        };
        record.remember(&self.context.cache, key)?;
        Ok(BuiltPlatform {
            platform: platform.clone(),
            manifest: assembled.manifest,
            image,
            steps,
            unchanged: false,
        })
    }

    async fn find_base(&self, platform: &Platform) -> Result<(ResolvedImage, Option<OwnImage>), BuildError> {
        let reference = &self.plan.spec.base;
        let identifier = match reference.digest() {
            Some(digest) => TagOrDigest::Digest(digest.parse().map_err(|error| {
                BuildError::new(
                    crate::error::ErrorKind::SpecInvalid,
                    format!("the digest of {reference} is malformed"),
                )
                .with_next_step("write sha256: and 64 hexadecimal digits")
                .with_source(error)
            })?),
            None => TagOrDigest::tag(reference.tag_or_latest()),
        };
        let registry = &*self.context.registry;
        let image = registry.resolve(reference.repository_reference(), &identifier, platform).await?;
        let own = OwnImage::of(registry, &image).await?;
        if own.is_some() {
            self.context
                .events
                .log(format!("{reference} was built by Imagewright: its packages are laid out anew"));
        }
        Ok((image, own))
    }

    async fn load_base(
        &self,
        image: ResolvedImage,
        own: Option<&OwnImage>,
        step: &RunningStep,
    ) -> Result<Base, BuildError> {
        let foundation_layers = own.map_or(image.manifest.layers.len(), |own| own.base_layers);
        let context = self.context;
        base::load(
            Arc::clone(&context.registry),
            image,
            foundation_layers,
            &context.cache,
            step,
            &context.cancellation,
        )
        .await
    }

    /// Reads the base's Python, where pip packages are asked for.
    fn python(&self, base: &Base) -> Result<Option<PythonBase>, BuildError> {
        if self.plan.spec.pip.requirements.is_empty() {
            return Ok(None);
        }
        let python = PythonBase::read(&base.tree, &base.config)?;
        let events = &self.context.events;
        for notice in python.target.notices.iter().chain(&python.settings.notices) {
            events.log(notice.clone());
        }
        for warning in &python.installed.warnings {
            events.log(warning.clone());
        }
        Ok(Some(python))
    }

    fn publisher(&self) -> Publisher {
        Publisher {
            registry: Arc::clone(&self.context.registry),
            target: self.plan.to.repository_reference().clone(),
            layer_repository: self.plan.layer_repository.clone(),
            cache: self.context.cache.clone(),
            events: self.context.events.clone(),
            counters: Arc::clone(&self.counters),
            layer_repository_refused: AtomicBool::new(false),
        }
    }

    /// True when every part of an earlier build is still readable in the target repository.
    async fn is_published(&self, publisher: &Publisher, record: &BuildRecord) -> Result<bool, BuildError> {
        let digest = TagOrDigest::Digest(record.image.digest);
        if self.context.registry.head_manifest(&publisher.target, &digest).await?.is_none() {
            return Ok(false);
        }
        let readable = stream::iter(&record.blobs)
            .map(|blob| publisher.is_readable(&publisher.target, blob))
            .buffer_unordered(CONCURRENT_BLOBS);
        readable.try_all(|readable| async move { readable }).await
    }

    /// An image that was built before and is still there.
    async fn unchanged(
        &self,
        platform: &Platform,
        record: &BuildRecord,
        steps: Vec<StepSeconds>,
    ) -> Result<BuiltPlatform, BuildError> {
        for blob in &record.blobs {
            self.counters.add_reused_layer(blob.size);
        }
        let bytes = record.manifest_bytes();
        let manifest = NewManifest { digest: record.image.digest, bytes, media_type: OCI_MANIFEST };
        Ok(BuiltPlatform {
            platform: platform.clone(),
            manifest,
            image: record.image.clone(),
            steps,
            unchanged: true,
        })
    }

    /// What has to go of the foundation, and its tree without that.
    fn removal(&self, base: &Base, lock: &Lock) -> Result<(Removal, Arc<ImageTree>), BuildError> {
        let whole = &base.foundation.tree;
        if lock.pip.is_empty() {
            return Ok((Removal::default(), Arc::clone(whole)));
        }
        let python = PythonBase::read(whole, &base.config)?;
        let site_folders: Vec<String> = [&python.target.install.purelib, &python.target.install.platlib]
            .into_iter()
            .filter_map(|folder| whole.real_folder(folder).ok())
            .collect();
        let mut removed = Vec::new();
        for distribution in &python.installed.distributions {
            let name = distribution.name.to_string();
            if lock.pip.iter().any(|locked| locked.name == name) {
                removed.extend(self.removed(distribution, &site_folders, whole));
            }
        }
        let removal = Removal::plan(whole, &removed);
        if removal.is_empty() {
            return Ok((removal, Arc::clone(whole)));
        }
        let mut reduced = ImageTree::clone(whole);
        removal.apply(&mut reduced);
        Ok((removal, Arc::new(reduced)))
    }

    /// The files of a replaced distribution; `None` where it stays and is shadowed.
    fn removed(
        &self,
        distribution: &InstalledDistribution,
        site_folders: &[String],
        tree: &ImageTree,
    ) -> Option<RemovedPackage> {
        let events = &self.context.events;
        let label = format!("{} {}", distribution.name, distribution.version);
        if !site_folders.contains(&distribution.folder) {
            // As with pip: what is outside of the environment stays, behind the new one on `sys.path`.
            events
                .log(format!("{label} in /{} stays and is shadowed by the new version", distribution.folder));
            return None;
        }
        let Some(files) = distribution.files(tree) else {
            events.warn(format!(
                "{label} of the base cannot be removed whole: nothing lists its files; the new version is laid over it"
            ));
            return None;
        };
        if distribution.owner != Owner::Pip {
            events.warn(format!(
                "{label} was put into the base by another package manager, which does not learn that it is replaced"
            ));
        }
        Some(RemovedPackage { label, site_folder: distribution.folder.clone(), files })
    }

    /// Makes the frames of all packages. Returns them with the bytes that were downloaded.
    async fn prepare(
        &self,
        python: &PythonBase,
        lock: &Lock,
        reduced: &Arc<ImageTree>,
        step: &RunningStep,
    ) -> Result<(Vec<PreparedPackage>, u64), BuildError> {
        let context = self.context;
        let compiler = compiler(&python.target, &context.events).await?;
        let cache_tag = compiler.as_ref().map(|compiler| compiler.interpreter().cache_tag.clone());
        let cache = context.cache.clone();
        let staging = blocking(move || cache.staging_folder()).await??;
        let source = Arc::new(WheelSource::new(self.downloader()?, context.cancellation.clone()));
        let preparer = Preparer {
            cache: context.cache.clone(),
            staging: Arc::new(staging),
            tree: Arc::clone(reduced),
            scheme: Arc::new(scheme(&python.target, cache_tag.as_deref())),
            compiler,
            compression: self.plan.compression,
            source: Arc::clone(&source) as _,
            processors: Arc::clone(&self.processors),
            cancellation: context.cancellation.clone(),
        };
        let (prepared, overlaps) = preparer.prepare(&lock.pip, step).await?;
        self.report(&prepared, &overlaps);
        Ok((prepared, source.downloaded()))
    }

    fn report(&self, prepared: &[PreparedPackage], overlaps: &Overlaps) {
        let events = &self.context.events;
        for package in prepared {
            for warning in &package.facts.warnings {
                events.log(format!("{}: {warning}", package.facts.name));
            }
        }
        for overlap in &overlaps.overlaps {
            let (kept, others) =
                overlap.packages.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
            events.log(format!(
                "/{} is in {} and {kept}: that of {kept} is used",
                overlap.path,
                others.join(", ")
            ));
        }
    }

    /// Pushes everything but the tag.
    async fn push(
        &self,
        publisher: &Publisher,
        base: &Base,
        layers: &[BuiltLayer],
        image: &AssembledImage,
        step: &RunningStep,
    ) -> Result<(), BuildError> {
        let total: u64 = image.layers.iter().map(|layer| layer.size).sum();
        let done = std::sync::atomic::AtomicU64::new(0);
        let moved = |size: u64| {
            let done = done.fetch_add(size, std::sync::atomic::Ordering::Relaxed) + size;
            step.progress(done, total, Unit::Bytes);
        };
        let source = &base.image.repository;
        let copies = stream::iter(&base.foundation.layers).map(|layer| async {
            match publisher.copy(source, layer).await? {
                Reused::Yes => self.counters.add_reused_layer(layer.size),
                Reused::No => {}
            }
            moved(layer.size);
            Ok::<_, BuildError>(())
        });
        let copies = copies.buffer_unordered(CONCURRENT_BLOBS).try_collect::<Vec<()>>();
        let uploads = stream::iter(layers).map(|layer| async {
            match publisher.put_layer(&layer.recipe, &layer.facts).await? {
                Some(Reused::Yes) => self.counters.add_reused_layer(layer.facts.size),
                Some(Reused::No) => self.counters.add_new_layer(layer.facts.size),
                None => {
                    return Err(BuildError::internal("a package's frame disappeared from the cache")
                        .with_next_step("was the cache trimmed meanwhile? build again"));
                }
            }
            moved(layer.facts.size);
            Ok::<_, BuildError>(())
        });
        let uploads = uploads.buffer_unordered(CONCURRENT_BLOBS).try_collect::<Vec<()>>();
        let config = publisher.put_bytes(&image.config_descriptor, image.config.clone());
        tokio::try_join!(copies, uploads, config)?;
        self.put_manifest(publisher, &image.manifest, image.lock.clone()).await
    }

    async fn put_manifest(
        &self,
        publisher: &Publisher,
        manifest: &NewManifest,
        lock: Bytes,
    ) -> Result<(), BuildError> {
        let digest = TagOrDigest::Digest(manifest.digest);
        let registry = &self.context.registry;
        registry
            .put_manifest(&publisher.target, &digest, manifest.media_type, manifest.bytes.clone())
            .await?;
        publisher.put_lock(lock, manifest).await
    }
}

fn describe_base(base: &Base) -> String {
    let system =
        base::operating_system(&base.tree).map_or_else(|| "no os-release".to_owned(), |system| system.name);
    format!("{system}, {} layers, {} paths", base.image.manifest.layers.len(), base.tree.len())
}

fn describe_lock(lock: &Lock) -> String {
    format!("{} packages to add, {} kept from the base", lock.pip.len(), lock.kept.len())
}

fn replaced_lines(lock: &Lock) -> Vec<String> {
    lock.replaced.iter().map(|one| format!("{} {} → {}", one.name, one.old, one.new)).collect()
}

fn platform_image(platform: &str, base: &Base, lock: &Lock, assembled: &AssembledImage) -> PlatformImage {
    let mut added: Vec<String> =
        lock.pip.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
    added.sort();
    PlatformImage {
        platform: platform.to_owned(),
        digest: assembled.manifest.digest,
        base_digest: base.image.digest(),
        revision: assembled.revision.clone(),
        layers: assembled.layers.len(),
        added,
        replaced: replaced_lines(lock),
        kept: lock.kept.clone(),
    }
}

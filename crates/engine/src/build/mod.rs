//! A build from plan to pushed image.
//!
//! ```text
//! mod.rs        platform after platform, the tag at the end
//! platform.rs   one platform, in order: base → system → resolve → packages → layers → push
//! base_image.rs finding and reading the base
//! system.rs     system packages, which become part of the base
//! conda.rs      conda packages, which become part of it too
//! target.rs     what Python the base has, as the steps need it
//! resolve.rs    from requirements to a lock
//! replaced.rs   what of the base has to go
//! prepare.rs    frames of packages
//! layers.rs     from packages to layers
//! image.rs      configuration and manifest
//! push.rs       everything but the tag
//! tag.rs        the tags, once the build may move them
//! record.rs     finished builds, so that an identical one is a lookup
//! dry_run.rs    what would be built
//! variant.rs    for machines with a GPU, and without
//! wheels.rs     wheels from the cache or an index
//! convert.rs    errors of the parts as errors of the build
//! ```

mod base_image;
mod conda;
mod convert;
mod describe;
mod dry_run;
mod image;
mod layers;
mod platform;
mod prepare;
mod push;
mod record;
mod replaced;
mod resolve;
mod sources;
mod system;
mod tag;
mod target;
mod variant;
mod wheels;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::registry::Registry;
use imagewright_spec::{ImageKind, Owner};
use tokio::sync::Semaphore;

use crate::assemble::manifest::NewManifest;
use crate::cache::{Cache, StagingFolder};
use crate::cancel::{CancellationToken, unless_cancelled};
use crate::error::BuildError;
use crate::event::{Event, Events, Step};
use crate::lock::Lock;
use crate::plan::BuildPlan;
use crate::publish::{Counters, LayerRegistry, PublishGate};
use crate::sandbox::SandboxSettings;
use crate::scope::Scope;
use crate::summary::{BuildSummary, PlatformImage, StepSeconds, VariantSummary};

use variant::{Outcome, Variant};

pub use dry_run::{PlannedImage, PlannedPackage};
pub(crate) use record::now;

/// How long a build that ends early waits for its threads, so that nothing writes into a folder that is being
/// removed.
const THREADS_END: Duration = Duration::from_millis(1500);

/// What a build works with.
#[derive(Clone)]
pub struct BuildContext {
    /// Kept from build to build.
    pub cache: Cache,
    /// Registries, with the credentials of the build.
    pub registry: Arc<dyn Registry>,
    /// How the layer repository is written: never with the credentials of a build.
    pub layer_registry: LayerRegistry,
    /// Takes what happens.
    pub events: Events,
    /// Ends the build.
    pub cancellation: CancellationToken,
    /// Passed before a tag moves.
    pub publish_gate: PublishGate,
    /// What the operator allows to steps that run foreign code.
    pub sandbox: SandboxSettings,
}

/// What the platforms of one build share.
struct Shared<'build> {
    plan: &'build BuildPlan,
    context: &'build BuildContext,
    owner: Owner,
    /// Which machines are built for now.
    variant: Variant,
    counters: Arc<Counters>,
    /// One permit a processor, for work on threads.
    processors: Arc<Semaphore>,
    /// Where this build's wheels are.
    addresses: Mutex<wheels::Addresses>,
    /// Where everything is made that is not whole yet: gone with the build, however that ends.
    staging: Arc<StagingFolder>,
}

/// Builds and pushes the image of a plan. Sends [`Event::Result`] at the end; an error is returned and not sent.
///
/// # Errors
/// See [`ErrorKind`](crate::error::ErrorKind). No tag has moved then.
pub async fn build(plan: &BuildPlan, context: &BuildContext) -> Result<BuildSummary, BuildError> {
    let started = Instant::now();
    plan.check()?;
    let mut shared = Shared::new(plan, context)?;
    let outcome = Box::pin(shared.build(started)).await;
    shared.wait_for_threads().await;
    drop(shared);
    if outcome.is_err() {
        context.cache.remove_unfinished()?;
    }
    let summary = outcome?;
    context.events.send(Event::Result(Box::new(summary.clone())));
    Ok(summary)
}

/// Resolves a plan and says what would be in the image, without pushing anything.
///
/// # Errors
/// As [`build`], as far as it gets.
pub async fn dry_run(plan: &BuildPlan, context: &BuildContext) -> Result<Vec<PlannedImage>, BuildError> {
    plan.check()?;
    let mut shared = Shared::new(plan, context)?;
    let mut planned = Vec::new();
    for variant in Variant::of(plan.spec.kind) {
        shared.variant = *variant;
        for platform in platforms(plan) {
            let work = Box::pin(shared.dry_run(&platform));
            planned.push(unless_cancelled(&context.cancellation, work).await?);
        }
    }
    shared.wait_for_threads().await;
    Ok(planned)
}

/// How many threads work at once.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

fn platforms(plan: &BuildPlan) -> Vec<Platform> {
    plan.platforms.iter().cloned().map(Platform::from).collect()
}

/// A platform's image, pushed by digest.
#[derive(Clone)]
struct BuiltPlatform {
    platform: Platform,
    lock: Lock,
    manifest: NewManifest,
    /// Every blob that the image needs: configuration, lock and layers.
    blobs: Vec<Descriptor>,
    image: PlatformImage,
    steps: Vec<StepSeconds>,
    unchanged: bool,
}

impl<'build> Shared<'build> {
    fn new(plan: &'build BuildPlan, context: &'build BuildContext) -> Result<Self, BuildError> {
        Ok(Self {
            plan,
            context,
            owner: plan.owner(),
            variant: Variant::of(plan.spec.kind)[0],
            counters: Arc::new(Counters::default()),
            processors: Arc::new(Semaphore::new(processors())),
            addresses: Mutex::default(),
            staging: Arc::new(context.cache.staging_folder()?),
        })
    }

    async fn build(&mut self, started: Instant) -> Result<BuildSummary, BuildError> {
        let mut variants: Vec<Vec<BuiltPlatform>> = Vec::new();
        for variant in Variant::of(self.plan.spec.kind) {
            self.variant = *variant;
            let built = self.variant(variants.first()).await?;
            variants.extend(built);
        }
        let main = variants.remove(0);
        let gpu = variants.pop();
        let untagged = self.complete(self.plan.to.clone(), &main).await?;
        let digest = untagged.digest();
        let mut summary_of_gpu = None;
        if let Some(gpu) = &gpu {
            let untagged_gpu = self.complete(self.gpu_reference()?, gpu).await?;
            self.tag(&[&untagged_gpu, &untagged]).await?;
            summary_of_gpu = Some(Box::new(VariantSummary {
                reference: untagged_gpu.reference.to_string(),
                digest: untagged_gpu.digest(),
                images: gpu.iter().map(|platform| platform.image.clone()).collect(),
            }));
        } else {
            if self.plan.spec.kind == ImageKind::Universal {
                self.context
                    .events
                    .log("the packages are the same with and without a GPU: one image serves both");
            }
            self.tag(&[&untagged]).await?;
        }
        let all: Vec<&BuiltPlatform> = main.iter().chain(gpu.iter().flatten()).collect();
        Ok(BuildSummary {
            reference: self.plan.to.to_string(),
            digest,
            gpu: summary_of_gpu,
            spec_hash: main.first().map(|built| built.lock.spec_hash.clone()).unwrap_or_default(),
            seconds: started.elapsed().as_secs_f64(),
            steps: total_steps(&all),
            transfer: self.counters.transfer(),
            unchanged: all.iter().all(|platform| platform.unchanged),
            images: main.into_iter().map(|platform| platform.image).collect(),
        })
    }

    /// Builds all platforms of one variant. `None` where the packages of each are those of its twin.
    async fn variant(
        &self,
        twins: Option<&Vec<BuiltPlatform>>,
    ) -> Result<Option<Vec<BuiltPlatform>>, BuildError> {
        let mut built = Vec::new();
        let mut differs = twins.is_none();
        for (at, platform) in platforms(self.plan).iter().enumerate() {
            let twin = twins.and_then(|twins| twins.get(at));
            // Boxed: the whole build of a platform is one future.
            let work = Box::pin(self.platform(platform, twin));
            match (unless_cancelled(&self.context.cancellation, work).await?, twin) {
                (Outcome::Built(platform), _) => {
                    differs = true;
                    built.push(*platform);
                }
                (Outcome::SameAsTwin, Some(twin)) => {
                    built.push(BuiltPlatform { steps: Vec::new(), ..twin.clone() });
                }
                (Outcome::SameAsTwin, None) => return Err(BuildError::internal("a variant has no twin")),
            }
        }
        Ok(differs.then_some(built))
    }

    /// What belongs to the owner of this build: fetched with credentials, or learnt from whom the owner trusts.
    fn owners(&self) -> Scope {
        Scope::Owner(self.owner.clone())
    }

    /// The owner's part of the cache.
    fn owners_cache(&self) -> Cache {
        self.context.cache.of(&self.owners())
    }

    /// Waits until no thread of this build works any more, but not for long: their results are not needed.
    async fn wait_for_threads(&self) {
        let all = self.processors.acquire_many(u32::try_from(processors()).unwrap_or(u32::MAX));
        let _ = tokio::time::timeout(THREADS_END, all).await;
    }
}

/// Seconds of each step, all platforms and variants together.
fn total_steps(built: &[&BuiltPlatform]) -> Vec<StepSeconds> {
    let steps =
        [Step::Base, Step::System, Step::Conda, Step::Resolve, Step::Packages, Step::Layers, Step::Push];
    let seconds = |step| {
        let all = built.iter().flat_map(|platform| &platform.steps);
        all.filter(|seconds| seconds.step == step).map(|seconds| seconds.seconds).sum()
    };
    steps
        .into_iter()
        .map(|step| StepSeconds { step, seconds: seconds(step) })
        .filter(|step| step.seconds > 0.0)
        .collect()
}

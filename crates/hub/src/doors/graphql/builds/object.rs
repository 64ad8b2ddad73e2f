//! A build, as clients see it.

use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use imagewright_store::builds::{Build, BuildStatus, Failure, Stage, Subject};
use jiff::Timestamp;
use serde_json::Value;

use super::super::asking::Asking as _;
use super::super::images::{ImageSpec, kind_text};
use super::packages::Packages;
use crate::queue::Progress;

/// What a build is for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuildSubject {
    /// An image.
    #[graphql(name = "image")]
    Image,
    /// A custom image spec of the Image Builder.
    #[graphql(name = "spec")]
    Spec,
}

/// A build: a revision of an image, or a job of a custom image spec.
#[derive(SimpleObject)]
#[graphql(name = "Build", complex)]
pub(in super::super) struct BuildObject {
    /// Identifier.
    id: ID,
    /// What it is for.
    subject: BuildSubject,
    /// The name of the image or spec.
    name: String,
    /// The number of the revision: counts the builds of the image or spec from 1.
    number: i64,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    status: &'static str,
    /// The same in PrimeHub's words: `Pending`, `Running`, `Succeeded`, `Failed` or `Cancelled`.
    phase: &'static str,
    /// For which machines the image is: `cpu`, `gpu` or `both`.
    r#type: &'static str,
    /// What was asked for.
    recipe: ImageSpec,
    /// A label of what was asked for: the same for the same packages on the same base.
    spec_hash: String,
    /// The tag that it pushes, which no other build does.
    tag: String,
    /// The name of who asked for it, then.
    requested_by: String,
    /// When it was asked for.
    requested_at: Timestamp,
    /// When it began.
    started_at: Option<Timestamp>,
    /// When it ended, however.
    finished_at: Option<Timestamp>,
    /// When it was last heard of.
    updated_at: Timestamp,
    /// How long it took, in seconds; null until it has ended.
    seconds: Option<f64>,
    /// How often it was begun: more than once where the hub or the machine went down.
    attempts: i64,
    /// Whether somebody has asked for its end.
    is_cancel_requested: bool,
    /// The stages that have begun, in their order.
    stages: Vec<BuildStage>,
    /// Digest of the base's manifest.
    base_digest: Option<String>,
    /// Digest of what was pushed.
    digest: Option<String>,
    /// Where it is, with its tag.
    url: Option<String>,
    /// Where the image for machines with a GPU is, if there is one of its own.
    gpu_url: Option<String>,
    /// Digest of that.
    gpu_digest: Option<String>,
    /// Compressed bytes of the image, base included.
    size_bytes: Option<u64>,
    /// Whether what was pushed is still in the registry, as far as the hub knows.
    is_kept: bool,
    /// Digests of the locks, one for each platform: they name every package with its hash.
    locks: Vec<String>,
    /// What was put into it; null until it has succeeded.
    packages: Option<Packages>,
    /// All that the builder said of the result.
    summary: Option<Value>,
    /// Why it has failed.
    error: Option<BuildError>,
    /// Where its log is.
    log_endpoint: String,
    #[graphql(skip)]
    build: Build,
}

/// A stage of a build.
#[derive(SimpleObject)]
pub(super) struct BuildStage {
    /// Its name.
    name: String,
    /// When it began.
    started_at: Timestamp,
    /// How long it took; null while it runs.
    seconds: Option<f64>,
    /// What came of it, in a few words.
    detail: String,
}

/// Why a build has failed.
#[derive(SimpleObject)]
pub(super) struct BuildError {
    /// The kind, which stays the same from version to version.
    kind: String,
    /// A sentence.
    message: String,
    /// The resolver's or tool's own words.
    explanation: Option<String>,
    /// What to do next.
    next_step: Option<String>,
}

/// Where a build stands that waits.
#[derive(SimpleObject)]
pub(super) struct QueuePlace {
    /// 1 is next.
    position: u64,
    /// Seconds until it begins, as far as can be told from earlier builds.
    estimate_seconds: Option<u64>,
}

/// How far a stage is.
#[derive(SimpleObject)]
pub(super) struct BuildProgress {
    /// The stage.
    stage: String,
    /// Units done.
    done: u64,
    /// Units in all, as far as is known.
    total: u64,
}

#[ComplexObject]
impl BuildObject {
    /// How far the stage is that runs now; null where nothing is known of it here.
    async fn progress(&self, ctx: &Context<'_>) -> Option<BuildProgress> {
        let progress = ctx.data_unchecked::<Progress>().of(&self.build.id)?;
        Some(BuildProgress { stage: progress.stage, done: progress.done, total: progress.total })
    }

    /// Where it stands in the queue; null for a build that does not wait.
    #[graphql(complexity = "5 + child_complexity")]
    async fn queue_place(&self, ctx: &Context<'_>) -> Result<Option<QueuePlace>> {
        let place = ctx.hub().queue_place(&self.build).await?;
        Ok(place
            .map(|place| QueuePlace { position: place.position, estimate_seconds: place.estimate_seconds }))
    }
}

impl From<Build> for BuildObject {
    fn from(build: Build) -> Self {
        let product = build.product.as_ref();
        let (subject, log_endpoint) = match &build.subject {
            Subject::Image(_) => (BuildSubject::Image, format!("/api/logs/builds/{}", build.id)),
            Subject::Spec(_) => (BuildSubject::Spec, job_log_endpoint(&build)),
        };
        Self {
            id: ID(build.id.to_string()),
            subject,
            name: build.subject.name().to_owned(),
            number: build.number,
            status: build.status.name(),
            phase: phase_of(build.status),
            r#type: kind_text(build.recipe.kind),
            recipe: ImageSpec::of_build(&build),
            spec_hash: build.spec_hash.to_string(),
            tag: build.tag.clone(),
            requested_by: build.requested_by_name.clone(),
            requested_at: build.requested_at,
            started_at: build.started_at,
            finished_at: build.finished_at,
            updated_at: build.updated_at,
            seconds: seconds(&build),
            attempts: build.attempt,
            is_cancel_requested: build.is_cancel_requested,
            stages: build.stages.iter().cloned().map(BuildStage::from).collect(),
            base_digest: product.and_then(|product| product.base_digest.clone()),
            digest: product.map(|product| product.digest.clone()),
            url: product.map(|product| product.url.to_string()),
            gpu_url: product.and_then(|product| product.gpu_url.as_ref()).map(ToString::to_string),
            gpu_digest: product.and_then(|product| product.gpu_digest.clone()),
            size_bytes: product.and_then(|product| product.size_bytes),
            is_kept: product.is_some() && build.removed_at.is_none(),
            locks: product.map(|product| locks(&product.summary)).unwrap_or_default(),
            packages: product.map(|product| Packages::read(&product.summary)),
            summary: product.map(|product| product.summary.clone()),
            error: build.failure.clone().map(BuildError::from),
            log_endpoint,
            build,
        }
    }
}

impl From<Stage> for BuildStage {
    fn from(stage: Stage) -> Self {
        let Stage { name, started_at, seconds, detail } = stage;
        Self { name, started_at, seconds, detail }
    }
}

impl From<Failure> for BuildError {
    fn from(failure: Failure) -> Self {
        let Failure { kind, message, explanation, next_step } = failure;
        Self { kind, message, explanation, next_step }
    }
}

/// How far a build is, in PrimeHub's words.
pub(in super::super) fn phase_of(status: BuildStatus) -> &'static str {
    match status {
        BuildStatus::Queued => "Pending",
        BuildStatus::Running => "Running",
        BuildStatus::Succeeded => "Succeeded",
        BuildStatus::Failed => "Failed",
        BuildStatus::Cancelled => "Cancelled",
    }
}

/// Where the log of a job of the Image Builder is. PrimeHub's path has the namespace of its cluster in it.
pub(in super::super) fn job_log_endpoint(build: &Build) -> String {
    format!("/api/logs/namespaces/hub/jobs/{}", build.id)
}

fn seconds(build: &Build) -> Option<f64> {
    let (started, finished) = (build.started_at?, build.finished_at?);
    Some(finished.duration_since(started).as_secs_f64())
}

fn locks(summary: &Value) -> Vec<String> {
    let images = summary["images"].as_array().map(Vec::as_slice).unwrap_or_default();
    images.iter().filter_map(|image| image["revision"].as_str()).map(str::to_owned).collect()
}

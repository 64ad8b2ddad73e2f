//! One build, from its claim to its end.

use std::io::Write as _;
use std::time::Duration;

use imagewright_engine::event::Event;
use imagewright_engine::summary::BuildSummary;
use imagewright_store::builds::{Build, Failure, Finish, Outcome, Product, Stage, Subject};
use imagewright_store::images::ImageSource;
use imagewright_store::{BuildId, Writer};
use jiff::SignedDuration;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::lines::lines_of;
use super::plan::{Prepared, failure, prepare, product_secret};
use super::{LEASE, Shared};
use crate::access::Actor;
use crate::error::{HubError, Result};
use crate::launcher::{Ended, Listener};
use crate::logs::{LogWriter, Scrubber};

/// How often a lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often a build looks whether somebody wants it to end.
const LOOK: Duration = Duration::from_millis(700);

/// Why a build is ended from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Somebody wants it to end.
    Wanted,
    /// Another worker has it now.
    Lost,
    /// The hub ends.
    Shutdown,
}

/// Runs a build that was claimed, and writes down what came of it.
pub(super) async fn work(shared: Shared, build: Build) {
    let (id, fence) = (build.id.clone(), build.fence);
    let outcome = attempt(&shared, build).await;
    if let Err(error) = outcome {
        // The lease ends by itself, and the build is taken up again.
        tracing::error!(error = crate::error::chain(&error), build = %id, fence, "a build could not be run");
    }
    shared.progress.forget(&id);
    shared.hub.wake.notify_one();
}

async fn attempt(shared: &Shared, build: Build) -> Result<()> {
    let hub = &shared.hub;
    let build = with_own_tag(shared, build).await?;
    let Prepared { order, room, scrubber } = match prepare(hub, &shared.launcher, &build).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            let mut teller = Teller::new(shared, &build, Scrubber::default())?;
            teller.say(&format!("error: {}", failure.message));
            return finish(shared, &build, teller, Outcome::Failed(failure)).await;
        }
    };
    let mut teller = Teller::new(shared, &build, scrubber)?;
    if build.attempt > 1 {
        teller.say(&format!("The build was interrupted; this is attempt {}.", build.attempt));
    }
    let cancellation = CancellationToken::new();
    let watch = tokio::spawn(watch(shared.clone(), build.clone(), cancellation.clone()));
    let ended = shared.launcher.run(&order, &mut teller, &cancellation).await;
    // It has ended where it has cancelled, and says why.
    let stop = if cancellation.is_cancelled() {
        watch.await.ok()
    } else {
        watch.abort();
        None
    };
    drop(room);
    if matches!(ended, Ended::Died(_)) {
        shared.launcher.sweep().await;
    }
    match (ended, stop) {
        (Ended::Cancelled, Some(Stop::Lost)) => {
            tracing::warn!(build = %build.id, "a build was lost to another worker");
            Ok(())
        }
        (Ended::Cancelled, Some(Stop::Shutdown)) => {
            teller.say("The hub is shutting down: the build is taken up again afterwards.");
            give_back(shared, &build).await
        }
        (Ended::Cancelled, _) => {
            teller.say("The build was cancelled.");
            finish(shared, &build, teller, Outcome::Cancelled).await
        }
        (Ended::Succeeded(summary), _) => {
            let product = product(shared, &summary).await?;
            finish(shared, &build, teller, Outcome::Succeeded(Box::new(product))).await
        }
        (Ended::Failed(failure), _) => finish(shared, &build, teller, Outcome::Failed(failure)).await,
        (Ended::TimedOut, _) => {
            let limit = order.limit.as_secs();
            let failure = failure(
                "timeout",
                &format!("the build took longer than the {limit} seconds that it may"),
                "leave packages out, or ask an admin for more time",
            );
            teller.say(&format!("error: {}", failure.message));
            finish(shared, &build, teller, Outcome::Failed(failure)).await
        }
        (Ended::Died(how), _) => {
            teller.say(&format!("The process of the build has ended without a word ({how})."));
            interrupted(shared, &build, teller).await
        }
    }
}

/// The tag of an earlier attempt may be there already: another attempt gets another one, so that none is moved twice.
async fn with_own_tag(shared: &Shared, mut build: Build) -> Result<Build> {
    if build.attempt > 1 && build.publish_granted_at.is_some() {
        let tag = format!("{}-{}-{}", build.spec_hash, build.number, build.attempt);
        let writer = shared.hub.store.write().await?;
        writer.set_tag(&build.id, build.fence, &tag).await?;
        writer.commit().await?;
        build.tag = tag;
    }
    Ok(build)
}

/// Keeps the lease, and cancels when the build is to end.
async fn watch(shared: Shared, build: Build, cancellation: CancellationToken) -> Stop {
    let mut renewed = tokio::time::Instant::now();
    let stop = loop {
        tokio::select! {
            () = shared.shutdown.cancelled() => break Stop::Shutdown,
            () = tokio::time::sleep(LOOK) => {}
        }
        if renewed.elapsed() >= HEARTBEAT {
            match renew(&shared, &build).await {
                Ok(true) => renewed = tokio::time::Instant::now(),
                Ok(false) => break Stop::Lost,
                // Others take the build when the lease is over: by then it must have ended here.
                Err(error) if renewed.elapsed() >= LEASE => {
                    tracing::error!(%error, build = %build.id, "a lease could not be renewed in time");
                    break Stop::Lost;
                }
                Err(error) => tracing::warn!(%error, build = %build.id, "a lease is not renewed yet"),
            }
        }
        match shared.hub.store.read().build(&build.id).await {
            Ok(Some(now)) if now.fence != build.fence => break Stop::Lost,
            Ok(Some(now)) if now.is_cancel_requested => break Stop::Wanted,
            Ok(None) => break Stop::Lost,
            Ok(Some(_)) | Err(_) => {}
        }
    };
    cancellation.cancel();
    stop
}

async fn renew(shared: &Shared, build: &Build) -> Result<bool> {
    let until = shared.hub.clock.now() + lease();
    let writer = shared.hub.store.write().await?;
    let held = writer.renew_lease(&build.id, build.fence, until).await?.is_some();
    writer.commit().await?;
    Ok(held)
}

pub(super) fn lease() -> SignedDuration {
    SignedDuration::try_from(LEASE).unwrap_or(SignedDuration::from_secs(30))
}

async fn product(shared: &Shared, summary: &BuildSummary) -> Result<Product> {
    let section = &shared.hub.config.registry;
    let pulled = |reference: &str| {
        let pushed =
            reference.parse().map_err(|_| HubError::internal(format!("{reference} is no reference")))?;
        Ok::<_, HubError>(section.as_pulled(&pushed))
    };
    let size: u64 = summary.images.iter().map(|image| image.size).sum();
    Ok(Product {
        url: pulled(&summary.reference)?,
        digest: summary.digest.to_string(),
        gpu_url: summary.gpu.as_ref().map(|gpu| pulled(&gpu.reference)).transpose()?,
        gpu_digest: summary.gpu.as_ref().map(|gpu| gpu.digest.to_string()),
        base_digest: summary.images.first().map(|image| image.base_digest.to_string()),
        pull_secret: product_secret(&shared.hub).await,
        size_bytes: (size > 0).then_some(size),
        summary: serde_json::to_value(summary).map_err(HubError::internal)?,
    })
}

/// Writes down the end of a build and, with it, what its image is now: both or neither.
async fn finish(shared: &Shared, build: &Build, teller: Teller, outcome: Outcome) -> Result<()> {
    let hub = &shared.hub;
    let writer = hub.store.write().await?;
    let finish = Finish { outcome: outcome.clone(), stages: teller.stages, at: hub.clock.now() };
    if !writer.finish_build(&build.id, build.fence, &finish).await? {
        tracing::warn!(build = %build.id, "a build has ended that another worker has");
        return Ok(());
    }
    let told = match &outcome {
        Outcome::Succeeded(product) => {
            use_product(hub, &writer, build, product).await?;
            json!({ "status": "succeeded", "digest": product.digest })
        }
        Outcome::Failed(failure) => json!({ "status": "failed", "kind": failure.kind }),
        Outcome::Cancelled => json!({ "status": "cancelled" }),
    };
    let object = (build.subject.kind(), build.subject.name());
    hub.note(&writer, &Actor::Machine, "build.end", object, build.group.as_ref(), told).await?;
    writer.commit().await?;
    shared.logs.close(&build.id);
    hub.metrics.build_ended(&outcome, &finish.stages);
    Ok(())
}

/// The result of a build comes into use, unless a later one is.
async fn use_product(hub: &crate::Hub, writer: &Writer, build: &Build, product: &Product) -> Result<()> {
    let is_later = async |current: Option<&BuildId>| {
        let Some(current) = current else { return Ok::<_, HubError>(false) };
        Ok(writer.build(current).await?.is_some_and(|current| current.number > build.number))
    };
    match &build.subject {
        Subject::Image(name) => {
            let found = writer.image(name).await?.filter(|_| build.orphaned_at.is_none());
            let Some(mut image) = found else { return Ok(()) };
            let ImageSource::Custom { build: current, .. } = &mut image.source else { return Ok(()) };
            if is_later(current.as_ref()).await? {
                return Ok(());
            }
            *current = Some(build.id.clone());
            image.kind = build.recipe.kind;
            image.url = Some(product.url.clone());
            image.url_for_gpu.clone_from(&product.gpu_url);
            image.pull_secret.clone_from(&product.pull_secret);
            image.updated_at = hub.clock.now();
            writer.update_image(&image).await?;
        }
        Subject::Spec(name) => {
            let found = writer.spec(name).await?.filter(|_| build.orphaned_at.is_none());
            let Some(mut spec) = found else { return Ok(()) };
            if is_later(spec.build.as_ref()).await? {
                return Ok(());
            }
            spec.build = Some(build.id.clone());
            spec.url = Some(product.url.clone());
            writer.update_spec(&spec).await?;
        }
    }
    Ok(())
}

async fn give_back(shared: &Shared, build: &Build) -> Result<()> {
    let writer = shared.hub.store.write().await?;
    writer.requeue_build(&build.id, build.fence, shared.hub.clock.now()).await?;
    writer.commit().await?;
    Ok(())
}

/// A build whose process is gone is taken up once more; the second time it has failed.
async fn interrupted(shared: &Shared, build: &Build, teller: Teller) -> Result<()> {
    if build.attempt < super::ATTEMPTS {
        return give_back(shared, build).await;
    }
    finish(shared, build, teller, Outcome::Failed(interruption())).await
}

/// Why a build has failed that was interrupted too often.
pub(super) fn interruption() -> Failure {
    failure(
        "interrupted",
        "the build was interrupted twice: its process was killed, or the machine stopped",
        "rebuild; if it happens again, tell an admin: it may need more memory than there is",
    )
}

/// Listens to a build: writes its log and its events, and keeps its stages.
pub(super) struct Teller {
    shared: Shared,
    id: BuildId,
    fence: i64,
    log: LogWriter,
    events: std::fs::File,
    stages: Vec<Stage>,
}

impl Teller {
    fn new(shared: &Shared, build: &Build, scrubber: Scrubber) -> Result<Self> {
        let broken = |error: std::io::Error| HubError::internal(error);
        Ok(Self {
            log: shared.logs.writer(&build.id, scrubber).map_err(broken)?,
            events: shared.logs.events(&build.id).map_err(broken)?,
            shared: shared.clone(),
            id: build.id.clone(),
            fence: build.fence,
            stages: Vec::new(),
        })
    }

    /// A line of the log. A log that cannot be written ends no build.
    fn say(&mut self, line: &str) {
        if let Err(error) = self.log.line(line) {
            tracing::error!(%error, build = %self.id, "a log cannot be written");
        }
    }

    /// Keeps the stages in step with what is told; true when they have changed.
    fn stage(&mut self, event: &Event) -> bool {
        match event {
            Event::StepStarted { step, .. } => {
                let name = name_of(*step);
                let started_at = self.shared.hub.clock.now();
                self.stages.push(Stage { name, started_at, seconds: None, detail: String::new() });
                true
            }
            Event::StepFinished { step, seconds, detail } => {
                let name = name_of(*step);
                let open =
                    self.stages.iter_mut().rev().find(|stage| stage.name == name && stage.seconds.is_none());
                if let Some(stage) = open {
                    stage.seconds = Some(*seconds);
                    stage.detail = self.log.scrubber().scrub(detail);
                }
                true
            }
            _ => false,
        }
    }

    async fn keep_stages(&self) -> Result<()> {
        let writer = self.shared.hub.store.write().await?;
        writer.set_stages(&self.id, self.fence, &self.stages, self.shared.hub.clock.now()).await?;
        Ok(writer.commit().await?)
    }
}

fn name_of(step: imagewright_engine::step::Step) -> String {
    serde_json::to_value(step).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Listener for Teller {
    async fn event(&mut self, event: &Event, line: &str) {
        for line in lines_of(event) {
            self.say(&line);
        }
        if let Event::Progress { step, done, total, .. } = event {
            self.shared.progress.set(&self.id, name_of(*step), *done, *total);
        }
        let line = self.log.scrubber().scrub(line);
        if let Err(error) = writeln!(self.events, "{line}") {
            tracing::error!(%error, build = %self.id, "the events of a build cannot be written");
        }
        if self.stage(event)
            && let Err(error) = self.keep_stages().await
        {
            tracing::warn!(error = crate::error::chain(&error), build = %self.id, "stages are not kept yet");
        }
    }

    async fn line(&mut self, line: &str) {
        self.say(line);
    }

    async fn may_publish(&mut self) -> bool {
        let granted = async {
            let writer = self.shared.hub.store.write().await?;
            let granted = writer.grant_publish(&self.id, self.fence, self.shared.hub.clock.now()).await?;
            writer.commit().await?;
            Ok::<_, HubError>(granted)
        };
        match granted.await {
            Ok(granted) => granted,
            Err(error) => {
                tracing::error!(error = crate::error::chain(&error), build = %self.id, "a build may not publish");
                false
            }
        }
    }
}

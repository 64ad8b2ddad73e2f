//! Builds that wait, and those that run here.
//!
//! ```text
//! choose.rs    which is next
//! plan.rs      from what was asked for to the plan of its process
//! work.rs      one build, from its claim to its end
//! lines.rs     what its log says
//! progress.rs  how far the stages are that run here
//! ```
//!
//! The queue is in the database: builds are there with the change that has asked for them, and are claimed by a lease.
//! Whoever claims one keeps the lease alive, and writes nothing once it is lost. Several hubs share one queue.

mod choose;
mod lines;
mod plan;
mod progress;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use imagewright_store::builds::{Build, BuildFilter, BuildStatus, Finish, Outcome};
use imagewright_store::groups::GroupFilter;
use imagewright_store::{GroupId, Page, Reader};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub use choose::{Slots, Turns, choose, order};
pub use progress::{Progress, StageProgress};

use crate::error::Result;
use crate::hub::Hub;
use crate::launcher::Launcher;
use crate::logs::Logs;

/// How long a claim holds without a word from its worker.
const LEASE: Duration = Duration::from_secs(30);
/// How often a build is begun that was interrupted.
const ATTEMPTS: i64 = 2;
/// How often the queue is looked at without being told to: other hubs and leases that end tell nobody.
const LOOK: Duration = Duration::from_secs(2);
/// How many builds tell how long one takes.
const ESTIMATED_FROM: u64 = 50;

/// What all work shares.
#[derive(Clone)]
struct Shared {
    hub: Hub,
    launcher: Arc<Launcher>,
    logs: Logs,
    progress: Progress,
    shutdown: CancellationToken,
}

/// The queue of this hub, at work.
pub struct Queue {
    shared: Shared,
    is_drained: Arc<AtomicBool>,
    has_ended: Arc<Notify>,
    running: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Queue {
    /// Begins to work.
    pub fn start(hub: Hub, launcher: Launcher, logs: Logs, progress: Progress) -> Self {
        let shared =
            Shared { hub, launcher: Arc::new(launcher), logs, progress, shutdown: CancellationToken::new() };
        let is_drained = Arc::new(AtomicBool::new(false));
        let has_ended = Arc::new(Notify::new());
        let running = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(run(
            shared.clone(),
            Arc::clone(&is_drained),
            Arc::clone(&has_ended),
            Arc::clone(&running),
        ));
        Self { shared, is_drained, has_ended, running, task }
    }

    /// Claims nothing any more, and waits until nothing runs here.
    pub async fn drain(&self) {
        self.is_drained.store(true, Ordering::SeqCst);
        loop {
            let ended = self.has_ended.notified();
            if self.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Claims builds again.
    pub fn resume(&self) {
        self.is_drained.store(false, Ordering::SeqCst);
        self.shared.hub.wake.notify_one();
    }

    /// Ends what runs, gives it back to be taken up later, and waits for that.
    pub async fn shut_down(self) {
        self.shared.shutdown.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the queue has not ended in order");
        }
    }
}

async fn run(shared: Shared, is_drained: Arc<AtomicBool>, has_ended: Arc<Notify>, running: Arc<AtomicUsize>) {
    // The name is told apart from those of other hubs, and from this one's before a crash.
    let worker = format!("hub {} {}", std::process::id(), crate::random::identifier());
    let mut work = JoinSet::new();
    loop {
        while let Some(ended) = work.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a build was not run to its end");
            }
        }
        running.store(work.len(), Ordering::SeqCst);
        has_ended.notify_waiters();
        if shared.shutdown.is_cancelled() {
            break;
        }
        if let Err(error) = look(&shared, &worker, &is_drained, &mut work).await {
            tracing::error!(error = crate::error::chain(&error), "the queue cannot be looked at");
        }
        running.store(work.len(), Ordering::SeqCst);
        tokio::select! {
            () = shared.hub.wake.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = shared.shutdown.cancelled() => {}
        }
    }
    while let Some(ended) = work.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a build was not ended in order");
        }
    }
    running.store(0, Ordering::SeqCst);
    has_ended.notify_waiters();
}

/// Takes up what was left, and claims what may begin.
async fn look(shared: &Shared, worker: &str, is_drained: &AtomicBool, work: &mut JoinSet<()>) -> Result<()> {
    take_up(shared).await?;
    close_logs(shared).await?;
    while !is_drained.load(Ordering::SeqCst) {
        let Some(build) = claim(shared, worker).await? else { break };
        work.spawn(work::work(shared.clone(), build));
    }
    Ok(())
}

/// Puts back builds whose worker is gone.
async fn take_up(shared: &Shared) -> Result<()> {
    let hub = &shared.hub;
    let now = hub.clock.now();
    let is_over = |build: &Build| build.lease_until.is_none_or(|until| until <= now);
    if !hub.store.read().running_builds().await?.iter().any(is_over) {
        return Ok(());
    }
    shared.launcher.sweep().await;
    let writer = hub.store.write().await?;
    writer.lock_queue().await?;
    for build in writer.running_builds().await?.into_iter().filter(is_over) {
        tracing::warn!(build = %build.id, attempt = build.attempt, "the worker of a build is gone");
        let end = |outcome| Finish { outcome, stages: build.stages.clone(), at: now };
        if build.is_cancel_requested {
            writer.finish_build(&build.id, build.fence, &end(Outcome::Cancelled)).await?;
        } else if build.attempt < ATTEMPTS {
            writer.requeue_build(&build.id, build.fence, now).await?;
        } else {
            let failed = end(Outcome::Failed(work::interruption()));
            writer.finish_build(&build.id, build.fence, &failed).await?;
        }
    }
    writer.commit().await?;
    Ok(())
}

/// Ends the logs that somebody follows of builds that have ended without one that wrote: cancelled while they waited,
/// or run by another hub.
async fn close_logs(shared: &Shared) -> Result<()> {
    for id in shared.logs.live_builds() {
        let build = shared.hub.store.read().build(&id).await?;
        if build.is_none_or(|build| build.status.is_final()) {
            shared.logs.close(&id);
        }
    }
    Ok(())
}

async fn claim(shared: &Shared, worker: &str) -> Result<Option<Build>> {
    let hub = &shared.hub;
    if !hub.is_builder_on() || hub.store.read().queued_builds().await?.is_empty() {
        return Ok(None);
    }
    let writer = hub.store.write().await?;
    writer.lock_queue().await?;
    let (queued, running) = (writer.queued_builds().await?, writer.running_builds().await?);
    let filter = BuildFilter::default();
    let recent = writer.builds(&filter, Page { offset: 0, limit: ESTIMATED_FROM }).await?.rows;
    let slots = slots(hub, &queued).await?;
    let Some(next) = choose(&queued, &running, &last_began(&recent), &slots) else { return Ok(None) };
    let now = hub.clock.now();
    let claimed = writer.claim_build(&next, worker, now, now + work::lease()).await?;
    writer.commit().await?;
    Ok(claimed)
}

/// How many builds may run, by group.
async fn slots(hub: &Hub, queued: &[Build]) -> Result<Slots> {
    let mut groups = HashMap::from([(None, hub.limits(None).builds as usize)]);
    let ids: Vec<GroupId> = queued.iter().filter_map(|build| build.group.clone()).collect();
    if !ids.is_empty() {
        let filter = GroupFilter { ids: Some(ids), ..GroupFilter::default() };
        for group in hub.store.read().groups(&filter, Page::ALL).await?.rows {
            groups.insert(Some(group.id), hub.limits(Some(&group.name)).builds as usize);
        }
    }
    let limits = &hub.config.limits;
    Ok(Slots { hub: limits.builds as usize, group: limits.builds_per_group as usize, groups })
}

fn last_began(recent: &[Build]) -> Turns {
    let mut began = Turns::new();
    for build in recent {
        if let Some(started_at) = build.started_at {
            let last = began.entry(build.group.clone()).or_insert(started_at);
            *last = started_at.max(*last);
        }
    }
    began
}

/// Where a build stands that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// How many go before it, and one: 1 is next.
    pub position: u64,
    /// Seconds until it begins, as far as earlier builds tell.
    pub estimate_seconds: Option<u64>,
}

impl Hub {
    /// Where a build stands; nothing for one that does not wait.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn queue_place(&self, build: &Build) -> Result<Option<QueuePlace>> {
        if build.status != BuildStatus::Queued {
            return Ok(None);
        }
        let reader = self.store.read();
        let (queued, running) = (reader.queued_builds().await?, reader.running_builds().await?);
        let recent = recent(&reader).await?;
        let mut slots = slots(self, &queued).await?;
        let at_once = slots.hub.max(1);
        // As if every build of those that wait could begin: what matters is their order.
        slots.hub = queued.len() + running.len() + 1;
        slots.group = slots.hub;
        slots.groups.clear();
        let order = order(&queued, &running, &last_began(&recent), &slots);
        let Some(index) = order.iter().position(|id| *id == build.id) else { return Ok(None) };
        let seconds = median_seconds(&recent);
        let before = (running.len() + index + 1).saturating_sub(at_once);
        let estimate_seconds = seconds.map(|seconds| seconds * before.div_ceil(at_once) as u64);
        Ok(Some(QueuePlace { position: index as u64 + 1, estimate_seconds }))
    }
}

async fn recent(reader: &Reader) -> Result<Vec<Build>> {
    let page = Page { offset: 0, limit: ESTIMATED_FROM };
    Ok(reader.builds(&BuildFilter::default(), page).await?.rows)
}

/// How long the builds took that ended lately; nothing where none has.
fn median_seconds(recent: &[Build]) -> Option<u64> {
    let seconds = recent.iter().filter(|build| build.status == BuildStatus::Succeeded).filter_map(|build| {
        let took = build.finished_at?.duration_since(build.started_at?);
        u64::try_from(took.as_secs()).ok()
    });
    let mut seconds: Vec<u64> = seconds.collect();
    seconds.sort_unstable();
    seconds.get(seconds.len() / 2).map(|median| (*median).max(1))
}

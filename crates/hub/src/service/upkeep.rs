//! What is done from time to time: what nobody needs any more is removed from the registry.

use std::sync::Arc;
use std::time::Duration;

use imagewright_oci::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;
use crate::queue::Queue;
use crate::registry::managed::ManagedRegistry;

/// How often it is looked for what may go.
const CLEAN_UP: Duration = Duration::from_hours(1);

/// Does it until the hub ends.
pub(super) async fn run(
    hub: Hub,
    registry: Option<Arc<dyn Registry>>,
    own_registry: Option<Arc<ManagedRegistry>>,
    queue: Option<Arc<Queue>>,
    shutdown: CancellationToken,
) {
    let Some(registry) = registry else { return };
    let hours = hub.config.registry.garbage_collection_hours;
    let collects = own_registry.filter(|_| hours > 0).zip(queue);
    let mut collected = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(CLEAN_UP) => {}
        }
        match hub.clean_up(&*registry).await {
            Ok(removed) => {
                for one in removed {
                    match one.problem {
                        None => {
                            tracing::info!(build = %one.removal.build, "what a build had pushed is removed");
                        }
                        Some(problem) => {
                            tracing::warn!(build = %one.removal.build, problem, "it is not removed");
                        }
                    }
                }
            }
            Err(error) => tracing::error!(error = crate::error::chain(&error), "the clean-up has failed"),
        }
        if let Some((own, queue)) = &collects
            && collected.elapsed() >= Duration::from_hours(hours)
        {
            collected = tokio::time::Instant::now();
            // A push in the middle of it would be refused, or lose blobs that nothing names yet.
            queue.drain().await;
            if let Err(error) = own.collect_garbage().await {
                tracing::error!(%error, "the garbage of the hub's own registry is not collected");
            }
            queue.resume();
        }
    }
}

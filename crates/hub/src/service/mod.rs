//! The hub as a service: everything that `imagewright serve` runs, from its start to its end.
//!
//! ```text
//! start.rs     what has to be there before anybody may ask
//! upkeep.rs    what is done from time to time
//! ```

mod start;
mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;

use imagewright_oci::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use start::StartError;

use crate::doors::http::{Doors, router};
use crate::hub::Hub;
use crate::logs::Logs;
use crate::queue::{Progress, Queue};
use crate::registry::managed::ManagedRegistry;

/// A hub at work.
pub struct Service {
    /// The hub.
    pub hub: Hub,
    logs: Logs,
    progress: Progress,
    /// None where the builder is off.
    queue: Option<Arc<Queue>>,
    /// None where images go to a registry that somebody else runs, or nowhere.
    own_registry: Option<Arc<ManagedRegistry>>,
    /// The client that removes what is not needed any more; none where images go nowhere.
    registry: Option<Arc<dyn Registry>>,
}

impl Service {
    /// Answers until `shutdown` is cancelled, then ends everything in order: builds are given back, to be taken up
    /// again by whoever comes next.
    ///
    /// # Errors
    /// A listener that does not work.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let doors = Doors::new(self.hub.clone(), self.logs.clone(), self.progress.clone());
        let upkeep = tokio::spawn(upkeep::run(
            self.hub.clone(),
            self.registry.clone(),
            self.own_registry.clone(),
            self.queue.clone(),
            shutdown.clone(),
        ));
        let app = router(doors).into_make_service_with_connect_info::<SocketAddr>();
        let logs = self.logs.clone();
        let ends = async move {
            shutdown.cancelled().await;
            // Who follows a log would keep its connection for as long as the build runs.
            for build in logs.live_builds() {
                logs.close(&build);
            }
        };
        let outcome = axum::serve(listener, app).with_graceful_shutdown(ends).await;
        if let Err(error) = upkeep.await {
            tracing::error!(%error, "the upkeep has not ended in order");
        }
        if let Some(queue) = self.queue.and_then(Arc::into_inner) {
            queue.shut_down().await;
        }
        if let Some(registry) = self.own_registry.and_then(Arc::into_inner) {
            registry.stop().await;
        }
        self.hub.store.clone().close().await;
        outcome
    }

    /// Where images are pushed: a sentence for who has started the hub.
    pub fn describe_registry(&self) -> String {
        match self.hub.config.registry.destination() {
            None => "images are built nowhere: no registry is configured, and the builder is off".to_owned(),
            Some(destination) if self.own_registry.is_some() => {
                format!("images go to the hub's own registry, {destination}, which only this machine reaches")
            }
            Some(destination) => format!("images go to {destination}"),
        }
    }
}

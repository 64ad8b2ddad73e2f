//! The doors that speak HTTP.
//!
//! ```text
//! routes.rs          every route, under the name that the table of permissions has it by
//! around.rs          what happens around every request: its id, its trace, its figures, panics
//! client.rs          from where a request comes, and to where answers lead back
//! asker.rs           who asks
//! answer.rs          errors, in GraphQL's form and in a plain one
//! body.rs            reading bodies, within a limit
//! graphql.rs         the API
//! selection.rs       the image selection, for programs that start notebooks
//! logs.rs            logs
//! authorization.rs   signing in from PrimeHub's client
//! health.rs          whether the hub is alive, and its figures
//! ```

mod answer;
mod around;
mod asker;
mod authorization;
mod body;
mod client;
mod graphql;
mod health;
mod logs;
pub(super) mod routes;
mod selection;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use super::ApiLimits;
use super::graphql::{ApiSchema, schema};
use crate::hub::Hub;
use crate::logs::Logs;
use crate::queue::Progress;

/// What all doors share. Cheap to clone.
#[derive(Clone)]
pub struct Doors(Arc<Shared>);

/// What all doors share.
pub struct Shared {
    /// The hub.
    pub hub: Hub,
    /// The logs of its builds.
    pub logs: Logs,
    /// How far builds are that run here.
    pub progress: Progress,
    limits: ApiLimits,
    schema: ApiSchema,
}

impl Doors {
    /// The doors of a hub, with the limits of its configuration.
    pub fn new(hub: Hub, logs: Logs, progress: Progress) -> Self {
        let limits = ApiLimits::from(&hub.config);
        Self::with_limits(hub, logs, progress, limits)
    }

    /// The same with other limits.
    pub fn with_limits(hub: Hub, logs: Logs, progress: Progress, limits: ApiLimits) -> Self {
        Self(Arc::new(Shared { schema: schema(&limits), hub, logs, progress, limits }))
    }
}

impl Deref for Doors {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// All routes. Serve them with the addresses of clients:
/// `axum::serve(listener, router(doors).into_make_service_with_connect_info::<SocketAddr>())`.
pub fn router(doors: Doors) -> Router {
    let mut router = Router::new();
    for (name, method) in routes::routes() {
        let (_, path) = name.split_once(' ').unwrap_or_default();
        router = router.route(path, method);
    }
    router
        .method_not_allowed_fallback(answer::no_such_method)
        .fallback(answer::no_such_route)
        .layer(from_fn_with_state(doors.clone(), around::around))
        .with_state(doors)
}

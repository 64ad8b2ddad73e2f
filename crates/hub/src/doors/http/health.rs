//! Whether the hub is alive and ready, and its figures.

use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;

use super::around::About;
use super::{Doors, answer};
use crate::access::Actor;
use crate::error::{HubError, Kind, Result};

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(3);

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers too: requests can be served.
pub(super) async fn ready(State(doors): State<Doors>, Extension(about): Extension<About>) -> Response {
    match ping(&doors).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => answer::plain(&error, &about.id),
    }
}

/// The figures, for Prometheus.
pub(super) async fn figures(State(doors): State<Doors>, Extension(about): Extension<About>) -> Response {
    let begun = Instant::now();
    let pinged = ping(&doors).await;
    doors.hub.metrics.database_is(pinged.is_ok(), begun.elapsed());
    if pinged.is_ok() {
        match doors.hub.queue(&Actor::Machine).await {
            Ok((running, waiting)) => doors.hub.metrics.queue_is(waiting.len(), running.len()),
            Err(error) => tracing::warn!(%error, "the length of the queue is not known"),
        }
    }
    match doors.hub.metrics.text() {
        Ok(text) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(error) => answer::plain(&HubError::internal(error), &about.id),
    }
}

async fn ping(doors: &Doors) -> Result<()> {
    match tokio::time::timeout(PATIENCE, doors.hub.store.ping()).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(HubError::new(Kind::Unavailable, "The hub's database does not answer")),
    }
}

//! What happens around every request.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::Instrument as _;

use super::client::Client;
use super::{Doors, answer};
use crate::error::HubError;
use crate::random;

/// The header with the id of a request, in both directions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over from a client.
const LONGEST_ID: usize = 64;

/// What is known of a request besides what it asks for.
#[derive(Clone)]
pub(super) struct About {
    /// Its id: in the answer, in errors and in the log.
    pub(super) id: Arc<str>,
    /// From where it comes.
    pub(super) client: Client,
}

/// Gives each request an id, a trace and figures, and answers those whose handler has panicked.
pub(super) async fn around(State(doors): State<Doors>, mut request: Request, next: Next) -> Response {
    let id: Arc<str> = id_of(request.headers()).into();
    let client = Client::of(&request, &doors.hub.config);
    let method = name_of(request.method());
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Paths that are no routes would make a figure of their own each.
    let route = matched.unwrap_or_else(|| "none".to_owned());
    let path = request.uri().path().to_owned();
    let address = client.address.clone().unwrap_or_default();
    let span = tracing::info_span!("request", id = &*id, method, route, address);
    request.extensions_mut().insert(About { id: Arc::clone(&id), client });

    let begun = Instant::now();
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    let mut response = handled.unwrap_or_else(|panic| {
        let error = HubError::internal(format!("a handler has panicked: {}", words_of(&*panic)));
        answer::at(&path, &error, &id)
    });
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    doors.hub.metrics.answered(method, &route, status, took);
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") {
        tracing::debug!(status, milliseconds, "answered");
    } else {
        tracing::info!(status, milliseconds, "answered");
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The client's own id, if it is one that can stand in a log, or else a new one.
fn id_of(headers: &HeaderMap) -> String {
    let is_good = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    match given.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID && id.chars().all(is_good)) {
        Some(id) => id.to_owned(),
        None => random::identifier(),
    }
}

fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(words), _) => words,
        (None, Some(words)) => words,
        (None, None) => "without words",
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use serde_json::Value;
    use tokio::net::TcpListener;

    use super::*;
    use crate::Clock;
    use crate::config::HubConfig;
    use crate::hub::Hub;
    use crate::logs::Logs;
    use crate::queue::Progress;

    async fn panics() -> &'static str {
        panic!("the secret of the machine room")
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_for_and_tells_nothing() {
        let folder = tempfile::Builder::new().prefix("around-").tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let config = HubConfig::load(None, [("IMAGEWRIGHT_DATA_DIR", data)]).unwrap();
        let hub = Hub::open(config, Clock::of_machine()).await.unwrap();
        let logs = Logs::open(&folder.path().join("logs"), 1000).unwrap();
        let doors = Doors::new(hub, logs, Progress::default());
        let router: Router<Doors> =
            Router::new().route("/api/graphql", get(panics)).route("/api/logs/{id}", get(panics));
        let router = router.layer(from_fn_with_state(doors.clone(), around)).with_state(doors);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let _ = rustls::crypto::ring::default_provider().install_default();
        for (path, code) in [("api/graphql", "/errors/0/extensions/code"), ("api/logs/x", "/code")] {
            let response = reqwest::get(format!("http://{address}/{path}")).await.unwrap();
            assert_eq!(response.status().as_u16(), 500);
            let text = response.text().await.unwrap();
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(answer.pointer(code), Some(&Value::from("INTERNAL_ERROR")));
            assert!(!text.contains("machine room"), "{text}");
        }
    }
}

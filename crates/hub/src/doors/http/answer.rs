//! Errors as answers: in GraphQL's form, since its clients read nothing else, and in a plain one for logs and the
//! selection.

use axum::Extension;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::around::About;
use crate::doors::graphql::errors;
use crate::error::{HubError, Kind};

/// Under these paths errors have the plain form.
const PLAIN: [&str; 2] = ["/api/logs/", "/api/groups/"];

/// JSON with a status. It is about somebody's own things: nobody keeps it.
pub(super) fn json_with(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body.to_string()).into_response()
}

/// The HTTP status of a kind of error.
pub(super) fn status_of(kind: Kind) -> StatusCode {
    StatusCode::from_u16(kind.codes().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error in GraphQL's form.
pub(super) fn graphql(error: &HubError, id: &str) -> Response {
    errors::log(error, id);
    challenged(json_with(status_of(error.kind()), &errors::body(error, id)))
}

/// An error in the plain form: `{"code", "message"}`.
pub(super) fn plain(error: &HubError, id: &str) -> Response {
    errors::log(error, id);
    let mut body = json!({ "code": error.kind().codes().1, "message": error.message(), "requestId": id });
    if let Some(hint) = error.hint() {
        body["hint"] = json!(hint);
    }
    challenged(json_with(status_of(error.kind()), &body))
}

/// An error in the form of the door that this path leads to.
pub(super) fn at(path: &str, error: &HubError, id: &str) -> Response {
    if PLAIN.iter().any(|prefix| path.starts_with(prefix)) { plain(error, id) } else { graphql(error, id) }
}

/// Who is not signed in is told how one does that here.
fn challenged(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Answers what no route is for.
pub(super) async fn no_such_route(Extension(about): Extension<About>, request: Request) -> Response {
    let error = HubError::new(Kind::NotFound, "There is nothing at this address")
        .with_hint("the API is at /api/graphql");
    at(request.uri().path(), &error, &about.id)
}

/// Answers a method that a route does not have.
pub(super) async fn no_such_method(Extension(about): Extension<About>, request: Request) -> Response {
    let message = format!("{} is not done at this address", request.method());
    let error = HubError::new(Kind::Invalid, message).with_hint("send queries to /api/graphql with POST");
    let mut response = at(request.uri().path(), &error, &about.id);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

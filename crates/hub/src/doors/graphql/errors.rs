//! Errors, as clients get them: a safe sentence, a stable code, what to do next. The chain of causes is for the log.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use serde_json::{Map, Value as Json, json};

use crate::error::{FieldProblem, HubError, Kind, chain};

/// Adds codes and hints to the errors of a response, writes their causes to the log, and gives the kind of the first.
pub(crate) fn dress(response: &mut Response, request_id: &str) -> Option<Kind> {
    let mut first = None;
    for error in &mut response.errors {
        let owned;
        let hub_error = if let Some(hub_error) = error.source::<HubError>() {
            hub_error
        } else {
            owned = refusal(error);
            &owned
        };
        first = first.or(Some(hub_error.kind()));
        log(hub_error, request_id);
        let mut extensions = ErrorExtensionValues::default();
        for (name, value) in extensions_of(hub_error, request_id) {
            extensions.set(name, Value::from_json(value).unwrap_or_default());
        }
        error.extensions = Some(extensions);
    }
    first
}

/// What the library itself says of a query is about the query, and may be told.
fn refusal(error: &ServerError) -> HubError {
    let refused = HubError::new(Kind::Invalid, error.message.clone());
    match error.message.as_str() {
        "Query is too complex." => refused.with_hint("ask for fewer fields at once"),
        "Query is nested too deep." => refused.with_hint("ask in several requests"),
        _ => refused,
    }
}

/// The body of a response that is nothing but an error. There is no `data` in it: nothing was executed.
pub(crate) fn body(error: &HubError, request_id: &str) -> Json {
    let extensions = Json::Object(extensions_of(error, request_id));
    json!({ "errors": [{ "message": error.message(), "extensions": extensions }] })
}

/// Writes what has gone wrong to the log, with all causes: loudly only what somebody has to look after.
pub(crate) fn log(error: &HubError, request_id: &str) {
    let kind = error.kind();
    let error = chain(error);
    match kind {
        Kind::Internal | Kind::Unavailable | Kind::Timeout => {
            tracing::error!(request_id, code = kind.codes().1, error, "a request has failed");
        }
        _ => tracing::debug!(request_id, code = kind.codes().1, error, "a request was refused"),
    }
}

fn extensions_of(error: &HubError, request_id: &str) -> Map<String, Json> {
    let mut extensions = Map::new();
    extensions.insert("code".to_owned(), json!(error.kind().codes().1));
    if let Some(hint) = error.hint() {
        extensions.insert("hint".to_owned(), json!(hint));
    }
    if !error.problems().is_empty() {
        let problems: Vec<Json> = error.problems().iter().map(problem).collect();
        extensions.insert("problems".to_owned(), json!(problems));
    }
    extensions.insert("requestId".to_owned(), json!(request_id));
    extensions
}

fn problem(problem: &FieldProblem) -> Json {
    json!({
        "field": problem.field,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "suggestion": problem.suggestion,
    })
}

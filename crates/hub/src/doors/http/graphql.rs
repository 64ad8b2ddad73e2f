//! The API: queries come as forms, as PrimeHub's client sends them, or as JSON, as all others do.

use async_graphql::{Request as Query, Response as Outcome, Value, Variables};
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value as Json;

use super::around::About;
use super::{Doors, answer, asker, body};
use crate::doors::graphql::errors;
use crate::doors::graphql::introspection::asks_for_schema;
use crate::error::{HubError, Kind, Result};

/// What a client asks.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: Option<String>,
    #[serde(default)]
    variables: Json,
    operation_name: Option<String>,
}

/// Answers a query or mutation.
pub(super) async fn graphql(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    request: Request,
) -> Response {
    let answer = tokio::time::timeout(doors.limits.time, answered(&doors, &about, request)).await;
    let outcome = answer.unwrap_or_else(|_| {
        let seconds = doors.limits.time.as_secs();
        let message = format!("The request took longer than {seconds} seconds");
        Err(HubError::new(Kind::Timeout, message).with_hint("ask for less at once, or try again later"))
    });
    outcome.unwrap_or_else(|error| answer::graphql(&error, &about.id))
}

async fn answered(doors: &Doors, about: &About, request: Request) -> Result<Response> {
    let (parts, sent) = request.into_parts();
    // Read in any case: a client that is refused has sent it all, and reads the answer.
    let sent = body::read(sent, doors.limits.body_bytes).await?;
    let actor = asker::actor(doors, &parts.headers, about).await?;
    let mut query = query(read(&parts.headers, &sent)?)?;
    // A query that cannot be read is refused below.
    if !doors.limits.introspection && query.parsed_query().is_ok_and(asks_for_schema) {
        return Err(malformed("This hub does not tell its schema")
            .with_hint("read `schema.graphql`, or ask an admin to switch `introspection` on"));
    }
    let query = query.data(doors.hub.clone()).data(actor).data(doors.progress.clone());
    let mut outcome = doors.schema.execute(query).await;
    let first = errors::dress(&mut outcome, &about.id);
    let status = match first {
        Some(kind) if is_nothing(&outcome) => answer::status_of(kind),
        _ => StatusCode::OK,
    };
    let body = serde_json::to_value(&outcome).map_err(HubError::internal)?;
    Ok(answer::json_with(status, &body))
}

/// Whether nothing came of it but errors. Part of an answer is an answer, whatever the errors beside it.
fn is_nothing(outcome: &Outcome) -> bool {
    match &outcome.data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|field| *field == Value::Null),
        _ => false,
    }
}

fn read(headers: &HeaderMap, sent: &[u8]) -> Result<Asked> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Ok(read_form(sent)),
        "application/json" => read_json(sent),
        _ => Err(malformed("The type of the request's body is not known here")
            .with_hint("send `application/json` or `application/x-www-form-urlencoded`")),
    }
}

fn read_form(sent: &[u8]) -> Asked {
    let mut asked = Asked::default();
    for (field, value) in url::form_urlencoded::parse(sent) {
        match &*field {
            "query" => asked.query = Some(value.into_owned()),
            "variables" => asked.variables = Json::String(value.into_owned()),
            "operationName" if !value.is_empty() => asked.operation_name = Some(value.into_owned()),
            _ => {}
        }
    }
    asked
}

fn read_json(sent: &[u8]) -> Result<Asked> {
    if sent.trim_ascii_start().first() == Some(&b'[') {
        return Err(malformed("A request has one query").with_hint("send several requests"));
    }
    serde_json::from_slice(sent).map_err(|error| {
        malformed(&format!("The request's body is not the JSON that it should be: {error}"))
            .with_hint("send an object with `query`, and with `variables` where it has some")
    })
}

fn query(asked: Asked) -> Result<Query> {
    let text = asked.query.filter(|query| !query.trim().is_empty());
    let text = text.ok_or_else(|| malformed("The request has no query").with_hint("send it as `query`"))?;
    let mut query = Query::new(text).variables(variables(asked.variables)?);
    query.operation_name = asked.operation_name;
    Ok(query)
}

/// Variables as an object, or as text of one; none where there is nothing.
fn variables(given: Json) -> Result<Variables> {
    let wrong = || malformed("The variables are no JSON object").with_hint("send an object as `variables`");
    match given {
        Json::Null => Ok(Variables::default()),
        Json::Object(_) => Ok(Variables::from_json(given)),
        Json::String(text) if text.trim().is_empty() => Ok(Variables::default()),
        Json::String(text) => match serde_json::from_str(&text) {
            Ok(Json::Null) => Ok(Variables::default()),
            Ok(object @ Json::Object(_)) => Ok(Variables::from_json(object)),
            Ok(_) | Err(_) => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn malformed(message: &str) -> HubError {
    HubError::new(Kind::Invalid, message)
}

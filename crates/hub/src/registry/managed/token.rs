//! Gives out tokens for the registry, as Distribution's token specification wants it, on a port of its own on loopback.
//!
//! Who pushes may do everything; who pulls may read images and specs. More than that is left out of the token, and the
//! registry refuses what is done with it; without the right password there is none.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::credentials::{Credentials, Secrets};
use super::signer::{LIFETIME_SECONDS, Signer};
use crate::config::Purpose;

/// The path of tokens.
pub(super) const PATH: &str = "/token";

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Pusher,
    Puller,
}

struct Tokens {
    secrets: Secrets,
    signer: Signer,
}

/// What answers on the port. Only `GET`: clients that try `POST` first ask again so.
pub(super) fn router(secrets: Secrets, signer: Signer) -> Router {
    Router::new().route(PATH, get(answer)).with_state(Arc::new(Tokens { secrets, signer }))
}

async fn answer(
    State(tokens): State<Arc<Tokens>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((user, name)) = authorization.and_then(|header| tokens.user(header)) else {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"imagewright\"")];
        let body = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "user or password is wrong" }] });
        return (StatusCode::UNAUTHORIZED, challenge, Json(body)).into_response();
    };
    let access: Vec<Value> = scopes(query.as_deref().unwrap_or_default())
        .iter()
        .filter_map(|scope| granted(user, scope))
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match tokens.signer.sign(name, &access, now) {
        Some(token) => {
            let body = json!({ "token": token, "access_token": token, "expires_in": LIFETIME_SECONDS });
            ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Tokens {
    /// Who has sent this `Authorization: Basic …`.
    fn user(&self, header: &str) -> Option<(User, &str)> {
        let (scheme, encoded) = header.split_once(' ')?;
        let decoded =
            STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        let is = |known: &Credentials| {
            // Digests are compared, so that the time says nothing of the password.
            known.user == name && Sha256::digest(known.password.expose_secret()) == Sha256::digest(password)
        };
        let Secrets { push, pull, .. } = &self.secrets;
        let known = [(User::Pusher, push), (User::Puller, pull)];
        known.into_iter().find(|(_, known)| is(known)).map(|(user, known)| (user, known.user.as_str()))
    }
}

/// The scopes of a query. One parameter may hold several.
fn scopes(query: &str) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .filter(|(name, _)| name == "scope")
        .flat_map(|(_, value)| value.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// What a user may do of a scope `TYPE:NAME:ACTION,ACTION`, as an entry of a token.
fn granted(user: User, scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let actions: Vec<&str> = actions.split(',').filter(|action| may(user, kind, name, action)).collect();
    (!actions.is_empty()).then(|| json!({ "type": kind, "name": name, "actions": actions }))
}

fn may(user: User, kind: &str, name: &str, action: &str) -> bool {
    match (user, kind) {
        (User::Pusher, "repository") => matches!(action, "pull" | "push" | "delete" | "*"),
        (User::Pusher, "registry") => name == "catalog" && action == "*",
        (User::Puller, "repository") => {
            let folder = name.split_once('/').map(|(folder, _)| folder);
            action == "pull" && [Purpose::Images.name(), Purpose::Specs.name()].map(Some).contains(&folder)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_pulls_may_only_pull_and_only_images() {
        let puller = |scope: &str| granted(User::Puller, scope).map(|access| access["actions"].to_string());
        assert_eq!(puller("repository:images/a:pull,push,delete").as_deref(), Some("[\"pull\"]"));
        assert_eq!(puller("repository:specs/a:pull").as_deref(), Some("[\"pull\"]"));
        for scope in
            ["repository:layers:pull", "repository:images/a:push", "registry:catalog:*", "x", "a:b", ""]
        {
            assert_eq!(puller(scope), None, "{scope}");
        }
        let pusher = |scope: &str| granted(User::Pusher, scope).map(|access| access["actions"].to_string());
        assert_eq!(pusher("repository:layers:pull,push").as_deref(), Some("[\"pull\",\"push\"]"));
        assert_eq!(pusher("registry:catalog:*").as_deref(), Some("[\"*\"]"));
        assert_eq!(pusher("registry:other:*"), None);
    }

    #[test]
    fn scopes_come_one_by_one_or_together() {
        let query = "service=x&scope=repository%3Aa%3Apull+repository%3Ab%3Apull&scope=repository:c:push";
        assert_eq!(scopes(query), ["repository:a:pull", "repository:b:pull", "repository:c:push"]);
    }
}

//! Tokens, as Docker's token specification and its `OAuth2` variant have them.
//!
//! We fetch them ourselves because the client library asks for one repository's scope only, and a
//! mount needs two, and because it knows no identity tokens.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::credential::Credential;
use crate::registry::http::{ReadError, read_bounded};

const CLIENT_ID: &str = "imagewright";
const ANSWER_LIMIT: u64 = 256 * 1024;

/// How long a token is good for when its issuer does not say: what the specification assumes.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(1);

/// A token that claims to live longer is asked for again after this time.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// How early a token counts as expired, so that it does not expire on its way.
const MARGIN: Duration = Duration::from_secs(10);

/// A short-lived token.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    expires: Instant,
}

impl Token {
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.expires
    }
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum TokenFailure {
    /// The credential was refused.
    Refused,
    /// The issuer answered with this status.
    Status(StatusCode),
    /// The issuer answered with something else than a token.
    Malformed,
    /// The issuer could not be reached.
    Request(reqwest::Error),
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Asks `realm` for a token with all of `scopes`.
///
/// What the issuer answers is never quoted: its address is the registry's choice, and may be one
/// that only this machine can reach.
pub(super) async fn fetch(
    http: &reqwest::Client,
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
    credential: Option<&Credential>,
) -> Result<Token, TokenFailure> {
    let request = match credential {
        Some(Credential::IdentityToken(identity)) => exchange(http, realm, service, scopes, identity),
        Some(Credential::Password { username, password }) => {
            let mut address = token_address(realm, service, scopes);
            address.query_pairs_mut().append_pair("account", username);
            http.get(address).basic_auth(username, Some(password.expose_secret()))
        }
        None => http.get(token_address(realm, service, scopes)),
    };
    let asked_at = Instant::now();
    let response = request.send().await.map_err(|error| TokenFailure::Request(error.without_url()))?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            return Err(TokenFailure::Refused);
        }
        status => return Err(TokenFailure::Status(status)),
    }
    let body = read_bounded(response, ANSWER_LIMIT).await.map_err(|error| match error {
        ReadError::Request(error) => TokenFailure::Request(error),
        ReadError::TooLarge => TokenFailure::Malformed,
    })?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| TokenFailure::Malformed)?;
    let secret = [answer.token, answer.access_token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty())
        .ok_or(TokenFailure::Malformed)?;
    // A token is shown in a header: what cannot stand there is no token.
    if HeaderValue::from_str(&secret).is_err() {
        return Err(TokenFailure::Malformed);
    }
    let lifetime = answer.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs).min(LONGEST_LIFETIME);
    Ok(Token { secret: SecretString::from(secret), expires: asked_at + lifetime.saturating_sub(MARGIN) })
}

/// The address of a token with `scopes`, one parameter each.
fn token_address(realm: &Url, service: Option<&str>, scopes: &[String]) -> Url {
    let mut address = realm.clone();
    let mut query = address.query_pairs_mut();
    query.append_pair("client_id", CLIENT_ID);
    if let Some(service) = service {
        query.append_pair("service", service);
    }
    for scope in scopes {
        query.append_pair("scope", scope);
    }
    drop(query);
    address
}

/// The request that exchanges an identity token.
fn exchange(
    http: &reqwest::Client,
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
    identity: &SecretString,
) -> reqwest::RequestBuilder {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("service", service.unwrap_or_default())
        .append_pair("scope", &scopes.join(" "))
        .append_pair("refresh_token", identity.expose_secret())
        .finish();
    http.post(realm.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
}

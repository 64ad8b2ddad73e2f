//! Tokens, as Docker's token and OAuth2 specifications have them.
//!
//! We fetch them ourselves because the client library asks for one repository's scope only, and a
//! mount needs two, and because it knows no identity tokens.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::credential::Credential;
use crate::registry::http::read_bounded;

const CLIENT_ID: &str = "imagewright";
const ANSWER_LIMIT: u64 = 256 * 1024;

/// How long a token is good for when its issuer does not say: what the specification assumes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

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
        Some(Credential::IdentityToken(identity)) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token")
                .append_pair("client_id", CLIENT_ID)
                .append_pair("service", service.unwrap_or_default())
                .append_pair("scope", &scopes.join(" "))
                .append_pair("refresh_token", identity.expose_secret());
            http.post(realm.clone())
                .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.finish())
        }
        _ => {
            let mut address = realm.clone();
            {
                let mut query = address.query_pairs_mut();
                query.append_pair("client_id", CLIENT_ID);
                if let Some(service) = service {
                    query.append_pair("service", service);
                }
                for scope in scopes {
                    query.append_pair("scope", scope);
                }
                if let Some(Credential::Password { username, .. }) = credential {
                    query.append_pair("account", username);
                }
            }
            let request = http.get(address);
            match credential {
                Some(Credential::Password { username, password }) => {
                    request.basic_auth(username, Some(password.expose_secret()))
                }
                _ => request,
            }
        }
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
        crate::registry::http::ReadError::Request(error) => TokenFailure::Request(error),
        crate::registry::http::ReadError::TooLarge => TokenFailure::Malformed,
    })?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| TokenFailure::Malformed)?;
    let secret = [answer.token, answer.access_token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty())
        .ok_or(TokenFailure::Malformed)?;
    // A token is shown in a header: what cannot stand there is no token.
    if reqwest::header::HeaderValue::from_str(&secret).is_err() {
        return Err(TokenFailure::Malformed);
    }
    let lifetime =
        answer.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs).min(Duration::from_secs(86_400));
    Ok(Token { secret: SecretString::from(secret), expires: asked_at + lifetime.saturating_sub(MARGIN) })
}

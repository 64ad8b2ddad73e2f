//! Who asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

use super::Doors;
use super::around::About;
use crate::access::Actor;
use crate::error::{HubError, Result};

/// Who the token of a request is of; somebody who has not signed in without one.
pub(super) async fn actor(doors: &Doors, headers: &HeaderMap, about: &About) -> Result<Actor> {
    let address = about.client.address.clone();
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(Actor::Anonymous { address });
    }
    let token = credentials(headers, "bearer").filter(|token| !token.is_empty());
    doors.hub.actor_by_token(token.ok_or_else(HubError::not_authenticated)?, address).await
}

/// The name and the password of HTTP Basic.
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let decoded = STANDARD.decode(credentials(headers, "basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((username.to_owned(), SecretString::from(password.to_owned())))
}

fn credentials<'header>(headers: &'header HeaderMap, scheme: &str) -> Option<&'header str> {
    let (given, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

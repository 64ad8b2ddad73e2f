//! The HTTP client that asks channels what they have: with the credentials of each address, again where a server
//! stumbles, and without ever showing a token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Extensions;
use reqwest::header::{AUTHORIZATION, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use secrecy::ExposeSecret as _;

use super::credentials::{ChannelCredentials, authorised};
use super::mirrors::Mirrors;
use super::settings::CondaSettings;

/// The pause before the second attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A client for channels on a client that knows certificates and timeouts.
pub fn client(
    inner: reqwest::Client,
    settings: &CondaSettings,
    retries: u32,
    refusals: &Refusals,
) -> ClientWithMiddleware {
    let mirrors = Mirrors { mirrors: settings.mirrors.clone(), down: Mutex::default() };
    let credentials = Credentials { credentials: settings.credentials.clone(), refusals: refusals.clone() };
    ClientBuilder::new(inner).with(mirrors).with(Again { retries }).with(Unchanged).with(credentials).build()
}

/// Who has refused access: the errors of the gateway do not tell.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<Mutex<Vec<String>>>);

impl Refusals {
    /// The addresses that refused access, without credentials.
    pub fn addresses(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Shows credentials to whom they are for.
struct Credentials {
    credentials: Vec<ChannelCredentials>,
    refusals: Refusals,
}

#[async_trait::async_trait]
impl Middleware for Credentials {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let plain = request.url().clone();
        let authorised = authorised(&self.credentials, &plain);
        *request.url_mut() = authorised.address;
        if let Some(header) = authorised.header
            && let Ok(mut value) = HeaderValue::from_str(header.expose_secret())
        {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        // The address may hold a token now.
        let response = next.run(request, extensions).await.map_err(reqwest_middleware::Error::without_url)?;
        if matches!(response.status().as_u16(), 401 | 403) {
            self.refusals.0.lock().unwrap_or_else(PoisonError::into_inner).push(plain.to_string());
        }
        Ok(response)
    }
}

/// Asks again where it may help.
struct Again {
    retries: u32,
}

#[async_trait::async_trait]
impl Middleware for Again {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..self.retries {
            // Requests for what a channel has carry no body, and so can be repeated.
            let Some(copy) = request.try_clone() else { break };
            match next.clone().run(copy, extensions).await {
                Ok(response) if !is_passing(&response) => return Ok(response),
                Err(error) if !error.is_timeout() && !error.is_connect() => return Err(error),
                Ok(_) | Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        next.run(request, extensions).await
    }
}

/// Says in an answer that nothing has changed what it is that has not. Some servers leave that out (Python's own does),
/// and the gateway then takes the answer for a new list.
struct Unchanged;

#[async_trait::async_trait]
impl Middleware for Unchanged {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let asked = request.headers().clone();
        let mut response = next.run(request, extensions).await?;
        let says = |name| response.headers().contains_key(name);
        if response.status() == StatusCode::NOT_MODIFIED && !says(ETAG) && !says(LAST_MODIFIED) {
            for (condition, validator) in [(IF_NONE_MATCH, ETAG), (IF_MODIFIED_SINCE, LAST_MODIFIED)] {
                if let Some(value) = asked.get(condition) {
                    response.headers_mut().insert(validator, value.clone());
                }
            }
        }
        Ok(response)
    }
}

/// A trouble that may have passed in a moment.
pub(super) fn is_passing(response: &Response) -> bool {
    let status = response.status();
    status.is_server_error() || matches!(status.as_u16(), 408 | 429)
}

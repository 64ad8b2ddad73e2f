//! The client: what all its calls share.

use std::collections::HashMap;
use std::sync::Arc;

use oci_client::errors::OciDistributionError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Mutex;
use url::Url;

use super::authentication::{Authenticator, Authorization, Challenge, Identity, Scope};
use super::config::RegistryClientConfig;
use super::endpoint::{self, Endpoint};
use super::error::{Attempt, RegistryError};
use super::failure;
use super::http::{HttpClient, read_error_body};
use super::library::Library;
use super::retry::{Failure, Remedy, Retry};
use super::tls;

/// A client for any number of registries. Cheap to clone: clones share connections, credentials
/// and tokens.
///
/// Implements [`Registry`](super::Registry).
#[derive(Clone)]
pub struct RegistryClient {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) config: RegistryClientConfig,
    http: HttpClient,
    pub(super) library: Library,
    registries: Mutex<HashMap<String, Arc<RegistryState>>>,
}

/// What is known of one registry.
#[derive(Default)]
struct RegistryState {
    /// Locked while it is found out, so that many requests at once ask once.
    endpoint: Mutex<Option<Endpoint>>,
    authenticator: Authenticator,
}

/// A small request, which can be sent again.
pub(super) struct Call<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) method: reqwest::Method,
    /// The path and query below `/v2/`.
    pub(super) path: String,
    /// What is accessed; the first scope is the repository that the request is sent to.
    pub(super) scopes: &'a [Scope<'a>],
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: bytes::Bytes,
    /// The statuses that are answers and not failures.
    pub(super) expected: &'a [StatusCode],
}

impl RegistryClient {
    /// A client with these settings. Reads the CA bundles; connects to nothing yet.
    pub fn new(config: RegistryClientConfig) -> Result<Self, RegistryError> {
        let certificates = tls::read_ca_bundles(&config.ca_bundles)?;
        let http = HttpClient::new(&config, &certificates)?;
        let library = Library::new(&config, &certificates)?;
        let registries = Mutex::default();
        Ok(Self { shared: Arc::new(Shared { config, http, library, registries }) })
    }

    pub(super) fn retry(&self) -> Retry {
        Retry::new(self.shared.config.retries)
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        self.shared.http.inner()
    }

    /// The answer of a library call that moves no bytes of its own, or a failure if it is late.
    pub(super) async fn answer_in_time<T>(
        &self,
        attempt: &Attempt,
        request: impl Future<Output = Result<T, OciDistributionError>>,
    ) -> Result<T, Failure> {
        let timeouts = self.shared.config.timeouts;
        match tokio::time::timeout(timeouts.connect + timeouts.read, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failure::of_library(attempt, error, &self.identity(attempt).await)),
            Err(_) => {
                Err(Failure::passing(RegistryError::Timeout { attempt: attempt.clone(), source: None }))
            }
        }
    }

    /// Sends a request until it is answered with one of the expected statuses.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<reqwest::Response, RegistryError> {
        let mut retry = self.retry();
        loop {
            match self.send_once(call).await {
                Ok(response) => return Ok(response),
                Err(failure) => self.recover(&mut retry, failure, call.attempt).await?,
            }
        }
    }

    /// Does what may help after a failure; gives the error back when nothing does.
    pub(super) async fn recover(
        &self,
        retry: &mut Retry,
        failure: Failure,
        attempt: &Attempt,
    ) -> Result<(), RegistryError> {
        if failure.remedy != Remedy::SignIn {
            return retry.wait(failure).await;
        }
        let state = self.state(attempt.repository().registry()).await;
        let challenge = state.endpoint.lock().await.as_ref().map(|endpoint| endpoint.challenge.clone());
        // A password that was refused is not shown again: accounts are locked for less.
        if matches!(challenge, Some(Challenge::Basic)) || !retry.may_sign_in_again() {
            return Err(failure.error);
        }
        state.authenticator.forget_tokens().await;
        Ok(())
    }

    /// Where the registry of `attempt` is and what a request with these scopes carries there.
    pub(super) async fn enter(
        &self,
        attempt: &Attempt,
        scopes: &[Scope<'_>],
    ) -> Result<(Endpoint, Authorization), Failure> {
        let Shared { config, http, .. } = &*self.shared;
        let registry = attempt.repository().registry();
        let state = self.state(registry).await;
        let endpoint = {
            let mut known = state.endpoint.lock().await;
            if let Some(endpoint) = &*known {
                endpoint.clone()
            } else {
                let found = endpoint::discover(http, attempt, config.allows_plain_http(registry)).await?;
                known.insert(found).clone()
            }
        };
        let authorization =
            state.authenticator.authorize(http, config, &endpoint.challenge, scopes, attempt).await?;
        Ok((endpoint, authorization))
    }

    /// Whether requests to a repository carry a credential.
    pub(super) async fn has_credential(&self, repository: &super::RepositoryReference) -> bool {
        let state = self.state(repository.registry()).await;
        !matches!(state.authenticator.identity(repository.repository()).await, Identity::Nobody)
    }

    /// Whose credential requests to the repository of `attempt` carry.
    pub(super) async fn identity(&self, attempt: &Attempt) -> Identity {
        let state = self.state(attempt.repository().registry()).await;
        state.authenticator.identity(attempt.repository().repository()).await
    }

    pub(super) async fn send_once(&self, call: &Call<'_>) -> Result<reqwest::Response, Failure> {
        let (endpoint, authorization) = self.enter(call.attempt, call.scopes).await?;
        let address = call.address(&endpoint)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).map_err(|_| call.malformed("a header"))?;
            headers.insert(name, value);
        }
        let request = self
            .shared
            .http
            .inner()
            .request(call.method.clone(), address)
            .headers(headers)
            .body(call.body.clone());
        let response = authorization
            .apply(request)
            .send()
            .await
            .map_err(|error| failure::of_request(call.attempt, error))?;
        let status = response.status();
        if call.expected.contains(&status) {
            return Ok(response);
        }
        let headers = response.headers().clone();
        if status == StatusCode::UNAUTHORIZED {
            self.learn_challenge(call.attempt, &headers).await;
        }
        let body = read_error_body(response).await;
        let identity = self.identity(call.attempt).await;
        Err(failure::of_status(call.attempt, status, &headers, &body, &identity))
    }

    /// Some registries let everyone see their front page and ask for credentials further in.
    async fn learn_challenge(&self, attempt: &Attempt, headers: &HeaderMap) {
        let state = self.state(attempt.repository().registry()).await;
        if let Some(endpoint) = &mut *state.endpoint.lock().await
            && endpoint.challenge == Challenge::Open
            && let Some(challenge) = Challenge::from_headers(headers)
            && challenge != Challenge::Basic
        {
            endpoint.challenge = challenge;
        }
    }

    async fn state(&self, registry: &str) -> Arc<RegistryState> {
        let mut registries = self.shared.registries.lock().await;
        Arc::clone(registries.entry(registry.to_owned()).or_default())
    }
}

impl Call<'_> {
    fn address(&self, endpoint: &Endpoint) -> Result<Url, Failure> {
        let path = format!("v2/{}", self.path);
        endpoint.base.join(&path).map_err(|_| self.malformed("an address"))
    }

    fn malformed(&self, what: &str) -> Failure {
        Failure::lasting(RegistryError::Protocol {
            attempt: self.attempt.clone(),
            detail: format!("{what} cannot be made of “{}”", self.path),
        })
    }
}

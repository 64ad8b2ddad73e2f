//! Where a registry's API is and what it asks for: found out once, by a request without
//! credentials.

use url::Url;

use super::authentication::Challenge;
use super::error::{Attempt, RegistryError};
use super::failure;
use super::http::HttpClient;
use super::retry::Failure;

/// Docker Hub's API does not live at the name in its references.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// A registry that has answered.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// `http` or `https`, host and port; the path is `/`.
    pub(super) base: Url,
    /// What it asks for.
    pub(super) challenge: Challenge,
}

/// The host (and port) that serves the API of `registry`.
pub(super) fn api_host(registry: &str) -> &str {
    if registry == DOCKER_HUB { DOCKER_HUB_HOST } else { registry }
}

/// Asks the registry for its challenge.
///
/// Where plain HTTP is allowed it is tried first: a plain server may wait for ever for the rest of
/// a TLS greeting, while a TLS server refuses a plain request at once. The request holds no secret.
pub(super) async fn discover(
    http: &HttpClient,
    attempt: &Attempt,
    plain_http_allowed: bool,
) -> Result<Endpoint, Failure> {
    let host = api_host(attempt.repository().registry());
    if plain_http_allowed {
        let plain = base(attempt, "http", host)?;
        match ping(http, attempt, &plain).await {
            Ok(Answer::Registry(endpoint)) => return Ok(endpoint),
            Err(failure) if plain.port().is_some() => return Err(failure),
            // Without a port in its name, encryption has a port of its own, which may be open.
            Ok(Answer::NotPlainHttp) | Err(_) => {}
        }
    }
    let encrypted = base(attempt, "https", host)?;
    match ping(http, attempt, &encrypted).await? {
        Answer::Registry(endpoint) => Ok(endpoint),
        Answer::NotPlainHttp => Err(Failure::lasting(RegistryError::Protocol {
            attempt: attempt.clone(),
            detail: "it is not a registry".to_owned(),
        })),
    }
}

fn base(attempt: &Attempt, scheme: &str, host: &str) -> Result<Url, Failure> {
    Url::parse(&format!("{scheme}://{host}/")).map_err(|error| {
        Failure::lasting(RegistryError::Setup(format!(
            "“{}” is not the name of a registry: {error}",
            attempt.repository().registry()
        )))
    })
}

enum Answer {
    Registry(Endpoint),
    /// Something answered that does not speak plain HTTP here.
    NotPlainHttp,
}

async fn ping(http: &HttpClient, attempt: &Attempt, base: &Url) -> Result<Answer, Failure> {
    let plain = base.scheme() == "http";
    let address = base.join("v2/").unwrap_or_else(|_| base.clone());
    let response = match http.inner().get(address).send().await {
        Ok(response) => response,
        // A TLS server that hangs up on a plain request.
        Err(error) if plain && !error.is_connect() && !error.is_timeout() => return Ok(Answer::NotPlainHttp),
        Err(error) => return Err(failure::of_request(attempt, error)),
    };
    let status = response.status();
    let moved_to_tls = plain && response.url().scheme() == "https";
    if plain && (status == reqwest::StatusCode::BAD_REQUEST || moved_to_tls) {
        return Ok(Answer::NotPlainHttp);
    }
    if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
        let headers = response.headers().clone();
        let body = super::http::read_error_body(response).await;
        let nobody = super::authentication::Identity::Nobody;
        return Err(failure::of_status(attempt, status, &headers, &body, &nobody));
    }
    let challenge = if status == reqwest::StatusCode::UNAUTHORIZED {
        Challenge::from_headers(response.headers()).ok_or_else(|| {
            Failure::lasting(RegistryError::Unsupported {
                attempt: attempt.clone(),
                detail: "the registry asks for a kind of sign-in that is not known here".to_owned(),
            })
        })?
    } else {
        // Some registries have no such page and are open all the same.
        Challenge::Open
    };
    if let Challenge::Bearer { realm, .. } = &challenge {
        let encrypted_registry = base.scheme() == "https";
        if encrypted_registry && realm.scheme() != "https" {
            return Err(Failure::lasting(RegistryError::Protocol {
                attempt: attempt.clone(),
                detail: "it wants credentials to be sent without encryption".to_owned(),
            }));
        }
    }
    Ok(Answer::Registry(Endpoint { base: base.clone(), challenge }))
}

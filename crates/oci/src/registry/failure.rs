//! From statuses, connection errors and the client library's errors to ours, with what may help.

use std::error::Error;
use std::io;
use std::time::Duration;

use oci_client::errors::{OciDistributionError, OciErrorCode};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use super::authentication::{Identity, lacks_scope};
use super::error::{Attempt, RegistryError};
use super::redact;
use super::retry::{Failure, Remedy};

/// The error document of the distribution specification.
#[derive(Deserialize)]
struct ErrorDocument {
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// A refusal: nobody is signed in, or not with a valid credential.
pub(super) fn unauthorized(attempt: &Attempt, identity: &Identity, remedy: Remedy) -> Failure {
    let registry = attempt.repository().registry();
    let advice = match identity {
        Identity::Nobody => format!("sign in with “podman login {registry}”, or give --authfile"),
        Identity::User { .. } | Identity::Token { .. } => {
            format!("check them, or sign in again with “podman login {registry}”")
        }
    };
    let error =
        RegistryError::Unauthorized { attempt: attempt.clone(), credential: identity.to_string(), advice };
    Failure { error, remedy }
}

/// A status that is not the one the caller hoped for, with (the start of) its body.
pub(super) fn of_status(
    attempt: &Attempt,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    identity: &Identity,
) -> Failure {
    let attempt = attempt.clone();
    let (code, detail) = summary(status, body);
    match status {
        // Who is nobody lacks an account rather than a right.
        StatusCode::UNAUTHORIZED if lacks_scope(headers) && !matches!(identity, Identity::Nobody) => {
            Failure {
                error: RegistryError::Forbidden { attempt, credential: identity.to_string(), detail },
                remedy: Remedy::SignIn,
            }
        }
        StatusCode::UNAUTHORIZED => unauthorized(&attempt, identity, Remedy::SignIn),
        StatusCode::FORBIDDEN => {
            Failure::lasting(RegistryError::Forbidden { attempt, credential: identity.to_string(), detail })
        }
        StatusCode::NOT_FOUND => Failure::lasting(RegistryError::NotFound {
            attempt,
            detail: format!("{detail}; check its name, and whether your account may see it"),
        }),
        StatusCode::TOO_MANY_REQUESTS => Failure {
            error: RegistryError::RateLimited { attempt },
            remedy: Remedy::Wait(retry_after(headers)),
        },
        StatusCode::PAYLOAD_TOO_LARGE => Failure::lasting(RegistryError::Unsupported {
            attempt,
            detail: format!("{detail}; raise the upload limit of the registry or of the proxy before it"),
        }),
        StatusCode::REQUEST_TIMEOUT => Failure::passing(RegistryError::Timeout { attempt, source: None }),
        StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => {
            Failure::lasting(RegistryError::Unsupported {
                attempt,
                detail: format!("the registry does not allow it ({detail})"),
            })
        }
        status if status.is_server_error() => Failure {
            error: RegistryError::Unreachable {
                attempt,
                detail: format!("the registry is not well ({detail}); try again later or ask its owner"),
                source: None,
            },
            remedy: Remedy::Wait(retry_after(headers)),
        },
        _ if code == "DIGEST_INVALID" || code == "SIZE_INVALID" => {
            Failure::lasting(RegistryError::UploadRefused { attempt, detail })
        }
        _ => Failure::lasting(RegistryError::Protocol { attempt, detail }),
    }
}

/// The service that hands out tokens has troubles of its own.
pub(super) fn of_token_issuer(attempt: &Attempt, status: StatusCode) -> Failure {
    let error = if status == StatusCode::TOO_MANY_REQUESTS {
        RegistryError::RateLimited { attempt: attempt.clone() }
    } else {
        RegistryError::Unreachable {
            attempt: attempt.clone(),
            detail: format!("the service that hands out its tokens answered {status}; try again later"),
            source: None,
        }
    };
    let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    Failure { error, remedy: if passing { Remedy::Wait(None) } else { Remedy::None } }
}

/// A request that got no answer.
pub(super) fn of_request(attempt: &Attempt, error: reqwest::Error) -> Failure {
    let attempt = attempt.clone();
    // The address may carry an upload's signature.
    let error = error.without_url();
    if error.is_timeout() {
        return Failure::passing(RegistryError::Timeout { attempt, source: Some(error.into()) });
    }
    if let Some(reason) = certificate_problem(&error) {
        let detail =
            format!("its TLS certificate is not trusted ({reason}); give the registry's CA with --ca-bundle");
        return Failure::lasting(RegistryError::Unreachable { attempt, detail, source: Some(error.into()) });
    }
    let detail = if error.is_connect() {
        "there is no connection; check its name, the network and that the registry runs"
    } else {
        "the connection broke off; check the network and try again"
    };
    let detail = detail.to_owned();
    Failure::passing(RegistryError::Unreachable { attempt, detail, source: Some(error.into()) })
}

/// An error of the client library.
pub(super) fn of_library(attempt: &Attempt, error: OciDistributionError, identity: &Identity) -> Failure {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let none = HeaderMap::new();
    match error {
        OciDistributionError::RequestError(error) => of_request(attempt, error),
        OciDistributionError::UnauthorizedError { .. } => unauthorized(attempt, identity, Remedy::SignIn),
        OciDistributionError::ServerError { code, message, .. } => {
            of_status(attempt, status(code), &none, message.as_bytes(), identity)
        }
        OciDistributionError::RegistryError { envelope, .. } => {
            // The library drops the status of an answer whose body it understands.
            let status = envelope.errors.first().map_or(StatusCode::BAD_REQUEST, |entry| match entry.code {
                OciErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
                OciErrorCode::Denied => StatusCode::FORBIDDEN,
                OciErrorCode::Toomanyrequests => StatusCode::TOO_MANY_REQUESTS,
                OciErrorCode::Unsupported => StatusCode::METHOD_NOT_ALLOWED,
                OciErrorCode::BlobUnknown
                | OciErrorCode::ManifestUnknown
                | OciErrorCode::NameUnknown
                | OciErrorCode::NotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::BAD_REQUEST,
            });
            let body = serde_json::to_vec(&envelope).unwrap_or_default();
            of_status(attempt, status, &none, &body, identity)
        }
        other => Failure::lasting(RegistryError::Protocol {
            attempt: attempt.clone(),
            detail: redact::clean(&other.to_string()),
        }),
    }
}

/// The code and a readable line of an error body.
fn summary(status: StatusCode, body: &[u8]) -> (String, String) {
    let entry = serde_json::from_slice::<ErrorDocument>(body)
        .ok()
        .and_then(|document| document.errors.into_iter().next());
    match entry {
        Some(entry) if !entry.message.is_empty() => (entry.code, redact::clean(&entry.message)),
        Some(entry) if !entry.code.is_empty() => (entry.code.clone(), redact::clean(&entry.code)),
        _ => (String::new(), format!("status {status}")),
    }
}

/// The seconds of `Retry-After`. The other form, a date, is rare and needs a right clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// What TLS has against a certificate, if that is why a request failed.
fn certificate_problem(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
        return Some(redact::clean(&reason.to_string()));
    }
    // The source of an I/O error is the source of what it holds, which would be passed over.
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    held.and_then(|held| certificate_problem(held)).or_else(|| error.source().and_then(certificate_problem))
}

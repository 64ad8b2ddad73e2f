//! Who we are to a registry: its challenge, our credential, and the tokens in between.

mod challenge;
mod scope;
mod token;

use std::collections::HashMap;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

pub(super) use self::challenge::{Challenge, lacks_scope};
pub(super) use self::scope::{Access, Scope};
use self::token::{Token, TokenFailure};
use super::config::RegistryClientConfig;
use super::error::{Attempt, RegistryError};
use super::failure;
use super::http::HttpClient;
use super::retry::{Failure, Remedy};
use crate::credential::{Credential, FoundCredential};

/// What a request carries to be let in. Cannot be printed.
#[derive(Clone)]
pub(super) enum Authorization {
    /// Nothing.
    None,
    /// User name and password.
    Basic { username: String, password: SecretString },
    /// A token.
    Bearer(SecretString),
}

impl Authorization {
    /// Puts the header on a request.
    pub(super) fn apply(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose_secret()))
            }
            Self::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }
}

/// The credential of a request in words: where it came from, never what it is.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    Nobody,
    User { username: String, origin: String },
    Token { origin: String },
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => formatter.write_str("requests without credentials"),
            Self::User { username, origin } => write!(formatter, "user “{username}” from {origin}"),
            Self::Token { origin } => write!(formatter, "the identity token from {origin}"),
        }
    }
}

impl Identity {
    fn of(found: Option<&FoundCredential>) -> Self {
        match found {
            None => Self::Nobody,
            Some(FoundCredential { credential: Credential::Password { username, .. }, origin }) => {
                Self::User { username: username.clone(), origin: origin.clone() }
            }
            Some(FoundCredential { origin, .. }) => Self::Token { origin: origin.clone() },
        }
    }
}

/// Credentials and tokens of one registry, kept as long as the client lives.
#[derive(Default)]
pub(super) struct Authenticator {
    /// By repository: files may hold several credentials for one registry.
    credentials: Mutex<HashMap<String, Option<FoundCredential>>>,
    /// By scopes. Locked while one is fetched, so that many requests at once fetch one token.
    tokens: Mutex<HashMap<String, Token>>,
}

impl Authenticator {
    /// What a request with these scopes has to carry. The first scope is the one that the request
    /// is sent to, and its credential is the one that counts.
    pub(super) async fn authorize(
        &self,
        http: &HttpClient,
        config: &RegistryClientConfig,
        challenge: &Challenge,
        scopes: &[Scope<'_>],
        attempt: &Attempt,
    ) -> Result<Authorization, Failure> {
        let found = match (challenge, scopes) {
            (Challenge::Open, _) | (_, []) => return Ok(Authorization::None),
            (_, [first, ..]) => self.credential(config, first, attempt).await?,
        };
        match challenge {
            Challenge::Open => Ok(Authorization::None),
            Challenge::Basic => match found.map(|found| found.credential) {
                Some(Credential::Password { username, password }) => {
                    Ok(Authorization::Basic { username, password })
                }
                _ => Ok(Authorization::None),
            },
            Challenge::Bearer { realm, service } => {
                let texts: Vec<String> = scopes.iter().map(ToString::to_string).collect();
                let key = texts.join(" ");
                let mut tokens = self.tokens.lock().await;
                if let Some(token) = tokens.get(&key).filter(|token| token.is_fresh()) {
                    return Ok(Authorization::Bearer(token.secret.clone()));
                }
                let credential = found.as_ref().map(|found| &found.credential);
                let token =
                    token::fetch(http.inner(), realm, service.as_deref(), &texts, credential)
                        .await
                        .map_err(|refusal| token_failure(refusal, attempt, &Identity::of(found.as_ref())))?;
                let secret = token.secret.clone();
                tokens.insert(key, token);
                Ok(Authorization::Bearer(secret))
            }
        }
    }

    /// Forgets all tokens, after one was refused.
    pub(super) async fn forget_tokens(&self) {
        self.tokens.lock().await.clear();
    }

    /// Whose credential requests to this scope's repository carry, for messages.
    pub(super) async fn identity(&self, repository: &str) -> Identity {
        let credentials = self.credentials.lock().await;
        Identity::of(credentials.get(repository).and_then(Option::as_ref))
    }

    async fn credential(
        &self,
        config: &RegistryClientConfig,
        scope: &Scope<'_>,
        attempt: &Attempt,
    ) -> Result<Option<FoundCredential>, Failure> {
        let mut credentials = self.credentials.lock().await;
        let repository = scope.repository.repository();
        if let Some(found) = credentials.get(repository) {
            return Ok(found.clone());
        }
        let found =
            config.credentials.find(scope.repository.registry(), repository).await.map_err(|source| {
                Failure::lasting(RegistryError::Credentials { attempt: attempt.clone(), source })
            })?;
        credentials.insert(repository.to_owned(), found.clone());
        Ok(found)
    }
}

fn token_failure(refusal: TokenFailure, attempt: &Attempt, identity: &Identity) -> Failure {
    match refusal {
        TokenFailure::Refused => failure::unauthorized(attempt, identity, Remedy::None),
        TokenFailure::Status(status) => failure::of_token_issuer(attempt, status),
        TokenFailure::Malformed => Failure::lasting(RegistryError::Protocol {
            attempt: attempt.clone(),
            detail: "the service that hands out its tokens sent none".to_owned(),
        }),
        TokenFailure::Request(error) => failure::of_request(attempt, error),
    }
}

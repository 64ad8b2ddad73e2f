//! The files that `podman login` (`auth.json`) and `docker login` (`config.json`) write.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use super::source::CredentialError;
use super::{Credential, FoundCredential, helper};

/// Real files have a few kilobytes.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// The names under which Docker Hub may be entered, besides `docker.io`.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// The key that `docker` itself uses for Docker Hub, with files and helpers.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// A parsed file of credentials.
pub(super) struct AuthFile {
    path: PathBuf,
    content: Content,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    auths: Option<HashMap<String, Entry>>,
    creds_store: Option<String>,
    cred_helpers: Option<HashMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl AuthFile {
    /// Reads a file of at most one megabyte.
    pub(super) async fn read(path: &Path) -> Result<Self, CredentialError> {
        let unreadable = |source| CredentialError::Unreadable { path: path.to_owned(), source };
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB")));
        }
        Self::parse(path, &bytes)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CredentialError> {
        // The parser's own message could quote a secret; its position cannot.
        let content = serde_json::from_slice(bytes).map_err(|error| CredentialError::Malformed {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        Ok(Self { path: path.to_owned(), content })
    }

    /// The credential for a repository: a helper for this very registry first, then the entry that
    /// names most of the repository's path, then the helper for everything else.
    pub(super) async fn find(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<FoundCredential>, CredentialError> {
        let server = if registry == DOCKER_HUB { DOCKER_HUB_SERVER } else { registry };
        let helpers = self.content.cred_helpers.as_ref();
        let own_helper = helpers.and_then(|helpers| helpers.get(registry).or_else(|| helpers.get(server)));
        if let Some(name) = own_helper {
            return helper::ask(name, server).await;
        }
        if let Some(credential) = self.entry(registry, repository)? {
            return Ok(Some(FoundCredential { credential, origin: self.path.display().to_string() }));
        }
        match &self.content.creds_store {
            Some(name) if !name.is_empty() => helper::ask(name, server).await,
            _ => Ok(None),
        }
    }

    fn entry(&self, registry: &str, repository: &str) -> Result<Option<Credential>, CredentialError> {
        let Some(auths) = &self.content.auths else {
            return Ok(None);
        };
        for wanted in keys(registry, repository) {
            for (key, entry) in auths {
                if normalised(key) == wanted
                    && let Some(credential) = self.credential(entry)?
                {
                    return Ok(Some(credential));
                }
            }
        }
        Ok(None)
    }

    /// The credential of one entry. Empty entries are what `docker login` leaves beside a helper.
    fn credential(&self, entry: &Entry) -> Result<Option<Credential>, CredentialError> {
        if let Some(token) = entry.identitytoken.as_deref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credential::IdentityToken(SecretString::from(token))));
        }
        if let Some(encoded) = entry.auth.as_deref().filter(|encoded| !encoded.is_empty()) {
            let malformed = || CredentialError::Malformed { path: self.path.clone(), line: 0, column: 0 };
            return decode(encoded).map(Some).ok_or_else(malformed);
        }
        Ok(match (&entry.username, &entry.password) {
            (Some(username), Some(password)) if !username.is_empty() => Some(Credential::Password {
                username: username.clone(),
                password: SecretString::from(password.as_str()),
            }),
            _ => None,
        })
    }
}

/// Base64 of `username:password`, with or without padding.
fn decode(encoded: &str) -> Option<Credential> {
    let configuration = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&STANDARD, configuration).decode(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credential::Password {
        username: username.to_owned(),
        // Some old versions of docker pad with zero bytes.
        password: SecretString::from(password.trim_end_matches('\0')),
    })
}

/// The keys that may hold a repository's credential, most specific first.
fn keys(registry: &str, repository: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = Some(repository).filter(|path| !path.is_empty());
    while let Some(current) = path {
        keys.push(format!("{registry}/{current}"));
        path = current.rsplit_once('/').map(|(parent, _)| parent);
    }
    keys.push(registry.to_owned());
    if registry == DOCKER_HUB {
        keys.extend(DOCKER_HUB_ALIASES.map(str::to_owned));
    }
    keys
}

/// An entry's key in today's form: docker writes addresses, and `/v1/` or `/v2/` after some.
fn normalised(key: &str) -> &str {
    if let Some((_scheme, rest)) = key.split_once("://") {
        // With a scheme, only the host counts.
        return rest.split('/').next().unwrap_or_default();
    }
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

#[cfg(test)]
mod tests;

//! Where credentials are looked for.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::auth_file::AuthFile;
use super::{Credential, FoundCredential};

/// Where a client looks for the credentials of a registry.
#[derive(Debug, Clone, Default)]
pub enum CredentialSource {
    /// In the files that `podman login` and `docker login` write: `$REGISTRY_AUTH_FILE`,
    /// `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`,
    /// `$DOCKER_CONFIG/config.json`, `~/.docker/config.json`; the first with a fitting entry counts.
    #[default]
    UserFiles,
    /// In this file only, which must exist.
    AuthFile(PathBuf),
    /// These, for one registry only; no credentials for others.
    Registry {
        /// `host` or `host:port`.
        registry: String,
        /// What this registry is shown.
        credential: Credential,
    },
    /// Nowhere.
    Anonymous,
}

/// Why credentials could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file is missing, not readable or too large.
    #[error("the credentials file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why. Part of the message, which says nothing without it.
        source: io::Error,
    },
    /// Not the JSON that `podman login` or `docker login` write. What the file holds is not quoted.
    #[error(
        "the credentials file {path} is malformed at line {line}, column {column}: sign in again with “podman login” or “docker login”"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 when an entry's content is at fault.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A credential helper that the file names failed.
    #[error("the credential helper {helper} failed: {reason}")]
    Helper {
        /// The program.
        helper: String,
        /// What happened.
        reason: String,
    },
}

impl CredentialSource {
    /// The credential for a repository, or `None` to go without.
    pub async fn find(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<FoundCredential>, CredentialError> {
        match self {
            Self::Anonymous => Ok(None),
            Self::Registry { registry: only, credential } => Ok((only == registry).then(|| {
                FoundCredential { credential: credential.clone(), origin: "the given credentials".to_owned() }
            })),
            Self::AuthFile(path) => AuthFile::read(path).await?.find(registry, repository).await,
            Self::UserFiles => {
                for path in search_paths(|name| std::env::var_os(name)) {
                    match AuthFile::read(&path).await {
                        Ok(file) => {
                            if let Some(found) = file.find(registry, repository).await? {
                                return Ok(Some(found));
                            }
                        }
                        Err(CredentialError::Unreadable { source, .. })
                            if source.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(None)
            }
        }
    }
}

/// The files to look in, best first, given the environment.
fn search_paths(environment: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let folder = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let below = |base: Option<PathBuf>, path: &str| base.map(|base| base.join(Path::new(path)));
    [
        folder("REGISTRY_AUTH_FILE"),
        below(folder("XDG_RUNTIME_DIR"), "containers/auth.json"),
        below(folder("HOME"), ".config/containers/auth.json"),
        below(folder("DOCKER_CONFIG"), "config.json"),
        below(folder("HOME"), ".docker/config.json"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_searched_in_the_order_of_the_tools_that_write_them() {
        let paths = search_paths(|name| match name {
            "REGISTRY_AUTH_FILE" => Some("/secrets/auth.json".into()),
            "XDG_RUNTIME_DIR" => Some("".into()),
            "HOME" => Some("/home/ada".into()),
            _ => None,
        });
        let expected =
            ["/secrets/auth.json", "/home/ada/.config/containers/auth.json", "/home/ada/.docker/config.json"];
        assert_eq!(paths, expected.map(PathBuf::from));
    }
}

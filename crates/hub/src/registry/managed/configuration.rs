//! The registry's own configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::signer::{ISSUER, SERVICE};
use crate::private_file;

/// What the registry's configuration is made of, and where.
pub(super) struct Configuration {
    folder: PathBuf,
    path: PathBuf,
}

/// What changes from one start to the next.
pub(super) struct Serving<'a> {
    pub(super) address: SocketAddr,
    pub(super) read_only: bool,
    /// Where tokens are given out.
    pub(super) realm: &'a str,
    /// What they are checked with, in PEM.
    pub(super) certificate: &'a str,
    pub(super) http_secret: &'a SecretString,
}

impl Configuration {
    pub(super) fn new(folder: PathBuf) -> Self {
        let path = folder.join("configuration.json");
        Self { folder, path }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file. No other process has it among its arguments.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the registry has its repositories; not there before the first push.
    pub(super) fn repositories(&self) -> PathBuf {
        self.storage().join("docker/registry/v2/repositories")
    }

    fn storage(&self) -> PathBuf {
        self.folder.join("storage")
    }

    /// Writes the file; JSON is YAML to the registry.
    pub(super) fn write(&self, serving: &Serving<'_>) -> std::io::Result<()> {
        let certificate = self.folder.join("token.crt");
        private_file::replace(&certificate, serving.certificate.as_bytes())?;
        let configuration = json!({
            "version": "0.1",
            "log": { "level": "warn", "formatter": "text", "accesslog": { "disabled": true } },
            "storage": {
                "filesystem": { "rootdirectory": self.storage() },
                "delete": { "enabled": true },
                "maintenance": {
                    "readonly": { "enabled": serving.read_only },
                    // What a build that was killed has left half uploaded.
                    "uploadpurging": { "enabled": true, "age": "24h", "interval": "12h", "dryrun": false },
                },
                // No `cache`: the registry would vouch for blobs that are gone after garbage was collected.
            },
            "http": {
                "addr": serving.address.to_string(),
                "secret": serving.http_secret.expose_secret(),
                // With it a request that is being answered is answered to its end when the hub stops.
                "draintimeout": "10s",
            },
            "auth": { "token": {
                "realm": serving.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": certificate,
            } },
        });
        private_file::replace(&self.path, configuration.to_string().as_bytes())
    }
}

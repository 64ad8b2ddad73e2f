//! What kind of registry a test wants.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Registry, TokenAuth};

/// Describes a registry; [`start`](Self::start) starts it.
#[derive(Debug, Clone, Default)]
pub struct RegistryBuilder {
    pub(super) access: Access,
    pub(super) tls: bool,
    pub(super) without_descriptor_cache: bool,
    pub(super) without_delete: bool,
}

/// Who may come in.
#[derive(Debug, Clone, Default)]
pub(super) enum Access {
    #[default]
    Open,
    Basic {
        user: String,
        password: String,
    },
    Token(TokenAuth),
}

impl Access {
    pub(super) fn first_user(&self) -> Option<(String, String)> {
        match self {
            Self::Open => None,
            Self::Basic { user, password } => Some((user.clone(), password.clone())),
            Self::Token(auth) => auth.first_user(),
        }
    }
}

impl RegistryBuilder {
    /// Asks for this user and password (HTTP Basic).
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.access = Access::Basic { user: user.to_owned(), password: password.to_owned() };
        self
    }

    /// Asks for a token from a token server, which runs in this process and grants what it is told.
    #[must_use]
    pub fn token_auth(mut self, auth: TokenAuth) -> Self {
        self.access = Access::Token(auth);
        self
    }

    /// Speaks TLS, with a certificate from an authority made for this registry ([`Registry::ca_file`]).
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Looks blobs up on disk every time, instead of remembering them in memory (Debian's default). With the cache,
    /// a registry whose garbage was collected meanwhile still vouches for blobs that are gone.
    #[must_use]
    pub fn without_descriptor_cache(mut self) -> Self {
        self.without_descriptor_cache = true;
        self
    }

    /// Whether manifests and blobs can be deleted through the API: yes, unless told otherwise.
    #[must_use]
    pub fn delete_enabled(mut self, enabled: bool) -> Self {
        self.without_delete = !enabled;
        self
    }

    /// Starts the registry and waits until it listens.
    pub fn start(self) -> Registry {
        Registry::with(self)
    }

    /// The registry's configuration, but for its address, TLS and tokens.
    pub(super) fn to_json(&self, folder: &Path, storage: &Path) -> Value {
        let mut configuration = json!({
            "version": 0.1,
            // The port is read from a line of this level.
            "log": { "level": "info", "accesslog": { "disabled": true } },
            "storage": {
                "filesystem": { "rootdirectory": storage },
                "delete": { "enabled": !self.without_delete },
                "maintenance": { "uploadpurging": { "enabled": false } },
            },
            // Foreign addresses in descriptors are taken in: what clients make of them is for tests to see.
            "validation": { "manifests": { "urls": { "allow": ["^https?://"] } } },
            "http": { "secret": "several processes of one test share no state" },
        });
        if !self.without_descriptor_cache {
            configuration["storage"]["cache"] = json!({ "blobdescriptor": "inmemory" });
        }
        if let Access::Basic { user, password } = &self.access {
            let file = folder.join("htpasswd");
            // The lowest cost there is: the password protects nothing, and it is checked with every request.
            let hash = bcrypt::hash(password, 4).expect("a hash of the password");
            fs::write(&file, format!("{user}:{hash}\n")).expect("the registry's password file");
            configuration["auth"] = json!({ "htpasswd": { "realm": "test", "path": file } });
        }
        configuration
    }
}

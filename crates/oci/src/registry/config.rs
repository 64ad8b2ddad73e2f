//! The settings of a [`RegistryClient`](super::RegistryClient).

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::RetryPolicy;
use crate::credential::CredentialSource;

/// How a client reaches registries. The default suits registries with public certificates and the
/// credentials that `docker login` or `podman login` left.
///
/// Proxies come from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), and so do the
/// system's certificates (`SSL_CERT_FILE`).
#[derive(Debug, Clone, Default)]
pub struct RegistryClientConfig {
    /// Where credentials are looked for.
    pub credentials: CredentialSource,
    /// Registries (`host` or `host:port`) that may be talked to without TLS. Loopback addresses
    /// always may, as with Docker: nobody can listen in between.
    pub insecure_registries: Vec<String>,
    /// PEM files with certificates to trust besides the system's.
    pub ca_bundles: Vec<PathBuf>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// When to send a request again.
    pub retries: RetryPolicy,
}

/// How long to wait for a registry.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, and then for each next piece of it.
    pub read: Duration,
    /// For an answer to an upload whose last byte was sent: the registry may have to move it.
    pub commit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_mins(1),
            commit: Duration::from_mins(5),
        }
    }
}

impl RegistryClientConfig {
    /// Whether `registry` may be talked to without TLS.
    pub(super) fn allows_plain_http(&self, registry: &str) -> bool {
        let host = host_of(registry);
        self.insecure_registries.iter().any(|allowed| allowed == registry || allowed == host)
            || is_loopback(host)
    }
}

/// `host` of `host:port`, without the brackets of an IPv6 address.
fn host_of(registry: &str) -> &str {
    if let Some((address, _)) = registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    registry.rsplit_once(':').map_or(registry, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_and_listed_registries() {
        let config = RegistryClientConfig {
            insecure_registries: vec!["registry.lan".into(), "10.0.0.7:5000".into()],
            ..Default::default()
        };
        for registry in
            ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "registry.lan:80"]
        {
            assert!(config.allows_plain_http(registry), "{registry}");
        }
        for registry in ["10.0.0.7:5001", "docker.io", "localhost.example.org", "10.0.0.7"] {
            assert!(!config.allows_plain_http(registry), "{registry}");
        }
    }
}

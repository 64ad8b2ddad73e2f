//! The HTTP client of downloads.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::pip::error::PipError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A client that trusts the system's certificates and those of the given PEM files. Redirects to another host lose
/// the credentials.
pub(crate) fn build(ca_bundles: &[PathBuf], read_timeout: Duration) -> Result<reqwest::Client, PipError> {
    imagewright_oci::registry::install_tls_provider();
    let mut certificates = Vec::new();
    for path in ca_bundles {
        let failed =
            |source| PipError::File { action: "read the certificates in", path: path.clone(), source };
        let pem = std::fs::read(path).map_err(failed)?;
        let read = reqwest::Certificate::from_pem_bundle(&pem);
        certificates.extend(read.map_err(|error| failed(std::io::Error::other(error)))?);
    }
    reqwest::Client::builder()
        .user_agent(concat!("imagewright/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT.min(read_timeout))
        .read_timeout(read_timeout)
        .tls_certs_merge(certificates)
        // Digests are of the bytes as they are stored.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .build()
        .map_err(|error| PipError::Unexpected { explanation: chain(&error) })
}

/// An error with all its causes in one line: without the address, which may hold credentials.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(current) = cause {
        words.push(current.to_string());
        cause = current.source();
    }
    if words.is_empty() {
        words.push("the request failed".to_owned());
    }
    words.join(": ")
}

//! The certificates that uv trusts.

use std::path::{Path, PathBuf};

use super::error::PipError;

/// Where Linux distributions keep the system's certificates as one file.
const SYSTEM_BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The file for `SSL_CERT_FILE`, which replaces what uv brings along: the system's certificates, and with private
/// ones a file in the work folder that holds both. `None` where neither is known.
pub(crate) fn bundle(private: &[PathBuf], work: &Path) -> Result<Option<PathBuf>, PipError> {
    let system = std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .into_iter()
        .chain(SYSTEM_BUNDLES.map(PathBuf::from))
        .find(|path| path.is_file());
    if private.is_empty() {
        return Ok(system);
    }
    let mut joined = Vec::new();
    for path in system.iter().chain(private) {
        let failed =
            |source| PipError::File { action: "read the certificates in", path: path.clone(), source };
        joined.extend(std::fs::read(path).map_err(failed)?);
        joined.push(b'\n');
    }
    let path = work.join("certificates.pem");
    std::fs::write(&path, joined).map_err(|source| PipError::File {
        action: "write",
        path: path.clone(),
        source,
    })?;
    Ok(Some(path))
}

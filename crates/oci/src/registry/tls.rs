//! Certificates and the cryptography behind TLS.

use std::path::PathBuf;
use std::sync::Once;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::RegistryError;

/// Makes *ring* the process's TLS provider, unless another was chosen before.
///
/// The crates that speak HTTP are compiled without a provider of their own, so that only one is
/// linked; they panic when none was chosen. Cheap to call again.
pub fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that the program has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The certificates of some PEM files, in DER form.
pub(super) fn read_ca_bundles(bundles: &[PathBuf]) -> Result<Vec<Vec<u8>>, RegistryError> {
    let mut certificates = Vec::new();
    for bundle in bundles {
        let unusable = |reason: String| {
            RegistryError::Setup(format!(
                "the CA bundle {} cannot be used: {reason}; give a PEM file with certificates",
                bundle.display()
            ))
        };
        let pem = std::fs::read(bundle).map_err(|error| unusable(error.to_string()))?;
        let before = certificates.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            certificates.push(certificate.to_vec());
        }
        if certificates.len() == before {
            return Err(unusable("it holds no certificate".to_owned()));
        }
    }
    Ok(certificates)
}

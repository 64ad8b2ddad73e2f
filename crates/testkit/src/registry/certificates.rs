//! A private certificate authority.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// An authority that nobody else trusts, and a certificate from it for 127.0.0.1 and localhost.
pub(super) struct Authority {
    /// In PEM.
    pub(super) certificate: String,
    pub(super) certificate_file: PathBuf,
    pub(super) server_certificate_file: PathBuf,
    pub(super) server_key_file: PathBuf,
}

impl Authority {
    pub(super) fn create(folder: &Path) -> Self {
        let key = KeyPair::generate().expect("a key for the authority");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.distinguished_name.push(DnType::CommonName, "Imagewright test authority");
        let certificate = parameters.self_signed(&key).expect("a certificate for the authority").pem();
        let issuer = Issuer::new(parameters, key);

        let server_key = KeyPair::generate().expect("a key for the server");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let server_certificate = CertificateParams::new(names)
            .and_then(|parameters| parameters.signed_by(&server_key, &issuer))
            .expect("a certificate for the server");

        Self {
            certificate_file: write(folder, "ca.crt", &certificate),
            server_certificate_file: write(folder, "server.crt", &server_certificate.pem()),
            server_key_file: write(folder, "server.key", &server_key.serialize_pem()),
            certificate,
        }
    }
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, content).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
    file
}

//! Signs the tokens that the registry believes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use super::ManagedRegistryError;

/// Who gives the tokens out, and for which service.
pub(super) const ISSUER: &str = "imagewright-hub";
pub(super) const SERVICE: &str = "imagewright-registry";

/// How long a token is good for, in seconds: clients ask for another one when it is not.
pub(super) const LIFETIME_SECONDS: u64 = 300;
/// How far the registry's clock, which is this machine's, may seem to be behind.
const SLACK_SECONDS: u64 = 10;

/// A key that lives as long as the hub, and its certificate.
pub(super) struct Signer {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
    /// In PEM, for the registry.
    pub(super) certificate_pem: String,
}

impl Signer {
    pub(super) fn generate() -> Result<Self, ManagedRegistryError> {
        let failed = |error: rcgen::Error| ManagedRegistryError::System {
            attempt: "make a key",
            source: std::io::Error::other(error),
        };
        let key = KeyPair::generate().map_err(failed)?;
        let parameters = CertificateParams::new([ISSUER.to_owned()]).map_err(failed)?;
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let signing = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &key.serialize_der(),
            &SystemRandom::new(),
        )
        .map_err(|error| ManagedRegistryError::System {
            attempt: "make a key",
            source: std::io::Error::other(error.to_string()),
        })?;
        Ok(Self { key: signing, certificate: certificate.der().to_vec(), certificate_pem: certificate.pem() })
    }

    /// A token that lets `user` do this, from `now` (seconds since 1970) on. None if the system gives no randomness.
    pub(super) fn sign(&self, user: &str, access: &[Value], now: u64) -> Option<String> {
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate)] });
        let claims = json!({
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "access": access,
            "iat": now.saturating_sub(SLACK_SECONDS),
            "nbf": now.saturating_sub(SLACK_SECONDS),
            "exp": now + LIFETIME_SECONDS,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

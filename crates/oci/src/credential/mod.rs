//! Credentials of registries: what they are and where they are found.

mod auth_file;
mod helper;
mod source;

use std::fmt;

use secrecy::SecretString;

pub use self::source::{CredentialError, CredentialSource};

/// What a registry is shown to be let in. Cannot be printed.
#[derive(Clone)]
pub enum Credential {
    /// A user name and a password (or an access token in its place).
    Password {
        /// The account.
        username: String,
        /// Its secret.
        password: SecretString,
    },
    /// A long-lived token that is exchanged for short-lived ones.
    IdentityToken(SecretString),
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential(…)")
    }
}

/// A credential and where it came from, for messages.
#[derive(Debug, Clone)]
pub struct FoundCredential {
    /// The credential itself.
    pub credential: Credential,
    /// The file or helper it came from.
    pub origin: String,
}

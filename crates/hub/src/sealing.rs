//! Keeping secrets at rest.

use std::error::Error as StdError;
use std::fmt::Debug;

use secrecy::SecretString;

/// Something that seals secrets, so that the database alone tells nobody anything.
pub trait Sealing: Debug + Send + Sync {
    /// Seals a secret for the record with this name, and no other.
    ///
    /// # Errors
    /// A key that cannot be used.
    fn seal(&self, record: &str, secret: &SecretString) -> Result<String, SealingError>;

    /// Opens what was sealed for this record.
    ///
    /// # Errors
    /// No key fits, or what is sealed was changed or is another record's.
    fn unseal(&self, record: &str, sealed: &str) -> Result<SecretString, SealingError>;

    /// Whether it was sealed with a key that is no longer the newest.
    fn needs_resealing(&self, sealed: &str) -> bool;
}

/// Why a secret cannot be sealed or opened.
pub type SealingError = Box<dyn StdError + Send + Sync>;

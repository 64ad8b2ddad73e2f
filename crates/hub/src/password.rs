//! Passwords: hashed with argon2, one at a time for each core, since each takes memory and time on purpose.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::error::{FieldProblem, HubError, Result};

/// The shortest and the longest password, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=1024;

/// Of these so many run at once; others wait.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// What is recommended for argon2id with little memory: 19 MiB, two passes.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Hashes a new password, to be stored.
///
/// # Errors
/// One that is too short or too long, as a problem with `field`.
pub(crate) async fn hash(password: SecretString, field: &'static str) -> Result<SecretString> {
    if !LENGTHS.contains(&password.expose_secret().len()) {
        let message = format!("a password has {} to {} characters", LENGTHS.start(), LENGTHS.end());
        return Err(HubError::invalid(FieldProblem::new(field, message, "choose a longer one")));
    }
    on_thread(move || {
        let hash = argon2().hash_password(password.expose_secret().as_bytes());
        Ok(SecretString::from(hash.map_err(|error| HubError::internal(error.to_string()))?.to_string()))
    })
    .await
}

/// Whether a password is the one that was hashed. Without a hash it is not, after the same time.
pub(crate) async fn verify(password: SecretString, hash: Option<SecretString>) -> Result<bool> {
    if password.expose_secret().len() > *LENGTHS.end() {
        return Ok(false);
    }
    on_thread(move || {
        let Some(hash) = hash else {
            let _ = argon2().hash_password(password.expose_secret().as_bytes());
            return Ok(false);
        };
        let hash =
            PasswordHash::new(hash.expose_secret()).map_err(|error| HubError::internal(error.to_string()))?;
        Ok(argon2().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    })
    .await
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _permit = AT_ONCE.acquire().await.map_err(HubError::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(HubError::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let hash = hash("correct horse".into(), "password").await.unwrap();
        assert!(hash.expose_secret().starts_with("$argon2id$"));
        assert!(verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!verify("correct house".into(), Some(hash)).await.unwrap());
        assert!(!verify("correct horse".into(), None).await.unwrap());
        assert!(super::hash("short".into(), "password").await.is_err());
    }
}

//! One value, sealed with one key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::VaultError;
use super::key_file::Key;

/// The form of sealed values; another one would have another word.
const VERSION: &str = "v1";
/// The nonces of this cipher are long enough to be drawn at random for as many values as there will ever be.
const NONCE_BYTES: usize = 24;

/// The name of the key in a sealed value.
pub(super) fn key_of(sealed: &str) -> Option<&str> {
    parts(sealed).map(|(id, _)| id)
}

fn parts(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
}

/// What is authenticated besides the plaintext. Neither the version nor the id has a line break in it.
fn associated(id: &str, record: &str) -> Vec<u8> {
    format!("imagewright {VERSION}\n{id}\n{record}").into_bytes()
}

pub(super) fn seal(key: &Key, record: &str, plaintext: &SecretString) -> Result<String, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| VaultError::Randomness)?;
    let payload = Payload { msg: plaintext.expose_secret().as_bytes(), aad: &associated(key.id(), record) };
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        // Only a plaintext of many gigabytes is refused.
        .map_err(|_| VaultError::Damaged { record: record.to_owned() })?;
    let bytes = [nonce.as_slice(), &ciphertext].concat();
    Ok(format!("{VERSION}.{}.{}", key.id(), URL_SAFE_NO_PAD.encode(bytes)))
}

pub(super) fn open(key: &Key, record: &str, sealed: &str) -> Result<SecretString, VaultError> {
    let (_, encoded) = parts(sealed).ok_or(VaultError::NotSealed)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| VaultError::NotSealed)?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::NotSealed)?;
    let damaged = || VaultError::Damaged { record: record.to_owned() };
    let payload = Payload { msg: ciphertext, aad: &associated(key.id(), record) };
    let mut plaintext = cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| damaged())?;
    let secret = std::str::from_utf8(&plaintext).map(SecretString::from).map_err(|_| damaged());
    plaintext.zeroize();
    secret
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.bytes()).into())
}

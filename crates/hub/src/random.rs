//! Identifiers and credentials that nobody can guess.

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

/// Letters and digits that are hard to confuse.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";

/// Bytes from the kernel.
///
/// A machine without randomness cannot keep anything secret: there is nothing to go on with.
#[expect(clippy::expect_used, reason = "there is nothing to go on with")]
pub(crate) fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}

/// A new identifier: 32 hexadecimal digits in the form of a UUID of version 4.
pub(crate) fn identifier() -> String {
    let mut bytes = bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// A new credential with 160 bits.
pub(crate) fn credential(prefix: &str) -> SecretString {
    let mut text = String::from(prefix);
    text.extend(bytes::<32>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])));
    SecretString::from(text)
}

/// A password for somebody who was given none: 80 bits, easy to type.
pub fn generated_password() -> SecretString {
    let letters: Vec<char> =
        bytes::<16>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let parts: Vec<String> = letters.chunks(4).map(|part| part.iter().collect()).collect();
    SecretString::from(parts.join("-"))
}

/// What of a credential is stored: it has so much randomness of its own that one round of hashing hides it.
pub(crate) fn credential_hash(credential: &str) -> String {
    hex::encode(Sha256::digest(credential))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn no_two_are_alike() {
        let (one, other) = (identifier(), identifier());
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
        let token = credential("iw_");
        assert_eq!(token.expose_secret().len(), 35);
        assert_ne!(token.expose_secret(), credential("iw_").expose_secret());
        assert_eq!(credential_hash("x").len(), 64);
    }
}

//! The bill of materials: every package of an image, in the form of `CycloneDX` 1.6. The same image has the same bill:
//! it names neither the time nor the machine.

use bytes::Bytes;
use imagewright_oci::digest::Digest;
use imagewright_oci::tree::ImageTree;
use serde_json::{Value, json};

use super::components::components;
use super::licence::Licence;
use crate::error::BuildError;
use crate::lock::Lock;

/// Media type of a bill.
pub const BILL_MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// Largest bill that is read, in bytes.
pub const BILL_SIZE_LIMIT: u64 = 64 << 20;

/// What a bill is made of.
pub struct BillInput<'bill> {
    /// The image's lock.
    pub lock: &'bill Lock,
    /// Digest of the lock: names the image.
    pub revision: &'bill str,
    /// The tree below pip's layers, without what they replace.
    pub tree: &'bill ImageTree,
    /// The image's configuration.
    pub config: &'bill Value,
    /// What the locked pip packages say of their licences, in the order of the lock.
    pub licences: &'bill [Option<Licence>],
}

/// Writes the bill.
///
/// # Errors
/// Never for what is read here; the serialiser's signature wants it.
pub fn bill_of_materials(input: &BillInput<'_>) -> Result<Bytes, BuildError> {
    let lock = input.lock;
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(input.revision),
        "version": 1,
        "metadata": {
            // Without our version: the image names the digest of its bill, and a new release must not change it.
            "tools": {
                "components": [
                    {"type": "application", "name": "imagewright"}
                ]
            },
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": lock.base.reference,
                "version": input.revision,
                "properties": [
                    {"name": "io.imagewright.revision", "value": input.revision},
                    {"name": "io.imagewright.base", "value": lock.base.reference},
                    {"name": "io.imagewright.base-digest", "value": lock.base.digest.to_string()},
                    {"name": "io.imagewright.platform", "value": lock.platform},
                ]
            }
        },
        "components": components(input),
    });
    let bytes = serde_json::to_vec(&bill).map_err(|error| {
        BuildError::internal("the bill of materials cannot be written").with_source(error)
    })?;
    Ok(bytes.into())
}

/// A UUID made of the revision (RFC 9562, version 8): the same image has the same.
fn serial_number(revision: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Digest::of(revision.as_bytes()).as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("urn:uuid:{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_a_uuid_of_its_revision() {
        let number = serial_number("sha256:1");
        assert_eq!(number, serial_number("sha256:1"));
        assert_ne!(number, serial_number("sha256:2"));
        let digits = number.strip_prefix("urn:uuid:").unwrap();
        let lengths: Vec<usize> = digits.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&digits[14..15], "8");
    }
}

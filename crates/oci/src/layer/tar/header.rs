//! The fields of a ustar header block.

use super::BLOCK;

/// Offset and length of each field.
pub(super) mod field {
    pub(crate) const NAME: (usize, usize) = (0, 100);
    pub(crate) const MODE: (usize, usize) = (100, 8);
    pub(crate) const USER_ID: (usize, usize) = (108, 8);
    pub(crate) const GROUP_ID: (usize, usize) = (116, 8);
    pub(crate) const SIZE: (usize, usize) = (124, 12);
    pub(crate) const MODIFIED: (usize, usize) = (136, 12);
    pub(crate) const CHECKSUM: (usize, usize) = (148, 8);
    pub(crate) const TYPE_FLAG: (usize, usize) = (156, 1);
    pub(crate) const LINK_NAME: (usize, usize) = (157, 100);
    pub(crate) const MAGIC: (usize, usize) = (257, 8);
    pub(crate) const DEVICE_MAJOR: (usize, usize) = (329, 8);
    pub(crate) const DEVICE_MINOR: (usize, usize) = (337, 8);
    pub(crate) const PREFIX: (usize, usize) = (345, 155);
}

/// One header block.
#[derive(Debug, Clone)]
pub(super) struct Header(pub(super) [u8; BLOCK]);

impl Header {
    pub(super) fn bytes(&self, (offset, length): (usize, usize)) -> &[u8] {
        &self.0[offset..offset + length]
    }

    /// A text field up to its first NUL.
    pub(super) fn text(&self, field: (usize, usize)) -> &[u8] {
        let bytes = self.bytes(field);
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        &bytes[..end]
    }

    /// A number: octal digits, or base 256 where the first bit is set (GNU). `None` when it is neither.
    pub(super) fn number(&self, field: (usize, usize)) -> Option<i64> {
        let bytes = self.bytes(field);
        if bytes[0] & 0x80 != 0 {
            return base_256(bytes);
        }
        let digits = bytes.iter().copied().filter(|byte| !matches!(byte, b' ' | 0));
        let mut value: i64 = 0;
        for digit in digits {
            if !(b'0'..=b'7').contains(&digit) {
                return None;
            }
            value = value.checked_mul(8)?.checked_add(i64::from(digit - b'0'))?;
        }
        Some(value)
    }

    /// True when the stored checksum is that of the block, summed as unsigned bytes (or signed, as some old
    /// writers did).
    pub(super) fn checksum_matches(&self) -> bool {
        let Some(stored) = self.number(field::CHECKSUM) else { return false };
        let (offset, length) = field::CHECKSUM;
        let in_checksum = |index: usize| (offset..offset + length).contains(&index);
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (index, byte) in self.0.iter().enumerate() {
            let byte = if in_checksum(index) { b' ' } else { *byte };
            unsigned += i64::from(byte);
            signed += i64::from(i8::from_ne_bytes([byte]));
        }
        stored == unsigned || stored == signed
    }

    /// True for POSIX's ustar, where the prefix field continues the name to the left. GNU's own magic
    /// (`ustar  `) uses these bytes for something else.
    pub(super) fn has_prefix(&self) -> bool {
        self.bytes(field::MAGIC).starts_with(b"ustar\0")
    }
}

fn base_256(bytes: &[u8]) -> Option<i64> {
    let negative = bytes[0] & 0x40 != 0;
    let mut value: i64 = if negative { -1 } else { 0 };
    for (index, byte) in bytes.iter().enumerate() {
        let byte = if index == 0 && !negative { byte & 0x7f } else { *byte };
        value = value.checked_mul(256)?.checked_add(i64::from(byte))?;
    }
    Some(value)
}

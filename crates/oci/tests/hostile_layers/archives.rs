//! Archives block by block: no library would write what is needed here.

/// Length of a block.
pub(crate) const BLOCK: usize = 512;

/// One header block, with fields to be overwritten, and its content.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    block: [u8; BLOCK],
    content: Vec<u8>,
}

impl Entry {
    /// An entry of a type, as its flag says, with the size of its content.
    pub(crate) fn new(flag: u8, name: &[u8], content: &[u8]) -> Self {
        let mut entry = Self { block: [0; BLOCK], content: content.to_vec() };
        entry =
            entry.field(0, name).field(100, b"0000644\0").field(108, b"0000000\0").field(116, b"0000000\0");
        let size = format!("{:011o}\0", content.len());
        entry
            .field(124, size.as_bytes())
            .field(136, b"00000000007\0")
            .field(156, &[flag])
            .field(257, b"ustar\x0000")
    }

    /// A regular file.
    pub(crate) fn file(name: &str, content: &[u8]) -> Self {
        Self::new(b'0', name.as_bytes(), content)
    }

    /// A folder.
    pub(crate) fn directory(name: &str) -> Self {
        Self::new(b'5', name.as_bytes(), b"")
    }

    /// A symbolic or hard link.
    pub(crate) fn link(flag: u8, name: &str, target: &str) -> Self {
        Self::new(flag, name.as_bytes(), b"").field(157, target.as_bytes())
    }

    /// A PAX header with these records, for the next entry (`x`) or all (`g`).
    pub(crate) fn pax(flag: u8, records: &[(&str, &[u8])]) -> Self {
        let mut content = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length != rest + length.to_string().len() {
                length = rest + length.to_string().len();
            }
            content.extend(format!("{length} {key}=").bytes());
            content.extend(*value);
            content.push(b'\n');
        }
        Self::new(flag, b"pax", &content)
    }

    /// Overwrites bytes of the header.
    pub(crate) fn field(mut self, offset: usize, bytes: &[u8]) -> Self {
        let length = bytes.len().min(BLOCK - offset);
        self.block[offset..offset + length].copy_from_slice(&bytes[..length]);
        self
    }

    /// Claims a size that the content does not have.
    pub(crate) fn claiming_size(self, octal: &[u8]) -> Self {
        self.field(124, octal)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut block = self.block;
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = block.to_vec();
        bytes.extend(&self.content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }
}

/// An archive with its end.
pub(crate) fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = unfinished(entries);
    bytes.extend([0; 2 * BLOCK]);
    bytes
}

/// An archive without its end.
pub(crate) fn unfinished(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(Entry::bytes).collect()
}

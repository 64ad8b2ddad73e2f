//! What a binary says of itself, read while it streams past: the machine it is for, and the version text that
//! Python and the C libraries embed. This finds the exact version in every image, whoever packed it, without
//! executing anything.

use super::BinaryFacts;

/// How much of a file's end is carried over into the next block, so that a version split between two blocks
/// is found: longer than any version text.
const OVERLAP: usize = 128;

/// Which text to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// `\0MAJOR.MINOR.PATCH\0`: `PY_VERSION` of `CPython`, with the prefix `3.11.`.
    Python { prefix: String },
    /// `stable release version 2.36`.
    Glibc,
    /// `\01.2.4\0` in musl's loader.
    Musl,
}

/// Scans one binary. Feed it blocks in order, then ask for the facts.
#[derive(Debug)]
pub(super) struct BinaryScanner {
    wanted: Wanted,
    machine: Option<u16>,
    header: Vec<u8>,
    window: Vec<u8>,
    version: Option<String>,
}

impl BinaryScanner {
    /// A scanner where the file's name is one that we learn from, else `None`.
    pub(super) fn for_path(path: &str) -> Option<Self> {
        let (folder, name) = crate::layer::path::split(path);
        let wanted = if let Some(minor) = python_minor(name) {
            Wanted::Python { prefix: format!("3.{minor}.") }
        } else if name == "libc.so.6" || name.starts_with("libc-2.") {
            Wanted::Glibc
        } else if name.starts_with("ld-musl-") || (name == "libc.musl-x86_64.so.1" && folder == "lib") {
            Wanted::Musl
        } else {
            return None;
        };
        Some(Self { wanted, machine: None, header: Vec::new(), window: Vec::new(), version: None })
    }

    /// Takes the next block of the file.
    pub(super) fn update(&mut self, block: &[u8]) {
        if self.header.len() < 20 {
            let missing = 20 - self.header.len();
            self.header.extend_from_slice(&block[..missing.min(block.len())]);
            if self.header.len() == 20 {
                self.machine = elf_machine(&self.header);
            }
        }
        if self.version.is_some() {
            return;
        }
        self.window.extend_from_slice(block);
        self.version = self.wanted.find(&self.window);
        let carried = self.window.len().saturating_sub(OVERLAP);
        self.window.drain(..carried);
    }

    /// What was found.
    pub(super) fn finish(self) -> BinaryFacts {
        BinaryFacts { machine: self.machine, version: self.version }
    }
}

impl Wanted {
    fn find(&self, window: &[u8]) -> Option<String> {
        match self {
            Self::Python { prefix } => terminated_texts(window, prefix.as_bytes())
                .find(|text| is_python_version(text))
                .map(str::to_owned),
            Self::Glibc => {
                let marker = b"stable release version ";
                let at = find(window, marker)? + marker.len();
                let rest = &window[at..];
                let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
                let text = std::str::from_utf8(&rest[..end]).ok()?.trim_end_matches('.');
                (!text.is_empty()).then(|| text.to_owned())
            }
            Self::Musl => terminated_texts(window, b"1.")
                .find(|text| text.split('.').count() == 3 && text.len() <= 8)
                .map(str::to_owned),
        }
    }
}

/// The texts between two NUL bytes that start with `prefix` and hold only characters of versions.
fn terminated_texts<'bytes>(window: &'bytes [u8], prefix: &'bytes [u8]) -> impl Iterator<Item = &'bytes str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(found) = find(&window[at..], prefix) {
            let start = at + found;
            at = start + 1;
            if start == 0 || window[start - 1] != 0 {
                continue;
            }
            let end = start + window[start..].iter().position(|byte| *byte == 0)?;
            let text = &window[start..end];
            let of_a_version =
                |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'a' | b'b' | b'r' | b'c');
            if text.len() <= 24 && text.iter().all(of_a_version) {
                return std::str::from_utf8(text).ok();
            }
        }
        None
    })
}

fn is_python_version(text: &str) -> bool {
    let mut parts = text.splitn(3, '.');
    let (Some("3"), Some(minor), Some(patch)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    minor.bytes().all(|byte| byte.is_ascii_digit()) && patch.starts_with(|first: char| first.is_ascii_digit())
}

/// The minor version in the name of a Python executable or library: `python3.11`, `libpython3.11.so.1.0`,
/// `python3.13t`.
fn python_minor(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("libpython3.").or_else(|| name.strip_prefix("python3."))?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (minor, suffix) = rest.split_at(digits);
    let binary = matches!(suffix, "" | "t" | "m") || suffix.starts_with(".so") || suffix.starts_with("t.so");
    (!minor.is_empty() && binary).then_some(minor)
}

fn elf_machine(header: &[u8]) -> Option<u16> {
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let bytes = [header[18], header[19]];
    // Byte 5 says the byte order: 2 is big-endian.
    Some(if header[5] == 2 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(path: &str, blocks: &[&[u8]]) -> BinaryFacts {
        let mut scanner = BinaryScanner::for_path(path).expect("a file we learn from");
        for block in blocks {
            scanner.update(block);
        }
        scanner.finish()
    }

    fn elf(machine: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
        bytes.extend(machine.to_le_bytes());
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn the_version_of_python_is_found_across_blocks() {
        let file = elf(62, b"....\x003.11.fake\x00 3.11.9 \x003.11.2\x00....");
        for cut in 1..file.len() {
            let facts = scan("usr/bin/python3.11", &[&file[..cut], &file[cut..]]);
            assert_eq!(
                facts,
                BinaryFacts { machine: Some(62), version: Some("3.11.2".into()) },
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn glibc_and_musl_tell_theirs() {
        let text = b"GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nCopyright";
        assert_eq!(scan("lib/x86_64-linux-gnu/libc.so.6", &[text]).version.as_deref(), Some("2.36"));
        let musl = elf(183, b"\x00musl\x001.2.4\x00");
        let facts = scan("lib/ld-musl-aarch64.so.1", &[&musl]);
        assert_eq!((facts.machine, facts.version.as_deref()), (Some(183), Some("1.2.4")));
    }

    #[test]
    fn only_interpreters_and_libraries_are_scanned() {
        assert!(BinaryScanner::for_path("usr/bin/python3.11-config").is_none());
        assert!(BinaryScanner::for_path("usr/bin/python3.13t").is_some());
        assert!(BinaryScanner::for_path("usr/lib/libpython3.11.so.1.0").is_some());
        assert!(BinaryScanner::for_path("usr/bin/bash").is_none());
    }
}

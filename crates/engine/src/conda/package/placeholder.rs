//! The prefix in the place of its placeholder, without a file ever being in memory whole: the largest libraries that
//! hold one have gigabytes.
//!
//! rattler replaces, and wants all bytes at once. So a binary is given to it in pieces, cut where no string goes on.
//! Texts are small, and given whole.

use std::io::{self, Write};

use memchr::memmem;
use rattler::install::link::copy_and_replace_placeholders;
use rattler_conda_types::Subdir;
use rattler_conda_types::package::{FileMode, OffsetEncoding, PrefixPlaceholder};
use rattler_digest::digest::Digest as _;
use rattler_digest::{Sha256, Sha256Hash};

use super::archive::Unpacked;
use super::error::PackageProblem;

/// Bytes of a binary that are looked at together; more where one string goes on for longer.
const PIECE: usize = 4 << 20;
/// Most bytes that are looked at together.
const LARGEST_PIECE: usize = 64 << 20;
/// How often the placeholder may be in one piece: each costs some hundred bytes of memory.
const OCCURRENCES: usize = 1 << 20;
/// Bytes of a placeholder: conda's own have 255.
const LONGEST_PLACEHOLDER: usize = 4 << 10;
/// Zeros that end a string, in whatever encoding and wherever it began.
const ENDING_ZEROS: usize = 8;
/// Zeros behind these, so that no string has begun yet.
const ZEROS_AFTER: usize = 4;
/// Where pieces begin: rattler prefers strings that begin at a multiple of their code unit.
const ALIGNMENT: usize = 4;

/// What a file becomes.
pub(super) struct Replaced {
    /// Where its bytes begin in the contents.
    pub(super) offset: u64,
    /// Number of its bytes.
    pub(super) size: u64,
    /// Their digest.
    pub(super) sha256: Sha256Hash,
}

/// How files are replaced.
pub(super) struct Replacement<'replacement> {
    placeholder: &'replacement PrefixPlaceholder,
    prefix: &'replacement str,
    subdir: Subdir,
    /// The placeholder in each encoding in which rattler looks for it, UTF-8 first.
    encoded: Vec<Vec<u8>>,
    piece: usize,
}

impl<'replacement> Replacement<'replacement> {
    pub(super) fn new(
        placeholder: &'replacement PrefixPlaceholder,
        prefix: &'replacement str,
        subdir: Subdir,
    ) -> Result<Self, PackageProblem> {
        let text = &placeholder.placeholder;
        if text.is_empty() || text.len() > LONGEST_PLACEHOLDER || text.contains('\0') {
            return Err(PackageProblem::Metadata {
                file: "list of files",
                reason: "names a placeholder of the prefix that is none".to_owned(),
            });
        }
        let encoded = OffsetEncoding::DEFINED.map(|encoding| encoding.encode(text)).to_vec();
        Ok(Self { placeholder, prefix, subdir, encoded, piece: PIECE })
    }

    /// Appends a member of the archive to the contents, replaced.
    pub(super) fn apply(
        &self,
        unpacked: &mut Unpacked,
        offset: u64,
        size: u64,
    ) -> Result<Replaced, PackageProblem> {
        unpacked.flush()?;
        let start = unpacked.append(&[])?;
        let mut output = Output { unpacked, size: 0, hasher: Sha256::default(), problem: None };
        let mut source = Source { offset, left: size, window: Vec::new() };
        let mut wanted = match self.placeholder.file_mode {
            FileMode::Binary => self.piece,
            FileMode::Text => LARGEST_PIECE,
        };
        loop {
            if source.window.len() < wanted {
                source.fill(output.unpacked, wanted)?;
            }
            if source.left == 0 {
                self.replace(&source.window, &mut output)?;
                break;
            }
            let cut = match self.placeholder.file_mode {
                FileMode::Binary => self.cut(&source.window),
                FileMode::Text => None,
            };
            match cut {
                Some(cut) => {
                    self.replace(&source.window[..cut], &mut output)?;
                    source.window.drain(..cut);
                    wanted = self.piece;
                }
                None if wanted < LARGEST_PIECE => wanted = (wanted * 2).min(LARGEST_PIECE),
                None => {
                    return Err(PackageProblem::TooLarge {
                        what: "the size of a text with its prefix, in bytes,",
                        limit: LARGEST_PIECE as u64,
                    });
                }
            }
        }
        Ok(Replaced { offset: start, size: output.size, sha256: output.hasher.finalize() })
    }

    /// Where the window can be cut: what stands before is replaced as if all were.
    fn cut(&self, window: &[u8]) -> Option<usize> {
        let longest = self.encoded.iter().map(Vec::len).max().unwrap_or_default();
        // What begins behind this may not be seen whole.
        let end = window.len().checked_sub(longest)? / ALIGNMENT * ALIGNMENT;
        let mut finds = self.encoded.iter().map(|text| memmem::find(window, text).is_some());
        let (has_plain, has_wide) = (finds.next() == Some(true), finds.any(|found| found));
        let mut ends = (1..=end / ALIGNMENT).rev().map(|at| at * ALIGNMENT);
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if has_wide {
            ends.find(|&at| at >= ENDING_ZEROS && is_zero(&window[at - ENDING_ZEROS..at + ZEROS_AFTER]))
        } else if has_plain {
            ends.find(|&at| window[at - 1] == 0)
        } else {
            ends.next()
        }
    }

    fn replace(&self, bytes: &[u8], output: &mut Output<'_>) -> Result<(), PackageProblem> {
        let found: usize = self
            .encoded
            .iter()
            .map(|text| memmem::find_iter(bytes, text).take(OCCURRENCES + 1).count())
            .sum();
        if found > OCCURRENCES {
            return Err(PackageProblem::TooLarge {
                what: "the number of times that the prefix is in one of its files",
                limit: OCCURRENCES as u64,
            });
        }
        if found == 0 && self.placeholder.file_mode == FileMode::Binary {
            return output.append(bytes);
        }
        let PrefixPlaceholder { file_mode, placeholder, .. } = self.placeholder;
        let outcome = copy_and_replace_placeholders(
            bytes,
            &mut *output,
            placeholder,
            self.prefix,
            &self.subdir,
            *file_mode,
        );
        match (outcome, output.problem.take()) {
            (_, Some(problem)) => Err(problem),
            (Err(error), None) => Err(PackageProblem::Read(error)),
            (Ok(()), None) => Ok(()),
        }
    }
}

/// The part of a member that is in memory, and what is left of it.
struct Source {
    offset: u64,
    left: u64,
    window: Vec<u8>,
}

impl Source {
    fn fill(&mut self, unpacked: &Unpacked, wanted: usize) -> Result<(), PackageProblem> {
        let have = self.window.len();
        let more = usize::try_from(self.left).unwrap_or(usize::MAX).min(wanted - have);
        self.window.resize(have + more, 0);
        unpacked.read_at(self.offset, &mut self.window[have..])?;
        self.offset += more as u64;
        self.left -= more as u64;
        Ok(())
    }
}

/// Appends to the contents.
struct Output<'unpacked> {
    unpacked: &'unpacked mut Unpacked,
    size: u64,
    hasher: Sha256,
    /// Why it could not: what writes here knows only errors of the system.
    problem: Option<PackageProblem>,
}

impl Output<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), PackageProblem> {
        self.unpacked.append(bytes)?;
        self.size += bytes.len() as u64;
        self.hasher.update(bytes);
        Ok(())
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.append(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(problem) => {
                self.problem = Some(problem);
                Err(io::Error::other("the contents cannot be written"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACEHOLDER: &str = "/place/holder";
    const PREFIX: &str = "/opt/conda";

    fn placeholder(file_mode: FileMode, text: &str) -> PrefixPlaceholder {
        PrefixPlaceholder { file_mode, placeholder: text.to_owned(), experimental_offsets: None }
    }

    /// Replaces in a file of its own, in pieces of so many bytes.
    fn replaced(bytes: &[u8], of: &PrefixPlaceholder, piece: usize) -> Result<Vec<u8>, PackageProblem> {
        let folder = tempfile::tempdir().unwrap();
        let mut unpacked = Unpacked::create(&folder.path().join("contents")).unwrap();
        let offset = unpacked.append(b"before").unwrap() + 6;
        unpacked.append(bytes).unwrap();
        let replacement = Replacement { piece, ..Replacement::new(of, PREFIX, Subdir::Linux64)? };
        let found = replacement.apply(&mut unpacked, offset, bytes.len() as u64)?;
        unpacked.flush().unwrap();
        let mut content = vec![0; usize::try_from(found.size).unwrap()];
        unpacked.read_at(found.offset, &mut content).unwrap();
        assert_eq!(found.sha256, super::super::files::sha256(&content));
        Ok(content)
    }

    fn whole(bytes: &[u8], of: &PrefixPlaceholder) -> Vec<u8> {
        let mut output = Vec::new();
        copy_and_replace_placeholders(
            bytes,
            &mut output,
            &of.placeholder,
            PREFIX,
            &Subdir::Linux64,
            of.file_mode,
        )
        .unwrap();
        output
    }

    fn part() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            (0..OffsetEncoding::DEFINED.len()).prop_map(|at| OffsetEncoding::DEFINED[at].encode(PLACEHOLDER)),
            (0..OffsetEncoding::DEFINED.len()).prop_map(|at| OffsetEncoding::DEFINED[at].encode("/share")),
            (1_usize..24).prop_map(|zeros| vec![0; zeros]),
            proptest::collection::vec(any::<u8>(), 1..40),
        ]
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(parts in proptest::collection::vec(part(), 0..60), piece in 1_usize..300) {
            let bytes = parts.concat();
            let of = placeholder(FileMode::Binary, PLACEHOLDER);
            prop_assert_eq!(replaced(&bytes, &of, piece).unwrap(), whole(&bytes, &of));
        }
    }

    #[test]
    fn a_text_is_replaced_whole() {
        let of = placeholder(FileMode::Text, PLACEHOLDER);
        let text = format!("#!{PLACEHOLDER}/bin/python\n{PLACEHOLDER}\n");
        assert_eq!(replaced(text.as_bytes(), &of, 16).unwrap(), b"#!/opt/conda/bin/python\n/opt/conda\n");
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let often = vec![b'a'; OCCURRENCES + 1];
        for mode in [FileMode::Binary, FileMode::Text] {
            let problem = replaced(&often, &placeholder(mode, "a"), PIECE).unwrap_err();
            assert!(matches!(problem, PackageProblem::TooLarge { .. }), "{problem}");
        }
        let problem = replaced(b"x", &placeholder(FileMode::Text, ""), PIECE).unwrap_err();
        assert!(matches!(problem, PackageProblem::Metadata { .. }), "{problem}");
    }

    #[test]
    fn a_text_of_any_size_is_not_read() {
        let long = vec![b'\n'; LARGEST_PIECE + 1];
        let problem = replaced(&long, &placeholder(FileMode::Text, PLACEHOLDER), PIECE).unwrap_err();
        assert!(matches!(problem, PackageProblem::TooLarge { .. }), "{problem}");
    }

    #[test]
    fn a_binary_larger_than_any_piece_is_replaced() {
        let mut bytes = vec![b'x'; LARGEST_PIECE];
        for _ in 0..3 {
            bytes.extend(format!("\0{PLACEHOLDER}/lib\0").bytes());
            bytes.extend([b'y'; 5000]);
        }
        let of = placeholder(FileMode::Binary, PLACEHOLDER);
        assert!(replaced(&bytes, &of, PIECE).unwrap() == whole(&bytes, &of));
    }
}

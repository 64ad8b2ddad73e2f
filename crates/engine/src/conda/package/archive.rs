//! The members of an archive, unpacked into one file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use imagewright_oci::layer::codec::decompress;
use imagewright_oci::layer::path::normalise;
use imagewright_oci::layer::tar::{TarEntry, TarError, TarReader, TypeFlag};

use super::error::{PackageProblem, shown};
use crate::wheel::StagedRange;

/// Bytes of all members, unpacked: the largest packages of CUDA have some 4 GiB.
const UNPACKED_BYTES: u64 = 32 << 30;
/// Members, and lines of the list of files: each costs some hundred bytes of memory.
pub(super) const ENTRIES: usize = 300_000;
/// Bytes of one file of metadata, which is held in memory.
const IN_MEMORY: u64 = 64 << 20;
/// Parts of a `.conda` archive: metadata, information, files. A few more may come one day.
const PARTS: usize = 64;
/// Unpacked in pieces of this many bytes.
const PIECE: usize = 256 << 10;

/// One member.
#[derive(Debug, Clone)]
pub(super) enum Member {
    /// A regular file.
    File {
        /// Where its bytes begin.
        offset: u64,
        /// Length in bytes.
        size: u64,
        /// Permission bits.
        mode: u32,
        /// Seconds since 1970-01-01T00:00:00Z.
        mtime: i64,
    },
    /// A symbolic link.
    Symlink {
        /// Its target as written.
        target: String,
        /// Seconds since 1970-01-01T00:00:00Z.
        mtime: i64,
    },
    /// A folder.
    Folder,
}

/// An unpacked archive.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// By normalised path.
    pub(super) members: BTreeMap<String, Member>,
    path: Arc<Path>,
    contents: BufWriter<File>,
    position: u64,
}

impl Unpacked {
    /// Unpacks the archive into the new file `contents`.
    pub(super) fn read(archive: &Path, contents: &Path, cancel: &AtomicBool) -> Result<Self, PackageProblem> {
        let mut unpacked = Self::create(contents)?;
        let source = File::open(archive).map_err(PackageProblem::Read)?;
        if archive.extension().is_some_and(|extension| extension == "conda") {
            unpacked.parts(source, cancel)?;
        } else {
            let plain = bzip2::read::MultiBzDecoder::new(BufReader::with_capacity(PIECE, source));
            unpacked.members(plain, cancel)?;
        }
        Ok(unpacked)
    }

    /// One without members, and with the new file `contents`.
    pub(super) fn create(contents: &Path) -> Result<Self, PackageProblem> {
        let file = File::options().read(true).write(true).create_new(true).open(contents);
        let file = file.map_err(|source| PackageProblem::Write { path: contents.to_owned(), source })?;
        Ok(Self {
            members: BTreeMap::new(),
            path: contents.into(),
            contents: BufWriter::with_capacity(PIECE, file),
            position: 0,
        })
    }

    /// The tars inside a `.conda` archive.
    fn parts(&mut self, source: File, cancel: &AtomicBool) -> Result<(), PackageProblem> {
        let broken = |error: zip::result::ZipError| PackageProblem::Archive { reason: error.to_string() };
        let mut archive = zip::ZipArchive::new(BufReader::new(source)).map_err(broken)?;
        if archive.len() > PARTS {
            return Err(PackageProblem::TooLarge { what: "the number of its parts", limit: PARTS as u64 });
        }
        let mut found = 0;
        for at in 0..archive.len() {
            let part = archive.by_index(at).map_err(broken)?;
            let name = part.name().map_err(broken)?.into_owned();
            let is_part =
                (name.starts_with("info-") || name.starts_with("pkg-")) && name.ends_with(".tar.zst");
            if is_part {
                found += 1;
                let plain = decompress(part).map_err(PackageProblem::Read)?;
                self.members(plain, cancel)?;
            }
        }
        if found < 2 {
            return Err(PackageProblem::Archive {
                reason: "it lacks its information or its files".to_owned(),
            });
        }
        Ok(())
    }

    fn members(&mut self, plain: impl Read, cancel: &AtomicBool) -> Result<(), PackageProblem> {
        let broken = |error: TarError| match error {
            TarError::Read(error) => PackageProblem::Read(error),
            error => PackageProblem::Archive { reason: error.to_string() },
        };
        let mut reader = TarReader::new(plain);
        let mut piece = vec![0; PIECE];
        while let Some(entry) = reader.next_entry().map_err(broken)? {
            if self.members.len() >= ENTRIES {
                return Err(PackageProblem::TooLarge {
                    what: "the number of its files",
                    limit: ENTRIES as u64,
                });
            }
            let path = member_path(&entry.path)?;
            let member = match entry.type_flag {
                TypeFlag::File => {
                    let offset = self.position;
                    loop {
                        if cancel.load(Ordering::Relaxed) {
                            return Err(PackageProblem::Cancelled);
                        }
                        let read = reader.read_content(&mut piece).map_err(broken)?;
                        if read == 0 {
                            break;
                        }
                        self.append(&piece[..read])?;
                    }
                    let mode = entry.mode & 0o777;
                    Member::File { offset, size: self.position - offset, mode, mtime: entry.modified }
                }
                TypeFlag::Symlink => symlink(&path, &entry)?,
                // A second name for the same content, which becomes a file of its own.
                TypeFlag::HardLink => {
                    let target = member_path(&entry.link_name)?;
                    let member = self.members.get(&target).cloned();
                    member
                        .ok_or(PackageProblem::Path { path: shown(&path), reason: "is a link to nothing" })?
                }
                TypeFlag::Directory => Member::Folder,
                TypeFlag::CharacterDevice | TypeFlag::BlockDevice | TypeFlag::Fifo => {
                    return Err(PackageProblem::Path {
                        path: shown(&path),
                        reason: "is neither a file nor a folder nor a link",
                    });
                }
            };
            if !path.is_empty() {
                self.members.insert(path, member);
            }
        }
        Ok(())
    }

    /// Appends bytes to the contents, and gives where they begin.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<u64, PackageProblem> {
        let offset = self.position;
        self.position += bytes.len() as u64;
        if self.position > UNPACKED_BYTES {
            return Err(PackageProblem::TooLarge {
                what: "the size of its files in bytes",
                limit: UNPACKED_BYTES,
            });
        }
        let written = self.contents.write_all(bytes);
        written.map_err(|source| PackageProblem::Write { path: self.path.to_path_buf(), source })?;
        Ok(offset)
    }

    /// Where bytes are, as the list of files names it.
    pub(super) fn range(&self, offset: u64) -> StagedRange {
        StagedRange { file: Arc::clone(&self.path), offset }
    }

    /// The file of all contents.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Hands everything written so far to the system, so that others can read it.
    pub(super) fn flush(&mut self) -> Result<(), PackageProblem> {
        let path = self.path.to_path_buf();
        self.contents.flush().map_err(|source| PackageProblem::Write { path, source })
    }

    /// The bytes of a member that is a regular file; `None` where there is no such member.
    pub(super) fn content(&mut self, path: &str) -> Result<Option<Vec<u8>>, PackageProblem> {
        let Some(Member::File { offset, size, .. }) = self.members.get(path).cloned() else {
            return Ok(None);
        };
        if size > IN_MEMORY {
            return Err(PackageProblem::TooLarge {
                what: "the size of one of its files in bytes",
                limit: IN_MEMORY,
            });
        }
        self.flush()?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        self.read_at(offset, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Fills a buffer from the contents, as far as they were flushed.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), PackageProblem> {
        self.contents.get_ref().read_exact_at(buffer, offset).map_err(PackageProblem::Read)
    }
}

fn member_path(raw: &[u8]) -> Result<String, PackageProblem> {
    let text = || shown(&String::from_utf8_lossy(raw));
    if std::str::from_utf8(raw).is_err() {
        return Err(PackageProblem::Path { path: text(), reason: "is no text" });
    }
    if raw.starts_with(b"/") {
        return Err(PackageProblem::Path { path: text(), reason: "is absolute" });
    }
    let path = normalise(raw).map_err(|_| PackageProblem::Path {
        path: text(),
        reason: "leads out of the package or is too long",
    })?;
    if path.split('/').any(|name| name.starts_with(".wh.")) {
        return Err(PackageProblem::Path { path: text(), reason: "would remove files from the image" });
    }
    Ok(path)
}

fn symlink(path: &str, entry: &TarEntry) -> Result<Member, PackageProblem> {
    let target = String::from_utf8(entry.link_name.clone()).ok();
    let target = target.filter(|target| !target.is_empty() && target.len() < 4096 && !target.contains('\0'));
    match target {
        Some(target) => Ok(Member::Symlink { target, mtime: entry.modified }),
        None => Err(PackageProblem::Path { path: shown(path), reason: "is a link without a proper target" }),
    }
}

//! A wheel as a ZIP archive in which nothing can surprise: every member is checked before any is unpacked.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use zip::CompressionMethod;
use zip::read::{ArchiveOffset, Config, ZipArchive, ZipFileEntry};

use super::error::{EntryProblem, WheelProblem};
use super::limits::{WheelLimits, at_most};
use super::names::{folders_above, member_path, shown};
use super::package::GENERATED_MTIME;
use super::reader::ArchiveReader;

/// Members are unpacked in pieces of this many bytes.
const PIECE: usize = 64 * 1024;

/// The file type bits of a Unix mode, and the types that may be in a wheel (no type at all is common).
const TYPE_BITS: u32 = 0o170_000;
const TYPE_REGULAR: u32 = 0o100_000;
const TYPE_FOLDER: u32 = 0o040_000;
const TYPE_SYMLINK: u32 = 0o120_000;

/// A checked wheel, ready to be unpacked member by member.
#[derive(Debug)]
pub struct WheelArchive {
    archive: ZipArchive<ArchiveReader>,
    members: Vec<Member>,
    limits: WheelLimits,
    /// Where pieces of members are unpacked to, kept because most members are smaller than a piece.
    piece: Vec<u8>,
}

/// A file in a wheel. Folders are not kept: those that matter have files in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    index: usize,
    /// Checked relative path, `/`-separated.
    pub path: String,
    /// Length in bytes, unpacked. Unpacking fails where this is not the truth.
    pub size: u64,
    /// When it was last changed, in seconds since 1970-01-01. ZIP archives keep local times without a zone:
    /// taken as UTC, so that every machine sees the same.
    pub mtime: i64,
    /// Whether any of the three execute bits is set.
    pub executable: bool,
}

impl WheelArchive {
    /// Opens a wheel and checks the names, types, sizes and methods of all its members.
    ///
    /// # Errors
    /// Whatever no honest wheel has: see [`WheelProblem`] and [`EntryProblem`].
    pub fn open(path: &Path, limits: &WheelLimits) -> Result<Self, WheelProblem> {
        let unreadable = |source| WheelProblem::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let archive_bytes = file.metadata().map_err(unreadable)?.len();
        let (reader, allowance) = ArchiveReader::new(file, limits.directory_bytes);
        // A wheel starts with its first member: what stands before it could make other programs see other files.
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut archive = ZipArchive::with_config(config, reader).map_err(|error| {
            if allowance.is_used_up() {
                WheelProblem::DirectoryTooLarge { limit: limits.directory_bytes }
            } else {
                WheelProblem::Archive(error)
            }
        })?;
        allowance.lift();
        at_most("the number of members", archive.len() as u64, limits.entries)?;
        if archive.has_duplicate_names() {
            return Err(WheelProblem::DuplicateMembers);
        }
        if archive.has_overlapping_entries().map_err(WheelProblem::Archive)? {
            return Err(WheelProblem::OverlappingMembers);
        }

        let members = checked_members(&archive)?;
        let unpacked = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.size));
        at_most("its unpacked size in bytes", unpacked, limits.unpacked_bytes)?;
        if unpacked > limits.ratio_from_bytes {
            let ratio = unpacked / archive_bytes.max(1);
            at_most("its unpacked size as a multiple of its packed size", ratio, limits.ratio)?;
        }
        Ok(Self { archive, members, limits: *limits, piece: vec![0; PIECE] })
    }

    /// All files, in the archive's own order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Reads a file that is to be held in memory, `None` if there is none of this path.
    ///
    /// # Errors
    /// When it is larger than the limit for metadata, or cannot be unpacked.
    pub fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, WheelProblem> {
        let Some(member) = self.members.iter().find(|member| member.path == path).cloned() else {
            return Ok(None);
        };
        self.limits.check_held_in_memory(member.size)?;
        let mut bytes = Vec::new();
        self.unpack(&member, &AtomicBool::new(false), |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(Some(bytes))
    }

    /// Unpacks one file piece by piece into `sink`, which sees exactly [`Member::size`] bytes.
    ///
    /// # Errors
    /// When the bytes are damaged, fewer or more than declared, when `sink` fails, or on cancellation.
    pub fn unpack(
        &mut self,
        member: &Member,
        cancel: &AtomicBool,
        mut sink: impl FnMut(&[u8]) -> Result<(), WheelProblem>,
    ) -> Result<(), WheelProblem> {
        let wrong_size = || entry(&member.path, EntryProblem::Size);
        let Self { archive, piece, .. } = self;
        let mut packed = archive.by_index(member.index).map_err(WheelProblem::Archive)?;
        let mut left = member.size;
        loop {
            if cancel.load(Ordering::Relaxed) {
                return Err(WheelProblem::Cancelled);
            }
            let count = packed
                .read(piece)
                .map_err(|source| WheelProblem::Unpack { entry: shown(&member.path), source })?;
            if count == 0 {
                return if left == 0 { Ok(()) } else { Err(wrong_size()) };
            }
            left = left.checked_sub(count as u64).ok_or_else(wrong_size)?;
            sink(&piece[..count])?;
        }
    }
}

/// Checks every member on its own, then all of them against each other.
fn checked_members(archive: &ZipArchive<ArchiveReader>) -> Result<Vec<Member>, WheelProblem> {
    let metadata = archive.metadata();
    let mut members = Vec::with_capacity(archive.len());
    let mut folders = Vec::new();
    for index in 0..archive.len() {
        let raw = metadata.entry(index).map_err(WheelProblem::Archive)?;
        let name = raw
            .name()
            .map_err(|_| entry(&String::from_utf8_lossy(raw.name_raw()), EntryProblem::Undecodable))?;
        let is_folder = name.ends_with('/');
        let bare = name.strip_suffix('/').unwrap_or(&name);
        let path = member_path(bare).map_err(|problem| entry(&name, problem))?;
        check_type(&raw, is_folder).map_err(|problem| entry(&name, problem))?;
        if is_folder {
            folders.push(path);
        } else {
            members.push(Member {
                index,
                path,
                size: raw.size(),
                mtime: raw.last_modified().map_or(GENERATED_MTIME, seconds_since_1970),
                executable: is_executable(&raw),
            });
        }
    }

    let mut files = HashSet::with_capacity(members.len());
    for member in &members {
        if !files.insert(member.path.as_str()) {
            return Err(entry(&member.path, EntryProblem::Duplicate));
        }
    }
    let above_files = members.iter().flat_map(|member| folders_above(&member.path));
    let contested = folders
        .iter()
        .flat_map(|folder| std::iter::once(folder.as_str()).chain(folders_above(folder)))
        .chain(above_files)
        .find(|folder| files.contains(folder));
    match contested {
        Some(path) => Err(entry(path, EntryProblem::FileAndFolder)),
        None => Ok(members),
    }
}

/// Refuses what a wheel cannot hold: links, devices, encryption, uncommon compression.
fn check_type(raw: &ZipFileEntry<'_>, is_folder: bool) -> Result<(), EntryProblem> {
    match raw.external_attributes() >> 16 & TYPE_BITS {
        TYPE_SYMLINK => return Err(EntryProblem::Symlink),
        TYPE_REGULAR if is_folder => return Err(EntryProblem::FileAndFolder),
        TYPE_FOLDER if !is_folder => return Err(EntryProblem::FileAndFolder),
        0 | TYPE_REGULAR | TYPE_FOLDER => {}
        _ => return Err(EntryProblem::SpecialFile),
    }
    if raw.encrypted() {
        return Err(EntryProblem::Encrypted);
    }
    match raw.compression() {
        CompressionMethod::Stored | CompressionMethod::Deflated => Ok(()),
        _ => Err(EntryProblem::Compression),
    }
}

/// Whether pip would set the execute bits: only those of members that say they are regular files count.
fn is_executable(raw: &ZipFileEntry<'_>) -> bool {
    let mode = raw.external_attributes() >> 16;
    mode & TYPE_BITS == TYPE_REGULAR && mode & 0o111 != 0
}

/// Seconds since 1970-01-01T00:00:00Z of a date and time taken as UTC.
fn seconds_since_1970(time: zip::DateTime) -> i64 {
    let clock = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    days_since_1970(i64::from(time.year()), i64::from(time.month()), i64::from(time.day())) * 86_400 + clock
}

/// Days from 1970-01-01 to a date of the Gregorian calendar in 1970 or later.
///
/// Years are counted from March, so that the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_TO_1970_01_01: i64 = 719_468;
    let (year, months_since_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - DAYS_TO_1970_01_01
}

fn entry(name: &str, problem: EntryProblem) -> WheelProblem {
    WheelProblem::Entry { entry: shown(name), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds_since_1970() {
        for (year, month, day, seconds) in [
            (1980, 1, 1, GENERATED_MTIME),
            (2000, 2, 29, 951_782_400),
            (2000, 3, 1, 951_868_800),
            (2024, 12, 31, 1_735_603_200),
            (2107, 12, 31, 4_354_732_800),
        ] {
            assert_eq!(days_since_1970(year, month, day) * 86_400, seconds, "{year}-{month}-{day}");
        }
        let noon = zip::DateTime::from_date_and_time(2001, 9, 9, 1, 46, 40).unwrap();
        assert_eq!(seconds_since_1970(noon), 1_000_000_000);
    }
}

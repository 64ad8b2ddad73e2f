//! How much one wheel may ask of us before it is refused.

use super::error::WheelProblem;

/// Limits for one wheel. The defaults admit every wheel on `PyPI` with room to spare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WheelLimits {
    /// Bytes of all members together, unpacked.
    pub unpacked_bytes: u64,
    /// Members, folders included.
    pub entries: u64,
    /// Bytes of the archive's list of members, which is read into memory as a whole.
    pub directory_bytes: u64,
    /// How many times larger than the archive its contents may be, where they exceed [`Self::ratio_from_bytes`].
    /// Real wheels stay below 20; deflate itself ends near 1,000.
    pub ratio: u64,
    /// Contents of up to this many bytes may have any ratio.
    pub ratio_from_bytes: u64,
    /// Bytes of one file that is held in memory: metadata (`RECORD` is the large one), scripts to be changed.
    pub metadata_bytes: u64,
}

impl Default for WheelLimits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 20 << 30,
            entries: 500_000,
            directory_bytes: 64 << 20,
            ratio: 200,
            ratio_from_bytes: 256 << 20,
            metadata_bytes: 128 << 20,
        }
    }
}

impl WheelLimits {
    /// Refuses a file that is too large to be held in memory.
    pub(super) fn check_held_in_memory(&self, bytes: u64) -> Result<(), WheelProblem> {
        at_most("the size in bytes of one of its metadata files or scripts", bytes, self.metadata_bytes)
    }
}

/// Refuses more than `limit` of something.
pub(super) fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), WheelProblem> {
    if found > limit { Err(WheelProblem::TooLarge { what, found, limit }) } else { Ok(()) }
}

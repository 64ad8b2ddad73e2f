//! How much one wheel may ask of us before it is refused.

/// Limits for one wheel. The defaults admit every wheel on PyPI with room to spare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WheelLimits {
    /// Bytes of all members together, unpacked.
    pub unpacked_bytes: u64,
    /// Members, folders included.
    pub entries: u64,
    /// How many times larger than the archive its contents may be, where they exceed [`Self::ratio_from_bytes`].
    /// Real wheels stay below 20; deflate itself ends near 1,000.
    pub ratio: u64,
    /// Contents of up to this many bytes may have any ratio.
    pub ratio_from_bytes: u64,
    /// Bytes of one file of the `.dist-info` folder that is held in memory (`RECORD` is the large one).
    pub metadata_bytes: u64,
}

impl Default for WheelLimits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 20 << 30,
            entries: 500_000,
            ratio: 200,
            ratio_from_bytes: 256 << 20,
            metadata_bytes: 128 << 20,
        }
    }
}

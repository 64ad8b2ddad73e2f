//! The tar format: a reader that trusts nothing and a writer that gives the same bytes every time.

mod header;
mod pax;
mod read;
mod write;

pub use read::{TarEntry, TarError, TarReader, TypeFlag};
pub use write::{
    END_OF_ARCHIVE, write_directory, write_fifo, write_file_header, write_hard_link, write_opaque,
    write_padding, write_symlink, write_whiteout,
};

/// Length of a tar block in bytes.
pub const BLOCK: usize = 512;

/// The number of bytes that fill the last block of a content of `size` bytes.
pub fn padding(size: u64) -> usize {
    let used = usize::try_from(size % 512).unwrap_or_default();
    (BLOCK - used) % BLOCK
}

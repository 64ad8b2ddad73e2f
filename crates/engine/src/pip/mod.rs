//! Resolving pip requirements for the Python of an image, and fetching what comes out.
//!
//! uv resolves; nothing of the image and no source distribution is ever run by it. The path of a resolution:
//!
//! ```text
//! stand_in.rs     a script that describes the target to uv      stubs.rs, preferences: what is installed stays
//! compile.rs      one run of uv: files, arguments, environment  process.rs  deadline, cancellation
//! pylock.rs       its result        edges.rs, order.rs  who needs whom, and the order of installation
//! built.rs        what was built meanwhile, as uv is told of it
//! choose.rs       the one wheel that fits best (tags.rs)        source_only.rs  what would have to be built
//! consistency.rs  what stays and is broken by what is new       resolve.rs  all of it, in order
//! explain.rs, classify.rs, error.rs  uv's words, and the errors people see
//! source/          building what there are only sources of
//! download.rs     verified files in a cache by digest
//! ```

mod built;
pub(crate) mod certificates;
mod choose;
mod classify;
mod compile;
mod consistency;
pub mod download;
mod edges;
mod error;
mod explain;
mod metadata;
mod order;
mod process;
mod pylock;
mod recent_pages;
mod resolution;
mod resolve;
pub mod source;
mod source_only;
mod stand_in;
mod stubs;
mod suggestion;
mod tags;
mod uv_binary;

pub use error::{PINNED_UV_VERSION, PipError};
pub use resolution::{BuiltWheel, DirectWheel, FileUrl, IndexWheel, Resolution, ResolvedPackage, Source};
pub use resolve::{PipInput, PipResolver, ResolverSettings};
pub use uv_binary::UvBinary;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

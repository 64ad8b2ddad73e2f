//! From locked packages to frames: download, stage, compile and compress, each at most once.

mod prepare;
mod staged;

pub use prepare::{LocalWheel, PackageSource, PreparedPackage, Preparer};
pub use staged::{StagedFacts, StagedKey};

//! From locked packages to frames: download, stage, compile and compress, each at most once.

mod conda;
mod prepare;
mod staged;
mod together;

pub use conda::{CondaPreparer, PreparedConda, WantedConda};
pub(crate) use prepare::StopOnDrop;
pub use prepare::{LocalWheel, PackageSource, PreparedPackage, Preparer};
pub use staged::{StagedFacts, StagedKey};

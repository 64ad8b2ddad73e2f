//! From the archive of a conda package to a list of files for the image.
//!
//! No name of an archive becomes a name on this machine: all members are unpacked one behind the other into a
//! single file, as those of wheels are. What a member means (placeholders of the prefix, entry points, the record) is
//! decided with rattler's types and functions.
//!
//! ```text
//! address.rs      what a package is that was asked for by its address
//! archive.rs      members of `.conda` and `.tar.bz2`, bounded
//! files.rs        where they go, and with which content
//! placeholder.rs  the prefix in the place of its placeholder
//! record.rs       what is written into `conda-meta`
//! stage.rs        all of it, in order
//! error.rs        what can be wrong with a package
//! ```

mod address;
mod archive;
mod error;
mod files;
mod placeholder;
mod record;
mod stage;

pub use address::{FetchedArchive, record_of};
pub use error::PackageProblem;
pub use record::requested_record;
pub use stage::{StageInput, StagedCondaPackage, stage};

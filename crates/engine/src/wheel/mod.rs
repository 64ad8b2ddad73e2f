//! Installs wheels into images without touching them: a verified wheel file becomes a list of files for one
//! interpreter, which others write into a layer.
//!
//! The result is what `pip install` leaves behind (launchers, `RECORD`, bytecode), so that `pip list`,
//! `pip check` and `pip uninstall` work in the image; and it is the same to the byte on every machine, whatever
//! its clock, umask, home folder or number of cores. Wheels are hostile until proved otherwise: see
//! [`WheelProblem`] for all that is refused.
//!
//! ```text
//! archive.rs    a checked ZIP archive                names.rs    paths and names from outside
//! metadata.rs   WHEEL, METADATA, entry_points.txt    record.rs   RECORD, read and written
//! layout.rs     members → places in the image        launchers.rs  commands for entry points
//! bytecode/     .pyc files, by a trusted interpreter stage.rs    all of it, in order
//! ```

mod error;
mod layout;
mod limits;
mod names;
mod package;

pub use error::{EntryProblem, WheelError, WheelProblem};
pub use layout::InstallScheme;
pub use limits::WheelLimits;
pub use package::{
    Content, ContentReader, GENERATED_MTIME, RequestedOverlay, StagedFile, StagedPackage, StagedRange,
};

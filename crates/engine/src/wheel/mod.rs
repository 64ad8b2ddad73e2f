//! Installs wheels into images without touching them: a verified wheel file becomes a list of files for one
//! interpreter, which others write into a layer.
//!
//! The result is what `pip install` leaves behind (launchers, `RECORD`, bytecode), so that `pip list`,
//! `pip check` and `pip uninstall` work in the image; and it is the same to the byte on every machine, whatever
//! its clock, umask, home folder or number of cores. Wheels are hostile until proved otherwise: see
//! [`WheelProblem`] for all that is refused.
//!
//! ```text
//! archive.rs       a checked ZIP archive (reader.rs)     names.rs         paths and names from outside
//! metadata.rs      WHEEL, METADATA, entry_points.txt     record.rs        RECORD, read and written
//! layout.rs        members → places in the image         launchers.rs     commands for entry points
//! staging.rs       the file members are unpacked into    bytecode/        .pyc files, by a trusted interpreter
//! installation.rs  the list of files as it grows         stage.rs         all of it, in order
//! ```

mod archive;
mod bytecode;
mod error;
mod installation;
mod launchers;
mod layout;
mod limits;
mod metadata;
mod names;
mod package;
mod reader;
mod record;
mod stage;
mod staging;
#[cfg(test)]
mod tests;

pub use archive::{Member, WheelArchive};
pub use bytecode::{BytecodeCompiler, Interpreter, InterpreterSearch};
pub(crate) use bytecode::{Source, bytecode_path};
pub use error::{EntryProblem, WheelError, WheelProblem};
pub use layout::InstallScheme;
pub use limits::WheelLimits;
pub use package::{
    Content, ContentReader, GENERATED_MTIME, RequestedOverlay, StagedFile, StagedPackage, StagedRange,
};
pub use stage::{StageOptions, stage_wheel};

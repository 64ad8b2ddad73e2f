//! What Python an image has: the interpreter that `python3` means there, where packages go, which are there
//! already and what pip was told.
//!
//! Everything is read from the image's [`ImageTree`](imagewright_oci::tree::ImageTree) and config; nothing of
//! the image is ever run. All paths are *normalised* (`usr/local/bin`, no leading slash) and belong to the
//! image's own tree.

mod conda;
mod debian;
mod detect;
mod environment;
mod error;
pub mod installed;
mod libc;
pub mod markers;
pub mod pip_settings;
mod prefix;
mod pyenv;
mod redhat;
mod search_path;
mod system_packages;
mod target;
mod venv;
mod version;

pub use detect::detect;
pub use environment::ImageEnvironment;
pub use error::PythonError;
pub(crate) use libc::detect as detect_libc;
pub use target::{Architecture, InstallFolders, Libc, PythonKind, PythonTarget, SiteFolder};
pub use version::PythonVersion;

#[cfg(test)]
mod tests;

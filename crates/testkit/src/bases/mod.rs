//! Base images: a real Debian with Python, and the ways in which real bases differ from it.
//!
//! Debian is made by `mmdebstrap` once per machine (some 30 seconds) and kept in `target/testkit`; from then on a
//! base costs what its own small layers cost. All functions push to the registry they are given.

mod conda;
mod debian;
mod installed;
mod musl;
mod venv;

pub use conda::jupyter;
pub use debian::{debian_python, debian_python_docker, many_layers, setgid_folders};
pub use installed::with_packages;
pub use musl::musl_layout;
pub use venv::{debian_python_venv, symlinked_prefix};

//! Why an image's Python cannot be used.

use imagewright_oci::tree::ResolveError;
use thiserror::Error;

/// Why packages cannot be installed into the Python of an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PythonError {
    /// Neither `python3` nor `python` on `PATH`.
    #[error(
        "the image has no python3 in any folder of its PATH ({searched}); choose a base image with Python, or add \
         Python with --conda or --apt"
    )]
    NoInterpreter {
        /// The folders, joined with `:`.
        searched: String,
    },
    /// Another implementation of the language.
    #[error("/{executable} is {implementation}; packages are installed for CPython only")]
    NotCPython {
        /// The executable on `PATH`.
        executable: String,
        /// Its name.
        implementation: String,
    },
    /// Older than what is supported.
    #[error("/{executable} is Python {version}; Python 3.8 or newer is needed")]
    TooOld {
        /// The executable on `PATH`.
        executable: String,
        /// Its version.
        version: String,
    },
    /// A script that cannot be followed.
    #[error(
        "/{executable} is a script, and which Python it starts cannot be told without running it; put the folder of \
         the real interpreter first on the image's PATH"
    )]
    UnknownWrapper {
        /// The script.
        executable: String,
    },
    /// pyenv without a version that is installed.
    #[error(
        "/{executable} is a pyenv shim, and pyenv's version “{wanted}” is not installed below /{root}/versions"
    )]
    PyenvVersionMissing {
        /// The shim.
        executable: String,
        /// What `PYENV_VERSION` or the version file says.
        wanted: String,
        /// pyenv's root.
        root: String,
    },
    /// No `lib/python3.X/os.py` above the executable.
    #[error("no standard library (lib/python3.…/os.py) belongs to /{executable} in the image")]
    NoStandardLibrary {
        /// The resolved executable.
        executable: String,
    },
    /// A virtual environment whose Python is gone.
    #[error("/{config} names the Python in “{home}”, which is not in the image")]
    BrokenVirtualEnvironment {
        /// Path of pyvenv.cfg.
        config: String,
        /// Its `home`.
        home: String,
    },
    /// A machine that images are not built for.
    #[error(
        "/{executable} is built for a machine (ELF number {machine}) that is not supported; amd64 and arm64 are"
    )]
    UnsupportedMachine {
        /// The executable.
        executable: String,
        /// `e_machine` of its header.
        machine: u16,
    },
    /// The config does not say a supported architecture, nor does the executable.
    #[error("the image does not say which machine it is for; amd64 and arm64 are supported")]
    UnknownMachine,
    /// Manifest and files disagree.
    #[error("the image claims to be for {claimed}, but /{executable} is built for {found}")]
    MachineMismatch {
        /// The executable.
        executable: String,
        /// Architecture of the config.
        claimed: String,
        /// Architecture of the executable.
        found: String,
    },
    /// No C library found.
    #[error(
        "the image has neither glibc nor musl in a known place, so it cannot be told which wheels run in it"
    )]
    UnknownLibc,
    /// Links in the image lead nowhere.
    #[error("the image's files cannot be followed to its Python")]
    Path(#[from] ResolveError),
}

//! The Python that packages are resolved for and installed into.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::version::PythonVersion;

/// The interpreter that `python3` means in an image, and everything that follows from it.
///
/// All paths are normalised paths of the image's tree. They are *not* resolved: a prefix below a symbolic link
/// keeps its name, since that is the name programs in the image see. Resolve before writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonTarget {
    /// The executable as it is named on `PATH` (or behind a pyenv shim): what `sys.executable` says and
    /// launchers name in their first line.
    pub executable: String,
    /// How the interpreter came into the image.
    pub kind: PythonKind,
    /// Its version.
    pub version: PythonVersion,
    /// True for a build without the global interpreter lock (`python3.13t`).
    pub free_threaded: bool,
    /// The machine it runs on.
    pub architecture: Architecture,
    /// The C library it is linked to.
    pub libc: Libc,
    /// `sys.prefix`.
    pub prefix: String,
    /// `sys.base_prefix`: differs from `prefix` in a virtual environment.
    pub base_prefix: String,
    /// Where new packages go.
    pub install: InstallFolders,
    /// Folders in which installed distributions are looked for, in the order of `sys.path`.
    pub site_folders: Vec<SiteFolder>,
    /// The text of the `EXTERNALLY-MANAGED` file, when there is one. We install anyway: an image is an
    /// environment of its own, and what the distribution installed is shadowed, never deleted.
    pub externally_managed: Option<String>,
    /// What people should know: a version that had to be assumed, a distribution's Python that is extended.
    pub notices: Vec<String>,
}

impl PythonTarget {
    /// The executable as an absolute path, for the first line of launchers.
    pub fn executable_path(&self) -> String {
        format!("/{}", self.executable)
    }

    /// Name of the folder below `lib/` that holds the standard library: `python3.12`, `python3.13t`.
    pub fn library_name(&self) -> String {
        library_name(&self.version, self.free_threaded)
    }
}

/// `python3.12`, or `python3.13t` for a free-threaded build.
pub(super) fn library_name(version: &PythonVersion, free_threaded: bool) -> String {
    format!("python{}{}", version.major_minor(), if free_threaded { "t" } else { "" })
}

/// How an interpreter came into its image; this decides where packages go and which must not be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PythonKind {
    /// The system Python of Debian or a relative: packages go to `/usr/local/…/dist-packages`.
    Debian,
    /// The system Python of Fedora or a relative: packages go to `/usr/local/…/site-packages`.
    RedHat,
    /// A virtual environment (`pyvenv.cfg`).
    VirtualEnvironment,
    /// A conda prefix (`conda-meta/`).
    Conda,
    /// A version managed by pyenv.
    Pyenv,
    /// Any other prefix: Docker's official images, Alpine's system Python, uv-managed, built by hand.
    Plain,
}

impl fmt::Display for PythonKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Debian => "Debian's system Python",
            Self::RedHat => "the system Python of a Red Hat family distribution",
            Self::VirtualEnvironment => "a virtual environment",
            Self::Conda => "a conda prefix",
            Self::Pyenv => "a pyenv version",
            Self::Plain => "a plain prefix",
        })
    }
}

/// Where the parts of a package go, as `sysconfig` would say for the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallFolders {
    /// Pure Python modules.
    pub purelib: String,
    /// Modules with compiled parts.
    pub platlib: String,
    /// Launchers and scripts.
    pub scripts: String,
    /// Parent of the folders of C headers, one for each distribution.
    pub headers: String,
    /// Root of data files.
    pub data: String,
}

/// A folder on `sys.path` that may hold installed distributions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFolder {
    /// Normalised path, not resolved.
    pub path: String,
    /// True where the operating system's package manager writes: what stands there without an installer of
    /// its own belongs to it.
    pub system: bool,
}

/// A machine that images are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Architecture {
    /// x86-64, `amd64` to registries.
    Amd64,
    /// 64-bit ARM, `arm64` to registries.
    Arm64,
}

impl Architecture {
    /// The architecture of an ELF header's `e_machine`.
    pub fn from_elf_machine(machine: u16) -> Option<Self> {
        match machine {
            62 => Some(Self::Amd64),
            183 => Some(Self::Arm64),
            _ => None,
        }
    }

    /// The architecture of an image config or manifest.
    pub fn from_oci(name: &str) -> Option<Self> {
        match name {
            "amd64" => Some(Self::Amd64),
            "arm64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// `amd64` or `arm64`, as registries write it.
    pub fn oci(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// `x86_64` or `aarch64`, as `platform.machine()` and wheel names write it.
    pub fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

/// The C library of an image, with the version that decides which wheels run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Libc {
    /// The GNU C library.
    Glibc {
        /// Major version, 2.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// musl, of Alpine and its relatives.
    Musl {
        /// Major version, 1.
        major: u16,
        /// Minor version.
        minor: u16,
    },
}

impl fmt::Display for Libc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glibc { major, minor } => write!(formatter, "glibc {major}.{minor}"),
            Self::Musl { major, minor } => write!(formatter, "musl {major}.{minor}"),
        }
    }
}

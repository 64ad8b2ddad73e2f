//! The report on an image. Its JSON is a contract: fields are added, never renamed.

use imagewright_oci::digest::Digest;
use serde::Serialize;

use crate::base::OperatingSystem;
use crate::lock::Lock;

/// What an image holds. Sizes are bytes.
#[derive(Debug, Clone, Serialize)]
pub struct ImageReport {
    /// The reference that was asked for.
    pub reference: String,
    /// Digest of the platform's manifest.
    pub digest: Digest,
    /// Digest of the index that the reference names; `null` where it names the image itself.
    pub index_digest: Option<Digest>,
    /// The platform that the report is about.
    pub platform: String,
    /// All platforms of the index; empty where there is none.
    pub platforms: Vec<String>,
    /// Media type of the manifest.
    pub media_type: String,
    /// Compressed size of all layers.
    pub compressed_size: u64,
    /// `null` for an image without os-release.
    pub operating_system: Option<OperatingSystem>,
    /// C library: `glibc 2.36`; `null` where there is none that is known.
    pub libc: Option<String>,
    /// How a container of it starts.
    pub process: ProcessReport,
    /// Every Python that was found; the one that packages are installed for is the first.
    pub interpreters: Vec<InterpreterReport>,
    /// Why no Python packages could be added to this image; `null` where they could.
    pub python_missing: Option<String>,
    /// Packages by package manager: `dpkg`, `apk`, `conda`. Those of pip are with their interpreter.
    pub packages: Vec<PackageSet>,
    /// The layers, from the bottom.
    pub layers: Vec<LayerReport>,
    /// What Imagewright knows of an image that it built.
    pub built_by_imagewright: Option<OwnReport>,
}

/// How a container of the image starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProcessReport {
    /// User and group as the image writes them; empty for root.
    pub user: String,
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub command: Vec<String>,
    /// Folder in which it starts; empty for `/`.
    pub working_folder: String,
    /// `PATH`, where the image sets it.
    pub path: Option<String>,
}

/// One Python and what is installed for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterpreterReport {
    /// Absolute path of the executable.
    pub executable: String,
    /// `3.11.2`, or `3.11` where the image does not say more.
    pub version: String,
    /// `debian`, `red_hat`, `virtual_environment`, `conda`, `pyenv` or `plain`.
    pub kind: &'static str,
    /// True for the one that `python3` means: packages are installed for it.
    pub default: bool,
    /// `sys.prefix`.
    pub prefix: String,
    /// `glibc 2.36`, `musl 1.2`.
    pub libc: String,
    /// Folder that new packages go to.
    pub install_folder: String,
    /// Folders in which packages are looked for, in the order of `sys.path`.
    pub site_folders: Vec<String>,
    /// Its distributions, by name.
    pub packages: Vec<PackageReport>,
    /// Distributions that cannot be read, in sentences.
    pub warnings: Vec<String>,
}

/// The packages of one package manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageSet {
    /// `dpkg`, `apk` or `conda`.
    pub manager: &'static str,
    /// The prefix of a conda environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// By name.
    pub packages: Vec<PackageReport>,
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageReport {
    /// Name, as its manager writes it.
    pub name: String,
    /// Version, as its manager writes it.
    pub version: String,
    /// Installed size; `null` where nothing tells.
    pub size: Option<u64>,
    /// Build of a conda package: one version may be built in several ways, for GPUs for example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Who installed it, where that is not clear from the manager: `pip`, `conda`, `debian`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installer: Option<String>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// Digest of the compressed layer.
    pub digest: Digest,
    /// Digest of the tar in it.
    pub diff_id: Digest,
    /// Media type.
    pub media_type: String,
    /// Compressed size.
    pub compressed_size: u64,
    /// Size of the tar in it.
    pub uncompressed_size: u64,
    /// What made it, in the words of the image's history.
    pub created_by: Option<String>,
    /// True for a layer that Imagewright put above the base.
    pub ours: bool,
    /// What such a layer holds: `pip: numpy 2.2.6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
}

/// What Imagewright knows of an image that it built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnReport {
    /// Eight hexadecimal digits over the normalised spec.
    pub spec_hash: Option<String>,
    /// Digest of the lock.
    pub revision: String,
    /// The base, as it was given.
    pub base: String,
    /// Digest of the base's manifest.
    pub base_digest: Digest,
    /// Number of layers, from the bottom, that are the base's.
    pub base_layers: usize,
    /// Exactly what was built.
    pub lock: Lock,
}

//! Virtual packages: what the image has that no conda package brings. They describe the target, never the machine
//! that builds.

use imagewright_oci::manifest::Platform;
use imagewright_oci::tree::ImageTree;
use rattler_conda_types::{GenericVirtualPackage, Subdir};

use super::settings::CudaVersion;
use crate::error::{BuildError, ErrorKind};
use crate::python::{Architecture, Libc, detect_libc};

/// The kernel that packages may count on, which an image does not have: that of the oldest systems in wide use.
const KERNEL: &str = "4.18";

/// conda's name of a platform.
///
/// # Errors
/// A platform without conda packages.
pub fn subdir(platform: &Platform) -> Result<Subdir, BuildError> {
    match platform.architecture.as_str() {
        "amd64" => Ok(Subdir::Linux64),
        "arm64" => Ok(Subdir::LinuxAarch64),
        _ => Err(BuildError::new(ErrorKind::Unsupported, format!("conda has no packages for {platform}"))
            .with_next_step("leave the conda packages out, or build for linux/amd64 or linux/arm64")),
    }
}

/// The virtual packages of an image, as `name=version=build`.
///
/// # Errors
/// Never for what is read here; rattler's signature wants it.
pub fn virtual_packages(
    tree: &ImageTree,
    subdir: Subdir,
    cuda: Option<CudaVersion>,
) -> Result<Vec<GenericVirtualPackage>, BuildError> {
    let architecture = if subdir == Subdir::LinuxAarch64 { Architecture::Arm64 } else { Architecture::Amd64 };
    let machine = architecture.machine();
    let mut texts =
        vec!["__unix=0=0".to_owned(), format!("__linux={KERNEL}=0"), format!("__archspec=1={machine}")];
    // Where it cannot be told, packages that need one are told of as not fitting.
    if let Ok(Libc::Glibc { major, minor }) = detect_libc(tree, architecture) {
        texts.push(format!("__glibc={major}.{minor}=0"));
    }
    texts.extend(cuda.map(|version| format!("__cuda={version}=0")));
    texts.sort();
    let parse = |text: String| {
        let quoted = serde_json::Value::String(text.clone());
        serde_json::from_value(quoted)
            .map_err(|error| BuildError::internal(format!("{text} describes no machine")).with_source(error))
    };
    texts.into_iter().map(parse).collect()
}

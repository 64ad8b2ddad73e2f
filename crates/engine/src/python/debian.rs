//! The system Python of Debian, Ubuntu and their relatives.
//!
//! Debian keeps two worlds apart: what its own packages install (`/usr/lib/python3/dist-packages`) and what
//! an administrator adds (`/usr/local/lib/python3.X/dist-packages`), which comes first on `sys.path`. pip as
//! root writes to the second, and so do we.

use imagewright_oci::tree::ImageTree;

use super::system_packages::dpkg_version;
use super::target::{InstallFolders, SiteFolder};
use super::version::PythonVersion;

/// Where Debian's own packages put modules for all versions of Python 3.
const DISTRIBUTION_FOLDER: &str = "usr/lib/python3/dist-packages";

/// True when the interpreter in `/usr` belongs to a Debian package.
pub(super) fn owns(tree: &ImageTree, version: &PythonVersion) -> bool {
    package_version(tree, version).is_some()
        || (tree.get("var/lib/dpkg").is_some() && tree.get(DISTRIBUTION_FOLDER).is_some())
}

/// The version of the Debian package that the interpreter came in.
pub(super) fn package_version(tree: &ImageTree, version: &PythonVersion) -> Option<String> {
    let name = format!("python{}", version.major_minor());
    dpkg_version(tree, &format!("{name}-minimal")).or_else(|| dpkg_version(tree, &name))
}

/// Where pip installs as root.
pub(super) fn install_folders(library: &str, version: &PythonVersion) -> InstallFolders {
    let packages = format!("usr/local/lib/{library}/dist-packages");
    // From 3.10 on pip asks sysconfig, to which Debian gives the headers of Python itself; before, distutils.
    let include = if version.minor >= 10 { "usr/include" } else { "usr/local/include" };
    InstallFolders {
        purelib: packages.clone(),
        platlib: packages,
        scripts: "usr/local/bin".to_owned(),
        headers: format!("{include}/{library}"),
        data: "usr/local".to_owned(),
    }
}

/// The folders on `sys.path`, the administrator's first.
pub(super) fn site_folders(library: &str) -> Vec<SiteFolder> {
    vec![
        SiteFolder { path: format!("usr/local/lib/{library}/dist-packages"), system: false },
        SiteFolder { path: DISTRIBUTION_FOLDER.to_owned(), system: true },
        SiteFolder { path: format!("usr/lib/{library}/dist-packages"), system: true },
    ]
}

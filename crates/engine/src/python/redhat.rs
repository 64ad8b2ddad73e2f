//! The system Python of Fedora, RHEL and their relatives: like Debian's, it leaves `/usr/local` to the
//! administrator.

use imagewright_oci::tree::ImageTree;

use super::system_packages::os_release;
use super::target::{InstallFolders, SiteFolder};

/// True for an image of this family.
pub(super) fn owns(tree: &ImageTree) -> bool {
    let id = os_release(tree, "ID").unwrap_or_default();
    let like = os_release(tree, "ID_LIKE").unwrap_or_default();
    like.split(' ').chain([id.as_str()]).any(|name| matches!(name, "fedora" | "rhel" | "centos"))
}

/// Where pip installs as root.
pub(super) fn install_folders(library: &str) -> InstallFolders {
    InstallFolders {
        purelib: format!("usr/local/lib/{library}/site-packages"),
        platlib: format!("usr/local/lib64/{library}/site-packages"),
        scripts: "usr/local/bin".to_owned(),
        headers: format!("usr/local/include/{library}"),
        data: "usr/local".to_owned(),
    }
}

/// The folders on `sys.path`, the administrator's first.
pub(super) fn site_folders(library: &str) -> Vec<SiteFolder> {
    let folder = |root: &str, system| SiteFolder { path: format!("{root}/{library}/site-packages"), system };
    vec![
        folder("usr/local/lib64", false),
        folder("usr/local/lib", false),
        folder("usr/lib64", true),
        folder("usr/lib", true),
    ]
}

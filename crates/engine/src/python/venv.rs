//! Virtual environments: `pyvenv.cfg` beside the folder of an executable.

use imagewright_oci::layer::path::{join, split};
use imagewright_oci::tree::ImageTree;

/// What a `pyvenv.cfg` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VirtualEnvironment {
    /// Normalised path of the file.
    pub(super) config: String,
    /// The environment's folder: `sys.prefix`.
    pub(super) prefix: String,
    /// Folder of the executable it was made from, as it is written (absolute).
    pub(super) home: String,
    /// Whether the packages of that Python are seen, too.
    pub(super) system_site_packages: bool,
    /// `version` (`venv`) or `version_info` (`virtualenv`, uv).
    pub(super) version: Option<String>,
}

/// The virtual environment of an executable. `CPython` looks at the path as it was called, *before* following
/// links: in the executable's folder and in the one above.
pub(super) fn find(tree: &ImageTree, executable: &str) -> Option<VirtualEnvironment> {
    let folder = split(executable).0;
    let above = split(folder).0;
    [above, folder].into_iter().find_map(|prefix| {
        let config = join(prefix, "pyvenv.cfg");
        let text = tree.text(&config)?;
        let value = |wanted: &str| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                key.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        Some(VirtualEnvironment {
            prefix: prefix.to_owned(),
            home: value("home")?,
            system_site_packages: value("include-system-site-packages")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
            version: value("version").or_else(|| value("version_info")),
            config,
        })
    })
}

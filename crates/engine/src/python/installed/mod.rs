//! The Python distributions that are installed in an image.

mod egg;
mod files;
mod list;
mod path_files;

use pep440_rs::Version;
use pep508_rs::PackageName;

pub use list::list;
pub(super) use path_files::add_path_files;

/// One installed distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledDistribution {
    /// Normalised name.
    pub name: PackageName,
    /// Version, compared as PEP 440 has it: `1.0+ngc24.05` and `1.0+ngc24.5` are one.
    pub version: Version,
    /// The site folder it is in, links followed.
    pub folder: String,
    /// The `.dist-info` or `.egg-info` (folder or file), links of its folder followed.
    pub metadata_path: String,
    /// Text of `METADATA` or `PKG-INFO`; with requirements of an `.egg-info`'s `requires.txt` added as
    /// `Requires-Dist` lines.
    pub metadata: String,
    /// Who installed it (`INSTALLER`: `pip`, `uv`, `conda`, `debian`).
    pub installer: Option<String>,
    /// True when a person asked for it by name (`REQUESTED`).
    pub requested: bool,
    /// Text of `direct_url.json`, when it was installed from an address instead of an index.
    pub direct_url: Option<String>,
    /// True when its modules are in a source folder elsewhere.
    pub editable: bool,
    /// Whose it is: what belongs to another package manager is never deleted.
    pub owner: Owner,
}

/// Which package manager may delete a distribution's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// pip, or a tool that works like it.
    Pip,
    /// dpkg, rpm or apk.
    System,
    /// conda.
    Conda,
}

/// Everything installed in the folders of a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installed {
    /// The distributions by name, those that are first on `sys.path` only.
    pub distributions: Vec<InstalledDistribution>,
    /// What could not be read, in sentences.
    pub warnings: Vec<String>,
}

impl Installed {
    /// The distribution of this name.
    pub fn get(&self, name: &PackageName) -> Option<&InstalledDistribution> {
        self.distributions
            .binary_search_by(|distribution| distribution.name.cmp(name))
            .ok()
            .map(|index| &self.distributions[index])
    }
}

//! What a source distribution says of how it is built: the `[build-system]` table of PEP 518 and 517.

use serde::{Deserialize, Serialize};

/// The most bytes of a `pyproject.toml` that are read; real ones have some kilobytes.
pub(super) const LONGEST: u64 = 1 << 20;
/// The most requirements of one build; real ones have fewer than twenty.
pub(super) const MOST_REQUIREMENTS: usize = 200;
/// The longest name of a backend, and the most folders of its own.
const LONGEST_NAME: usize = 300;
const MOST_FOLDERS: usize = 16;

/// pip's own backend for sources that name none, and what it needs.
const DEFAULT_BACKEND: &str = "setuptools.build_meta:__legacy__";
const DEFAULT_REQUIREMENT: &str = "setuptools>=40.8.0";

/// How sources are built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildSystem {
    /// What has to be there.
    pub(super) requires: Vec<String>,
    /// `module:object` whose functions are called.
    pub(super) backend: String,
    /// Folders of the sources that the backend is in, for sources that bring their own.
    pub(super) backend_path: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "build-system")]
    build_system: Option<Table>,
}

#[derive(Deserialize)]
struct Table {
    requires: Option<Vec<String>>,
    #[serde(rename = "build-backend")]
    backend: Option<String>,
    #[serde(rename = "backend-path", default)]
    backend_path: Vec<String>,
}

impl BuildSystem {
    /// Reads a `pyproject.toml`, or takes pip's defaults where there is none; the error is a clause for people.
    pub(super) fn read(pyproject: Option<&str>) -> Result<Self, String> {
        let default = Self {
            requires: vec![DEFAULT_REQUIREMENT.to_owned()],
            backend: DEFAULT_BACKEND.to_owned(),
            backend_path: Vec::new(),
        };
        let Some(text) = pyproject else { return Ok(default) };
        let document: Document = toml::from_str(text)
            .map_err(|error| format!("its pyproject.toml cannot be read: {}", error.message()))?;
        let Some(table) = document.build_system else { return Ok(default) };
        let requires =
            table.requires.ok_or("its pyproject.toml has a [build-system] without `requires`".to_owned())?;
        let backend = table.backend.unwrap_or_else(|| DEFAULT_BACKEND.to_owned());
        let system = Self { requires, backend, backend_path: table.backend_path };
        system.check()?;
        Ok(system)
    }

    fn check(&self) -> Result<(), String> {
        if self.requires.len() > MOST_REQUIREMENTS {
            return Err(format!("it asks for more than {MOST_REQUIREMENTS} packages to be built with"));
        }
        let plain = |character: char| character.is_alphanumeric() || "_.:".contains(character);
        if self.backend.len() > LONGEST_NAME || !self.backend.chars().all(plain) {
            return Err("its pyproject.toml names a build backend that is no module".to_owned());
        }
        let is_inside = |path: &String| {
            path.len() <= LONGEST_NAME && !path.starts_with('/') && !path.split('/').any(|part| part == "..")
        };
        if self.backend_path.len() > MOST_FOLDERS || !self.backend_path.iter().all(is_inside) {
            return Err("its pyproject.toml has a `backend-path` that leads out of the sources".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::BuildSystem;

    #[test]
    fn what_is_not_said_is_as_pip_has_it() {
        for text in [None, Some("[project]\nname = \"x\"\n")] {
            let system = BuildSystem::read(text).unwrap();
            assert_eq!(system.backend, "setuptools.build_meta:__legacy__");
            assert_eq!(system.requires, ["setuptools>=40.8.0"]);
        }
        let text = "[build-system]\nrequires = [\"flit_core<4\"]\nbuild-backend = \"flit_core.buildapi\"\n";
        let system = BuildSystem::read(Some(text)).unwrap();
        assert_eq!((system.backend.as_str(), system.requires.len()), ("flit_core.buildapi", 1));
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for text in [
            "[build-system]\nbuild-backend = \"x\"\n",
            "[build-system]\nrequires = []\nbuild-backend = \"x; import os\"\n",
            "[build-system]\nrequires = []\nbackend-path = [\"../x\"]\n",
            "[build-system]\nrequires = []\nbackend-path = [\"/x\"]\n",
            "[build-system\n",
        ] {
            assert!(BuildSystem::read(Some(text)).is_err(), "{text}");
        }
    }
}

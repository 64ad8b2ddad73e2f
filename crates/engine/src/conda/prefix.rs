//! Where conda installs to: the prefix of the base, or a new one.

use imagewright_oci::layer::path::{has_extension, join, normalise};
use imagewright_oci::tree::ImageTree;
use serde_json::Value;

use super::environment::variables;
use crate::error::{BuildError, ErrorKind};

/// The prefix that is made where a base has none: that of Jupyter's images and of most others.
pub const NEW_PREFIX: &str = "/opt/conda";

/// Variables that name a prefix, the one in use first.
const VARIABLES: [&str; 4] = ["CONDA_PREFIX", "CONDA_DIR", "CONDA_ROOT", "MAMBA_ROOT_PREFIX"];

/// Where installers put a prefix by themselves.
const USUAL_PLACES: [&str; 8] = [
    "/opt/conda",
    "/opt/miniconda3",
    "/opt/miniforge3",
    "/opt/mambaforge",
    "/opt/anaconda3",
    "/root/miniconda3",
    "/root/anaconda3",
    "/usr/local/conda",
];

/// A prefix in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondaPrefix {
    /// Absolute path as the image names it: it is written into scripts and programs.
    pub path: String,
    /// Normalised path without links on its way.
    pub real: String,
    /// True where the base has no conda packages there.
    pub is_new: bool,
}

impl CondaPrefix {
    /// Finds the prefix that `conda install` would use in a container of the base: the one that is active, that of
    /// the first program on `PATH`, or the one in a usual place; else a new one.
    ///
    /// # Errors
    /// A place for the new prefix that leads nowhere.
    pub fn find(tree: &ImageTree, config: &Value) -> Result<Self, BuildError> {
        let environment = variables(config);
        let (active, others) = VARIABLES.split_at(1);
        let value = |name: &&str| environment.get(*name).cloned();
        let path = environment.get("PATH").map(String::as_str).unwrap_or_default();
        let active = active.iter().filter_map(value);
        let on_path = path.split(':').filter_map(prefix_of_folder);
        let named = others.iter().filter_map(value);
        let usual = USUAL_PLACES.iter().map(|place| (*place).to_owned());
        let candidates = active.chain(on_path).chain(named).chain(usual);
        for candidate in candidates {
            let Some(path) = absolute(&candidate) else { continue };
            let Ok(real) = tree.real_folder(path.trim_start_matches('/')) else { continue };
            if has_records(tree, &real) {
                return Ok(Self { path, real, is_new: false });
            }
        }
        let real = tree.real_folder(NEW_PREFIX.trim_start_matches('/')).map_err(|error| {
            BuildError::new(
                ErrorKind::Unsupported,
                format!("{NEW_PREFIX} cannot be made in the base: {error}"),
            )
            .with_next_step("remove what is in the way from the base")
        })?;
        Ok(Self { path: NEW_PREFIX.to_owned(), real, is_new: true })
    }

    /// The normalised path of something in the prefix.
    pub fn inside(&self, path: &str) -> String {
        join(&self.real, path)
    }

    /// The folder of the records.
    pub fn records(&self) -> String {
        self.inside("conda-meta")
    }
}

/// `/opt/conda` of `/opt/conda/bin` and `/opt/conda/condabin`.
fn prefix_of_folder(folder: &str) -> Option<String> {
    let (prefix, name) = folder.trim_end_matches('/').rsplit_once('/')?;
    matches!(name, "bin" | "condabin").then(|| prefix.to_owned())
}

/// The path in its plain form, if it is absolute and no root.
fn absolute(path: &str) -> Option<String> {
    let plain = normalise(path.strip_prefix('/')?.as_bytes()).ok()?;
    let is_plain = !plain.is_empty() && plain.chars().all(|c| c.is_ascii_graphic() && c != ':');
    is_plain.then(|| format!("/{plain}"))
}

fn has_records(tree: &ImageTree, real: &str) -> bool {
    let Ok(folder) = tree.real_folder(&join(real, "conda-meta")) else { return false };
    tree.children(&folder).any(|(name, _)| name == "history" || has_extension(name, "json"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(paths: &[&str]) -> ImageTree {
        crate::conda::testing::tree(paths.iter().map(|path| (*path, &b"{}"[..])))
    }

    fn found(paths: &[&str], environment: &[&str]) -> (String, bool) {
        let config = json!({"config": {"Env": environment}});
        let prefix = CondaPrefix::find(&tree(paths), &config).unwrap();
        (prefix.path, prefix.is_new)
    }

    #[test]
    fn the_active_prefix_is_used_then_that_on_the_path() {
        let both = ["opt/conda/conda-meta/history", "srv/env/conda-meta/a-1-0.json"];
        let path = "PATH=/usr/bin:/srv/env/bin:/opt/conda/bin";
        assert_eq!(found(&both, &[path]), ("/srv/env".into(), false));
        assert_eq!(found(&both, &[path, "CONDA_PREFIX=/opt/conda/"]), ("/opt/conda".into(), false));
        assert_eq!(found(&both, &[]), ("/opt/conda".into(), false));
    }

    #[test]
    fn a_base_without_conda_has_a_new_prefix() {
        assert_eq!(found(&["usr/bin/python3"], &["PATH=/usr/bin"]), ("/opt/conda".into(), true));
        assert_eq!(found(&["x/conda-meta/note.txt"], &["CONDA_DIR=/x"]), ("/opt/conda".into(), true));
    }
}

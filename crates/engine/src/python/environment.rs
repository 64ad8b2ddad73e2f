//! The environment that a process in the image starts with.

use serde_json::Value;

/// What an image's config says about its processes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageEnvironment {
    /// `Env` of the config; the last of several values for a name wins, as the C library has it.
    variables: Vec<(String, String)>,
    /// `User`, as it is written (`1000:100`, `jovyan`).
    user: String,
    /// `WorkingDir`, normalised.
    working_folder: String,
    /// `architecture` of the config, where it says one.
    architecture: Option<String>,
}

/// What container runtimes use when the config has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl ImageEnvironment {
    /// Reads an image config (`{"architecture": …, "config": {"Env": […], …}}`). What has an unexpected
    /// type is taken as absent, as container runtimes do.
    pub fn from_config(config: &Value) -> Self {
        let process = &config["config"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let variables = process["Env"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(|entry| entry.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            variables,
            user: text(&process["User"]),
            working_folder: imagewright_oci::layer::path::normalise(text(&process["WorkingDir"]).as_bytes())
                .unwrap_or_default(),
            architecture: config["architecture"].as_str().map(str::to_owned),
        }
    }

    /// The value of a variable; an empty one counts as unset.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let value = self.variables.iter().rev().find(|(known, _)| known == name)?.1.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// All variables in the order of the config.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Folders of `PATH` as normalised paths. Relative ones depend on where a process happens to be and are
    /// left out.
    pub fn path_folders(&self) -> Vec<String> {
        absolute_folders(self.variable("PATH").unwrap_or(DEFAULT_PATH))
    }

    /// Folders of `PYTHONPATH` as normalised paths.
    pub fn python_path(&self) -> Vec<String> {
        absolute_folders(self.variable("PYTHONPATH").unwrap_or_default())
    }

    /// `User` as the config writes it; empty for root.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// `WorkingDir` as a normalised path.
    pub fn working_folder(&self) -> &str {
        &self.working_folder
    }

    /// The architecture that the config claims.
    pub fn architecture(&self) -> Option<&str> {
        self.architecture.as_deref()
    }
}

fn absolute_folders(list: &str) -> Vec<String> {
    list.split(':')
        .filter(|folder| folder.starts_with('/'))
        .filter_map(|folder| lexically_normalised(folder, ""))
        .collect()
}

/// A path of the image, relative to a normalised folder unless it is absolute, with `..` taken off the text.
/// `None` when it cannot be a path.
pub(super) fn lexically_normalised(path: &str, folder: &str) -> Option<String> {
    let mut parts: Vec<&str> = if path.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').filter(|part| !part.is_empty()).collect()
    };
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    (path.len() <= imagewright_oci::layer::path::MAXIMUM_LENGTH && !path.contains('\0')).then_some(path)
}

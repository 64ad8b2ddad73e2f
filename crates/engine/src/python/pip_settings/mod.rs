//! What an image tells pip to do: `pip.conf` files and `PIP_…` variables.
//!
//! Whoever made the base knows why it must keep certain versions, so constraints and choices of versions and
//! formats hold. Addresses do not: nothing is fetched from anywhere because an image says so, and people are
//! told which option of ours does the same.

mod constraints;
mod file;

use std::collections::BTreeMap;

use imagewright_oci::layer::path::join;
use imagewright_oci::tree::ImageTree;
use serde_json::Value;
use thiserror::Error;

use super::environment::{ImageEnvironment, lexically_normalised};
use super::target::PythonTarget;

/// The settings that hold, and what was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PipSettings {
    /// Lines of the image's constraint files (`torch==2.3.0a0+ngc24.5`).
    pub constraints: Vec<String>,
    /// Pre-releases are acceptable.
    pub pre: bool,
    /// Wheels are preferred over newer source distributions.
    pub prefer_binary: bool,
    /// Names, or `:all:`, that must be installed from wheels.
    pub only_binary: Vec<String>,
    /// Names, or `:all:`, that must be built from source.
    pub no_binary: Vec<String>,
    /// Settings that are not followed, each with what to do instead.
    pub notices: Vec<String>,
}

/// Why an image's pip settings cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PipSettingsError {
    /// A constraint file at an address.
    #[error(
        "the image's pip settings ({origin}) take constraints from “{address}”; nothing is fetched because an image \
         says so: give the constraints with -c and set PIP_CONSTRAINT to a file, or to nothing, in the base"
    )]
    RemoteConstraint {
        /// The variable or file that says so.
        origin: String,
        /// The address, without credentials.
        address: String,
    },
    /// A constraint file that is not in the image.
    #[error("the image's pip settings ({origin}) name the constraint file {path}, which is not in the image")]
    MissingConstraint {
        /// The variable or file that says so.
        origin: String,
        /// The path as it is written.
        path: String,
    },
    /// A constraint file whose content the index does not have.
    #[error(
        "the constraint file {path} of the image's pip settings ({origin}) cannot be read; its name must contain \
         “constraint” and end in .txt, and it may have at most 16 MiB"
    )]
    UnreadableConstraint {
        /// The variable or file that says so.
        origin: String,
        /// The path as it is written.
        path: String,
    },
    /// Constraint files that include each other.
    #[error("the constraint files of the image include each other more than {limit} deep, at {path}")]
    NestedTooDeep {
        /// The path of the innermost.
        path: String,
        /// How deep they may.
        limit: usize,
    },
}

/// A value with the place it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    value: String,
    origin: String,
}

/// Settings that name addresses, and what people pass instead.
const ADDRESSES: [(&str, &str); 6] = [
    ("index-url", "pass it with --index-url"),
    ("extra-index-url", "pass it with --extra-index-url"),
    ("find-links", "publish those files in an index and pass it with --extra-index-url"),
    ("trusted-host", "pass the certificate with --ca-bundle"),
    ("proxy", "set HTTPS_PROXY where the build runs"),
    ("cert", "pass the certificate with --ca-bundle"),
];

/// Settings that would move packages elsewhere.
const PLACES: [&str; 4] = ["target", "prefix", "root", "user"];

/// Reads the settings in pip's order: global files, the user's, those of the prefix, then variables; of two
/// values for one setting the later holds.
///
/// # Errors
/// Constraints that cannot be read, see [`PipSettingsError`].
pub fn read(
    tree: &ImageTree,
    config: &Value,
    target: &PythonTarget,
) -> Result<PipSettings, PipSettingsError> {
    let environment = ImageEnvironment::from_config(config);
    let settings = collect(tree, &environment, target);
    let list = |name: &str| -> Vec<String> {
        settings.get(name).map(|setting| formats(&setting.value)).unwrap_or_default()
    };
    let flag = |name: &str| settings.get(name).is_some_and(|setting| is_true(&setting.value));
    let mut result = PipSettings {
        pre: flag("pre"),
        prefer_binary: flag("prefer-binary"),
        only_binary: list("only-binary"),
        no_binary: list("no-binary"),
        ..PipSettings::default()
    };
    for (name, instead) in ADDRESSES {
        if let Some(setting) = settings.get(name) {
            result.notices.push(format!(
                "The image's pip setting {name} ({}) is not used, since no address is followed because an image \
                 says so; {instead} if you need it.",
                setting.origin
            ));
        }
    }
    for name in PLACES {
        if let Some(setting) = settings.get(name).filter(|setting| !is_false(&setting.value)) {
            result.notices.push(format!(
                "The image's pip setting {name} ({}) is not used: packages go where its Python finds them by itself.",
                setting.origin
            ));
        }
    }
    if let Some(setting) = settings.get("constraint") {
        constraints::read(tree, &environment, setting, &mut result)?;
    }
    Ok(result)
}

fn collect(
    tree: &ImageTree,
    environment: &ImageEnvironment,
    target: &PythonTarget,
) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    for path in files(tree, environment, target) {
        let Some(text) = tree.text(&path) else { continue };
        for (name, value) in file::read(&text) {
            settings.insert(name, Setting { value, origin: format!("/{path}") });
        }
    }
    for (variable, value) in environment.variables() {
        if let Some(name) = variable.strip_prefix("PIP_").filter(|_| !value.is_empty()) {
            let name = name.to_lowercase().replace('_', "-");
            settings.insert(name, Setting { value: value.to_owned(), origin: variable.to_owned() });
        }
    }
    settings
}

/// pip's configuration files, least important first.
fn files(tree: &ImageTree, environment: &ImageEnvironment, target: &PythonTarget) -> Vec<String> {
    let named = environment.variable("PIP_CONFIG_FILE");
    if named == Some("/dev/null") {
        return Vec::new();
    }
    let shared = environment.variable("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    let mut files: Vec<String> = shared
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .filter_map(|folder| lexically_normalised(&format!("{folder}/pip/pip.conf"), ""))
        .collect();
    files.push("etc/pip.conf".to_owned());
    let home = home(tree, environment);
    files.push(join(&home, ".pip/pip.conf"));
    let own = environment
        .variable("XDG_CONFIG_HOME")
        .and_then(|folder| lexically_normalised(folder, ""))
        .unwrap_or_else(|| join(&home, ".config"));
    files.push(join(&own, "pip/pip.conf"));
    files.push(join(&target.prefix, "pip.conf"));
    files.extend(named.and_then(|path| lexically_normalised(path, environment.working_folder())));
    files
}

/// The home folder of the image's user: `HOME`, what `passwd` says, or root's.
fn home(tree: &ImageTree, environment: &ImageEnvironment) -> String {
    let user = environment.user().split(':').next().unwrap_or_default();
    let of_user = || {
        let passwd = tree.text("etc/passwd")?;
        let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| {
            fields.len() >= 6 && !user.is_empty() && (fields[0] == user || fields[2] == user)
        })?;
        lexically_normalised(entry[5], "")
    };
    environment
        .variable("HOME")
        .and_then(|home| lexically_normalised(home, ""))
        .or_else(of_user)
        .unwrap_or_else(|| "root".to_owned())
}

/// The names of an `only-binary` or `no-binary` value; `:none:` empties the list, as in pip.
fn formats(value: &str) -> Vec<String> {
    let mut names = Vec::new();
    for name in value.split([',', ' ', '\n', '\t']).filter(|name| !name.is_empty()) {
        match name {
            ":none:" => names.clear(),
            ":all:" => names = vec![":all:".to_owned()],
            name if name.parse::<pep508_rs::PackageName>().is_ok() => names.push(name.to_owned()),
            _ => {}
        }
    }
    names
}

fn is_true(value: &str) -> bool {
    matches!(value.trim().to_lowercase().as_str(), "1" | "y" | "yes" | "t" | "true" | "on")
}

fn is_false(value: &str) -> bool {
    matches!(value.trim().to_lowercase().as_str(), "0" | "n" | "no" | "f" | "false" | "off")
}

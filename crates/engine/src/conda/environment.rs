//! What an environment of conda needs in an image's configuration, where nothing activates it: the variables of the
//! prefix, and those that packages set when it is activated.
//!
//! A package may bring a script, `etc/conda/activate.d/NAME.sh`. Nothing of it is run. Where it only sets variables,
//! they are set in the image; where it does more, its name is told to the user.

use std::collections::BTreeMap;

use imagewright_oci::layer::path::{has_extension, join};
use imagewright_oci::tree::ImageTree;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::prefix::CondaPrefix;
use super::shell;
use crate::error::{BuildError, ErrorKind};

/// The search path of images that set none.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Most bytes of one script that is looked at.
const LONGEST_SCRIPT: usize = 256 << 10;

/// What activating a prefix would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Activation {
    /// Variables that are set, in the order of their first setting.
    variables: Vec<(String, String)>,
    /// Scripts that do more than set variables, as paths in the prefix.
    not_run: Vec<String>,
}

/// A variable that activating a prefix has set in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivatedVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// Works out what activating the prefix does, from its scripts and from `etc/conda/env_vars.d`.
///
/// `existing` are the variables of the image.
fn activation(tree: &ImageTree, prefix: &CondaPrefix, existing: &BTreeMap<String, String>) -> Activation {
    let mut activation = Activation::default();
    let mut variables = existing.clone();
    let mut set = |activation: &mut Activation, name: String, value: String| {
        if variables.get(&name) == Some(&value) {
            return;
        }
        variables.insert(name.clone(), value.clone());
        activation.variables.retain(|(known, _)| *known != name);
        activation.variables.push((name, value));
    };
    for (path, content) in files(tree, prefix, "etc/conda/env_vars.d") {
        let stated: Option<BTreeMap<String, String>> =
            content.and_then(|text| serde_json::from_slice(text).ok());
        match stated {
            Some(stated) => {
                for (name, value) in stated {
                    set(&mut activation, name, value);
                }
            }
            None => activation.not_run.push(path),
        }
    }
    for (path, content) in files(tree, prefix, "etc/conda/activate.d") {
        if !has_extension(&path, "sh") {
            // For other shells: conda itself runs the ones of the shell that activates.
            continue;
        }
        let mut known = existing.clone();
        known.insert("CONDA_PREFIX".to_owned(), prefix.path.clone());
        known.extend(activation.variables.iter().cloned());
        let text = content.filter(|text| text.len() <= LONGEST_SCRIPT).map(String::from_utf8_lossy);
        match text.and_then(|text| shell::assignments(&text, &known)) {
            Some(assigned) => {
                for (name, value) in assigned {
                    set(&mut activation, name, value);
                }
            }
            None => activation.not_run.push(path),
        }
    }
    activation
}

/// Path in the prefix and content of each file in a folder of the prefix.
fn files<'tree>(
    tree: &'tree ImageTree,
    prefix: &CondaPrefix,
    folder: &str,
) -> Vec<(String, Option<&'tree [u8]>)> {
    let Ok(real) = tree.real_folder(&prefix.inside(folder)) else { return Vec::new() };
    tree.children(&real)
        .filter(|(_, node)| !node.is_directory())
        .map(|(name, _)| (format!("{folder}/{name}"), tree.content(&join(&real, name))))
        .collect()
}

/// The variables of an image's configuration.
pub fn variables(config: &Value) -> BTreeMap<String, String> {
    let listed = config.pointer("/config/Env").and_then(Value::as_array);
    let entries = listed.into_iter().flatten().filter_map(|entry| entry.as_str()?.split_once('='));
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What a new prefix needs: first on `PATH`, and known to be active.
fn of_new_prefix(prefix: &CondaPrefix, existing: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let folder = format!("{}/bin", prefix.path);
    let path = existing.get("PATH").filter(|path| !path.is_empty()).map_or(USUAL_PATH, String::as_str);
    // Where it stood further back, what stood before it would still come first.
    let others = path.split(':').filter(|one| *one != folder);
    let path = std::iter::once(folder.as_str()).chain(others).collect::<Vec<_>>().join(":");
    let name = prefix.path.rsplit('/').next().unwrap_or("base");
    let environment = if prefix.path == super::prefix::NEW_PREFIX { "base" } else { name };
    vec![
        ("PATH".to_owned(), path),
        ("CONDA_PREFIX".to_owned(), prefix.path.clone()),
        ("CONDA_DEFAULT_ENV".to_owned(), environment.to_owned()),
        ("CONDA_SHLVL".to_owned(), "1".to_owned()),
    ]
}

/// Activates the prefix in an image's configuration. Gives what it has set, and the scripts that it has not run.
///
/// `earlier` is what an earlier activation has set. It is taken back first: otherwise a search path would grow with
/// each image that is built upon another, and variables of packages that are gone would stay.
///
/// # Errors
/// A configuration whose parts are not of the types that they must be.
pub fn activate(
    config: &mut Value,
    tree: &ImageTree,
    prefix: &CondaPrefix,
    earlier: &[ActivatedVariable],
) -> Result<(Vec<ActivatedVariable>, Vec<String>), BuildError> {
    take_back(config, earlier)?;
    if prefix.is_new {
        let set = of_new_prefix(prefix, &variables(config));
        set_variables(config, &set)?;
    }
    let before = variables(config);
    let found = activation(tree, prefix, &before);
    set_variables(config, &found.variables)?;
    let set = found.variables.into_iter().map(|(name, value)| {
        let before = before.get(&name).cloned();
        ActivatedVariable { name, value, before }
    });
    Ok((set.collect(), found.not_run))
}

/// Takes back what an earlier activation has set, unless somebody has set it anew since.
fn take_back(config: &mut Value, earlier: &[ActivatedVariable]) -> Result<(), BuildError> {
    let now = variables(config);
    let listed = environment(config)?;
    for variable in earlier.iter().filter(|one| now.get(&one.name) == Some(&one.value)) {
        let entry = format!("{}={}", variable.name, variable.value);
        let Some(at) = listed.iter().position(|one| one.as_str() == Some(&entry)) else { continue };
        match &variable.before {
            Some(before) => listed[at] = Value::String(format!("{}={before}", variable.name)),
            None => {
                listed.remove(at);
            }
        }
    }
    Ok(())
}

/// Sets variables in an image's configuration; those that are there keep their places.
fn set_variables(config: &mut Value, variables: &[(String, String)]) -> Result<(), BuildError> {
    let listed = environment(config)?;
    for (name, value) in variables {
        let entry = Value::String(format!("{name}={value}"));
        let is_same = |entry: &Value| {
            entry.as_str().and_then(|text| text.split_once('=')).is_some_and(|(known, _)| known == name)
        };
        match listed.iter().position(is_same) {
            Some(at) => listed[at] = entry,
            None => listed.push(entry),
        }
    }
    Ok(())
}

/// The list of an image's variables, made where there is none.
fn environment(config: &mut Value) -> Result<&mut Vec<Value>, BuildError> {
    let malformed = || {
        BuildError::new(ErrorKind::Unsupported, "the environment of the base's configuration is malformed")
            .with_next_step("push the base again with a current tool")
    };
    let root = config.as_object_mut().ok_or_else(malformed)?;
    let run = root.entry("config").or_insert(Value::Null);
    if run.is_null() {
        *run = json!({});
    }
    let slot = run.as_object_mut().ok_or_else(malformed)?.entry("Env").or_insert(Value::Null);
    if slot.is_null() {
        *slot = json!([]);
    }
    slot.as_array_mut().ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> CondaPrefix {
        CondaPrefix { path: "/opt/conda".into(), real: "opt/conda".into(), is_new: true }
    }

    #[test]
    fn scripts_that_set_variables_are_taken_over_and_others_are_named() {
        let tree = crate::conda::testing::tree([
            (
                "opt/conda/etc/conda/activate.d/gdal.sh",
                &b"#!/bin/sh\nexport GDAL_DATA=\"$CONDA_PREFIX/share/gdal\"\n"[..],
            ),
            ("opt/conda/etc/conda/activate.d/gdal.fish", b"set -gx GDAL_DATA x\n"),
            ("opt/conda/etc/conda/activate.d/java.sh", b"java_home=$(find /)\n"),
            ("opt/conda/etc/conda/env_vars.d/me.json", br#"{"ME": "1"}"#),
        ]);
        let found = activation(&tree, &prefix(), &BTreeMap::new());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found.variables, [pair("ME", "1"), pair("GDAL_DATA", "/opt/conda/share/gdal")]);
        assert_eq!(found.not_run, ["etc/conda/activate.d/java.sh"]);
    }

    #[test]
    fn a_new_prefix_comes_first_and_the_rest_stays() {
        let mut config = json!({"config": {"Env": ["LANG=C", "PATH=/usr/bin", "X=1"]}});
        let variables = of_new_prefix(&prefix(), &variables(&config));
        set_variables(&mut config, &variables).unwrap();
        insta::assert_json_snapshot!(config["config"]["Env"], @r#"
        [
          "LANG=C",
          "PATH=/opt/conda/bin:/usr/bin",
          "X=1",
          "CONDA_PREFIX=/opt/conda",
          "CONDA_DEFAULT_ENV=base",
          "CONDA_SHLVL=1"
        ]
        "#);
        let again = config.clone();
        let variables = of_new_prefix(&prefix(), &super::variables(&config));
        set_variables(&mut config, &variables).unwrap();
        assert_eq!(config, again);
    }

    #[test]
    fn a_new_prefix_comes_before_what_stood_before_it() {
        let existing = [("PATH".to_owned(), "/usr/bin:/opt/conda/bin:/bin".to_owned())].into();
        assert_eq!(of_new_prefix(&prefix(), &existing)[0].1, "/opt/conda/bin:/usr/bin:/bin");
    }

    #[test]
    fn an_activation_after_another_gives_what_one_gives() {
        let script = "etc/conda/activate.d/x.sh";
        let script = format!("opt/conda/{script}");
        let text = b"PATH=$CONDA_PREFIX/x:$PATH\nexport MINE=1\nexport THEIRS=1\n";
        let tree = crate::conda::testing::tree([(script.as_str(), &text[..])]);
        let without = crate::conda::testing::tree([]);
        let prefix = CondaPrefix { is_new: false, ..prefix() };
        let base = json!({"config": {"Env": ["PATH=/usr/bin", "LANG=C"]}});

        let mut once = base.clone();
        let (set, _) = activate(&mut once, &tree, &prefix, &[]).unwrap();
        let expected = ["PATH=/opt/conda/x:/usr/bin", "LANG=C", "MINE=1", "THEIRS=1"];
        assert_eq!(once["config"]["Env"], json!(expected));
        let mut twice = once.clone();
        let (again, _) = activate(&mut twice, &tree, &prefix, &set).unwrap();
        assert_eq!((&twice, &again), (&once, &set));

        let mut gone = once.clone();
        gone["config"]["Env"][3] = json!("THEIRS=2");
        activate(&mut gone, &without, &prefix, &set).unwrap();
        assert_eq!(gone["config"]["Env"], json!(["PATH=/usr/bin", "LANG=C", "THEIRS=2"]));
    }
}

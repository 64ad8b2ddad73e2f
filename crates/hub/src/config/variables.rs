//! From variables of the environment to keys with values.

use std::ffi::OsStr;

use imagewright_spec::nearest;

use super::error::{ConfigError, Place, Wrong};
use super::keys::{Assignment, Kind, kind, names_below};
use super::value::Value;

const BEGINNING: &str = "IMAGEWRIGHT_";
const SEPARATOR: &str = "__";

/// The variables that are keys of the configuration. Others that begin like them mean something else
/// (`IMAGEWRIGHT_CACHE`, `IMAGEWRIGHT_LOG`), but for those with two underscores: these are nothing but keys.
///
/// # Errors
/// A name that begins like a key and is none.
pub(super) fn assignments<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    variables: impl IntoIterator<Item = (K, V)>,
) -> Result<Vec<Assignment>, ConfigError> {
    let mut found = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.as_ref().to_str() else { continue };
        let Some(path) = path_of(name).map_err(|wrong| wrong.at(Place::Variable(name.to_owned())))? else {
            continue;
        };
        let place = Place::Variable(name.to_owned());
        let Some(value) = value.as_ref().to_str() else {
            return Err(Wrong::new("its value is not UTF-8", "set it to text in UTF-8").at(place));
        };
        found.push(Assignment { path, place, value: Value::Variable(value.to_owned()) });
    }
    // In an order of their own: that of the environment is anybody's.
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

fn path_of(name: &str) -> Result<Option<Vec<String>>, Wrong> {
    let Some(rest) = name.strip_prefix(BEGINNING) else { return Ok(None) };
    let path: Vec<String> = rest.split(SEPARATOR).map(str::to_lowercase).collect();
    let sections = names_below(&[]);
    if !sections.contains(&path[0].as_str()) {
        if path.len() == 1 {
            return Ok(None);
        }
        let fix = nearest(&path[0], &sections).map_or_else(
            || "see `imagewright serve --print-config` for all keys".to_owned(),
            |section| format!("begin it with {}", variable(&[section.to_owned()])),
        );
        return Err(Wrong::new(format!("there is no section [{}]", path[0]), fix));
    }
    // Each part is looked at in turn, so that the first wrong one is told.
    for end in 1..path.len() {
        match kind(&path[..end])? {
            Kind::Section | Kind::List => {}
            Kind::Key => {
                return Err(Wrong::new(
                    format!("the key `{}` has nothing below it", path[..end].join(".")),
                    format!("set {}", variable(&path[..end])),
                ));
            }
        }
    }
    match kind(&path) {
        Ok(Kind::Key) => Ok(Some(path)),
        Ok(Kind::Section | Kind::List) => {
            let example = names_below(&path).first().copied().unwrap_or_default().to_owned();
            let example = variable(&[path.as_slice(), &[example]].concat());
            Err(Wrong::new(
                format!("`{}` is a section", path.join(".")),
                format!("name a key in it, for example {example}"),
            ))
        }
        Err(wrong) => {
            let names = names_below(&path[..path.len() - 1]);
            let fix = nearest(&path[path.len() - 1], &names).map_or(wrong.fix, |meant| {
                format!("set {}", variable(&[&path[..path.len() - 1], &[meant.to_owned()]].concat()))
            });
            Err(Wrong::new(wrong.message, fix))
        }
    }
}

/// The variable of a path.
fn variable(path: &[String]) -> String {
    format!("{BEGINNING}{}", path.join(SEPARATOR).to_uppercase())
}

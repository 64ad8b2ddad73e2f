//! Which keys there are, and what was meant where there is none.

use imagewright_spec::nearest;

use super::error::{Place, Wrong};
use super::settings::{SETTINGS, Setting};
use super::value::Value;

/// Paths whose sections are entries of a list: `[[path]]`.
const LISTS: [&str; 2] = ["sources.index_credentials", "sources.channel_credentials"];

/// A key that was given a value somewhere.
pub(super) struct Assignment {
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What stands at a path.
pub(super) enum Kind {
    /// A key with a value.
    Key,
    /// Keys by name below.
    Section,
    /// Sections without names, in order.
    List,
}

/// Says what a path is.
///
/// # Errors
/// There is nothing of that name, and what was meant.
pub(super) fn kind(path: &[String]) -> Result<Kind, Wrong> {
    if LISTS.contains(&path.join(".").as_str()) {
        return Ok(Kind::List);
    }
    if !names_below(path).is_empty() {
        return Ok(Kind::Section);
    }
    if setting(path).is_some() {
        return Ok(Kind::Key);
    }
    let (name, above) = path.split_last().map_or(("", path), |(name, above)| (name.as_str(), above));
    let known = names_below(above);
    let fix = match nearest(name, &known) {
        Some(nearest) => format!("write `{nearest}`"),
        None if above.is_empty() => "see `imagewright serve --print-config` for all keys".to_owned(),
        None => format!("it can be {}", listed(&known)),
    };
    let place = if above.is_empty() { String::new() } else { format!(" in [{}]", above.join(".")) };
    Err(Wrong::new(format!("there is no key `{}`{place}", name.escape_debug()), fix))
}

/// The setting at a path, with what stands for the `*` in its own.
pub(super) fn setting(path: &[String]) -> Option<(&'static Setting, &str)> {
    let setting = SETTINGS.iter().find(|setting| {
        let own: Vec<&str> = setting.path.split('.').collect();
        own.len() == path.len() && begins(&own, path)
    })?;
    let star = setting.path.split('.').position(|segment| segment == "*");
    Some((setting, star.map_or("", |index| path[index].as_str())))
}

/// What can follow a path, each name once; `*` where it can be any.
pub(super) fn names_below(path: &[String]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for setting in SETTINGS {
        let own: Vec<&'static str> = setting.path.split('.').collect();
        if let Some(next) = own.get(path.len()).filter(|next| begins(&own, path) && !names.contains(*next)) {
            names.push(*next);
        }
    }
    names
}

fn begins(own: &[&str], path: &[String]) -> bool {
    own.iter().zip(path).all(|(own, given)| *own == "*" || own == given)
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

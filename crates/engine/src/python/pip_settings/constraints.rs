//! Constraint files in the image.

use std::str::FromStr;

use imagewright_oci::layer::path::split;
use imagewright_oci::tree::ImageTree;
use pep508_rs::{Requirement, VersionOrUrl};

use super::{PipSettings, PipSettingsError, Setting};
use crate::python::environment::{ImageEnvironment, lexically_normalised};

/// How deep constraint files may include each other.
const MAXIMUM_DEPTH: usize = 8;

/// Adds the lines of all constraint files of a setting to the result.
pub(super) fn read(
    tree: &ImageTree,
    environment: &ImageEnvironment,
    setting: &Setting,
    result: &mut PipSettings,
) -> Result<(), PipSettingsError> {
    for path in setting.value.split_whitespace() {
        read_file(tree, path, environment.working_folder(), &setting.origin, 0, result)?;
    }
    Ok(())
}

fn read_file(
    tree: &ImageTree,
    path: &str,
    folder: &str,
    origin: &str,
    depth: usize,
    result: &mut PipSettings,
) -> Result<(), PipSettingsError> {
    let origin = || origin.to_owned();
    let local = path.strip_prefix("file://").unwrap_or(path);
    if local.contains("://") {
        return Err(PipSettingsError::RemoteConstraint {
            origin: origin(),
            address: without_credentials(local),
        });
    }
    if depth >= MAXIMUM_DEPTH {
        return Err(PipSettingsError::NestedTooDeep { path: path.to_owned(), limit: MAXIMUM_DEPTH });
    }
    let missing = || PipSettingsError::MissingConstraint { origin: origin(), path: path.to_owned() };
    let normalised = lexically_normalised(local, folder).ok_or_else(missing)?;
    if normalised == "dev/null" {
        return Ok(());
    }
    if !matches!(tree.resolve(&normalised), Ok(Some(_))) {
        return Err(missing());
    }
    let Some(text) = tree.text(&normalised) else {
        return Err(PipSettingsError::UnreadableConstraint { origin: origin(), path: path.to_owned() });
    };
    for line in logical_lines(&text) {
        let included = ["-c ", "--constraint ", "--constraint=", "-r ", "--requirement "]
            .iter()
            .find_map(|option| line.strip_prefix(option));
        if let Some(included) = included {
            read_file(tree, included.trim(), split(&normalised).0, &origin(), depth + 1, result)?;
        } else if line.starts_with('-') {
            result.notices.push(format!(
                "The line “{}” of the image's constraint file /{normalised} is not used.",
                without_credentials(&line)
            ));
        } else {
            add(&line, &normalised, result);
        }
    }
    Ok(())
}

/// Adds one line: what is no requirement, and what names an address, is announced and left out.
fn add(line: &str, path: &str, result: &mut PipSettings) {
    // Options such as `--hash` follow the requirement.
    let requirement = line.split(" --").next().unwrap_or(line).trim();
    match Requirement::<pep508_rs::VerbatimUrl>::from_str(requirement) {
        Ok(parsed) if matches!(parsed.version_or_url, Some(VersionOrUrl::Url(_))) => {
            result.notices.push(format!(
                "The image's constraint file /{path} takes {} from an address; that line is not used.",
                parsed.name
            ));
        }
        Ok(_) => result.constraints.push(requirement.to_owned()),
        Err(_) => result.notices.push(format!(
            "The line “{}” of the image's constraint file /{path} is no requirement and not used.",
            without_credentials(requirement)
        )),
    }
}

/// Lines without comments, with continuations (`\` at the end) joined.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pending = String::new();
    for line in text.lines() {
        let line = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line) };
        if let Some(start) = line.strip_suffix('\\') {
            pending.push_str(start);
            continue;
        }
        pending.push_str(line);
        let complete = std::mem::take(&mut pending);
        if !complete.trim().is_empty() {
            lines.push(complete.trim().to_owned());
        }
    }
    lines.extend(Some(pending.trim().to_owned()).filter(|line| !line.is_empty()));
    lines
}

/// A text in which user and password of an address are left out, cut to a length that can be shown.
fn without_credentials(text: &str) -> String {
    let shown: String = text.chars().take(120).collect();
    let Some((before, rest)) = shown.split_once("://") else { return shown };
    let end = rest.find(['/', ' ']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{before}://{}", &rest[at + 1..]),
        None => shown,
    }
}

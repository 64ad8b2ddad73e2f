//! Maintainer scripts that fail.

use super::lines::{Lines, clean};
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

/// Lines of a script's own that are shown.
const OWN_LINES: usize = 8;

/// Lines of other programs that may come between dpkg's error and its reason.
const BETWEEN: usize = 4;

const START: &str = "dpkg: error processing ";

/// `dpkg: error processing package NAME (--configure):`, and the indented line with the reason after it.
pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    let errors = errors(lines);
    // Packages that need a broken one fail as well, and may be told first.
    let is_script = |reason: &&(&str, &str)| reason.1.contains(" script subprocess ");
    let (error, reason) = *errors.iter().find(is_script).or_else(|| errors.first())?;
    let name = error.strip_prefix(START)?;
    let name = match name.strip_prefix("archive ") {
        // `/…/NAME_VERSION_all.deb`
        Some(path) => path.rsplit('/').next().and_then(|file| file.split('_').next()).unwrap_or(path),
        None => name.strip_prefix("package ").unwrap_or(name),
    };
    let name = clean(name.split(" (").next().unwrap_or(name));
    let base = output.base;
    let (kind, message, next) = match reason.split_once(" script subprocess ") {
        Some((script, how)) => (
            ErrorKind::SandboxFailed,
            format!(
                "the {} script of the system package {name} failed{} on {base}",
                script_kind(script),
                ending(how)
            ),
            "the lines at the top are the script's own: the package may need a service, a setting or a newer base; \
             leave it out if you do not need it",
        ),
        None if reason.contains("trying to overwrite ") => (
            ErrorKind::Conflict,
            format!("the system package {name} cannot be installed on {base}: {}", clean(reason.trim())),
            "leave out one of the two packages, or choose a base without the other one",
        ),
        None => (
            ErrorKind::SandboxFailed,
            format!("the system package {name} cannot be installed on {base}: {}", clean(reason.trim())),
            "leave the package out if you do not need it, or ask for another version of it",
        ),
    };
    // What the script itself said stands right before dpkg's error.
    let own = own_words(lines, error);
    let lines = own.into_iter().chain([error.to_owned(), reason.to_owned()]).collect();
    Some(Cause { kind, message, lines, next: next.to_owned() })
}

/// dpkg's errors with their reasons; a reason is empty where none follows.
fn errors(lines: &Lines) -> Vec<(&str, &str)> {
    let all: Vec<&str> = lines.all().collect();
    let reason = |at: usize| {
        let next = all[at + 1..].iter().take(BETWEEN).take_while(|line| !line.starts_with(START));
        next.copied().find(|line| line.starts_with(' ')).unwrap_or_default()
    };
    (0..all.len()).filter(|at| all[*at].starts_with(START)).map(|at| (all[at], reason(at))).collect()
}

/// Which script it was: dpkg writes `post-installation`, and `postinst maintainer` since 1.23.
fn script_kind(text: &str) -> String {
    let kind = text.trim_end_matches(" maintainer").rsplit(' ').next().unwrap_or(text);
    match kind {
        "preinst" => "pre-installation".to_owned(),
        "postinst" => "post-installation".to_owned(),
        "prerm" => "pre-removal".to_owned(),
        "postrm" => "post-removal".to_owned(),
        other => clean(other),
    }
}

/// How a script ended: `returned error exit status 3`, or `was killed by signal (Killed)`.
fn ending(text: &str) -> String {
    match (text.split_once("exit status "), text.split_once("killed by signal ")) {
        (Some((_, code)), _) => format!(" with exit code {}", clean(code)),
        (_, Some((_, signal))) => {
            format!(" because of a signal ({})", clean(signal.trim_matches(['(', ')'])))
        }
        _ => String::new(),
    }
}

/// The lines before an error that are none of dpkg's.
fn own_words(lines: &Lines, error: &str) -> Vec<String> {
    let dpkg = [
        "Setting up ",
        "Unpacking ",
        "Preparing to unpack ",
        "Selecting previously ",
        "(Reading database",
        "Get:",
        "Fetched ",
        "Processing triggers ",
        "Need to get ",
        "After this operation",
        "debconf: ",
    ];
    let before = lines.before(error, 3 * OWN_LINES);
    let mut own: Vec<String> = before
        .into_iter()
        .rev()
        .take_while(|line| !dpkg.iter().any(|start| line.starts_with(start)))
        .take(OWN_LINES)
        .collect();
    own.reverse();
    own
}

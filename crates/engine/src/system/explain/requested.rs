//! Packages that do not exist, or do not fit together.

use super::lines::{Lines, clean};
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    // A package may exist in lists that could not be read: that is told then.
    if !lines.with(&["Some index files failed to download"]).is_empty() {
        return None;
    }
    missing(output, lines).or_else(|| unmet(output, lines))
}

/// Package, version or release that the base's sources do not have.
fn missing(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    let mut names = Vec::new();
    let mut other = None;
    for error in lines.apt_errors() {
        let unknown =
            ["Unable to locate package ", "Couldn't find any package by glob '", "Couldn't find package "];
        if let Some(name) = unknown.iter().find_map(|start| error.strip_prefix(start)) {
            names.push(name.trim_end_matches('\'').to_owned());
        } else if let Some(name) = quoted(error).filter(|_| error.ends_with("has no installation candidate"))
        {
            names.push(name.to_owned());
        } else if error.starts_with("Version '") || error.starts_with("Release '") {
            other = Some(error.to_owned());
        }
    }
    names.sort();
    names.dedup();
    let sources = format!("the sources of {} ({})", output.base, output.system);
    let shown = lines.errors();
    let replaced = lines.paragraph("However the following packages replace it:");
    if let Some(error) = other.filter(|_| names.is_empty()) {
        return Some(Cause {
            kind: ErrorKind::NotFound,
            message: format!("{sources} do not have what was asked for: {}", lower(&clean(&error))),
            lines: shown,
            next: "leave the version or release out, or choose a base whose sources have it".to_owned(),
        });
    }
    let first = names.first()?;
    let provided = lines.paragraph(" is a virtual package provided by:");
    let instead: Vec<&str> = match (&replaced[..], &provided[..]) {
        ([_, some @ ..], _) if !some.is_empty() => {
            some.iter().flat_map(|line| line.split_whitespace()).collect()
        }
        // Each line has a name and a version.
        (_, [_, some @ ..]) => some.iter().filter_map(|line| line.split_whitespace().next()).collect(),
        _ => Vec::new(),
    };
    let next = if instead.is_empty() {
        suggestion(first)
    } else {
        format!("ask for {} instead", clean(&instead.join(" or ")))
    };
    let message = match names.len() {
        1 if !provided.is_empty() => {
            format!(
                "the system package {} is only a name that several packages go by in {sources}",
                clean(first)
            )
        }
        1 => format!("the system package {} does not exist in {sources}", clean(first)),
        _ => format!("the system packages {} do not exist in {sources}", clean(&names.join(", "))),
    };
    Some(Cause { kind: ErrorKind::NotFound, message, lines: [shown, replaced, provided].concat(), next })
}

/// What people may have meant: names of Python packages are common here.
fn suggestion(name: &str) -> String {
    const PYTHON: [&str; 12] = [
        "numpy",
        "pandas",
        "scipy",
        "scikit-learn",
        "matplotlib",
        "torch",
        "tensorflow",
        "jupyter",
        "jupyterlab",
        "opencv-python",
        "requests",
        "transformers",
    ];
    if PYTHON.contains(&name) {
        return format!("{name} is a Python package: ask for it with --pip {name}");
    }
    if let Some(rest) = name.strip_prefix("python-") {
        return format!("packages of Python 2 are gone: ask for {}", clean(&format!("python3-{rest}")));
    }
    "check the name at packages.debian.org or packages.ubuntu.com; it may have another one in this release"
        .to_owned()
}

/// Packages that exist and cannot be together.
fn unmet(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    // The second is apt's word for it since 3.0, and the third what its new resolver found.
    let unmet: Vec<String> = [
        "The following packages have unmet dependencies",
        "Unsatisfied dependencies:",
        "Unable to satisfy dependencies.",
    ]
    .iter()
    .flat_map(|start| lines.paragraph(start))
    .collect();
    let broken = lines.with(&["held broken packages", "pkgProblemResolver", "Unmet dependencies"]);
    if unmet.is_empty() && broken.is_empty() {
        let essential = lines.with(&[
            "Essential packages were removed",
            "Packages were downgraded",
            "needs to be reinstalled",
        ]);
        return (!essential.is_empty()).then(|| Cause {
            kind: ErrorKind::Conflict,
            message: format!("what was asked for would break the system of {}", output.base),
            lines: essential,
            next: "ask for other versions, or choose a base with a newer system".to_owned(),
        });
    }
    Some(Cause {
        kind: ErrorKind::Conflict,
        message: match output.packages {
            [only] => format!("the system package {} cannot be installed on {}", clean(only), output.base),
            several => format!(
                "the system packages {} cannot be installed together on {}",
                clean(&several.join(", ")),
                output.base
            ),
        },
        lines: [unmet, broken].concat(),
        next: "the lines above name what is in the way: leave one of the packages out, or ask for another version"
            .to_owned(),
    })
}

/// The first text in quotation marks.
fn quoted(text: &str) -> Option<&str> {
    text.split_once('\'')?.1.split_once('\'').map(|(name, _)| name)
}

fn lower(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

//! A repository in a registry, without tag or digest: where layers are kept (`--layer-repo`).

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, show};
use crate::reference::{check_characters, parse_name};
use crate::string_type::string_type;

const DOCKER_HUB: &str = "docker.io";
/// Other names of Docker Hub, all read as `docker.io` so that equal images compare equal.
const DOCKER_HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
/// The longest registry and the longest repository, each in bytes.
const LONGEST: usize = 255;

/// A registry and a repository in it, with Docker Hub's defaults filled in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryReference {
    registry: String,
    repository: String,
}

impl RepositoryReference {
    /// The registry's host and port, in lower case.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path inside the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Another repository in the same registry.
    pub fn with_repository(&self, repository: &str) -> Result<Self, Problem> {
        validate_repository(repository, 0)?;
        Self::with_defaults(Some(&self.registry), repository)
    }

    /// Joins checked parts; no registry means Docker Hub, whose single names live under `library/`.
    pub(crate) fn with_defaults(registry: Option<&str>, repository: &str) -> Result<Self, Problem> {
        // Host names are case-insensitive.
        let mut registry = registry.unwrap_or(DOCKER_HUB).to_ascii_lowercase();
        if DOCKER_HUB_ALIASES.contains(&registry.as_str()) {
            DOCKER_HUB.clone_into(&mut registry);
        }
        let repository = if registry == DOCKER_HUB && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        if repository.len() > LONGEST {
            return Err(Problem::at(
                1,
                format!("a repository has at most {LONGEST} characters"),
                "write a shorter one",
            ));
        }
        Ok(Self { registry, repository })
    }
}

impl fmt::Display for RepositoryReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)
    }
}

impl fmt::Debug for RepositoryReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RepositoryReference({self})")
    }
}

impl FromStr for RepositoryReference {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check_characters(text)?;
        if let Some(at) = text.find('@') {
            return Err(Problem::at(at + 1, "a repository has no digest", "leave out the part from `@` on"));
        }
        let name_start = text.rfind('/').map_or(0, |slash| slash + 1);
        if let Some(colon) = text[name_start..].find(':') {
            return Err(Problem::at(
                name_start + colon + 1,
                "a repository has no tag",
                "leave out the part from `:` on; after a registry's port comes a path, as in `localhost:5000/layers`",
            ));
        }
        parse_name(text)
    }
}

string_type!(RepositoryReference);

/// Splits off the registry as Docker does: the first component is one if it has a dot or a port or is
/// `localhost`.
pub(crate) fn split_registry(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
        _ => (None, name),
    }
}

/// Checks a `host[:port]`.
pub(crate) fn validate_registry(registry: &str) -> Result<(), Problem> {
    const ADVICE: &str =
        "write a host and, if needed, a port, as in `registry.example.com` or `localhost:5000`";
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    if host.is_empty() || registry.len() > LONGEST {
        return Err(Problem::at(1, "the registry is not a host name", ADVICE));
    }
    let mut column = 1;
    for label in host.split('.') {
        if let Some((index, character)) = label
            .chars()
            .enumerate()
            .find(|(_, character)| !(character.is_ascii_alphanumeric() || *character == '-'))
        {
            return Err(Problem::at(
                column + index,
                format!("a registry cannot contain {}", show(character)),
                ADVICE,
            ));
        }
        if label.is_empty() || label.starts_with('-') || label.ends_with('-') {
            return Err(Problem::at(
                column,
                "each part of a host name starts and ends with a letter or digit",
                ADVICE,
            ));
        }
        column += label.len() + 1;
    }
    match port {
        Some(digits) if digits.parse::<u16>().is_err() || digits.starts_with('+') => {
            Err(Problem::at(column, "the registry's port is not a number from 0 to 65535", ADVICE))
        }
        _ => Ok(()),
    }
}

/// Checks the path inside a registry: components of lower-case letters and digits, joined inside by `.`, `_`,
/// `__` or any number of `-`. `offset` is where it starts in what the user wrote.
pub(crate) fn validate_repository(repository: &str, offset: usize) -> Result<(), Problem> {
    let mut column = offset + 1;
    for component in repository.split('/') {
        validate_component(component, column)?;
        column += component.len() + 1;
    }
    Ok(())
}

fn validate_component(component: &str, start: usize) -> Result<(), Problem> {
    const ADVICE: &str = "use lower-case letters and digits, with single `.`, `_` or any `-` between them and `/` between the parts";
    if component.is_empty() {
        return Err(Problem::at(start, "a part of the repository is empty", ADVICE));
    }
    if let Some((index, character)) = component
        .chars()
        .enumerate()
        .find(|(_, c)| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')))
    {
        let suggestion = if character.is_ascii_uppercase() {
            format!("write `{}`", component.to_ascii_lowercase())
        } else {
            ADVICE.to_owned()
        };
        return Err(Problem::at(
            start + index,
            format!("a repository cannot contain {}", show(character)),
            suggestion,
        ));
    }
    let mut run_start = 0;
    for (index, character) in component.char_indices() {
        let is_separator = matches!(character, '.' | '_' | '-');
        if !is_separator {
            let run = &component[run_start..index];
            if index > 0 && !run.is_empty() && !is_joiner(run) {
                return Err(Problem::at(
                    start + run_start,
                    format!("`{run}` cannot stand inside a repository"),
                    ADVICE,
                ));
            }
            run_start = index + 1;
        }
    }
    if component.starts_with(['.', '_', '-']) {
        return Err(Problem::at(start, "each part of a repository starts with a letter or digit", ADVICE));
    }
    if run_start < component.len() {
        return Err(Problem::at(
            start + run_start,
            "each part of a repository ends with a letter or digit",
            ADVICE,
        ));
    }
    Ok(())
}

/// What may stand between letters and digits of a component.
fn is_joiner(run: &str) -> bool {
    matches!(run, "." | "_" | "__") || run.chars().all(|character| character == '-')
}

//! conda's `environment.yml`: channels, dependencies, and the `pip:` list among them.
//!
//! `name`, `prefix` and `variables` say where and how conda would put the environment on a machine; the first two
//! mean nothing to an image, and variables belong to the image, so they are refused rather than dropped.

mod tree;

use tree::{Content, Node, read_tree};

use crate::build_spec::PackageRequest;
use crate::conda_text::{CondaPolicy, parse_channel_at, parse_conda_at};
use crate::error::SpecErrors;
use crate::nearest::{list, nearest};
use crate::problem::quote;
use crate::relative_path::RelativePath;
use crate::requirements::{IncludeReader, PipPolicy, parse_pip_in_file};
use crate::text::Place;

const KEYS: [&str; 3] = ["channels", "dependencies", "name"];
/// Keys that conda knows and that mean nothing to an image.
const IGNORED: [&str; 2] = ["name", "prefix"];

/// Reads an `environment.yml` whose text is `text` and whose path below the given folder is `file`.
///
/// # Errors
/// All entries, here and in the files that the `pip:` list includes, that could not be understood or are not
/// allowed.
pub fn parse_environment_yml(
    file: &RelativePath,
    text: &str,
    pip_policy: PipPolicy,
    conda_policy: CondaPolicy,
    includes: &mut dyn IncludeReader,
) -> Result<PackageRequest, SpecErrors> {
    let root = read_tree(file.as_str(), text)?;
    let mut reader = Reader {
        lines: text.lines().collect(),
        file,
        pip_policy,
        conda_policy,
        includes,
        pip_lines: Vec::new(),
        request: PackageRequest::default(),
        errors: SpecErrors::default(),
    };
    match &root.content {
        Content::Mapping(entries) => {
            for (key, value) in entries {
                reader.read_entry(key, value);
            }
        }
        _ => reader.refuse(
            &root,
            "this is not an environment",
            "write `dependencies:` and a list of packages below it",
        ),
    }
    reader.read_pip_lines();
    reader.errors.or_value(reader.request)
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    file: &'a RelativePath,
    pip_policy: PipPolicy,
    conda_policy: CondaPolicy,
    includes: &'a mut dyn IncludeReader,
    /// The entries of the `pip:` lists, which may include files: read together at the end.
    pip_lines: Vec<(Place<'a>, String)>,
    request: PackageRequest,
    errors: SpecErrors,
}

impl<'a> Reader<'a> {
    fn place(&self, node: &Node) -> Place<'a> {
        Place {
            source: self.file.as_str(),
            line: node.line,
            column: node.column,
            excerpt: self.lines.get(node.line - 1).copied(),
        }
    }

    fn refuse(&mut self, node: &Node, message: &str, suggestion: &str) {
        let error = self.place(node).error(message, suggestion);
        self.errors.push(error);
    }

    fn read_entry(&mut self, key: &Node, value: &Node) {
        match key.text() {
            Some("channels") => {
                for channel in self.items(value) {
                    self.read_channel(channel);
                }
            }
            Some("dependencies") => {
                for dependency in self.items(value) {
                    self.read_dependency(dependency);
                }
            }
            Some(ignored) if IGNORED.contains(&ignored) => {}
            Some("variables") => {
                self.refuse(key, "variables cannot be set by an environment file", "leave `variables` out");
            }
            other => {
                let name = other.unwrap_or_default();
                let suggestion = match nearest(name, &KEYS) {
                    Some(nearest) => format!("write `{nearest}`"),
                    None => format!("write one of {}", list(&KEYS)),
                };
                self.refuse(key, &format!("{} is not known here", quote(name)), &suggestion);
            }
        }
    }

    /// The items of a list; an empty value is an empty list.
    fn items<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.content {
            Content::Sequence(items) => items,
            Content::Text(text) if text.is_empty() => &[],
            _ => {
                self.refuse(node, "this is not a list", "write each entry on a line of its own, after `- `");
                &[]
            }
        }
    }

    fn read_channel(&mut self, node: &Node) {
        let Some(text) = self.text(node) else { return };
        // Tells conda to search none but these channels, which is what we do in any case.
        if text == "nodefaults" {
            return;
        }
        match parse_channel_at(self.place(node), text, self.conda_policy) {
            Ok(channel) => self.request.conda.add_channel(channel),
            Err(errors) => self.errors.extend(errors),
        }
    }

    fn read_dependency(&mut self, node: &Node) {
        let Content::Mapping(entries) = &node.content else {
            let Some(text) = self.text(node).map(str::to_owned) else { return };
            let place = self.place(node);
            self.read_conda(place, &text);
            return;
        };
        for (key, value) in entries {
            if key.text() == Some("pip") {
                for requirement in self.items(value) {
                    self.read_requirement(requirement);
                }
            } else {
                self.refuse(
                    key,
                    "only `pip:` can have a list of its own here",
                    "write conda's packages as `- name=version`",
                );
            }
        }
    }

    fn read_conda(&mut self, place: Place<'_>, text: &str) {
        match parse_conda_at(place, text, self.conda_policy) {
            Ok(conda) => self.request.conda.merge(conda),
            Err(errors) => self.errors.extend(errors),
        }
    }

    fn read_requirement(&mut self, node: &Node) {
        if let Some(text) = self.text(node).map(str::to_owned) {
            self.pip_lines.push((self.place(node), text));
        }
    }

    /// Reads what was collected of pip's lists.
    fn read_pip_lines(&mut self) {
        let lines = std::mem::take(&mut self.pip_lines);
        match parse_pip_in_file(&lines, self.file, self.pip_policy, self.includes) {
            Ok(pip) => self.request.pip.merge(pip),
            Err(errors) => self.errors.extend(errors),
        }
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            self.refuse(node, "this is not a package", "write a package such as `numpy=1.26`");
        }
        text
    }
}

#[cfg(test)]
mod tests;

//! Our own description of an image, `image.toml`.
//!
//! ```toml
//! base = "docker.io/library/python:3.12-slim"   # optional when the command line names a base
//! type = "universal"                            # cpu (as usual), gpu or universal
//!
//! [apt]
//! packages = ["git", "g++", "curl=7.88.1-10+deb12u8"]
//!
//! [conda]
//! channels = ["conda-forge"]                    # searched in this order
//! packages = ["numpy=1.26", "conda-forge::scipy"]
//!
//! [pip]
//! packages = ["requests>=2,<3", "torch==2.4.*"]
//! constraints = ["numpy<2"]                     # limits, installed only if something needs them
//! index-url = "https://pypi.example.com/simple"
//! extra-index-urls = ["https://download.pytorch.org/whl/cpu"]
//! ```
//!
//! Every key is optional. A package is written as on the command line; unknown keys are errors, so that a typing
//! error is never a package left out.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::apt_text::parse_apt_at;
use crate::build_spec::PackageRequest;
use crate::conda_text::{CondaPolicy, parse_channel_at, parse_conda_at};
use crate::error::{SpecError, SpecErrors};
use crate::nearest::{list, nearest};
use crate::problem::{Problem, quote};
use crate::requirements::{PipPolicy, parse_pip_at};
use crate::text::Place;

const LARGEST: usize = 1 << 20;

type Value<'i> = Spanned<DeValue<'i>>;

/// Reads an `image.toml`. `source` names the file in errors.
///
/// # Errors
/// All keys and packages that could not be understood or are not allowed.
pub fn parse_image_toml(
    source: &str,
    text: &str,
    pip_policy: PipPolicy,
    conda_policy: CondaPolicy,
) -> Result<PackageRequest, SpecErrors> {
    let mut file = File { source, text, errors: SpecErrors::default() };
    if text.len() > LARGEST {
        return Err(file.error(0, "the file is larger than 1 MiB", "write a shorter one").into());
    }
    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    for error in &syntax_errors {
        let start = error.span().map_or(0, |span| span.start);
        let message = error.message().lines().next().unwrap_or("this is not TOML").to_owned();
        let error = file.error(
            start,
            &message,
            "write `key = \"value\"` or `key = [\"one\", \"two\"]`, with text in quotes",
        );
        file.errors.push(error);
    }
    if !syntax_errors.is_empty() {
        file.errors.0.sort_by_key(|error| (error.line, error.column));
        return Err(file.errors);
    }
    let mut request = PackageRequest::default();
    for (key, value) in file.entries(table.get_ref(), &["base", "type", "apt", "conda", "pip"]) {
        match key {
            "base" => request.base = file.base(value),
            "type" => request.kind = file.kind(value),
            "apt" => file.read_apt(value, &mut request),
            "conda" => file.read_conda(value, conda_policy, &mut request),
            _ => file.read_pip(value, pip_policy, &mut request),
        }
    }
    file.errors.0.sort_by_key(|error| (error.line, error.column));
    file.errors.or_value(request)
}

/// The file with the errors found so far.
struct File<'a> {
    source: &'a str,
    text: &'a str,
    errors: SpecErrors,
}

impl<'a> File<'a> {
    /// The place of a byte offset.
    fn place(&self, offset: usize) -> Place<'a> {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            source: self.source,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            excerpt: self.text[line_start..].lines().next(),
        }
    }

    fn error(&self, offset: usize, message: &str, suggestion: &str) -> SpecError {
        self.place(offset).error(message, suggestion)
    }

    fn refuse(&mut self, offset: usize, message: &str, suggestion: &str) {
        let error = self.error(offset, message, suggestion);
        self.errors.push(error);
    }

    /// The known entries of a table; the others are refused.
    fn entries<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        known: &[&'static str],
    ) -> Vec<(&'static str, &'t Value<'i>)> {
        let mut entries = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(name) = known.iter().find(|known| **known == name) {
                entries.push((*name, value));
                continue;
            }
            let suggestion = match nearest(name, known) {
                Some(nearest) => format!("write `{nearest}`"),
                None => format!("write one of {}", list(known)),
            };
            self.refuse(key.span().start, &format!("{} is not known here", quote(name)), &suggestion);
        }
        entries
    }

    fn table<'t, 'i>(
        &mut self,
        value: &'t Value<'i>,
        section: &str,
        known: &[&'static str],
    ) -> Vec<(&'static str, &'t Value<'i>)> {
        if let Some(table) = value.get_ref().as_table() {
            return self.entries(table, known);
        }
        let suggestion = format!("write a section `[{section}]` with {}", list(known));
        self.refuse(value.span().start, &format!("`{section}` is not a section"), &suggestion);
        Vec::new()
    }

    /// The text of a value and its place, inside the quotes.
    fn string<'t>(&mut self, value: &'t Value<'_>) -> Option<(Place<'a>, &'t str)> {
        let start = value.span().start;
        if let Some(text) = value.get_ref().as_str() {
            let written = self.text.get(start..).unwrap_or_default();
            let quotes = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
            // A line break right behind three quotes is not part of the text.
            let skipped = if quotes == 3 && written[3..].starts_with('\n') { 4 } else { quotes };
            return Some((self.place(start + skipped), text));
        }
        self.refuse(start, "this is not text", "write it in quotes");
        None
    }

    fn strings<'t>(&mut self, value: &'t Value<'_>) -> Vec<(Place<'a>, &'t str)> {
        if let Some(values) = value.get_ref().as_array() {
            return values.iter().filter_map(|value| self.string(value)).collect();
        }
        self.refuse(value.span().start, "this is not a list", "write a list, as in `[\"one\", \"two\"]`");
        Vec::new()
    }

    /// Keeps a value or the errors about it.
    fn keep<T>(&mut self, result: Result<T, SpecErrors>) -> Option<T> {
        result.map_err(|errors| self.errors.extend(errors)).ok()
    }

    fn parse<T: std::str::FromStr<Err = Problem>>(&mut self, place: Place<'_>, text: &str) -> Option<T> {
        let result = text.parse().map_err(|problem: Problem| place.refuse(problem, text).into());
        self.keep(result)
    }

    fn base(&mut self, value: &Value<'_>) -> Option<crate::ImageReference> {
        let (place, text) = self.string(value)?;
        self.parse(place, text)
    }

    fn kind(&mut self, value: &Value<'_>) -> Option<crate::ImageKind> {
        let (place, text) = self.string(value)?;
        self.parse(place, text)
    }

    fn read_apt(&mut self, value: &Value<'_>, request: &mut PackageRequest) {
        for (_, value) in self.table(value, "apt", &["packages"]) {
            for (place, text) in self.strings(value) {
                let packages = self.keep(parse_apt_at(place, text));
                request.apt.extend(packages.unwrap_or_default());
            }
        }
    }

    fn read_conda(&mut self, value: &Value<'_>, policy: CondaPolicy, request: &mut PackageRequest) {
        for (key, value) in self.table(value, "conda", &["channels", "packages"]) {
            for (place, text) in self.strings(value) {
                if key == "channels" {
                    if let Some(channel) = self.keep(parse_channel_at(place, text, policy)) {
                        request.conda.add_channel(channel);
                    }
                } else if let Some(conda) = self.keep(parse_conda_at(place, text, policy)) {
                    request.conda.merge(conda);
                }
            }
        }
    }

    fn read_pip(&mut self, value: &Value<'_>, policy: PipPolicy, request: &mut PackageRequest) {
        let known = ["packages", "constraints", "index-url", "extra-index-urls"];
        for (key, value) in self.table(value, "pip", &known) {
            match key {
                "packages" | "constraints" => {
                    for (place, text) in self.strings(value) {
                        let Some(mut pip) = self.keep(parse_pip_at(place, text, policy)) else { continue };
                        if key == "constraints" {
                            pip.constraints.append(&mut pip.requirements);
                        }
                        request.pip.merge(pip);
                    }
                }
                _ if !policy.allow_index_options => self.refuse(
                    value.span().start,
                    "packages can only be installed from the configured index here",
                    "leave the key out, or ask an administrator to allow other indexes",
                ),
                "index-url" => {
                    if let Some((place, text)) = self.string(value) {
                        request.pip.index_url = self.parse(place, text);
                    }
                }
                _ => {
                    for (place, text) in self.strings(value) {
                        request.pip.extra_index_urls.extend(self.parse(place, text));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PackageRequest, SpecErrors> {
        parse_image_toml("image.toml", text, PipPolicy::OPEN, CondaPolicy::OPEN)
    }

    #[test]
    fn the_documented_file_is_understood() {
        let text = r#"
            base = "docker.io/library/python:3.12-slim"
            [apt]
            packages = ["git", "g++", "curl=7.88.1-10+deb12u8"]
            [conda]
            channels = ["conda-forge"]
            packages = ["numpy=1.26", "conda-forge::scipy"]
            [pip]
            packages = ["requests>=2,<3", "torch==2.4.*", """
numpy
pandas
"""]
            constraints = ["numpy<2"]
            index-url = "https://me:hunter2@pypi.example.com/simple"
            extra-index-urls = ["https://download.pytorch.org/whl/cpu"]
        "#;
        let request = read(text).unwrap();
        assert_eq!(request.base.as_ref().unwrap().to_string(), "docker.io/library/python:3.12-slim");
        assert_eq!((request.apt.len(), request.conda.specs.len(), request.pip.requirements.len()), (3, 2, 4));
        assert_eq!(request.conda.channels[0].as_str(), "conda-forge");
        assert_eq!(request.pip.constraints[0].to_string(), "numpy<2");
        assert!(request.pip.index_url.unwrap().credentials().is_some());
        assert_eq!(read("").unwrap(), PackageRequest::default());
    }

    #[test]
    fn errors_read_well() {
        let text = "bse = \"x\"\nbase = \"x y\"\n[apt]\npackages = \"git\"\npackage = []\n[conda]\nchannels = [\"../x\"]\n\
            [pip]\npackages = [\"numpy=1\", 3, \"\"\"\nok\nnot=ok\n\"\"\"]\nindex-url = \"ftp://x\"\n[bogus]\n";
        insta::assert_snapshot!(read(text).unwrap_err());
        insta::assert_snapshot!("syntax", read("base = x\n[apt\n").unwrap_err());
        let closed = parse_image_toml(
            "image.toml",
            "[pip]\nindex-url = \"https://x/s\"",
            PipPolicy::INDEX_ONLY,
            CondaPolicy::OPEN,
        );
        assert_eq!(closed.unwrap_err().0[0].line, 2);
    }
}

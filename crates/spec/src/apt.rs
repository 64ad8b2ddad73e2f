//! APT packages as `apt-get install` takes them: `name`, `name=version`, `name:architecture`, `name/release`.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, quote, show};
use crate::string_type::string_type;

/// The longest package line, in bytes; Debian's longest name has about 80.
const LONGEST: usize = 256;

/// One package, by the grammar of Debian policy 5.6.1 (names) and 5.6.12 (versions).
///
/// Nothing accepted here can be an option, a pattern, a path or a removal (`name-`) to `apt-get`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AptPackage {
    name: String,
    architecture: Option<String>,
    selection: Option<AptSelection>,
}

/// Which of a package's versions is wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AptSelection {
    /// `=version`: exactly this one.
    Version(String),
    /// `/release`: the one of this suite or codename, such as `bookworm-backports`.
    Release(String),
}

impl AptPackage {
    /// The package name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The architecture, if one was written: `amd64`, `any`, `native`.
    pub fn architecture(&self) -> Option<&str> {
        self.architecture.as_deref()
    }

    /// The version, if one was written with `=`.
    pub fn version(&self) -> Option<&str> {
        match &self.selection {
            Some(AptSelection::Version(version)) => Some(version),
            _ => None,
        }
    }

    /// The suite or codename, if one was written with `/`.
    pub fn release(&self) -> Option<&str> {
        match &self.selection {
            Some(AptSelection::Release(release)) => Some(release),
            _ => None,
        }
    }
}

impl fmt::Display for AptPackage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if let Some(architecture) = &self.architecture {
            write!(formatter, ":{architecture}")?;
        }
        match &self.selection {
            Some(AptSelection::Version(version)) => write!(formatter, "={version}"),
            Some(AptSelection::Release(release)) => write!(formatter, "/{release}"),
            None => Ok(()),
        }
    }
}

impl FromStr for AptPackage {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text.len() > LONGEST {
            return Err(Problem::at(
                1,
                format!("a package line has at most {LONGEST} characters"),
                "write one package a line",
            ));
        }
        refuse_other_grammars(text)?;
        let (subject, selection) = match text.find(['=', '/']) {
            None => (text, None),
            Some(at) => {
                let (subject, rest) = text.split_at(at);
                let column = subject.chars().count() + 2;
                let selection = match rest.strip_prefix('=') {
                    Some(version) => AptSelection::Version(parse_version(version, column, subject)?),
                    None => AptSelection::Release(parse_release(&rest[1..], column)?),
                };
                (subject, Some(selection))
            }
        };
        let (name, architecture) = match subject.split_once(':') {
            None => (subject, None),
            Some((name, architecture)) => {
                (name, Some(parse_architecture(architecture, name.chars().count() + 2)?))
            }
        };
        check_name(name)?;
        Ok(Self { name: name.to_owned(), architecture, selection })
    }
}

string_type!(AptPackage);

/// What people bring along from pip, conda and the shell gets an answer of its own.
fn refuse_other_grammars(text: &str) -> Result<(), Problem> {
    if let Some((name, version)) = text.split_once("==") {
        return Err(Problem::at(
            name.chars().count() + 1,
            "APT writes a version with one `=`",
            format!("write {}", quote(&format!("{name}={version}"))),
        ));
    }
    if let Some(at) = text.find(['<', '>', '~']).filter(|at| !text[..*at].contains('=')) {
        return Err(Problem::at_byte(
            text,
            at,
            "APT takes exact versions only",
            format!(
                "write {} for the newest version, or `name=version`",
                quote(text[..at].trim_end_matches(['=', '!']))
            ),
        ));
    }
    let is_file = text.starts_with(['/', '.'])
        || std::path::Path::new(text)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("deb"));
    if is_file {
        return Err(Problem::at(
            1,
            format!(
                "{} is a file, and only packages from the image's own package sources can be installed",
                quote(text)
            ),
            "write the package's name",
        ));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Problem> {
    const ADVICE: &str = "a package name has lower-case letters, digits, `+`, `-` and `.`, as in `g++`";
    if name.starts_with('-') {
        return Err(Problem::at(
            1,
            format!("{} is an option, not a package", quote(name)),
            "write package names only",
        ));
    }
    for (index, character) in name.chars().enumerate() {
        if !matches!(character, 'a'..='z' | '0'..='9' | '+' | '-' | '.') {
            let suggestion = if character.is_ascii_uppercase() {
                format!("write {}", quote(&name.to_ascii_lowercase()))
            } else {
                ADVICE.to_owned()
            };
            return Err(Problem::at(
                index + 1,
                format!("a package name cannot contain {}", show(character)),
                suggestion,
            ));
        }
    }
    if !name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit()) {
        return Err(Problem::at(1, "a package name starts with a letter or digit", ADVICE));
    }
    if name.len() < 2 {
        return Err(Problem::at(1, "a package name has at least two characters", ADVICE));
    }
    if name.ends_with('-') {
        return Err(Problem::at(
            name.len(),
            "a `-` at the end asks APT to remove a package",
            format!("write {}; packages are only added", quote(name.trim_end_matches('-'))),
        ));
    }
    Ok(())
}

/// `[epoch:]upstream[-revision]`.
fn parse_version(version: &str, column: usize, subject: &str) -> Result<String, Problem> {
    if version.is_empty() {
        return Err(Problem::at(
            column,
            "the version after `=` is missing",
            format!("write {} for the newest version", quote(subject)),
        ));
    }
    if let Some((index, character)) = version
        .chars()
        .enumerate()
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | ':' | '~')))
    {
        let suggestion = if character == '*' {
            "APT takes exact versions only: write the whole version, or the name alone for the newest"
        } else {
            "a version has letters, digits and `. + - : ~`, as in `1:2.3-4+deb12u1`"
        };
        return Err(Problem::at(
            column + index,
            format!("a version cannot contain {}", show(character)),
            suggestion,
        ));
    }
    let (epoch, upstream) = version.split_once(':').unwrap_or(("0", version));
    if epoch.is_empty() || !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::at(
            column,
            "the epoch before `:` is not a number",
            "leave it out, or write it as in `1:2.3-4`",
        ));
    }
    if !upstream.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(Problem::at(
            column,
            "a version starts with a digit or letter",
            "write it as `apt-cache policy` shows it",
        ));
    }
    Ok(version.to_owned())
}

/// A suite or codename: `stable`, `bookworm-backports`, `noble`.
fn parse_release(release: &str, column: usize) -> Result<String, Problem> {
    let starts_well = release.starts_with(|first: char| first.is_ascii_alphanumeric());
    let bad =
        release.chars().position(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '+')));
    if starts_well && bad.is_none() {
        return Ok(release.to_owned());
    }
    Err(Problem::at(
        column + bad.unwrap_or(0),
        "the release after `/` is not a suite or codename",
        "write one such as `/bookworm-backports`, or leave it out",
    ))
}

fn parse_architecture(architecture: &str, column: usize) -> Result<String, Problem> {
    let starts_well = architecture.starts_with(|first: char| first.is_ascii_lowercase());
    let bad = architecture.chars().position(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
    if starts_well && bad.is_none() && !architecture.ends_with('-') {
        return Ok(architecture.to_owned());
    }
    Err(Problem::at(
        column + bad.unwrap_or(0),
        "the architecture after `:` is not one of Debian's",
        "write one such as `:amd64`, or leave it out",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_four_forms_are_read() {
        let package: AptPackage = "libstdc++6:amd64=12.2.0-14+deb12u1".parse().unwrap();
        assert_eq!(package.name(), "libstdc++6");
        assert_eq!(package.architecture(), Some("amd64"));
        assert_eq!(package.version(), Some("12.2.0-14+deb12u1"));
        let package: AptPackage = "git/bookworm-backports".parse().unwrap();
        assert_eq!((package.name(), package.release()), ("git", Some("bookworm-backports")));
        for accepted in
            ["curl", "g++", "python3.11", "vim=2:9.0.1378-2", "libc6:i386", "7zip", "0ad", "ca-certificates"]
        {
            assert_eq!(accepted.parse::<AptPackage>().unwrap().to_string(), accepted);
        }
    }

    #[test]
    fn refusals_say_where_and_what_instead() {
        for (refused, column, suggestion) in [
            ("-y", 1, "write package names only"),
            ("curl==8.0", 5, "write `curl=8.0`"),
            ("curl>=8", 5, "write `curl` for the newest version, or `name=version`"),
            ("Curl", 1, "write `curl`"),
            ("curl-", 5, "write `curl`; packages are only added"),
            ("./x.deb", 1, "write the package's name"),
            (
                "curl=1.*",
                8,
                "APT takes exact versions only: write the whole version, or the name alone for the newest",
            ),
            ("curl=", 6, "write `curl` for the newest version"),
            ("a;b", 2, "a package name has lower-case letters, digits, `+`, `-` and `.`, as in `g++`"),
        ] {
            let problem = refused.parse::<AptPackage>().unwrap_err();
            assert_eq!((problem.column, problem.suggestion.as_str()), (column, suggestion), "{refused}");
        }
        for refused in [
            "",
            "a",
            "curl=-1",
            "curl/",
            "curl/a;b",
            "curl:",
            "curl:AMD64",
            "a b",
            "a\nb",
            "$(x)",
            "curl*",
            "?name(x)",
            "curl=1:",
            "curl=:1",
        ] {
            refused.parse::<AptPackage>().unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn nothing_accepted_is_an_option_or_a_pattern(text in "[a-z0-9+.:=/~* ;$&|'\"\\n\\x00-]{0,12}|.*") {
            if let Ok(package) = text.parse::<AptPackage>() {
                prop_assert!(!text.starts_with('-') && !text.ends_with("-\n"));
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.:=/~_".contains(&b)));
                prop_assert_eq!(package.to_string(), text);
            }
        }
    }
}

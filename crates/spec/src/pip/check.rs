//! What is checked before and after `pep508_rs` reads a requirement.
//!
//! The checks before it are not a matter of taste: that parser panics on names and extras that end in `-`, and
//! fills in variables of the process's environment in front of an address without a name.

use url::Url;

use super::markers;
use crate::index_url::check_url_characters;
use crate::problem::{Problem, has_credentials, quote, show};

pub(super) const NAME_ADVICE: &str = "a name has letters, digits, `-`, `_` and `.`, as in `scikit-learn`";

/// The ways a package may be fetched. `git+ssh` needs keys that no build has.
const SCHEMES: [&str; 3] = ["https", "http", "git+https"];

/// Refuses lines that are no requirement, with advice for each habit that leads to them.
pub(super) fn requirement(line: &str) -> Result<(), Problem> {
    if let Some((index, character)) =
        line.chars().enumerate().find(|(_, c)| c.is_control() || (c.is_whitespace() && *c != ' '))
    {
        return Err(Problem::at(
            index + 1,
            format!("a requirement cannot contain {}", show(character)),
            "write it on one line",
        ));
    }
    if let Some(at) = line.find("${") {
        return Err(Problem::at_byte(
            line,
            at,
            "environment variables are not filled in",
            "write the value itself; keep credentials in a secret",
        ));
    }
    // The user of an SSH address is no secret; such addresses are refused for another reason.
    if has_credentials(line) && !line.contains("ssh://") {
        let address = line.find('@').filter(|at| !line[..*at].contains("://")).map_or(0, |at| at + 1);
        let blanks = line[address..].len() - line[address..].trim_start().len();
        return Err(credentials_refused(line[..address + blanks].chars().count() + 1));
    }
    if line.starts_with('-') {
        return Err(Problem::at(
            1,
            format!("{} is an option, not a package", quote(line)),
            "write package names only",
        ));
    }
    let name_end = line.find(|c: char| !is_name_character(c)).unwrap_or(line.len());
    let (written, rest) = line.split_at(name_end);
    unnamed(line, rest)?;
    name(written)?;
    let rest = check_extras(line, rest.trim_start())?;
    let version_start = line.len() - rest.len();
    match rest.chars().next() {
        Some('=') if !rest.starts_with("==") => {
            let version = rest[1..].trim();
            let fixed = version.strip_prefix(['>', '<']);
            let suggestion = match fixed {
                Some(version) => {
                    format!("write {}", quote(&format!("{written}{}={}", &rest[1..2], version.trim())))
                }
                None => format!("write {}", quote(&format!("{written}=={version}"))),
            };
            return Err(Problem::at_byte(
                line,
                version_start,
                "pip writes an exact version with `==`",
                suggestion,
            ));
        }
        _ => {}
    }
    if rest.starts_with('@') {
        // An address may hold `;` itself: a condition follows after a blank.
        let marker = rest.find(" ;").map_or(rest.len(), |at| at + 1);
        return markers::check(line, version_start + marker);
    }
    let versions_end = rest.find(';').unwrap_or(rest.len());
    check_versions(line, version_start, &rest[..versions_end])?;
    markers::check(line, version_start + versions_end)?;
    Ok(())
}

/// Files, folders and addresses that stand where a name should.
fn unnamed(line: &str, rest: &str) -> Result<(), Problem> {
    let word = line.split(' ').next().unwrap_or_default();
    let has_name = rest.trim_start().starts_with('@');
    let before_versions = word.split(['<', '>', '=', '~', '!', ';', '[']).next().unwrap_or_default();
    let archive = [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar"]
        .iter()
        .any(|ending| before_versions.ends_with(ending));
    if word.contains("://") && !has_name {
        let name =
            word.split_once("#egg=").map_or("name", |(_, egg)| egg.split(['&', '[']).next().unwrap_or(egg));
        let address = word.split_once("#egg=").map_or(word, |(address, _)| address);
        return Err(Problem::at(
            1,
            "an address needs the package's name before it",
            format!("write {}", quote(&format!("{name} @ {address}"))),
        ));
    }
    if !has_name && (archive || line.starts_with(['.', '/', '~', '\\']) || rest.starts_with(['/', '\\'])) {
        return Err(Problem::at(
            1,
            format!("{} is a file or folder, and nothing from your computer can be installed", quote(word)),
            "publish it on an index, or write `name @ https://…` with its address",
        ));
    }
    Ok(())
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Checks a package or extra name by PEP 508's rule.
pub(super) fn name(text: &str) -> Result<(), Problem> {
    if let Some((index, character)) =
        text.chars().enumerate().find(|(_, character)| !is_name_character(*character))
    {
        return Err(Problem::at(
            index + 1,
            format!("a name cannot contain {}", show(character)),
            NAME_ADVICE,
        ));
    }
    if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(Problem::at(1, "a package name starts with a letter or digit", NAME_ADVICE));
    }
    if !text.ends_with(|last: char| last.is_ascii_alphanumeric()) {
        return Err(Problem::at(text.len(), "a package name ends with a letter or digit", NAME_ADVICE));
    }
    if text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(Problem::at(
            1,
            format!("{} is a version, not a package", quote(text)),
            format!("write it behind its package, as in {}", quote(&format!("name=={text}"))),
        ));
    }
    Ok(())
}

/// Checks `[extra, …]` at the start of `rest` and gives what follows it.
fn check_extras<'a>(line: &str, rest: &'a str) -> Result<&'a str, Problem> {
    let Some(inner) = rest.strip_prefix('[') else { return Ok(rest) };
    let start = line.len() - inner.len();
    let Some((extras, after)) = inner.split_once(']') else {
        return Err(Problem::at_byte(
            line,
            start - 1,
            "the bracket is not closed",
            "write extras as in `name[extra]`",
        ));
    };
    let mut offset = start;
    for extra in extras.split(',') {
        let trimmed = extra.trim();
        let at = offset + extra.len() - extra.trim_start().len();
        if trimmed.is_empty() && !extras.trim().is_empty() {
            return Err(Problem::at_byte(
                line,
                at,
                "an extra is missing between the commas",
                "write extras as in `name[one,two]`",
            ));
        }
        if !trimmed.is_empty() {
            name(trimmed).map_err(|problem| {
                Problem::at(
                    problem.column,
                    problem.message.replace("a package name", "an extra"),
                    problem.suggestion,
                )
                .shifted(line[..at].chars().count())
            })?;
        }
        offset += extra.len() + 1;
    }
    Ok(after.trim_start())
}

/// Answers the two habits that conda leaves: `==1.17*` and versions without a comma between them.
fn check_versions(line: &str, start: usize, versions: &str) -> Result<(), Problem> {
    for (at, _) in versions.match_indices('*') {
        let before = &versions[..at];
        if before.ends_with(|character: char| character.is_ascii_digit()) {
            let fixed = format!("{}{}.{}", &line[..start], before, &versions[at..]);
            return Err(Problem::at_byte(
                line,
                start + at,
                "a `*` follows a dot",
                format!("write {}", quote(fixed.trim_end())),
            ));
        }
    }
    Ok(())
}

/// What to write instead of a line that the parser refused.
pub(super) fn suggestion(line: &str) -> &'static str {
    if line.contains(';') {
        "write a condition as in `numpy>=1.24; python_version < \"3.12\"`"
    } else if line.contains('@') {
        "write an address as in `name @ https://example.com/name-1.0-py3-none-any.whl`"
    } else {
        "write it as in `numpy`, `numpy==1.26.4` or `numpy>=1.24,<2`"
    }
}

/// Checks the address of `name @ address`.
pub(super) fn url(url: &Url, line: &str) -> Result<(), Problem> {
    let start = line.find('@').map_or(0, |at| at + 1);
    let address = line[start..].trim_start();
    let column = line[..line.len() - address.len()].chars().count() + 1;
    let written = address.split(' ').next().unwrap_or_default();
    check_url_characters(written).map_err(|problem| problem.shifted(column - 1))?;
    if !SCHEMES.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(Problem::at(
            column,
            format!("packages cannot be fetched by {}", quote(url.scheme())),
            "write an address that starts with `https://` or `git+https://`",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(credentials_refused(column));
    }
    Ok(())
}

fn credentials_refused(column: usize) -> Problem {
    Problem::at(
        column,
        "an address in a requirement cannot hold a user or password, because requirements are stored and shown",
        "use an index with credentials, or an address that needs none",
    )
}

/// Checks `sha256:<hex>`.
pub(super) fn hash(hash: &str) -> Result<(), Problem> {
    let well_formed = hash.split_once(':').is_some_and(|(algorithm, digits)| {
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        digits.len() == length && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    if well_formed {
        Ok(())
    } else {
        Err(Problem::at(
            1,
            "this is not the hash of a package",
            "write `--hash=sha256:` and 64 digits 0-9 a-f",
        ))
    }
}

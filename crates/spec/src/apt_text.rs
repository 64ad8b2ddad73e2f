//! APT packages as pasted: one a line, several on a line, or a whole `apt-get install` command.

use crate::apt::AptPackage;
use crate::command::{Segment, Tool, install_segments, is_harmless_flag};
use crate::error::SpecErrors;
use crate::problem::{Problem, quote};
use crate::text::{Line, Place, Word, read_lines, split_words};

/// Reads APT packages from a text. `source` names the text in errors: `--apt`, `APT packages`.
///
/// # Errors
/// All lines that could not be understood.
pub fn parse_apt(source: &str, text: &str) -> Result<Vec<AptPackage>, SpecErrors> {
    parse_apt_at(Place::whole(source), text)
}

pub(crate) fn parse_apt_at(place: Place<'_>, text: &str) -> Result<Vec<AptPackage>, SpecErrors> {
    let mut errors = SpecErrors::default();
    let mut packages = Vec::new();
    for line in read_lines(place, text, &mut errors) {
        match install_segments(line.characters(), Tool::Apt) {
            Ok(segments) => {
                for segment in segments {
                    read_segment(&line, segment, &mut packages, &mut errors);
                }
            }
            Err(problem) => errors.push(line.error(problem)),
        }
    }
    errors.or_value(packages)
}

fn read_segment(line: &Line, segment: Segment, packages: &mut Vec<AptPackage>, errors: &mut SpecErrors) {
    let words = split_words(&line.characters()[segment.start..segment.end], segment.start);
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if segment.is_command && !word.quoted && word.text.starts_with('-') {
            if is_harmless_flag(Tool::Apt, &word.text) {
                continue;
            }
            errors.push(line.error(refuse_option(word)));
            // Its value, if it has one, is no package.
            if matches!(
                word.text.as_str(),
                "-t" | "--target-release" | "--default-release" | "-o" | "--option"
            ) {
                words.next();
            }
            continue;
        }
        for (offset, part) in split_at_commas(&word.text) {
            match part.parse::<AptPackage>() {
                Ok(package) => packages.push(package),
                Err(problem) => errors.push(line.error(problem.shifted(word.start + offset))),
            }
        }
    }
}

fn refuse_option(word: &Word) -> Problem {
    let suggestion = match word.text.as_str() {
        "-t" | "--target-release" | "--default-release" => {
            "write the release behind the package, as in `git/bookworm-backports`"
        }
        _ => "leave it out",
    };
    Problem::at(word.start + 1, format!("the option {} cannot be used here", quote(&word.text)), suggestion)
}

/// The parts between commas, each with the number of characters before it; empty ones are left out.
pub(crate) fn split_at_commas(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split(',').filter_map(move |part| {
        let start = offset;
        offset += part.chars().count() + 1;
        (!part.is_empty()).then_some((start, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        parse_apt("APT packages", text).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pasted_lists_are_understood() {
        assert_eq!(shown("curl\r\n\tgit\u{a0}g++ # tools\n\n"), ["curl", "git", "g++"]);
        assert_eq!(shown("curl, git,\nvim,nano"), ["curl", "git", "vim", "nano"]);
        assert_eq!(shown("sudo apt-get install -y \\\n  curl \\\n  \"git\""), ["curl", "git"]);
        assert_eq!(shown("\"curl\" \u{201c}git\u{201d}"), ["curl", "git"]);
    }

    #[test]
    fn every_bad_line_is_reported() {
        let errors = parse_apt("APT packages", "curl\n-y\ngit Vim\nx;rm -rf /\n$(id)").unwrap_err();
        let places: Vec<_> = errors.0.iter().map(|error| (error.line, error.column)).collect();
        assert_eq!(places, [(2, 1), (3, 5), (4, 2), (4, 6), (4, 10), (5, 1)]);
    }
}

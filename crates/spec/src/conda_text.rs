//! conda packages as pasted: one a line, several on a line, or a whole `conda install -c …` command.
//!
//! In a line with blanks, a word after a package that starts with a digit, an operator or `*` is its version, the
//! next its build, anything else another package: `numpy 1.17 py37_0` is one, `numpy scipy` are two.

use crate::command::{Segment, Tool, install_segments, is_harmless_flag};
use crate::conda::{CondaChannel, CondaSpec};
use crate::conda_request::CondaRequest;
use crate::error::SpecErrors;
use crate::problem::{Problem, quote};
use crate::text::{Line, Place, Word, read_lines, split_words};

/// What conda lines may ask for beyond packages from named channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CondaPolicy {
    /// Whether packages and channels may be given by their address.
    pub allow_urls: bool,
}

impl CondaPolicy {
    /// Everything is allowed: for people who run builds on their own machine.
    pub const OPEN: Self = Self { allow_urls: true };
    /// Only packages from channels with a name.
    pub const NAMED_CHANNELS_ONLY: Self = Self { allow_urls: false };
}

/// Reads conda packages from a text. `source` names the text in errors: `--conda`, `conda packages`.
///
/// # Errors
/// All lines that could not be understood or are not allowed.
pub fn parse_conda(source: &str, text: &str, policy: CondaPolicy) -> Result<CondaRequest, SpecErrors> {
    parse_conda_at(Place::whole(source), text, policy)
}

pub(crate) fn parse_conda_at(
    place: Place<'_>,
    text: &str,
    policy: CondaPolicy,
) -> Result<CondaRequest, SpecErrors> {
    let mut reader = Reader { policy, request: CondaRequest::default(), errors: SpecErrors::default() };
    for line in read_lines(place, text, &mut reader.errors) {
        match install_segments(line.characters(), Tool::Conda) {
            Ok(segments) => {
                for segment in segments {
                    reader.read_segment(&line, segment);
                }
            }
            Err(problem) => reader.errors.push(line.error(problem)),
        }
    }
    reader.errors.or_value(reader.request)
}

/// Reads one channel, as a file's list of channels has them.
pub(crate) fn parse_channel_at(
    place: Place<'_>,
    text: &str,
    policy: CondaPolicy,
) -> Result<CondaChannel, SpecErrors> {
    parse_channel(text.trim(), policy).map_err(|problem| place.refuse(problem, text).into())
}

fn parse_channel(text: &str, policy: CondaPolicy) -> Result<CondaChannel, Problem> {
    let channel: CondaChannel = text.parse()?;
    if channel.url().is_some() && !policy.allow_urls { Err(url_not_allowed()) } else { Ok(channel) }
}

struct Reader {
    policy: CondaPolicy,
    request: CondaRequest,
    errors: SpecErrors,
}

impl Reader {
    fn read_segment(&mut self, line: &Line, segment: Segment) {
        let words = split_words(&line.characters()[segment.start..segment.end], segment.start);
        let is_value =
            |index: usize| index > 0 && matches!(words[index - 1].text.as_str(), "-c" | "--channel");
        let words: Vec<Word> = words
            .iter()
            .enumerate()
            .flat_map(|(index, word)| {
                // The value of an option is the option's to split.
                if is_value(index) || word.text.starts_with('-') {
                    vec![word.clone()]
                } else {
                    split_list(word)
                }
            })
            .collect();
        let mut rest = words.as_slice();
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            let result = if word.text.starts_with('-') && !word.quoted {
                self.read_option(word, &mut rest, segment.is_command)
            } else {
                let (text, taken) = join_spec(word, after);
                rest = &after[taken..];
                self.read_spec(&text).map_err(|problem| problem.shifted(word.start))
            };
            if let Err(problem) = result {
                self.errors.push(line.error(problem));
            }
        }
    }

    fn read_spec(&mut self, text: &str) -> Result<(), Problem> {
        let spec: CondaSpec = text.parse()?;
        if spec.names_url() && !self.policy.allow_urls {
            return Err(url_not_allowed());
        }
        self.request.specs.push(spec);
        Ok(())
    }

    fn read_option(&mut self, word: &Word, rest: &mut &[Word], is_command: bool) -> Result<(), Problem> {
        let (flag, glued) = split_option(&word.text);
        let glued_start =
            word.start + word.text.chars().count() - glued.map_or(0, |value| value.chars().count());
        let mut value = || match glued {
            Some(value) => Some((value.to_owned(), glued_start)),
            None => rest.split_first().map(|(first, after)| {
                *rest = after;
                (first.text.clone(), first.start)
            }),
        };
        let at_option = |message: String, suggestion: &str| Problem::at(word.start + 1, message, suggestion);
        match flag {
            "-c" | "--channel" => {
                let Some((channel, start)) = value().filter(|(channel, _)| !channel.is_empty()) else {
                    return Err(at_option(
                        format!("{} has no channel", quote(flag)),
                        "write one, as in `-c conda-forge`",
                    ));
                };
                // The way PrimeHub's guide writes it: `-c conda-forge::numpy` is a package with its channel.
                if channel.contains("::") {
                    let first = Word { text: channel, start, quoted: false };
                    let (text, taken) = join_spec(&first, rest);
                    *rest = &rest[taken..];
                    return self.read_spec(&text).map_err(|problem| problem.shifted(start));
                }
                self.read_channel(&channel).map_err(|problem| problem.shifted(start))
            }
            "-n" | "--name" => match value() {
                Some((name, _)) if name == "base" => Ok(()),
                _ => Err(at_option(
                    "packages are installed into the image's own environment".to_owned(),
                    "leave `-n` out",
                )),
            },
            "--solver" | "--experimental-solver" => {
                value();
                Ok(())
            }
            "-p" | "--prefix" | "--file" | "-f" | "--revision" => {
                value();
                Err(at_option(
                    format!("the option {} cannot be used here", quote(flag)),
                    "write the packages themselves",
                ))
            }
            _ if is_command && is_harmless_flag(Tool::Conda, flag) => Ok(()),
            // The channels written are the only ones searched in any case.
            "--override-channels" => Ok(()),
            _ => Err(at_option(format!("the option {} cannot be used here", quote(flag)), "leave it out")),
        }
    }

    fn read_channel(&mut self, text: &str) -> Result<(), Problem> {
        for (offset, name) in crate::apt_text::split_at_commas(text) {
            let channel = parse_channel(name, self.policy).map_err(|problem| problem.shifted(offset))?;
            self.request.add_channel(channel);
        }
        Ok(())
    }
}

fn url_not_allowed() -> Problem {
    Problem::at(
        1,
        "packages can only be installed from channels with a name here, not from an address",
        "write the channel's name, or ask an administrator to allow addresses",
    )
}

/// Splits `--channel=x` and `-cx` into the option and its value.
fn split_option(word: &str) -> (&str, Option<&str>) {
    if let Some((flag, value)) = word.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
        return (flag, Some(value));
    }
    match (word.get(..2), word.get(2..)) {
        (Some(flag @ ("-c" | "-n" | "-p")), Some(value)) if !value.is_empty() => {
            (flag, Some(value.trim_start_matches('=')))
        }
        _ => (word, None),
    }
}

/// Splits `numpy,scipy` where a comma is followed by a letter outside brackets, which no version can have.
fn split_list(word: &Word) -> Vec<Word> {
    let characters: Vec<char> = word.text.chars().collect();
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (index, character) in characters.iter().enumerate() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 && characters.get(index + 1).is_some_and(char::is_ascii_alphabetic) => {
                parts.push((start, index + 1));
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push((start, characters.len()));
    parts
        .into_iter()
        .map(|(from, to)| Word {
            text: characters[from..to].iter().collect(),
            start: word.start + from,
            quoted: word.quoted,
        })
        .filter(|part| part.text != ",")
        .collect()
}

/// Joins a package with the version and build that follow it; gives how many words that took.
fn join_spec(first: &Word, after: &[Word]) -> (String, usize) {
    let mut text = first.text.clone();
    if first.quoted {
        return (text, 0);
    }
    let mut taken = 0;
    // A version may be spread: `numpy >= 1.17 , < 2`.
    while let Some(word) = after.get(taken).filter(|word| !word.quoted) {
        let is_version = starts_version(&word.text);
        let continues = text.ends_with(['<', '>', '=', '!', '~', '|']);
        let has_version = taken > 0 || text.contains(['<', '>', '=', '!', '~', '[']);
        let glue = match (is_version, continues) {
            (_, true) => "",
            (true, _) if text.ends_with(',') || word.text.starts_with([',', '|']) => "",
            (true, _) if !has_version => " ",
            // `numpy >=1.17 <2` means both, and `numpy 1.17 0` a build.
            (true, _) if word.text.starts_with(['<', '>', '!', '~']) => ",",
            _ => break,
        };
        text.push_str(glue);
        text.push_str(&word.text);
        taken += 1;
    }
    // After a comma comes another package, never a build.
    if text.ends_with(',') {
        return (text.trim_end_matches(',').to_owned(), taken);
    }
    if taken > 0
        && let Some(build) = after.get(taken)
        && is_build(build, after.get(taken + 1))
    {
        text.push(' ');
        text.push_str(&build.text);
        taken += 1;
    }
    (text, taken)
}

fn starts_version(word: &str) -> bool {
    word.starts_with(|first: char| {
        first.is_ascii_digit() || matches!(first, '<' | '>' | '=' | '!' | '~' | '*' | ',' | '|')
    })
}

/// Whether the word after a version is a build. It is another package if it has what builds cannot have, or if a
/// version follows it: `python 3.9 numpy 1.17` are two packages.
fn is_build(word: &Word, next: Option<&Word>) -> bool {
    let has_build_characters = word
        .text
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '*' | '.' | '+'));
    let is_followed_by_version = next.is_some_and(|next| !next.quoted && starts_version(&next.text));
    !word.quoted && has_build_characters && !is_followed_by_version
}

#[cfg(test)]
mod tests;

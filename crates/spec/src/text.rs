//! Pasted text, line by line: cleaned of what editors and web pages add, with every character's place kept.

use crate::error::{SpecError, SpecErrors};
use crate::problem::{Problem, is_invisible, show};

/// The longest text we read, in bytes, and the longest line with its continuations, in characters.
const LONGEST_TEXT: usize = 1 << 20;
const LONGEST_LINE: usize = 16 << 10;
const MOST_LINES: usize = 20_000;

/// A line with its continuations joined, cleaned, and not empty.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    source: String,
    characters: Vec<char>,
    pieces: Vec<Piece>,
}

/// A part of a [`Line`] that stood on a line of its own.
#[derive(Debug, Clone)]
struct Piece {
    /// Where it starts in the joined line.
    start: usize,
    number: usize,
    /// How many characters stand before it on its own line: more than zero for values inside YAML and TOML.
    indent: usize,
    excerpt: String,
}

/// Where a text stands inside a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The file or field, in the user's words.
    pub(crate) source: &'a str,
    /// The line of the text's first character, from 1.
    pub(crate) line: usize,
    /// The column of the text's first character, from 1.
    pub(crate) column: usize,
    /// The file's whole line, to be shown in errors; `None` if the text is all there is.
    pub(crate) excerpt: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// A text that is all there is.
    pub(crate) fn whole(source: &'a str) -> Self {
        Self { source, line: 1, column: 1, excerpt: None }
    }

    /// An error at this very place.
    pub(crate) fn error(&self, message: impl Into<String>, suggestion: impl Into<String>) -> SpecError {
        self.refuse(Problem::at(1, message, suggestion), "")
    }

    /// A problem, whose column counts in the value that stands here, as an error. `value` is shown if the file's
    /// line is not known.
    pub(crate) fn refuse(&self, problem: Problem, value: &str) -> SpecError {
        let excerpt = self.excerpt.unwrap_or(value);
        SpecError::new(self.source, self.line, excerpt, problem.shifted(self.column - 1))
    }
}

impl Line {
    /// The cleaned characters. Index `i` is column `i + 1` for [`Self::error`].
    pub(crate) fn characters(&self) -> &[char] {
        &self.characters
    }

    /// Gives a problem, whose column counts in the joined line, its place in the source.
    pub(crate) fn error(&self, mut problem: Problem) -> SpecError {
        let index = problem.column.saturating_sub(1);
        let piece = self.pieces.iter().rev().find(|piece| piece.start <= index).unwrap_or(&self.pieces[0]);
        problem.column = index - piece.start.min(index) + piece.indent + 1;
        SpecError::new(&self.source, piece.number, &piece.excerpt, problem)
    }
}

/// Splits a text into cleaned lines, leaving out blank ones and comments. Lines that end in `\` go on.
pub(crate) fn read_lines(place: Place<'_>, text: &str, errors: &mut SpecErrors) -> Vec<Line> {
    if text.len() > LONGEST_TEXT {
        errors.push(place.error(
            format!("the text is larger than {} MiB", LONGEST_TEXT >> 20),
            "split it, or leave out what is not a package",
        ));
        return Vec::new();
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = Vec::new();
    if text.matches('\n').count() >= MOST_LINES {
        errors.push(
            place.error(
                format!("the text has more than {MOST_LINES} lines"),
                "leave out what is not a package",
            ),
        );
        return lines;
    }
    let mut open: Option<Line> = None;
    for (index, raw) in text.split('\n').enumerate() {
        let piece = Piece {
            start: open.as_ref().map_or(0, |line| line.characters.len()),
            number: place.line + index,
            indent: if index == 0 { place.column - 1 } else { 0 },
            excerpt: place.excerpt.filter(|_| index == 0).unwrap_or(raw).to_owned(),
        };
        let line = open.get_or_insert_with(|| Line {
            source: place.source.to_owned(),
            characters: Vec::new(),
            pieces: Vec::new(),
        });
        line.pieces.push(piece);
        let mut characters: Vec<char> = raw.chars().enumerate().map(|(at, c)| clean(c, at == 0)).collect();
        cut_comment(&mut characters);
        let kept = characters.iter().rposition(|character| *character != ' ').map_or(0, |last| last + 1);
        let goes_on = kept > 0 && characters[kept - 1] == '\\';
        if goes_on {
            characters[kept - 1] = ' ';
        }
        line.characters.extend(characters);
        if goes_on && line.characters.len() <= LONGEST_LINE {
            // The break itself separates words.
            line.characters.push(' ');
            continue;
        }
        if let Some(line) = open.take() {
            keep(line, &mut lines, errors);
        }
    }
    if let Some(line) = open.take() {
        keep(line, &mut lines, errors);
    }
    lines
}

/// Keeps a line that says something, and refuses one with characters that nobody can see.
fn keep(line: Line, lines: &mut Vec<Line>, errors: &mut SpecErrors) {
    if line.characters.len() > LONGEST_LINE {
        errors.push(line.error(Problem::at(
            1,
            format!("the line has more than {LONGEST_LINE} characters"),
            "write one package per line",
        )));
        return;
    }
    let hidden =
        line.characters.iter().position(|character| character.is_control() || is_invisible(*character));
    if let Some(index) = hidden {
        errors.push(line.error(Problem::at(
            index + 1,
            format!("the line contains {}", show(line.characters[index])),
            "delete it, or type the line by hand",
        )));
    } else if line.characters.iter().any(|character| *character != ' ') {
        lines.push(line);
    }
}

/// What editors, web pages and East Asian keyboards make of plain characters, turned back one for one.
fn clean(character: char, is_first: bool) -> char {
    match character {
        '\u{feff}' if is_first => ' ',
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2013}' | '\u{2212}' => '-',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xff01 + 0x21).unwrap_or(character),
        blank if blank.is_whitespace() => ' ',
        other => other,
    }
}

/// A comment starts with `#` at the beginning or after a blank; `#` inside a word belongs to a URL.
fn cut_comment(characters: &mut Vec<char>) {
    let start = (0..characters.len())
        .find(|index| characters[*index] == '#' && (*index == 0 || characters[*index - 1] == ' '));
    if let Some(start) = start {
        characters.truncate(start);
    }
}

/// A run of characters without blanks, or what stood between quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word, without its quotes.
    pub(crate) text: String,
    /// Where the text starts in the line, from 0.
    pub(crate) start: usize,
    /// Whether it was quoted.
    pub(crate) quoted: bool,
}

/// Splits characters into words at blanks outside brackets and quotes. A word in quotes is taken whole, as
/// a shell would; quotes inside brackets belong to the word. `start` is the index of the first character.
pub(crate) fn split_words(characters: &[char], start: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut index = 0;
    while index < characters.len() {
        let first = characters[index];
        if first == ' ' {
            index += 1;
            continue;
        }
        if matches!(first, '"' | '\'')
            && let Some(length) = characters[index + 1..].iter().position(|character| *character == first)
        {
            let text = characters[index + 1..index + 1 + length].iter().collect();
            words.push(Word { text, start: start + index + 1, quoted: true });
            index += length + 2;
            continue;
        }
        let end = word_end(characters, index);
        words.push(Word {
            text: characters[index..end].iter().collect(),
            start: start + index,
            quoted: false,
        });
        index = end;
    }
    words
}

/// Where the unquoted word that starts at `index` ends: at a blank outside `[…]` and of quotes inside it.
fn word_end(characters: &[char], index: usize) -> usize {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, character) in characters.iter().enumerate().skip(index) {
        if let Some(open) = quote {
            if *character == open {
                quote = None;
            }
            continue;
        }
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '"' | '\'' if depth > 0 => quote = Some(*character),
            ' ' if depth == 0 => return at,
            _ => {}
        }
    }
    if depth == 0 {
        return characters.len();
    }
    // A bracket that is never closed must not swallow the words after it.
    characters[index..]
        .iter()
        .position(|character| *character == ' ')
        .map_or(characters.len(), |length| index + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> Vec<String> {
        let mut errors = SpecErrors::default();
        let lines = read_lines(Place::whole("t"), text, &mut errors);
        assert!(errors.is_empty(), "{errors}");
        lines.iter().map(|line| line.characters().iter().collect::<String>().trim().to_owned()).collect()
    }

    #[test]
    fn what_editors_add_is_turned_back() {
        assert_eq!(
            cleaned("\u{feff}a\r\n\r\n# c\n\u{201c}b\u{201d}\u{a0}c\td # x\rｘ＝＝１\nu#v"),
            ["a", "\"b\" c d", "x==1", "u#v"]
        );
    }

    #[test]
    fn continued_lines_keep_their_places() {
        let mut errors = SpecErrors::default();
        let lines = read_lines(Place::whole("t"), "one \\\n  two \\\nthree", &mut errors);
        assert_eq!(lines.len(), 1);
        let start = lines[0].characters().iter().position(|character| *character == 'h').unwrap();
        let error = lines[0].error(Problem::at(start + 1, "m", "s"));
        assert_eq!((error.line, error.column, error.excerpt.as_str()), (3, 2, "three"));
    }

    #[test]
    fn hidden_characters_are_refused_where_they_are() {
        let mut errors = SpecErrors::default();
        assert!(read_lines(Place::whole("t"), "a\nnum\u{200b}py", &mut errors).len() == 1);
        assert_eq!((errors.0[0].line, errors.0[0].column), (2, 4));
        assert_eq!(errors.0[0].message, "the line contains the invisible character U+200B");
    }

    #[test]
    fn words_end_at_blanks_outside_brackets_and_quotes() {
        let characters: Vec<char> = "a[v='1, 2'] \"b c\" d'e [x".chars().collect();
        let words: Vec<_> =
            split_words(&characters, 0).into_iter().map(|word| (word.text, word.start)).collect();
        let expected = [("a[v='1, 2']", 0), ("b c", 13), ("d'e", 18), ("[x", 22)];
        assert_eq!(words, expected.map(|(text, start)| (text.to_owned(), start)));
    }
}

//! apt's output, in pieces.

/// Lines of an explanation, at most.
const MOST_LINES: usize = 30;

/// Last lines of the output that are shown below those that matter.
const CONTEXT: usize = 12;

/// Longest line that is shown, in characters.
const LONGEST: usize = 400;

/// The lines that apt wrote.
pub(super) struct Lines(Vec<String>);

impl Lines {
    pub(super) fn new(lines: &[String]) -> Self {
        // apt ends some lines of its progress late, and an error may come in between.
        let parts = |line: &String| match line.find("...E: ").or_else(|| line.find("...Error: ")) {
            Some(at) => vec![line[..at + 3].to_owned(), line[at + 3..].to_owned()],
            None => vec![line.clone()],
        };
        Self(lines.iter().flat_map(parts).collect())
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The text of apt's own errors.
    pub(super) fn apt_errors(&self) -> impl Iterator<Item = &str> {
        self.all().filter_map(|line| line.strip_prefix("E: ").or_else(|| line.strip_prefix("Error: ")))
    }

    /// Lines that say of themselves that they are errors.
    pub(super) fn errors(&self) -> Vec<String> {
        self.all().filter(|line| is_error(line)).map(str::to_owned).collect()
    }

    /// The lines that hold one of these pieces of text.
    pub(super) fn with(&self, pieces: &[&str]) -> Vec<String> {
        let matches = |line: &&str| pieces.iter().any(|piece| line.contains(piece));
        self.all().filter(matches).map(str::to_owned).collect()
    }

    /// The first line that holds a piece of text, and the next ones until one is not indented. Errors come another
    /// way than what else apt writes, and may be in between.
    pub(super) fn paragraph(&self, piece: &str) -> Vec<String> {
        let mut lines = self.all().skip_while(|line| !line.contains(piece));
        let first = lines.next().into_iter();
        let rest = lines.filter(|line| !is_error(line)).take_while(|line| line.starts_with(' '));
        first.chain(rest).map(str::to_owned).collect()
    }

    /// The last lines before the first one that holds a piece of text.
    pub(super) fn before(&self, piece: &str, most: usize) -> Vec<String> {
        let lines: Vec<&str> = self.all().take_while(|line| !line.contains(piece)).collect();
        lines[lines.len().saturating_sub(most)..].iter().map(|line| (*line).to_owned()).collect()
    }

    /// The lines that matter, and below them the end of the output where it says more.
    pub(super) fn with_context(&self, matter: &[String]) -> String {
        let mut shown: Vec<String> = Vec::new();
        for line in matter {
            if !shown.contains(line) && shown.len() < MOST_LINES {
                shown.push(line.clone());
            }
        }
        let rest: Vec<&str> = self.all().filter(|line| !line.trim().is_empty()).collect();
        let end = &rest[rest.len().saturating_sub(CONTEXT)..];
        let more: Vec<String> =
            end.iter().map(|line| (*line).to_owned()).filter(|line| !shown.contains(line)).collect();
        if !shown.is_empty() && !more.is_empty() {
            shown.push("…".to_owned());
        }
        shown.extend(more);
        shown.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n")
    }
}

fn is_error(line: &str) -> bool {
    let starts = ["E: ", "Error: ", "Err:", "dpkg: error", "dpkg-deb: error", "tar: "];
    starts.iter().any(|start| line.starts_with(start))
}

/// A line without what a terminal would obey, without passwords in addresses, and not too long.
pub(crate) fn clean(line: &str) -> String {
    let plain: String = line
        .chars()
        .map(|one| match one {
            '\t' => ' ',
            hidden if hidden.is_control() || turns_text_around(hidden) => '\u{fffd}',
            one => one,
        })
        .collect();
    // Cut last: half of an address has no `@` any more that would tell of its password.
    plain.split(' ').map(without_passwords).collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

/// True for characters that show a line in another order than it has.
fn turns_text_around(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `https://user:password@host/` becomes `https://…@host/`, as often as there are addresses in the word.
fn without_passwords(word: &str) -> String {
    let mut shown = String::new();
    let mut rest = word;
    while let Some((before, address)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = address.find('/').unwrap_or(address.len());
        rest = match address[..end].rfind('@') {
            Some(at) => {
                shown.push('…');
                &address[at..]
            }
            None => address,
        };
    }
    shown + rest
}

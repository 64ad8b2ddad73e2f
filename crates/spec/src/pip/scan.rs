//! Finds where each requirement of a line begins and ends: `requests >= 2, < 3 ; python_version < "3.12"` is
//! one, `numpy pandas` are two.

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A requirement, to be parsed.
    Requirement { start: usize, text: String },
    /// An option word, and what follows its `=`. `start` is the option's first character.
    Option { start: usize, flag: String, value: Option<(usize, String)> },
}

/// Reads the parts of `characters[from..to]` one after the other.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    characters: &'a [char],
    position: usize,
}

impl<'a> Scanner<'a> {
    /// Scans `characters[from..to]`; positions count from the start of `characters`.
    pub(crate) fn new(characters: &'a [char], from: usize, to: usize) -> Self {
        Self { characters: &characters[..to], position: from }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn peek_from(&self, position: usize) -> Option<char> {
        self.characters.get(position).copied()
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.position += 1;
        }
    }

    fn text(&self, start: usize, end: usize) -> String {
        self.characters[start..end].iter().collect::<String>().trim_end().to_owned()
    }

    /// The position of the next character that is not a blank.
    fn after_blanks(&self, mut position: usize) -> usize {
        while self.peek_from(position) == Some(' ') {
            position += 1;
        }
        position
    }

    /// The next word, without its quotes, as the value of an option.
    pub(crate) fn value(&mut self) -> Option<(usize, String)> {
        self.skip_while(|character| character == ' ');
        let start = self.position;
        let quoted = self.quoted();
        if quoted.is_some() {
            return quoted;
        }
        self.skip_while(|character| character != ' ');
        (self.position > start).then(|| (start, self.text(start, self.position)))
    }

    /// What stands between quotes at this position, if both are there.
    fn quoted(&mut self) -> Option<(usize, String)> {
        let quote = self.peek().filter(|character| matches!(character, '"' | '\''))?;
        let start = self.position + 1;
        let length = self.characters[start..].iter().position(|character| *character == quote)?;
        self.position = start + length + 1;
        Some((start, self.text(start, start + length)))
    }

    fn option(&mut self) -> Part {
        let start = self.position;
        self.skip_while(|character| character != ' ' && character != '=');
        let flag = self.text(start, self.position);
        let value = if self.peek() == Some('=') {
            self.position += 1;
            let at = self.position;
            // `--flag= x` has an empty value, not `x`.
            if matches!(self.peek(), None | Some(' ')) { Some((at, String::new())) } else { self.value() }
        } else {
            None
        };
        Part::Option { start, flag, value }
    }

    /// Moves behind the requirement that starts here.
    fn skip_requirement(&mut self) {
        let start = self.position;
        self.skip_while(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
        });
        if self.position == start || !self.continues_well() {
            // Not a requirement: take the word whole, so that the error shows all of it.
            self.skip_while(|character| character != ' ');
            return;
        }
        if self.peek_from(self.after_blanks(self.position)) == Some('[') {
            self.skip_while(|character| character != ']');
            self.position = (self.position + 1).min(self.characters.len());
        }
        match self.peek_from(self.after_blanks(self.position)) {
            Some('@') => {
                self.position = self.after_blanks(self.position) + 1;
                self.position = self.after_blanks(self.position);
                self.skip_while(|character| character != ' ');
            }
            Some('(') => {
                self.skip_while(|character| character != ')');
                self.position = (self.position + 1).min(self.characters.len());
            }
            Some('<' | '>' | '=' | '!' | '~') => self.skip_versions(),
            _ => {}
        }
        if self.peek_from(self.after_blanks(self.position)) == Some(';') {
            self.skip_marker();
        }
    }

    /// Whether what follows a name may belong to it.
    fn continues_well(&self) -> bool {
        matches!(self.peek(), None | Some(' ' | '[' | '@' | '(' | '<' | '>' | '=' | '!' | '~' | ';' | ','))
    }

    /// Moves behind `>= 2, < 3`: a comma goes on only before another operator.
    fn skip_versions(&mut self) {
        let is_operator = |character| matches!(character, '<' | '>' | '=' | '!' | '~');
        loop {
            self.position = self.after_blanks(self.position);
            self.skip_while(is_operator);
            self.position = self.after_blanks(self.position);
            self.skip_while(|character| !is_operator(character) && !matches!(character, ' ' | ',' | ';'));
            let next = self.after_blanks(self.position);
            match self.peek_from(next) {
                Some(',') => {
                    let after = self.after_blanks(next + 1);
                    if !self.peek_from(after).is_some_and(is_operator) {
                        return;
                    }
                    self.position = after;
                }
                Some(character) if is_operator(character) => self.position = next,
                _ => return,
            }
        }
    }

    /// Moves behind `; marker`, which lasts to the end of the line or to an option such as `--hash`.
    fn skip_marker(&mut self) {
        while self.position < self.characters.len() {
            let is_option = self.peek() == Some(' ')
                && self.peek_from(self.position + 1) == Some('-')
                && self.peek_from(self.position + 2) == Some('-');
            if is_option {
                return;
            }
            self.position += 1;
        }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        // Commas between packages are a habit from other lists.
        self.skip_while(|character| matches!(character, ' ' | ','));
        match self.peek()? {
            '"' | '\'' => {
                if let Some((start, text)) = self.quoted() {
                    return Some(Part::Requirement { start, text });
                }
            }
            '-' => return Some(self.option()),
            _ => {}
        }
        let start = self.position;
        self.skip_requirement();
        Some(Part::Requirement { start, text: self.text(start, self.position) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirements(text: &str) -> Vec<String> {
        let characters: Vec<char> = text.chars().collect();
        Scanner::new(&characters, 0, characters.len())
            .filter_map(|part| match part {
                Part::Requirement { text, .. } => Some(text),
                Part::Option { .. } => None,
            })
            .collect()
    }

    #[test]
    fn a_requirement_with_blanks_stays_whole() {
        for whole in [
            "requests >= 2, < 3 ; python_version < \"3.12\"",
            "requests [security, tests] >= 2.8.1, == 2.8.* ; python_version > '3'",
            "x (>= 1, < 2)",
            "x @ https://example.com/x.whl ; sys_platform == 'linux'",
            "x>=1 <2",
        ] {
            assert_eq!(requirements(whole), [whole]);
        }
    }

    #[test]
    fn several_requirements_are_told_apart() {
        assert_eq!(requirements("numpy pandas"), ["numpy", "pandas"]);
        assert_eq!(requirements("numpy, pandas,scipy,"), ["numpy", "pandas", "scipy"]);
        assert_eq!(requirements("numpy>=1, <2, pandas == 2 scipy"), ["numpy>=1, <2", "pandas == 2", "scipy"]);
        assert_eq!(requirements("\"x>=1\" 'y' z[a, b]>1 w"), ["x>=1", "y", "z[a, b]>1", "w"]);
        assert_eq!(requirements("a @ https://x/a,b.whl b"), ["a @ https://x/a,b.whl", "b"]);
        assert_eq!(requirements("./x numpy /y"), ["./x", "numpy", "/y"]);
        assert_eq!(requirements("x --hash=sha256:00 y"), ["x", "y"]);
    }
}

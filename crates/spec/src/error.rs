//! Refused lines, as people see them: all of them at once, each with its place, the reason and a way out.

use std::fmt;

use crate::problem::{Problem, is_invisible, mask_credentials, without_credentials_of};

/// How much of a long line is shown, in characters.
const SHOWN: usize = 100;
/// How many errors are kept. Each holds its line, so that a hostile text could fill the memory with them.
const MOST: usize = 100;

/// One refused line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpecError {
    /// Where the text came from, in the user's words: `--pip`, `requirements.txt`, `pip packages`.
    pub source: String,
    /// The line in that text, from 1.
    pub line: usize,
    /// The column in that line, in characters, from 1.
    pub column: usize,
    /// What is wrong, as a clause without a closing full stop.
    pub message: String,
    /// What to write instead, as an imperative clause without a closing full stop.
    pub suggestion: String,
    /// The offending line with credentials masked and control characters replaced, columns unchanged.
    pub excerpt: String,
}

impl SpecError {
    /// An error on `line` of `source`, whose text is `excerpt`.
    pub fn new(source: &str, line: usize, excerpt: &str, problem: Problem) -> Self {
        let excerpt: String = excerpt
            .chars()
            .map(|character| match character {
                '\t' => ' ',
                hidden if hidden.is_control() || is_invisible(hidden) => '·',
                shown => shown,
            })
            .collect();
        let Problem { column, message, suggestion } = problem;
        Self {
            source: source.to_owned(),
            line,
            column,
            message: without_credentials_of(&excerpt, &message),
            suggestion: without_credentials_of(&excerpt, &suggestion),
            excerpt: mask_credentials(excerpt.trim_end()),
        }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line, column, message, suggestion, excerpt } = self;
        writeln!(formatter, "{source}, line {line}, column {column}: {message}")?;
        if !excerpt.is_empty() {
            // A long line is shown from where the caret stays in sight.
            let skipped = column.saturating_sub(SHOWN * 3 / 4);
            let shown: String = excerpt.chars().skip(skipped).take(SHOWN).collect();
            let gutter = " ".repeat(line.to_string().len());
            writeln!(formatter, "{line} | {shown}")?;
            writeln!(formatter, "{gutter} | {}^", " ".repeat(column - 1 - skipped.min(column - 1)))?;
        }
        write!(formatter, "  = {suggestion}")
    }
}

impl std::error::Error for SpecError {}

/// Every refused line of a text, up to a hundred; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpecErrors(pub Vec<SpecError>);

impl SpecErrors {
    /// One error alone.
    pub fn one(error: SpecError) -> Self {
        Self(vec![error])
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an error. The last one kept says that there are more.
    pub fn push(&mut self, error: SpecError) {
        match self.0.len() {
            MOST.. => {}
            len if len + 1 == MOST => {
                let message = "there are more errors than are shown".to_owned();
                self.0.push(SpecError {
                    message,
                    suggestion: "correct the others first".to_owned(),
                    ..error
                });
            }
            _ => self.0.push(error),
        }
    }

    /// Adds the errors of another text.
    pub fn extend(&mut self, other: Self) {
        for error in other.0 {
            self.push(error);
        }
    }

    /// `value` if nothing was refused.
    pub fn or_value<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n\n" };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecErrors {}

impl From<SpecError> for SpecErrors {
    fn from(error: SpecError) -> Self {
        Self::one(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_show_the_part_with_the_caret() {
        let excerpt = format!("{}?{}", "a".repeat(500), "b".repeat(500));
        let error = SpecError::new("--pip", 12, &excerpt, Problem::at(501, "what", "this"));
        let shown = error.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.len() < 120), "{shown}");
        assert_eq!(lines[1].find('?'), lines[2].find('^'));
    }

    #[test]
    fn the_number_of_errors_is_bounded() {
        let mut errors = SpecErrors::default();
        for line in 1..1000 {
            errors.push(SpecError::new("t", line, "x", Problem::at(1, "what", "this")));
        }
        assert_eq!((errors.0.len(), errors.0[99].line), (100, 100));
        assert_eq!(errors.0[99].message, "there are more errors than are shown");
    }
}

//! Why a value was refused, where in it, and what to write instead.
//!
//! [`Problem`] is what every grammar of this crate returns: it knows the value alone. The readers of whole
//! texts add the source and the line and make a [`SpecError`](crate::SpecError) of it.

use thiserror::Error;

/// Why one value was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} (column {column}): {suggestion}")]
pub struct Problem {
    /// Where in the value, in characters, from 1.
    pub column: usize,
    /// What is wrong, as a clause without a closing full stop.
    pub message: String,
    /// What to write instead, as an imperative clause without a closing full stop.
    pub suggestion: String,
}

impl Problem {
    /// A problem at `column` (in characters, from 1).
    pub fn at(column: usize, message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self { column, message: message.into(), suggestion: suggestion.into() }
    }

    /// A problem at a byte offset into `text`, turned into a column.
    pub(crate) fn at_byte(
        text: &str,
        offset: usize,
        message: impl Into<String>,
        suggestion: impl Into<String>,
    ) -> Self {
        Self::at(column_of(text, offset), message, suggestion)
    }

    /// The same problem seen from a text in which the value starts `columns` characters later.
    #[must_use]
    pub fn shifted(mut self, columns: usize) -> Self {
        self.column += columns;
        self
    }
}

/// The column (in characters, from 1) of a byte offset. An offset inside a character or past the end counts
/// as the next character, so that positions from other crates can never panic here.
pub(crate) fn column_of(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(start, _)| *start < offset).count() + 1
}

/// A character as a message shows it: visible ones in backquotes, others by their code point.
pub(crate) fn show(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        '\u{a0}' => "a non-breaking space".to_owned(),
        other if other.is_control() || other.is_whitespace() || is_invisible(other) => {
            format!("the invisible character U+{:04X}", u32::from(other))
        }
        other => format!("`{other}`"),
    }
}

/// A value as a message shows it: in backquotes, without control characters, cut at 60 characters.
pub(crate) fn quote(value: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = value
        .chars()
        .take(LONGEST)
        .map(|character| if character.is_control() || is_invisible(character) { '·' } else { character })
        .collect();
    if value.chars().count() > LONGEST {
        shown.push('…');
    }
    format!("`{}`", mask_credentials(&shown))
}

/// Characters that take no room or reorder what is beside them: in a package name they are always an
/// accident of copying, or an attack on the reader.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Covers the credentials of every URL in a text with as many `*`, so that columns stay what they were: the
/// `user:password` before the host, and conda's `/t/token/`.
pub(crate) fn mask_credentials(text: &str) -> String {
    let mut masked = mask_userinfo(text);
    let mut from = 0;
    while let Some(start) = masked[from..].find("/t/").map(|at| from + at + "/t/".len()) {
        let is_url =
            masked[..start].rsplit(char::is_whitespace).next().is_some_and(|word| word.contains("://"));
        let end = masked[start..]
            .find(|c: char| c == '/' || c.is_whitespace())
            .map_or(masked.len(), |at| start + at);
        if is_url {
            let stars = "*".repeat(masked[start..end].chars().count());
            masked.replace_range(start..end, &stars);
        }
        from = start;
    }
    masked
}

/// Whether a text holds credentials that [`mask_credentials`] would cover.
pub(crate) fn has_credentials(text: &str) -> bool {
    mask_credentials(text) != text
}

/// Takes the credentials of `source` out of a `message` about it: other crates' messages quote what they refuse,
/// cut into parts in which a password can no longer be recognised.
pub(crate) fn without_credentials_of(source: &str, message: &str) -> String {
    let masked = mask_credentials(source);
    if masked == source {
        return mask_credentials(message);
    }
    // Masking keeps the number of characters: what differs is secret.
    let (mut words, mut word) = (Vec::new(), String::new());
    for (original, shown) in source.chars().zip(masked.chars()) {
        if original != shown && original.is_alphanumeric() {
            word.push(original);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.push(word);
    let secrets = words.iter().filter(|word| word.len() >= 3);
    secrets.fold(mask_credentials(message), |message, secret| message.replace(secret.as_str(), "***"))
}

fn mask_userinfo(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme_end) = rest.find("://").map(|start| start + 3) {
        let (before, after) = rest.split_at(scheme_end);
        masked.push_str(before);
        let authority_end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '#' | '?'))
            .unwrap_or(after.len());
        // A password may itself hold `/`, `?` or `#` when it was pasted unescaped: mask up to the last `@` of
        // the word when the authority has none.
        let word_end = after.find(char::is_whitespace).unwrap_or(after.len());
        let userinfo_end = after[..authority_end].rfind('@').or_else(|| {
            let word = &after[..word_end];
            word.rfind('@').filter(|at| word[..*at].contains(':') && !word[..*at].contains('.'))
        });
        let Some(userinfo_end) = userinfo_end else {
            rest = after;
            continue;
        };
        masked.extend(std::iter::repeat_n('*', after[..userinfo_end].chars().count()));
        rest = &after[userinfo_end..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_in_place() {
        assert_eq!(
            mask_credentials("a @ https://me:hunter2@host/x b @ https://host/y"),
            "a @ https://**********@host/x b @ https://host/y"
        );
        assert_eq!(mask_credentials("git+https://host/x@v1.0"), "git+https://host/x@v1.0");
        assert_eq!(mask_credentials("a/t/b https://h/t/tk-1/x"), "a/t/b https://h/t/****/x");
        assert!(!mask_credentials("https://me:se/cret@host/x").contains("cret"));
    }

    #[test]
    fn messages_lose_the_credentials_of_what_they_quote() {
        assert_eq!(
            without_credentials_of("x://me:hunter2@h/y", "invalid package name 'hunter2@h/y'"),
            "invalid package name '***@h/y'"
        );
        assert_eq!(without_credentials_of("numpy=1", "write `numpy==1`"), "write `numpy==1`");
    }

    #[test]
    fn columns_count_characters_and_never_panic() {
        assert_eq!(column_of("é1", 2), 2);
        assert_eq!(column_of("é1", 1), 2);
        assert_eq!(column_of("é1", 99), 3);
    }
}

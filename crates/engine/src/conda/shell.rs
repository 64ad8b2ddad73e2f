//! The small part of the shell's language in which activation scripts set variables. Whatever else stands in a
//! script makes it one that is not understood.

use std::collections::BTreeMap;

/// The variables that a script exports, in their order; `None` where it does anything else. `environment` are the
/// variables that it finds: these are exported already.
pub(super) fn assignments(
    script: &str,
    environment: &BTreeMap<String, String>,
) -> Option<Vec<(String, String)>> {
    let mut known = environment.clone();
    let mut assigned: Vec<(String, String)> = Vec::new();
    let mut exported: Vec<String> = Vec::new();
    for statement in statements(script)? {
        let words = words(&statement, &mut known)?;
        let (first, rest) = words.split_first()?;
        let settings = if first == "export" { rest } else { &words[..] };
        for setting in settings {
            match setting.split_once('=') {
                Some((name, value)) if is_name(name) => {
                    known.insert(name.to_owned(), value.to_owned());
                    assigned.retain(|(one, _)| one != name);
                    assigned.push((name.to_owned(), value.to_owned()));
                }
                None if first == "export" && is_name(setting) => {}
                _ => return None,
            }
            if first == "export" {
                let name = setting.split_once('=').map_or(setting.as_str(), |(name, _)| name);
                exported.push(name.to_owned());
            }
        }
    }
    // A variable that is only the script's own ends with it.
    assigned.retain(|(name, _)| exported.contains(name) || environment.contains_key(name));
    Some(assigned)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The statements of a script without comments: split at line ends and semicolons that are not quoted.
fn statements(script: &str) -> Option<Vec<String>> {
    let mut statements = vec![String::new()];
    let mut quote = None;
    let mut characters = script.chars().peekable();
    let mut at_start = true;
    while let Some(character) = characters.next() {
        let current = statements.last_mut()?;
        match (character, quote) {
            ('#', None) if at_start => while characters.next_if(|next| *next != '\n').is_some() {},
            ('\n' | ';', None) => statements.push(String::new()),
            ('\\', None | Some('"')) => {
                let next = characters.next()?;
                if next != '\n' {
                    current.push('\\');
                    current.push(next);
                }
            }
            ('\'' | '"', None) => {
                quote = Some(character);
                current.push(character);
            }
            (_, open) => {
                if open == Some(character) {
                    quote = None;
                }
                current.push(character);
            }
        }
        at_start = quote.is_none() && matches!(character, '\n' | ';' | ' ' | '\t');
    }
    if quote.is_some() {
        return None;
    }
    Some(statements.into_iter().filter(|statement| !statement.trim().is_empty()).collect())
}

/// The words of a statement with quotes and variables resolved. `None` for everything that a shell would do besides:
/// other commands' output, patterns, redirections, conditions.
///
/// Assignments take effect one after the other, but those that are arguments of `export` only when all its words are
/// resolved.
fn words(statement: &str, known: &mut BTreeMap<String, String>) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = statement.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quote) {
            (' ' | '\t' | '\r', None) => {
                if words.first().is_none_or(|first| first != "export")
                    && let Some((name, value)) = word.as_ref().and_then(|word| word.split_once('='))
                {
                    known.insert(name.to_owned(), value.to_owned());
                }
                words.extend(word.take());
            }
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, Some(open)) if open == character => quote = None,
            ('\\', None) => word.get_or_insert_default().push(characters.next()?),
            ('\\', Some('"')) => {
                let next = characters.next()?;
                let escaped = matches!(next, '"' | '\\' | '$' | '`');
                let word = word.get_or_insert_default();
                if !escaped {
                    word.push('\\');
                }
                word.push(next);
            }
            ('$', None | Some('"')) => {
                let value = variable(&mut characters, known)?;
                // An unquoted value with blanks would become several words.
                if quote.is_none() && value.contains(char::is_whitespace) {
                    return None;
                }
                word.get_or_insert_default().push_str(&value);
            }
            ('`', None | Some('"')) => return None,
            ('*' | '?' | '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>' | '|' | '&' | '~' | '!', None) => {
                return None;
            }
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// The value of `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME-word}`, read behind the `$`.
fn variable(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    known: &BTreeMap<String, String>,
) -> Option<String> {
    let value = |name: &str| known.get(name).cloned().unwrap_or_default();
    if characters.next_if_eq(&'{').is_none() {
        let mut name = String::new();
        while let Some(next) = characters.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
            name.push(next);
        }
        return is_name(&name).then(|| value(&name));
    }
    let mut inside = String::new();
    loop {
        match characters.next()? {
            '}' => break,
            next => inside.push(next),
        }
    }
    let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    if !is_name(name) {
        return None;
    }
    let is_plain = |word: &str| !word.contains(['$', '`', '\'', '"', '\\', '{']);
    if rest.is_empty() {
        return Some(value(name));
    }
    let (empty_counts, word) = match rest.strip_prefix(":-") {
        Some(word) => (true, word),
        None => (false, rest.strip_prefix('-')?),
    };
    let found = known.get(name).filter(|value| !(empty_counts && value.is_empty())).cloned();
    is_plain(word).then(|| found.unwrap_or_else(|| word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(script: &str) -> Option<Vec<String>> {
        let known = [("CONDA_PREFIX", "/opt/conda"), ("HOME", "/home/me"), ("TWO", "a b")];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let assigned = assignments(script, &known)?;
        Some(assigned.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
    }

    #[test]
    fn settings_are_understood() {
        for (script, expected) in [
            ("#!/bin/bash\n# a note\n\nexport A=1 # why\n", &["A=1"][..]),
            ("export A=\"$CONDA_PREFIX/share/x\"", &["A=/opt/conda/share/x"]),
            ("A=${CONDA_PREFIX}/x; export A", &["A=/opt/conda/x"]),
            ("local_only=1\nexport B='$HOME # kept'", &["B=$HOME # kept"]),
            ("export A=1 B=${NONE:-two}", &["A=1", "B=two"]),
            ("export A=1\nexport A=$A:2", &["A=1:2"]),
            ("export A=\"$TWO\"", &["A=a b"]),
            ("A=1 B=$A\nexport B", &["B=1"]),
            ("A=1\nexport A=2 B=$A", &["A=2", "B=1"]),
            ("HOME=$CONDA_PREFIX/x:$HOME", &["HOME=/opt/conda/x:/home/me"]),
            ("export A=a\\\nb", &["A=ab"]),
            ("", &[]),
        ] {
            assert_eq!(of(script).unwrap_or_else(|| panic!("{script}")), expected, "{script}");
        }
    }

    #[test]
    fn whatever_does_more_is_not() {
        for script in [
            "export A=$(ls)",
            "export A=`ls`",
            "if [ -z \"$A\" ]; then export A=1; fi",
            "A=1 ls",
            "source other.sh",
            "export A=$TWO",
            "export A=~/x",
            "export A=1 && ls",
            "export A='unfinished",
            "echo hi > /etc/passwd",
            "export A=${A:?stop}",
            "unset A",
            "export A=*",
        ] {
            assert_eq!(of(script), None, "{script}");
        }
    }
}

//! What packages say of their licences: an expression that tools can read, or words for people.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Longest text that is taken from a package, in characters; some put the whole text of a licence there.
const LONGEST: usize = 200;

/// The licence of a package, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// An SPDX expression, `MIT OR Apache-2.0`.
    Expression(String),
    /// A name in words.
    Named(String),
}

impl Licence {
    /// The field `licenses` of a component.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Expression(text) => json!([{"expression": text}]),
            Self::Named(text) => json!([{"license": {"name": text}}]),
        }
    }

    /// A text that is an expression where it has the form of one.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_short =
            !text.is_empty() && text.chars().count() <= LONGEST && !text.contains(char::is_control);
        if !is_short || text.eq_ignore_ascii_case("unknown") {
            return None;
        }
        Some(if is_expression(text) {
            Self::Expression(text.to_owned())
        } else {
            Self::Named(text.to_owned())
        })
    }
}

/// The licence in the metadata of a Python distribution: `License-Expression`, else `License`, else classifiers.
pub(crate) fn of_metadata(metadata: &str) -> Option<Licence> {
    let headers: Vec<(&str, &str)> = metadata
        .lines()
        .take_while(|line| !line.trim_end().is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let values = |name: &'static str| {
        headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    };
    let stated = values("License-Expression").chain(values("License")).find_map(Licence::of_text);
    let classified = || {
        let names: Vec<&str> = values("Classifier")
            .filter_map(|value| value.strip_prefix("License ::"))
            .filter_map(|value| value.rsplit("::").next())
            .map(str::trim)
            .collect();
        Licence::of_text(&names.join(", ")).map(|licence| match licence {
            Licence::Expression(text) | Licence::Named(text) => Licence::Named(text),
        })
    };
    stated.or_else(classified)
}

/// Whether a text has the form of an SPDX expression: identifiers, joined by `AND`, `OR` and `WITH`. Words such as
/// `BSD` or `Apache License` are none.
fn is_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut depth = 0_usize;
    let mut wants_identifier = true;
    for word in spaced.split_whitespace() {
        match word {
            "(" if wants_identifier => depth += 1,
            ")" if !wants_identifier && depth > 0 => depth -= 1,
            "AND" | "OR" | "WITH" if !wants_identifier => wants_identifier = true,
            word if wants_identifier && is_identifier(word) => wants_identifier = false,
            _ => return false,
        }
    }
    depth == 0 && !wants_identifier
}

/// Identifiers have a number or a hyphen in them, but for a few.
fn is_identifier(word: &str) -> bool {
    const PLAIN: [&str; 14] = [
        "MIT",
        "ISC",
        "Zlib",
        "curl",
        "X11",
        "NTP",
        "PostgreSQL",
        "OpenSSL",
        "Unlicense",
        "Vim",
        "TCL",
        "FTL",
        "IJG",
        "NCSA",
    ];
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '+'));
    is_plain
        && (PLAIN.contains(&word)
            || (word.contains('-') && word.starts_with(|c: char| c.is_ascii_alphanumeric())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_from_words() {
        for text in [
            "MIT",
            "Apache-2.0 OR MIT",
            "(BSD-3-Clause AND MIT)",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ] {
            assert_eq!(Licence::of_text(text), Some(Licence::Expression(text.to_owned())), "{text}");
        }
        for text in ["BSD", "Apache License", "MIT OR", "(MIT", "MIT)", "MIT MIT", "see LICENSE"] {
            assert_eq!(Licence::of_text(text), Some(Licence::Named(text.to_owned())), "{text}");
        }
        for text in ["", "UNKNOWN", "two\nlines", &"x".repeat(201)] {
            assert_eq!(Licence::of_text(text), None, "{text}");
        }
    }

    #[test]
    fn metadata_says_it_in_one_of_three_ways() {
        let of = |text: &str| of_metadata(text);
        let named = |text: &str| Some(Licence::Named(text.to_owned()));
        let expression = |text: &str| Some(Licence::Expression(text.to_owned()));
        assert_eq!(
            of("Name: a\nLicense: BSD\nLicense-Expression: BSD-3-Clause\n"),
            expression("BSD-3-Clause")
        );
        assert_eq!(of("License: BSD\n"), named("BSD"));
        assert_eq!(
            of(
                "License: UNKNOWN\nClassifier: License :: OSI Approved :: BSD License\nClassifier: Topic :: X\n"
            ),
            named("BSD License")
        );
        assert_eq!(of("Name: a\n\nLicense: not a header\n"), None);
    }
}

//! Names that people type or see: display names, names of saved specs, and image names made from them.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, show};
use crate::string_type::string_type;

/// The longest display or spec name, in characters. Both end up in tags and labels.
const LONGEST: usize = 63;
/// How much of a display name an image name keeps.
const KEPT: usize = 57;
/// The longest random part of an image name.
const LONGEST_SUFFIX: usize = 5;

/// A display name: lower-case letters, digits, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisplayName(String);

/// The name of a saved spec: a display name that also is a repository component, so that images can be pushed
/// under it: parts of lower-case letters and digits, with one `.` or any number of `-` between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecName(String);

/// The name of an image, unique in a hub: always a repository component, like a [`SpecName`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(String);

impl ImageName {
    /// Makes an image name from what was typed as a display name, which need not be a valid one yet.
    ///
    /// Everything but letters and digits becomes `-`, letters become lower-case, 57 characters are kept, and up
    /// to five base-36 characters of `random_suffix` follow after a `-`. `PrimeHub` stops there, and makes names
    /// such as `-x--1` that no registry takes; here dashes at either end are taken off too, a name without
    /// a letter or digit becomes `image`, and a suffix without a usable character is left out.
    #[must_use]
    pub fn generate(display_name: &str, random_suffix: &str) -> Self {
        let dashed: String = display_name
            .chars()
            .take(KEPT)
            .map(
                |character| {
                    if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
                },
            )
            .collect();
        let stem = match dashed.trim_matches('-') {
            "" => "image",
            stem => stem,
        };
        let suffix: String = random_suffix
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(LONGEST_SUFFIX)
            .map(|character| character.to_ascii_lowercase())
            .collect();
        if suffix.is_empty() { Self(stem.to_owned()) } else { Self(format!("{stem}-{suffix}")) }
    }
}

impl FromStr for DisplayName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check_letters(text, "a display name")?;
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for SpecName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check_letters(text, "a spec name")?;
        check_component(text, "a spec name")?;
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for ImageName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check_letters(text, "an image name")?;
        check_component(text, "an image name")?;
        Ok(Self(text.to_owned()))
    }
}

/// `as_str`, `Display` and serde for the three names.
macro_rules! name_type {
    ($($type:ident),+) => {$(
        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        string_type!($type);
    )+};
}

name_type!(DisplayName, SpecName, ImageName);

/// The mission's rule: only lower-case letters, digits, `-` and `.`.
fn check_letters(text: &str, what: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::at(1, format!("{what} cannot be empty"), "write a name such as `pytorch-2.4`"));
    }
    for (index, character) in text.chars().enumerate() {
        if matches!(character, 'a'..='z' | '0'..='9' | '-' | '.') {
            continue;
        }
        return Err(Problem::at(
            index + 1,
            format!("{what} cannot contain {}", show(character)),
            format!("write {}", corrected(text)),
        ));
    }
    if text.len() > LONGEST {
        return Err(Problem::at(
            LONGEST + 1,
            format!("{what} has at most {LONGEST} characters"),
            format!("leave out {}", text.len() - LONGEST),
        ));
    }
    Ok(())
}

/// The registries' rule: `[a-z0-9]+((\.|-+)[a-z0-9]+)*`. The letters are checked before.
fn check_component(text: &str, what: &str) -> Result<(), Problem> {
    let is_joiner = |character: char| matches!(character, '-' | '.');
    let suggestion = || format!("write {}", corrected(text));
    if text.starts_with(is_joiner) {
        return Err(Problem::at(1, format!("{what} starts with a letter or digit"), suggestion()));
    }
    let pairs = text.chars().zip(text.chars().skip(1)).enumerate();
    for (index, (left, right)) in pairs {
        if is_joiner(left) && is_joiner(right) && (left == '.' || right == '.') {
            return Err(Problem::at(
                index + 1,
                format!("`{left}{right}` cannot stand in {what}"),
                suggestion(),
            ));
        }
    }
    if text.ends_with(is_joiner) {
        return Err(Problem::at(text.len(), format!("{what} ends with a letter or digit"), suggestion()));
    }
    Ok(())
}

/// The nearest name that every rule here accepts.
fn corrected(text: &str) -> String {
    let mut name = String::new();
    for character in text.chars().take(LONGEST) {
        match character.to_ascii_lowercase() {
            kept @ ('a'..='z' | '0'..='9') => name.push(kept),
            '.' if name.ends_with(|last: char| last.is_ascii_alphanumeric()) => name.push('.'),
            _ if name.ends_with(|last: char| last.is_ascii_alphanumeric()) => name.push('-'),
            _ => {}
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "a name such as `pytorch-2.4`".to_owned() } else { format!("`{name}`") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal<T: FromStr<Err = Problem> + fmt::Debug>(text: &str) -> (usize, String, String) {
        let problem = text.parse::<T>().unwrap_err();
        (problem.column, problem.message, problem.suggestion)
    }

    #[test]
    fn display_names_take_lower_case_letters_digits_dashes_and_dots() {
        for accepted in ["a", "pytorch-2.4", "a..b", "-x", "0"] {
            assert_eq!(accepted.parse::<DisplayName>().unwrap().as_str(), accepted);
        }
        assert_eq!(
            refusal::<DisplayName>("My Image"),
            (1, "a display name cannot contain `M`".into(), "write `my-image`".into())
        );
        assert_eq!(
            refusal::<DisplayName>("a\u{a0}b"),
            (2, "a display name cannot contain a non-breaking space".into(), "write `a-b`".into())
        );
        assert_eq!(refusal::<DisplayName>("映像").2, "write a name such as `pytorch-2.4`");
        assert_eq!(refusal::<DisplayName>("").0, 1);
        assert_eq!(refusal::<DisplayName>("a\n").1, "a display name cannot contain a line break");
        assert_eq!(refusal::<DisplayName>(&"a".repeat(64)).0, 64);
    }

    #[test]
    fn spec_names_are_repository_components_too() {
        for accepted in ["a", "a.b", "a--b", "py3.12-slim"] {
            accepted.parse::<SpecName>().unwrap();
        }
        assert_eq!(
            refusal::<SpecName>("a..b"),
            (2, "`..` cannot stand in a spec name".into(), "write `a.b`".into())
        );
        assert_eq!(refusal::<SpecName>("a.-b").0, 2);
        assert_eq!(refusal::<SpecName>("-a").0, 1);
        assert_eq!(refusal::<SpecName>("a.").0, 2);
        assert_eq!(refusal::<SpecName>("a_b").2, "write `a-b`");
    }

    #[test]
    fn image_names_follow_the_display_name() {
        assert_eq!(ImageName::generate("My Image_1", "x7k2p").as_str(), "my-image-1-x7k2p");
        assert_eq!(ImageName::generate("pytorch-2.4", "0").as_str(), "pytorch-2-4-0");
        assert_eq!(ImageName::generate("__", "abc").as_str(), "image-abc");
        assert_eq!(ImageName::generate("x", "").as_str(), "x");
        assert_eq!(
            ImageName::generate(&"a".repeat(90), "123456789").as_str(),
            format!("{}-12345", "a".repeat(57))
        );
    }

    proptest! {
        #[test]
        fn generated_names_are_always_valid(display_name in ".*", suffix in ".*") {
            let name = ImageName::generate(&display_name, &suffix);
            prop_assert_eq!(name.as_str().parse::<ImageName>().unwrap(), name);
        }

        #[test]
        fn suggestions_are_valid_names(text in ".*") {
            if let Err(problem) = text.parse::<SpecName>()
                && let Some(name) = problem.suggestion.strip_prefix("write `")
            {
                prop_assert!(name.trim_end_matches('`').parse::<SpecName>().is_ok(), "{}", problem.suggestion);
            }
        }

        #[test]
        fn spec_names_are_components_of_references(text in "[a-z0-9.-]{1,8}") {
            let as_repository = format!("registry.example/{text}").parse::<crate::ImageReference>();
            prop_assert_eq!(text.parse::<SpecName>().is_ok(), as_repository.is_ok());
        }
    }
}

//! Whose a build is.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, show};
use crate::string_type::string_type;

/// The most characters that an owner's name has.
const LONGEST: usize = 63;

/// The group for which an image is built. What a build fetches with credentials, or makes by executing a base, is
/// kept for its owner alone.
///
/// The operator says who the owner is; a [`BuildSpec`](crate::BuildSpec) never does. The name is a single folder's
/// too: lower-case letters, digits, `.`, `_` and `-`, the first a letter or digit, 63 characters at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(String);

impl Owner {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The only owner of a machine whose operator names none: its user.
impl Default for Owner {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Owner {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        const ADVICE: &str = "write a name such as `team-vision`";
        if text.is_empty() {
            return Err(Problem::at(1, "an owner's name cannot be empty", ADVICE));
        }
        for (index, character) in text.chars().enumerate() {
            let inside = matches!(character, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
            if !inside {
                let message = format!("an owner's name cannot contain {}", show(character));
                return Err(Problem::at(index + 1, message, ADVICE));
            }
            if index == 0 && !character.is_ascii_alphanumeric() {
                return Err(Problem::at(1, "an owner's name starts with a letter or digit", ADVICE));
            }
        }
        if text.len() > LONGEST {
            return Err(Problem::at(
                LONGEST + 1,
                format!("an owner's name has at most {LONGEST} characters"),
                format!("leave out {}", text.len() - LONGEST),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

string_type!(Owner);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_owner_is_named_like_a_folder_and_never_leads_out_of_one() {
        for accepted in ["a", "0", "default", "team-vision", "a..b", "x_1.y", &"a".repeat(63)] {
            assert_eq!(accepted.parse::<Owner>().unwrap().as_str(), accepted);
        }
        for refused in ["", ".", "..", "../b", "a/b", "-a", "_a", "A", "a b", "a\0", "é", &"a".repeat(64)] {
            refused.parse::<Owner>().unwrap_err();
        }
        let problem = "team/vision".parse::<Owner>().unwrap_err();
        assert_eq!((problem.column, problem.message.as_str()), (5, "an owner's name cannot contain `/`"));
    }

    proptest! {
        #[test]
        fn every_name_is_one_component_of_a_path(text in ".*") {
            if let Ok(owner) = text.parse::<Owner>() {
                let components: Vec<_> = std::path::Path::new(owner.as_str()).components().collect();
                prop_assert!(matches!(components[..], [std::path::Component::Normal(_)]));
            }
        }
    }
}

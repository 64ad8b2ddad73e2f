//! One value of a configuration, from a file or a variable, and what it can be read as.
//!
//! The text of a variable has no type: the key that it is for decides. Messages show a value only where no key with
//! a secret is read by the same function.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use imagewright_spec::{Problem, parse_size};
use secrecy::SecretString;
use url::Url;

use super::error::Wrong;

/// What stands behind the equals sign.
pub(super) enum Value {
    Boolean(bool),
    Integer(i64),
    Text(String),
    List(Vec<Value>),
    /// Something that no key takes: its name.
    Other(&'static str),
    /// The text of a variable.
    Variable(String),
}

impl Value {
    /// What it is, for messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "a number",
            Self::Text(_) | Self::Variable(_) => "text",
            Self::List(_) => "a list",
            Self::Other(name) => name,
        }
    }

    pub(super) fn boolean(self) -> Result<bool, Wrong> {
        match self {
            Self::Boolean(value) => Ok(value),
            Self::Variable(text) => match text.trim() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(Wrong::new(format!("{text:?} is neither true nor false"), "write true or false")),
            },
            other => Err(Wrong::new(format!("{} stands where true or false is due", other.kind()), {
                "write true or false, without quotes"
            })),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number<N: TryFrom<u64>>(self, range: RangeInclusive<u64>) -> Result<N, Wrong> {
        let fix = format!("write a whole number from {} to {}", range.start(), range.end());
        let number = match self {
            Self::Integer(number) => i128::from(number),
            Self::Variable(text) => text
                .trim()
                .parse()
                .map_err(|_| Wrong::new(format!("{text:?} is no whole number"), fix.clone()))?,
            other => {
                return Err(Wrong::new(format!("{} stands where a number is due", other.kind()), fix));
            }
        };
        u64::try_from(number)
            .ok()
            .filter(|number| range.contains(number))
            .and_then(|number| N::try_from(number).ok())
            .ok_or_else(|| Wrong::new(format!("{number} is out of bounds"), fix))
    }

    /// A number of bytes.
    pub(super) fn bytes(self) -> Result<u64, Wrong> {
        const FIX: &str = "write a number of bytes, or a size such as \"8GiB\" or \"500MB\"";
        match self {
            Self::Integer(number) => {
                u64::try_from(number).map_err(|_| Wrong::new(format!("{number} is no size"), FIX))
            }
            Self::Text(text) | Self::Variable(text) => {
                parse_size(&text).ok_or_else(|| Wrong::new(format!("{text:?} is no size"), FIX))
            }
            other => Err(Wrong::new(format!("{} stands where a size is due", other.kind()), FIX)),
        }
    }

    /// Text, which may be empty.
    pub(super) fn text(self) -> Result<String, Wrong> {
        match self {
            Self::Text(text) | Self::Variable(text) => Ok(text),
            other => Err(Wrong::new(
                format!("{} stands where text is due", other.kind()),
                "write it in quotation marks",
            )),
        }
    }

    /// Text; none where it is empty.
    pub(super) fn optional(self) -> Result<Option<String>, Wrong> {
        self.text().map(|text| Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// Text that no message shows; none where it is empty.
    pub(super) fn secret(self) -> Result<Option<SecretString>, Wrong> {
        self.text().map(|text| Some(text).filter(|text| !text.is_empty()).map(SecretString::from))
    }

    pub(super) fn path(self) -> Result<Option<PathBuf>, Wrong> {
        Ok(self.optional()?.map(PathBuf::from))
    }

    /// A file that has to be there.
    pub(super) fn file(self) -> Result<Option<PathBuf>, Wrong> {
        let path = self.path()?;
        match &path {
            Some(path) if !path.is_file() => Err(Wrong::new(
                format!("there is no file {}", path.display()),
                "name a file that exists; a relative path starts in the folder that the hub is started in",
            )),
            _ => Ok(path),
        }
    }

    /// The texts of a list: a variable has commas between them.
    pub(super) fn texts(self) -> Result<Vec<String>, Wrong> {
        const FIX: &str = "write a list of texts, for example [\"one\", \"two\"]";
        match self {
            Self::List(values) => values
                .into_iter()
                .map(|value| match value {
                    Self::Text(text) => Ok(text),
                    other => Err(Wrong::new(format!("{} stands in a list of texts", other.kind()), FIX)),
                })
                .collect(),
            Self::Variable(text) => Ok(text
                .split(',')
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .collect()),
            other => Err(Wrong::new(format!("{} stands where a list is due", other.kind()), FIX)),
        }
    }

    /// A list of which each text has a form.
    pub(super) fn list<T>(self, read: impl Fn(&str) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        self.texts()?.iter().map(|text| read(text)).collect()
    }

    /// Text of a form; none where it is empty.
    pub(super) fn read<T>(self, read: impl Fn(&str) -> Result<T, Wrong>) -> Result<Option<T>, Wrong> {
        self.optional()?.map(|text| read(&text)).transpose()
    }
}

/// Reads what our own grammars know, which say themselves what to write. None of them shows more than a character.
pub(super) fn spec<T: FromStr<Err = Problem>>(text: &str) -> Result<T, Wrong> {
    text.parse().map_err(|problem: Problem| {
        Wrong::new(format!("{} (column {})", problem.message, problem.column), problem.suggestion)
    })
}

/// Reads a form of the standard library or of another crate.
pub(super) fn form<T: FromStr>(text: &str, what: &str, example: &str) -> Result<T, Wrong>
where
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| {
        Wrong::new(format!("{text:?} is no {what}: {error}"), format!("write for example {example:?}"))
    })
}

/// Reads a web address without user and password, which would be shown where the address is.
pub(super) fn web_address(text: &str) -> Result<Url, Wrong> {
    const FIX: &str = "write an address such as \"https://host.example/path\"";
    let url = Url::parse(text).map_err(|error| Wrong::new(format!("this is no address: {error}"), FIX))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Wrong::new("an address begins with https:// or http://", FIX));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new(
            "the address has a user or a password in it, which would be shown with it",
            "leave them out; credentials of indexes and channels have lists of their own in [sources]",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(text: &str) -> Value {
        Value::Variable(text.to_owned())
    }

    #[test]
    fn the_text_of_a_variable_is_read_as_its_key_wants() {
        assert!(variable("true").boolean().unwrap());
        assert!(!variable("0").boolean().unwrap());
        assert_eq!(variable(" 12 ").number::<u32>(1..=100).unwrap(), 12);
        assert_eq!(variable("1 GiB").bytes().unwrap(), 1 << 30);
        assert_eq!(variable("a, b,,").texts().unwrap(), ["a", "b"]);
        assert_eq!(variable("").optional().unwrap(), None);
        assert!(variable("").texts().unwrap().is_empty());
        for wrong in ["yes", "", "TRUE!"] {
            variable(wrong).boolean().unwrap_err();
        }
        for wrong in ["0", "101", "-1", "1.5", "many"] {
            variable(wrong).number::<u32>(1..=100).unwrap_err();
        }
    }

    #[test]
    fn values_of_a_file_have_their_types() {
        Value::Text("true".to_owned()).boolean().unwrap_err();
        Value::Text("12".to_owned()).number::<u32>(0..=20).unwrap_err();
        Value::Text("a,b".to_owned()).texts().unwrap_err();
        Value::List(vec![Value::Integer(1)]).texts().unwrap_err();
        Value::Integer(-1).bytes().unwrap_err();
        Value::Other("a date").text().unwrap_err();
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_showing_it() {
        for text in ["https://me:canary@host.example/x", "https://canary@host.example/x", "ftp://canary/x"] {
            let wrong = web_address(text).unwrap_err();
            assert!(!format!("{wrong:?}").contains("canary"), "{wrong:?}");
        }
    }
}

//! Addresses of package indexes, whose credentials are kept apart from all that is shown or stored.
//!
//! `https://user:token@host/simple` is split when it is read. `Debug`, `Display` and `Serialize` only know the
//! address without its user and password, so neither a log, nor a stored spec, nor the spec hash can hold them.
//! Who has to pass a spec on to a worker takes the credentials with [`PipRequest::credentials`], sends them on
//! a private way, and joins both again with [`PipRequest::attach_credentials`].
//!
//! [`PipRequest::credentials`]: crate::PipRequest::credentials
//! [`PipRequest::attach_credentials`]: crate::PipRequest::attach_credentials

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use crate::problem::{Problem, quote, show};
use crate::string_type::string_type;

const LONGEST: usize = 2048;

/// The address of a package index (PEP 503), with or without credentials.
///
/// Two addresses are equal if they are so without their credentials.
#[derive(Clone)]
pub struct IndexUrl {
    /// Without user and password.
    url: Url,
    credentials: Option<(String, SecretString)>,
}

impl IndexUrl {
    /// The address without its credentials.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The user and the password, if there are any.
    pub fn credentials(&self) -> Option<IndexCredentials> {
        self.credentials.as_ref().map(|(username, password)| IndexCredentials {
            url: self.url.clone(),
            username: username.clone(),
            password: password.clone(),
        })
    }

    /// The same address with these credentials.
    #[must_use]
    pub fn with_credentials(&self, username: &str, password: SecretString) -> Self {
        Self { url: self.url.clone(), credentials: Some((username.to_owned(), password)) }
    }

    /// The address with its credentials, for the program that fetches from it. Never log it.
    pub fn expose(&self) -> SecretString {
        let mut url = self.url.clone();
        if let Some((username, password)) = &self.credentials {
            // Neither can fail: only addresses with a host are read.
            let _ = url.set_username(username);
            let _ = url.set_password(Some(password.expose_secret()).filter(|password| !password.is_empty()));
        }
        SecretString::from(String::from(url))
    }
}

impl PartialEq for IndexUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for IndexUrl {}

impl fmt::Display for IndexUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.url, formatter)
    }
}

impl fmt::Debug for IndexUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = if self.credentials.is_some() { ", with credentials" } else { "" };
        write!(formatter, "IndexUrl({}{credentials})", self.url)
    }
}

impl FromStr for IndexUrl {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        const ADVICE: &str = "write an address such as `https://pypi.example.com/simple`";
        check_url_characters(text)?;
        let mut url = Url::parse(text)
            .map_err(|error| Problem::at(1, format!("this is not an address: {error}"), ADVICE))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Problem::at(
                1,
                format!("an index cannot be reached by {}", quote(url.scheme())),
                ADVICE,
            ));
        }
        if let Some(at) = text.find(['?', '#']).filter(|_| url.query().is_some() || url.fragment().is_some())
        {
            return Err(Problem::at_byte(
                text,
                at,
                "an index address ends with its path",
                "leave out the part from here on",
            ));
        }
        let credentials = if url.username().is_empty() && url.password().is_none() {
            None
        } else {
            let username = percent_decoded(url.username());
            let password = percent_decoded(url.password().unwrap_or_default());
            // Neither can fail: http and https addresses have a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            Some((username, SecretString::from(password)))
        };
        Ok(Self { url, credentials })
    }
}

string_type!(IndexUrl);

/// What an address may never hold: blanks, control characters, variables of our own environment.
pub(crate) fn check_url_characters(text: &str) -> Result<(), Problem> {
    if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| {
        c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\\')
    }) {
        return Err(Problem::at(
            index + 1,
            format!("an address cannot contain {}", show(character)),
            "copy the address again",
        ));
    }
    if let Some(at) = text.find("${") {
        return Err(Problem::at_byte(
            text,
            at,
            "environment variables are not filled in",
            "write the address itself; keep credentials in a secret",
        ));
    }
    if text.len() > LONGEST {
        return Err(Problem::at(
            1,
            format!("an address has at most {LONGEST} characters"),
            "write a shorter one",
        ));
    }
    Ok(())
}

/// Undoes `%40` and its like, which `Url` keeps in user and password.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A user and password for one index. They cannot be printed; [`serialize_exposed`] is the one way out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexCredentials {
    /// The index, without credentials.
    pub url: Url,
    /// The user name; many indexes take a token here or `__token__`.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

/// Writes credentials in plain text, for the private channel to a worker:
/// `#[serde(serialize_with = "imagewright_spec::serialize_exposed")]` on the field that carries them.
pub fn serialize_exposed<S: Serializer>(
    credentials: &[IndexCredentials],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Exposed<'a> {
        url: &'a Url,
        username: &'a str,
        password: &'a str,
    }
    serializer.collect_seq(credentials.iter().map(|one| Exposed {
        url: &one.url,
        username: &one.username,
        password: one.password.expose_secret(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_shown_and_still_reach_the_fetcher() {
        let index: IndexUrl = "https://me:p%40ss@pypi.example.com/simple".parse().unwrap();
        for shown in [index.to_string(), format!("{index:?}"), serde_json::to_string(&index).unwrap()] {
            assert!(
                !shown.contains("ss")
                    || shown.contains("pypi.example.com/simple") && !shown.contains("p%40ss")
            );
            assert!(!shown.contains("me:"), "{shown}");
        }
        assert_eq!(index.expose().expose_secret(), "https://me:p%40ss@pypi.example.com/simple");
        let credentials = index.credentials().unwrap();
        assert_eq!((credentials.username.as_str(), credentials.password.expose_secret()), ("me", "p@ss"));
        assert!(!format!("{credentials:?}").contains("p@ss"));
    }

    #[test]
    fn addresses_are_web_addresses() {
        for refused in [
            "",
            "pypi",
            "file:///etc",
            "ftp://x/y",
            "https://x/?t=1",
            "https://x/ y",
            "https://${HOST}/x",
            "--pre",
        ] {
            refused.parse::<IndexUrl>().unwrap_err();
        }
        "http://127.0.0.1:8080/simple/".parse::<IndexUrl>().unwrap();
    }
}

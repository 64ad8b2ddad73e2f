//! Credentials of channels, and the addresses that they are sent to.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

/// What opens one channel, or all of a server.
#[derive(Debug, Clone, Deserialize)]
pub struct ChannelCredentials {
    /// The address below which they are sent: that of a channel, or of a server.
    pub url: Url,
    /// What is sent.
    #[serde(flatten)]
    pub secret: ChannelSecret,
}

/// The secret, in one of the forms that servers of channels want.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum ChannelSecret {
    /// HTTP Basic.
    Basic {
        /// Name of the user.
        user: String,
        /// Password.
        password: SecretString,
    },
    /// `/t/TOKEN/` in front of the path, as Anaconda's and Artifactory's servers take it.
    Token {
        /// The token.
        token: SecretString,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// The token.
        bearer: SecretString,
    },
}

impl fmt::Debug for ChannelSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Basic { .. } => "Basic(…)",
            Self::Token { .. } => "Token(…)",
            Self::Bearer { .. } => "Bearer(…)",
        })
    }
}

impl ChannelCredentials {
    /// True where this address is below that of the credentials: same scheme, host and port, and path.
    pub fn opens(&self, address: &Url) -> bool {
        let folder = self.url.path().trim_end_matches('/');
        let below =
            address.path().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        address.origin() == self.url.origin() && below
    }
}

/// Those that open an address: the ones with the longest path.
pub fn opening<'all>(all: &'all [ChannelCredentials], address: &Url) -> Option<&'all ChannelCredentials> {
    all.iter().filter(|one| one.opens(address)).max_by_key(|one| one.url.path().len())
}

/// What a request shows.
pub struct Authorised {
    /// The address, with the token if it has to be there. Never shown.
    pub address: Url,
    /// The value of `Authorization`.
    pub header: Option<SecretString>,
}

/// The address and header for a request.
pub fn authorised(all: &[ChannelCredentials], address: &Url) -> Authorised {
    use base64::Engine as _;

    let mut authorised = Authorised { address: address.clone(), header: None };
    match opening(all, address).map(|found| &found.secret) {
        None => {}
        Some(ChannelSecret::Basic { user, password }) => {
            let pair = format!("{user}:{}", password.expose_secret());
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            authorised.header = Some(format!("Basic {pair}").into());
        }
        Some(ChannelSecret::Bearer { bearer }) => {
            authorised.header = Some(format!("Bearer {}", bearer.expose_secret()).into());
        }
        Some(ChannelSecret::Token { token }) => {
            let path = format!("/t/{}{}", token.expose_secret(), address.path());
            authorised.address.set_path(&path);
        }
    }
    authorised
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Vec<ChannelCredentials> {
        serde_json::from_str(
            r#"[{"url": "https://conda.example/private", "token": "hunter2"},
                {"url": "https://conda.example", "user": "me", "password": "secret"},
                {"url": "https://other.example/x/", "bearer": "opaque"}]"#,
        )
        .unwrap()
    }

    fn shown(address: &str) -> (String, Option<String>) {
        let authorised = authorised(&credentials(), &address.parse().unwrap());
        (authorised.address.to_string(), authorised.header.map(|header| header.expose_secret().to_owned()))
    }

    #[test]
    fn each_address_gets_what_opens_it_and_nothing_else() {
        let token = "https://conda.example/t/hunter2/private/noarch/repodata.json";
        assert_eq!(shown("https://conda.example/private/noarch/repodata.json"), (token.to_owned(), None));
        let basic = shown("https://conda.example/privately/noarch/repodata.json").1.unwrap();
        assert!(basic.starts_with("Basic "), "{basic}");
        assert_eq!(shown("https://other.example/x/a").1.unwrap(), "Bearer opaque");
        for elsewhere in
            ["https://other.example/y", "http://other.example/x/a", "https://other.example:8443/x/a"]
        {
            assert_eq!(shown(elsewhere), (elsewhere.to_owned(), None));
        }
    }

    #[test]
    fn nothing_of_them_is_printed() {
        let printed = format!("{:?}", credentials());
        for secret in ["hunter2", "secret\"", "opaque"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

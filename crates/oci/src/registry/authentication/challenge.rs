//! What a registry asks for before it lets a client in.

use http_auth::parser::ChallengeParser;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

/// The `WWW-Authenticate` header of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Challenge {
    /// Nothing is asked for.
    Open,
    /// User name and password with each request.
    Basic,
    /// A token from another address.
    Bearer {
        /// Where tokens are handed out.
        realm: Url,
        /// The name of this registry there.
        service: Option<String>,
    },
}

impl Challenge {
    /// The challenge in some response headers; tokens are preferred where both ways are open.
    /// `None` when there is no challenge that this client knows.
    pub(in crate::registry) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut basic = None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            for challenge in ChallengeParser::new(value.to_str().unwrap_or_default()).map_while(Result::ok) {
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
                let parameter = |name: &str| {
                    let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("bearer")
                    && let Some(realm) = parameter("realm").and_then(|realm| Url::parse(&realm).ok())
                {
                    return Some(Self::Bearer { realm, service: parameter("service") });
                }
            }
        }
        basic
    }
}

/// Whether a token was understood but does not allow the request.
pub(in crate::registry) fn lacks_scope(headers: &HeaderMap) -> bool {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("error=\"insufficient_scope\"")))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn challenge(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Challenge::from_headers(&headers)
    }

    #[test]
    fn tokens_are_preferred_to_passwords() {
        let bearer = Challenge::Bearer {
            realm: "https://auth.example.org/token".parse().unwrap(),
            service: Some("registry, main".to_owned()),
        };
        let header = r#"Bearer realm="https://auth.example.org/token",service="registry, main""#;
        assert_eq!(challenge(&[r#"Basic realm="registry""#, header]), Some(bearer));
        assert_eq!(challenge(&[r#"Basic realm="registry""#]), Some(Challenge::Basic));
    }

    #[test]
    fn unknown_and_broken_challenges_are_none() {
        for header in ["", "Negotiate", r#"Bearer realm="not an address""#, "Bearer service=x"] {
            assert_eq!(challenge(&[header]), None, "{header}");
        }
    }
}

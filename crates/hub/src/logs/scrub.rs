//! Secrets are taken out of whatever is written, in each form that they are likely to have there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

/// What stands in place of a secret.
const MASK: &str = "******";
/// Shorter ones would take ordinary words out.
const SHORTEST: usize = 4;

/// Takes secrets out of lines.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// Longest first: a secret may be a part of another.
    forms: Vec<SecretString>,
}

impl Scrubber {
    /// Takes out these secrets, and what they look like encoded. Users belong to passwords: `USER:PASSWORD` is what
    /// credentials look like in a header.
    pub fn new<'secret>(
        secrets: impl IntoIterator<Item = (Option<&'secret str>, &'secret SecretString)>,
    ) -> Self {
        let mut forms: Vec<String> = Vec::new();
        for (user, secret) in secrets {
            let secret = secret.expose_secret();
            if secret.len() < SHORTEST {
                continue;
            }
            forms.push(secret.to_owned());
            forms.push(percent_encoded(secret));
            forms.push(STANDARD_NO_PAD.encode(secret));
            forms.push(URL_SAFE_NO_PAD.encode(secret));
            if let Some(user) = user {
                let pair = format!("{user}:{secret}");
                forms.push(STANDARD_NO_PAD.encode(&pair));
                forms.push(URL_SAFE_NO_PAD.encode(&pair));
            }
            // As JSON writes it.
            let json = serde_json::Value::from(secret).to_string();
            forms.push(json.trim_matches('"').to_owned());
        }
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self { forms: forms.into_iter().map(SecretString::from).collect() }
    }

    /// The text without secrets.
    pub fn scrub(&self, text: &str) -> String {
        let mut scrubbed = text.to_owned();
        for form in &self.forms {
            if scrubbed.contains(form.expose_secret()) {
                scrubbed = scrubbed.replace(form.expose_secret(), MASK);
            }
        }
        scrubbed
    }
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Scrubber({} forms)", self.forms.len())
    }
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_stays() {
        let secret = SecretString::from("hunter2/with+signs");
        let scrubber = Scrubber::new([(Some("robot"), &secret)]);
        for text in [
            "https://robot:hunter2/with+signs@host/simple".to_owned(),
            format!("?password={}", percent_encoded("hunter2/with+signs")),
            format!(
                "Authorization: Basic {}",
                base64::engine::general_purpose::STANDARD.encode("robot:hunter2/with+signs")
            ),
            serde_json::json!({ "password": "hunter2/with+signs" }).to_string(),
        ] {
            let clean = scrubber.scrub(&text);
            assert!(!clean.contains("hunter2") && clean.contains(MASK), "{text} became {clean}");
        }
        assert_eq!(scrubber.scrub("nothing to hide"), "nothing to hide");
        assert!(!format!("{scrubber:?}").contains("hunter2"));
    }
}

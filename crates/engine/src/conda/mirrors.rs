//! The mirrors of a channel: the first is asked, and the next where that one does not answer.
//!
//! What the first says is believed, also that it has not got something: a mirror may be meant to have less. Records
//! name the first, whichever answered, so that an image does not tell which server was down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use url::Url;

use super::client::is_passing;

/// An address, and the same on the other mirrors of its channel, in order of preference.
pub fn on_mirrors(mirrors: &BTreeMap<String, Vec<Url>>, address: &Url) -> Vec<Url> {
    let mut found = vec![address.clone()];
    for all in mirrors.values() {
        let Some(rest) = all.iter().find_map(|mirror| below(mirror, address)) else { continue };
        for mirror in all {
            let Ok(other) = Url::parse(&format!("{}{rest}", folder(mirror))) else { continue };
            if !found.contains(&other) {
                found.push(other);
            }
        }
    }
    found
}

/// What an address has behind that of a mirror.
fn below<'address>(mirror: &Url, address: &'address Url) -> Option<&'address str> {
    address.as_str().strip_prefix(&folder(mirror))
}

fn folder(mirror: &Url) -> String {
    format!("{}/", mirror.as_str().trim_end_matches('/'))
}

/// Asks the mirrors of a channel one after the other.
pub(super) struct Mirrors {
    pub(super) mirrors: BTreeMap<String, Vec<Url>>,
    /// Those that did not answer: they are asked last from then on, as a list is hundreds of requests.
    pub(super) down: Mutex<BTreeSet<String>>,
}

impl Mirrors {
    fn is_down(&self, address: &Url) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.iter().any(|folder| address.as_str().starts_with(folder))
    }

    fn note(&self, address: &Url) {
        let mirror = self.mirrors.values().flatten().find(|mirror| below(mirror, address).is_some());
        self.down.lock().unwrap_or_else(PoisonError::into_inner).extend(mirror.map(folder));
    }
}

#[async_trait::async_trait]
impl Middleware for Mirrors {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let mut addresses = on_mirrors(&self.mirrors, request.url());
        addresses.sort_by_key(|address| self.is_down(address));
        let mut first = None;
        if addresses.len() > 1 {
            for address in addresses {
                // Requests for what a channel has carry no body, and so can be repeated.
                let Some(mut copy) = request.try_clone() else { break };
                *copy.url_mut() = address.clone();
                let outcome = next.clone().run(copy, extensions).await;
                if outcome.as_ref().is_ok_and(|response| !is_passing(response)) {
                    return outcome;
                }
                self.note(&address);
                first = first.or(Some(outcome));
            }
        }
        match first {
            Some(outcome) => outcome,
            None => next.run(request, extensions).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_on_the_other_mirrors_of_its_channel() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let forge = ["https://a.example/forge", "https://b.example/x/forge/"].map(url).to_vec();
        let mirrors = BTreeMap::from([("conda-forge".to_owned(), forge)]);
        let on = |address: &str| -> Vec<String> {
            on_mirrors(&mirrors, &url(address)).into_iter().map(String::from).collect()
        };
        let (a, b) = ("https://a.example/forge/noarch/x", "https://b.example/x/forge/noarch/x");
        assert_eq!(on(a), [a, b]);
        assert_eq!(on(b), [b, a]);
        for elsewhere in ["https://a.example/forge2/noarch/x", "https://c.example/forge/x"] {
            assert_eq!(on(elsewhere), [elsewhere]);
        }
    }
}

//! All that is asked of pip: requirements, constraints, and the options that steer where files come from.

use serde::{Deserialize, Serialize};

use crate::index_url::{IndexCredentials, IndexUrl};
use crate::pip::PipRequirement;

/// What pip shall install.
///
/// Serialised without the credentials of its indexes; see [`Self::credentials`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipRequest {
    /// What to install.
    pub requirements: Vec<PipRequirement>,
    /// Limits for whatever gets installed, themselves no reason to install anything.
    pub constraints: Vec<PipRequirement>,
    /// The index to use instead of the default one.
    pub index_url: Option<IndexUrl>,
    /// Further indexes, in the order in which they were written.
    pub extra_index_urls: Vec<IndexUrl>,
    /// Whether pre-releases are wanted.
    pub pre: bool,
    /// Packages (or `:all:`) that have to be built from source.
    pub no_binary: Vec<String>,
    /// Packages (or `:all:`) that must not be built from source.
    pub only_binary: Vec<String>,
}

impl PipRequest {
    /// Whether nothing is to be installed. Options alone install nothing.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Adds what another request asks for. Of two indexes the later one wins, as with pip's own options.
    pub fn merge(&mut self, other: Self) {
        self.requirements.extend(other.requirements);
        self.constraints.extend(other.constraints);
        self.index_url = other.index_url.or(self.index_url.take());
        self.extra_index_urls.extend(other.extra_index_urls);
        self.pre |= other.pre;
        self.no_binary.extend(other.no_binary);
        self.only_binary.extend(other.only_binary);
    }

    /// The same request in its one canonical form: sorted and without repetitions, but for the indexes, whose
    /// order has a meaning.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        for list in [&mut self.requirements, &mut self.constraints] {
            list.sort();
            list.dedup();
        }
        for list in [&mut self.no_binary, &mut self.only_binary] {
            list.sort();
            list.dedup();
        }
        let mut seen: Vec<IndexUrl> = Vec::new();
        for index in self.extra_index_urls {
            if !seen.contains(&index) {
                seen.push(index);
            }
        }
        self.extra_index_urls = seen;
        self
    }

    /// The credentials of all indexes, to be sent to a worker apart from the request.
    pub fn credentials(&self) -> Vec<IndexCredentials> {
        self.index_url.iter().chain(&self.extra_index_urls).filter_map(IndexUrl::credentials).collect()
    }

    /// Gives the indexes the credentials that belong to them. An index keeps those it has.
    pub fn attach_credentials(&mut self, credentials: &[IndexCredentials]) {
        for index in self.index_url.iter_mut().chain(&mut self.extra_index_urls) {
            let found = credentials.iter().find(|one| one.url == *index.url());
            if let (None, Some(found)) = (index.credentials(), found) {
                *index = index.with_credentials(&found.username, found.password.clone());
            }
        }
    }
}

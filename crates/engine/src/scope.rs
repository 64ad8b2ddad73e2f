//! For whom something in a cache is. The rule is here, and nowhere else.
//!
//! *Only what our own code makes from public bytes that a digest names is shared. What was fetched with
//! credentials, or came out of executing a base, stays with its owner.*
//!
//! - Everybody may *read* what is shared: it is public, and its keys name everything that its bytes depend on.
//! - Nobody reads what belongs to another owner: not by its digest either, for which a page, a lock or a manifest
//!   that somebody else wrote is enough.
//! - What a build *keeps* goes where [`PublicSources`] says; in doubt that is the owner's.
//!
//! A wheel is public if its digest was promised before it was fetched, and nothing was shown to get it: no
//! password, and no address with a user or a query, which may be a signature. So a package of an index without
//! credentials on a private network is shared. That gives nobody what he could not have: all owners of one cache
//! build on one machine, from which each of them can ask the same index. Owners who may not reach the same network
//! must not have the same cache.
//!
//! Bytecode is no case of its own: it is made by an interpreter of this machine, never by that of an image, so it
//! goes where its wheel goes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use imagewright_oci::digest::Digest;
use imagewright_spec::{Owner, PipRequirement};
use rattler_conda_types::RepoDataRecord;
use url::{Origin, Url};

use crate::conda::{self, ChannelCredentials};
use crate::lock::LockedPackage;
use crate::plan::BuildPlan;

/// The index that is used where none is given, and where it keeps its files.
pub(crate) const PUBLIC_INDEX: [&str; 2] = ["https://pypi.org", "https://files.pythonhosted.org"];

/// For whom something in a cache is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// For everybody: made by our own code from public bytes that a digest names.
    Shared,
    /// For one owner: fetched with credentials, or learnt from somebody whom this owner has chosen to trust.
    Owner(Owner),
    /// For one owner's images on one base: made by executing that base.
    OwnerAndBase(Owner, Digest),
}

impl Scope {
    /// The scope in one line, for keys. It never changes, and no two scopes have the same.
    pub fn key(&self) -> String {
        match self {
            Self::Shared => "shared".to_owned(),
            Self::Owner(owner) => format!("owner {owner}"),
            Self::OwnerAndBase(owner, base) => format!("owner {owner} base {base}"),
        }
    }

    /// The folder of everything in this scope, below the folder of the cache. No scope's is another's, nor in the
    /// folder of one kind of thing of another's.
    pub(crate) fn folder(&self) -> PathBuf {
        match self {
            Self::Shared => PathBuf::new(),
            Self::Owner(owner) => PathBuf::from("owners").join(owner.as_str()),
            Self::OwnerAndBase(owner, base) => {
                PathBuf::from("owners").join(owner.as_str()).join("on").join(base.hex())
            }
        }
    }

    /// True for what everybody may have.
    pub fn is_shared(&self) -> bool {
        *self == Self::Shared
    }

    /// The scopes in which an owner may look for what earlier builds have kept, the best first.
    pub fn readable_by(owner: &Owner) -> [Self; 2] {
        [Self::Shared, Self::Owner(owner.clone())]
    }

    /// The scope of what is made of things of these scopes, which are all of one build: the narrowest.
    pub fn of_all<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> Scope {
        scopes.into_iter().max().cloned().unwrap_or(Self::Shared)
    }
}

/// What tells whether a build's wheel is public.
#[derive(Debug, Clone)]
pub struct PublicSources {
    owner: Owner,
    /// Where credentials of this build are sent.
    closed: Vec<Origin>,
    /// Indexes that are asked without credentials.
    open: Vec<Origin>,
    /// Packages that were asked for by an address that holds no secret, with the SHA-256 of what is there.
    promised: BTreeSet<String>,
    /// Credentials of conda channels.
    channels: Vec<ChannelCredentials>,
    /// Mirrors of conda channels, by their names.
    mirrors: BTreeMap<String, Vec<Url>>,
    /// Addresses of conda channels that are asked without credentials, with a `/` at their ends.
    open_channels: Vec<String>,
}

impl PublicSources {
    /// What a plan says of its sources.
    pub fn of(plan: &BuildPlan) -> Self {
        let pip = &plan.spec.pip;
        let closed: Vec<Origin> = plan
            .index_credentials
            .iter()
            .chain(&pip.credentials())
            .map(|credentials| credentials.url.origin())
            .collect();
        let indexes = pip.index_url.iter().chain(&pip.extra_index_urls).map(|index| index.url().origin());
        let public = PUBLIC_INDEX.iter().filter_map(|url| Url::parse(url).ok()).map(|url| url.origin());
        let open = indexes.chain(public).filter(|origin| !closed.contains(origin)).collect();
        let promised = pip.requirements.iter().chain(&pip.constraints).filter(|one| is_promised(one));
        let promised = promised.map(|one| one.name().to_owned()).collect();
        let channels = plan.conda.credentials.clone();
        let sources = conda::channels(&plan.spec.conda, &plan.conda, &[]).unwrap_or_default();
        let addresses = sources.iter().flat_map(|source| &source.addresses);
        let open_channels = addresses
            .filter(|address| conda::opening(&channels, address).is_none())
            .map(|address| format!("{}/", address.as_str().trim_end_matches('/')))
            .collect();
        let mirrors = plan.conda.mirrors.clone();
        Self { owner: plan.owner(), closed, open, promised, channels, mirrors, open_channels }
    }

    /// Where the wheel of a package is kept that is fetched from `address`, and all that is made of it.
    pub fn scope_of(&self, package: &LockedPackage, address: &Url) -> Scope {
        let origin = address.origin();
        let asks_nothing = shows_nothing(address) && !self.closed.contains(&origin);
        let is_public = match &package.direct_url {
            Some(_) => self.promised.contains(&package.name),
            // Where some index wants credentials, a file that is elsewhere may be one of its: nobody tells.
            None => self.closed.is_empty() || self.open.contains(&origin),
        };
        if asks_nothing && is_public { Scope::Shared } else { Scope::Owner(self.owner.clone()) }
    }

    /// Where the archive of a conda package is kept, and all that is made of it. Its record has promised its digest;
    /// as with wheels, where some channel wants credentials, only what lies below the others is public.
    pub fn scope_of_conda(&self, record: &RepoDataRecord) -> Scope {
        // What one mirror did not give may have come from another.
        let on_mirrors = conda::on_mirrors(&self.mirrors, &record.url);
        let asks_nothing = on_mirrors
            .iter()
            .all(|address| shows_nothing(address) && conda::opening(&self.channels, address).is_none());
        let is_public = self.channels.is_empty()
            || self.open_channels.iter().any(|channel| record.url.as_str().starts_with(channel));
        let is_promised = record.package_record.sha256.is_some() && record.channel.is_some();
        if asks_nothing && is_public && is_promised {
            Scope::Shared
        } else {
            Scope::Owner(self.owner.clone())
        }
    }
}

/// True for an address on a web server that holds neither a user nor a password nor a signature.
fn shows_nothing(address: &Url) -> bool {
    matches!(address.scheme(), "https" | "http")
        && address.username().is_empty()
        && address.password().is_none()
        && address.query().is_none()
}

/// True when a requirement names a public address, and the SHA-256 of what is there.
fn is_promised(requirement: &PipRequirement) -> bool {
    let hashed = |url: &Url| {
        let fragment = url.fragment().unwrap_or_default();
        fragment.split('&').any(|part| part.starts_with("sha256="))
            || requirement.hashes().iter().any(|hash| hash.starts_with("sha256:"))
    };
    requirement.url().is_some_and(|url| shows_nothing(url) && hashed(url))
}

#[cfg(test)]
mod tests;

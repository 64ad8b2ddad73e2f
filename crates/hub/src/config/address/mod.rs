//! Addresses that people type (base images, URLs, includes) and where they may lead.
//!
//! The hub stands in a network that its users do not see: this machine's own services answer on loopback, and the
//! metadata service of a cloud gives the machine's credentials to whoever asks from it. So an address that was typed
//! never leads there, whatever its name or notation, unless the configuration lists it. Private networks are
//! allowed: that is where companies have their registries and indexes.
//!
//! What a name means is asked once here and again by whoever fetches, and may have changed in between. Callers that
//! can use the addresses which [`AddressRule::check`] gives close that gap.

mod ranges;
mod reachable;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use thiserror::Error;
use url::{Host, Url};

pub use reachable::{Reachable, ReachableProblem};

/// Asks what addresses a name has.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of a name.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why an address is not reached.
#[derive(Debug, Error)]
pub enum AddressProblem {
    /// The text names no host.
    #[error("{text:?} names no host")]
    NoHost {
        /// What was given.
        text: String,
    },
    /// It leads where nobody's address may lead.
    #[error("{host} is {what}, which is not reached from here")]
    Refused {
        /// The host, as it is read.
        host: String,
        /// What it is: `a loopback address`, `a link-local address`.
        what: &'static str,
    },
    /// The name has no address, as far as this machine can tell. Behind a proxy that may be as it should.
    #[error("the name {host} cannot be resolved")]
    NotResolved {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
}

/// Says which addresses may be reached that people type.
#[derive(Debug, Clone, Default)]
pub struct AddressRule {
    reachable: Vec<Reachable>,
}

impl AddressRule {
    /// The rule with what a configuration lists.
    pub fn new(reachable: Vec<Reachable>) -> Self {
        Self { reachable }
    }

    /// Also allows the hub's own registry: exactly this address and port.
    #[must_use]
    pub fn with_own_registry(mut self, address: SocketAddr) -> Self {
        self.reachable.push(Reachable::address(address));
        self
    }

    /// Looks at a web address.
    ///
    /// # Errors
    /// Why it is not reached.
    pub async fn check_url(&self, url: &Url, resolver: &dyn Resolver) -> Result<Vec<IpAddr>, AddressProblem> {
        let Some(host) = url.host() else {
            return Err(AddressProblem::NoHost { text: url.scheme().to_owned() });
        };
        self.check_host(host, url.port_or_known_default(), resolver).await
    }

    /// Looks at what stands where a host is due, `host` or `host:port`, as in a registry's name. Numbers are read as
    /// programs read them: `2130706433` and `0x7f.1` are 127.0.0.1. Without a port it is that of HTTPS.
    ///
    /// # Errors
    /// Why it is not reached.
    pub async fn check(
        &self,
        authority: &str,
        resolver: &dyn Resolver,
    ) -> Result<Vec<IpAddr>, AddressProblem> {
        let no_host = || AddressProblem::NoHost { text: authority.to_owned() };
        // Nothing but a host and a port: the rest of an address would hide in what only looks like one.
        if authority.contains(['/', '\\', '@', '?', '#']) || authority.trim() != authority {
            return Err(no_host());
        }
        let url = Url::parse(&format!("https://{authority}/")).map_err(|_| no_host())?;
        self.check_host(url.host().ok_or_else(no_host)?, url.port_or_known_default(), resolver).await
    }

    /// Gives the addresses of a host if all of them may be reached.
    async fn check_host(
        &self,
        host: Host<&str>,
        port: Option<u16>,
        resolver: &dyn Resolver,
    ) -> Result<Vec<IpAddr>, AddressProblem> {
        let name = match host {
            Host::Ipv4(address) => return self.check_address(address.into(), port, None),
            Host::Ipv6(address) => return self.check_address(address.into(), port, None),
            Host::Domain(name) => name.trim_end_matches('.'),
        };
        let is_listed = self.reachable.iter().any(|entry| entry.allows_name(name, port));
        // Some resolvers ask the network for these names, and get an answer of somebody else's.
        let is_local = name == "localhost" || name.ends_with(".localhost");
        if is_local && !is_listed {
            let loopback = IpAddr::from([127, 0, 0, 1]);
            return self.check_address(loopback, port, Some(name));
        }
        let addresses = resolver.resolve(name).await.and_then(|addresses| {
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "no address"));
            }
            Ok(addresses)
        });
        let addresses =
            addresses.map_err(|source| AddressProblem::NotResolved { host: name.to_owned(), source })?;
        if !is_listed {
            // All of them: which one is taken is not ours to say.
            for address in &addresses {
                self.check_address(*address, port, Some(name))?;
            }
        }
        Ok(addresses)
    }

    fn check_address(
        &self,
        address: IpAddr,
        port: Option<u16>,
        name: Option<&str>,
    ) -> Result<Vec<IpAddr>, AddressProblem> {
        match ranges::refused(address) {
            Some(what) if !self.reachable.iter().any(|entry| entry.allows_address(address, port)) => {
                let host = name.map_or_else(|| address.to_string(), str::to_owned);
                Err(AddressProblem::Refused { host, what })
            }
            _ => Ok(vec![address]),
        }
    }
}

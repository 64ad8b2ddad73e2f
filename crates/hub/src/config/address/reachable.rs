//! What a configuration says may be reached all the same.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;
use url::{Host, Url};

/// A host, an address or a network, perhaps with one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    target: Target,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Network(IpNet),
    /// In lower case, without a dot at its end.
    Name(String),
}

/// Text that is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is a host, an address or a network, with a port where only that is meant")]
pub struct ReachableProblem;

impl Reachable {
    /// Exactly this address and port.
    pub fn address(address: SocketAddr) -> Self {
        Self::network(address.ip().into(), Some(address.port()))
    }

    pub(super) fn network(network: IpNet, port: Option<u16>) -> Self {
        Self { target: Target::Network(network), port }
    }

    pub(super) fn allows_name(&self, name: &str, port: Option<u16>) -> bool {
        self.allows_port(port) && matches!(&self.target, Target::Name(own) if own == name)
    }

    pub(super) fn allows_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        // A listed address stands for its notation in IPv6 too.
        self.allows_port(port)
            && matches!(&self.target, Target::Network(own) if own.contains(&address.to_canonical()) || own.contains(&address))
    }

    fn allows_port(&self, port: Option<u16>) -> bool {
        self.port.is_none() || self.port == port
    }
}

impl FromStr for Reachable {
    type Err = ReachableProblem;

    fn from_str(text: &str) -> Result<Self, ReachableProblem> {
        let text = text.trim();
        if let Ok(network) = text.parse() {
            return Ok(Self::network(network, None));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::network(address.into(), None));
        }
        if text.is_empty() || text.contains(['/', '\\', '@', '?', '#', ' ', '*']) {
            return Err(ReachableProblem);
        }
        // The parser of web addresses leaves out the usual port of their scheme: the text is asked for it.
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| ReachableProblem)?;
        let port = match text.rsplit_once(':') {
            Some((_, port)) if !text.ends_with(']') => Some(port.parse().map_err(|_| ReachableProblem)?),
            _ => None,
        };
        let target = match url.host().ok_or(ReachableProblem)? {
            Host::Domain(name) => Target::Name(name.trim_end_matches('.').to_owned()),
            Host::Ipv4(address) => Target::Network(IpAddr::from(address).into()),
            Host::Ipv6(address) => Target::Network(IpAddr::from(address).into()),
        };
        Ok(Self { target, port })
    }
}

impl fmt::Display for Reachable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.port) {
            (Target::Network(network), None) => write!(formatter, "{network}"),
            (Target::Network(network), Some(port)) if network.addr().is_ipv6() => {
                write!(formatter, "[{}]:{port}", network.addr())
            }
            (Target::Network(network), Some(port)) => write!(formatter, "{}:{port}", network.addr()),
            (Target::Name(name), None) => formatter.write_str(name),
            (Target::Name(name), Some(port)) => write!(formatter, "{name}:{port}"),
        }
    }
}

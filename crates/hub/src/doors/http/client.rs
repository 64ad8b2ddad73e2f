//! From where a request comes, and to where answers lead back.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::header::HOST;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::HubConfig;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Client {
    /// The address: that of the connection, or what proxies say that are trusted.
    pub(super) address: Option<String>,
    /// How the hub is called from there: scheme and host, without a slash at the end.
    pub(super) origin: Option<String>,
}

impl Client {
    /// Where this request comes from.
    pub(super) fn of(request: &Request, config: &HubConfig) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let trusted = &config.trusted_proxies;
        let public = config.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self {
            address: peer.map(|peer| address(peer, request.headers(), trusted).to_string()),
            origin: public.or_else(|| {
                let is_trusted = peer.is_some_and(|peer| is_in(peer.to_canonical(), trusted));
                origin(request.headers(), is_trusted)
            }),
        }
    }
}

/// Proxies append who has called them: from the end, the first that is no trusted proxy itself is the client.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).into_iter().filter_map(|line| line.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        if !is_in(address, trusted) {
            break;
        }
        let parsed =
            hop.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|with_port| with_port.ip()));
        match parsed {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

fn origin(headers: &HeaderMap, is_trusted: bool) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = |name: &HeaderName| text(name).filter(|_| is_trusted);
    let host = forwarded(&FORWARDED_HOST).or(text(&HOST))?;
    // It is written into JSON that a client keeps as the address of the API.
    let is_good = |character: char| character.is_ascii_alphanumeric() || "-._:[]".contains(character);
    if host.is_empty() || !host.chars().all(is_good) {
        return None;
    }
    let scheme = if forwarded(&FORWARDED_PROTO) == Some("https") { "https" } else { "http" };
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let seen = |peer: &str, line: &'static str| {
            address(peer.parse().unwrap(), &headers(&[(FORWARDED_FOR, line)]), &trusted).to_string()
        };
        assert_eq!(seen("192.0.2.1", "203.0.113.9"), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(seen("::ffff:10.0.0.1", "198.51.100.7, 203.0.113.9, 10.2.3.4"), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "203.0.113.9:4711"), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "rubbish"), "10.0.0.1");
    }

    #[test]
    fn answers_lead_back_to_where_the_hub_was_called() {
        let called =
            headers(&[(HOST, "hub:8080"), (FORWARDED_HOST, "images.example"), (FORWARDED_PROTO, "https")]);
        assert_eq!(origin(&called, false).as_deref(), Some("http://hub:8080"));
        assert_eq!(origin(&called, true).as_deref(), Some("https://images.example"));
        assert_eq!(origin(&headers(&[(HOST, "a/b")]), false), None);
    }
}

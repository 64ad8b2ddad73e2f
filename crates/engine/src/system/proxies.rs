//! The caller's way to the network, as steps are told of it: proxies and certificates, and nothing secret.

use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::container::GIVEN_IN_STEP;
use crate::error::{BuildError, ErrorKind};
use crate::pip::certificates;

/// The variables by which programs learn of proxies. Both spellings are in use.
const VARIABLES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// The file in which a step finds the certificates that this machine trusts.
const CERTIFICATES: &str = "certificates.pem";

/// Variables by which common programs find certificates.
const CERTIFICATE_VARIABLES: [&str; 6] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
];

/// The proxies of this process's environment, `name=value`.
///
/// # Errors
/// Proxies that a step must not know of, or cannot reach.
pub(crate) fn proxies_of_this_process() -> Result<Vec<(String, String)>, BuildError> {
    let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    proxies(|name| value(name).or_else(|| value(&name.to_uppercase())))
}

/// What a step is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NetworkSettings {
    /// Variables with their values.
    pub(crate) environment: Vec<(String, String)>,
    /// Where a step finds certificates, if this machine has any.
    pub(crate) certificates: Option<String>,
}

impl NetworkSettings {
    /// The proxies of this process's environment, and the certificates of this machine with the plan's, put into
    /// the folder that steps are given.
    ///
    /// # Errors
    /// Proxies that a step must not know of, or cannot reach; certificates that cannot be read.
    pub(crate) fn gather(ca_bundles: &[PathBuf], given: &Path) -> Result<Self, BuildError> {
        let mut environment = proxies_of_this_process()?;
        let bundle = certificates::bundle(ca_bundles, given)?;
        let mut settings = Self::default();
        if let Some(bundle) = bundle {
            let place = given.join(CERTIFICATES);
            if bundle != place {
                std::fs::copy(&bundle, &place).map_err(|error| BuildError::file("copy to", &place, error))?;
            }
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            std::fs::set_permissions(&place, mode)
                .map_err(|error| BuildError::file("change the mode of", &place, error))?;
            let inside = format!("{GIVEN_IN_STEP}/{CERTIFICATES}");
            environment.extend(CERTIFICATE_VARIABLES.map(|name| (name.to_owned(), inside.clone())));
            settings.certificates = Some(inside);
        }
        settings.environment = environment;
        Ok(settings)
    }
}

/// The variables of proxies in both spellings.
fn proxies(value: impl Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, BuildError> {
    let mut variables = Vec::new();
    for name in VARIABLES {
        let Some(value) = value(name) else { continue };
        if name != "no_proxy" {
            check(name, &value)?;
        }
        variables.push((name.to_owned(), value.clone()));
        variables.push((name.to_uppercase(), value));
    }
    Ok(variables)
}

/// Refuses proxies that a step must not know of, or cannot reach.
fn check(name: &str, value: &str) -> Result<(), BuildError> {
    let refuse = |why: &str, next: &str| {
        Err(BuildError::new(ErrorKind::Unsupported, format!("the proxy in {name} {why}"))
            .with_next_step(next))
    };
    // Without a scheme, as curl and apt accept it too.
    let url = Url::parse(value).or_else(|_| Url::parse(&format!("http://{value}")));
    let Ok(url) =
        url.and_then(|url| if url.has_host() { Ok(url) } else { Url::parse(&format!("http://{value}")) })
    else {
        return refuse("is no address", "write it as http://HOST:PORT");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "holds a user name or a password, which foreign code in a step could read",
            "run a proxy that lets this machine through without one, and name that",
        );
    }
    let local = match url.host() {
        Some(Host::Domain(host)) => host == "localhost" || host.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    };
    if local {
        return refuse(
            "is on this machine's loopback, which steps in the sandbox cannot reach",
            "let it listen on an address of this machine's network too, name it by that, and put that address under \
             `reachable` in [sandbox] of the configuration file",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> Result<Vec<(String, String)>, BuildError> {
        proxies(move |name| (name == "https_proxy").then(|| value.to_owned()))
    }

    #[test]
    fn a_proxy_is_told_in_both_spellings() {
        for value in ["http://proxy.example:3128", "proxy.example:3128", "http://10.1.2.3:3128/"] {
            let expected = ["https_proxy", "HTTPS_PROXY"].map(|name| (name.to_owned(), value.to_owned()));
            assert_eq!(of(value).unwrap(), expected);
        }
    }

    #[test]
    fn secrets_stay_outside_and_loopback_is_told_to_be_out_of_reach() {
        for value in ["http://ann:secret@proxy.example:3128", "ann:secret@proxy.example:3128"] {
            let error = of(value).unwrap_err();
            assert!(error.message().contains("password"), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        for value in ["http://127.0.0.1:3128", "localhost:3128", "http://[::1]:3128"] {
            assert!(of(value).unwrap_err().message().contains("loopback"), "{value}");
        }
    }
}

//! Where conda channels are, and what opens them.
//!
//! Credentials are read from a file in the form that rattler and pixi keep (`credentials.json`): hosts, each with
//! one of `BasicHTTP`, `BearerToken` and `CondaToken`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imagewright_engine::conda::{ChannelCredentials, ChannelSecret, CondaSettings};
use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_spec::CondaChannel;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::variable;
use crate::arguments::BuildArguments;

/// The variable that stands for `--channel-alias`.
const CHANNEL_ALIAS: &str = "IMAGEWRIGHT_CHANNEL_ALIAS";

/// The variable that stands for `--channel-authfile`.
const CHANNEL_AUTHFILE: &str = "IMAGEWRIGHT_CHANNEL_AUTHFILE";

/// Largest file of credentials, in bytes.
const LARGEST: u64 = 1 << 20;

/// What one host is shown.
#[derive(Deserialize)]
enum Entry {
    #[serde(rename = "BasicHTTP")]
    Basic { username: String, password: SecretString },
    #[serde(rename = "BearerToken")]
    Bearer(SecretString),
    #[serde(rename = "CondaToken")]
    Token(SecretString),
}

/// The settings that the command line describes.
///
/// # Errors
/// Addresses that are none, and a file that cannot be read.
pub(crate) fn settings(arguments: &BuildArguments) -> Result<CondaSettings, BuildError> {
    let channel_alias = match (&arguments.channel_alias, variable(CHANNEL_ALIAS)) {
        (Some(url), _) => Some(checked("--channel-alias", url.clone())?),
        (None, Some(text)) => Some(address(CHANNEL_ALIAS, &text)?),
        (None, None) => None,
    };
    let mut mirrors: BTreeMap<String, Vec<Url>> = BTreeMap::new();
    for text in &arguments.channel_mirror {
        let wrong = || wrong("--channel-mirror", &format!("{text:?} is not NAME=URL"));
        let (name, url) = text.split_once('=').ok_or_else(wrong)?;
        let channel: CondaChannel = name.parse().map_err(|_| wrong())?;
        if channel.url().is_some() {
            return Err(wrong());
        }
        mirrors.entry(channel.to_string()).or_default().push(address("--channel-mirror", url)?);
    }
    Ok(CondaSettings {
        channel_alias,
        mirrors,
        cuda: arguments.cuda,
        credentials: credentials(arguments)?,
        ..CondaSettings::default()
    })
}

/// The credentials of channels.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn credentials(arguments: &BuildArguments) -> Result<Vec<ChannelCredentials>, BuildError> {
    let path = arguments.channel_authfile.clone().or_else(|| variable(CHANNEL_AUTHFILE).map(PathBuf::from));
    path.map_or_else(|| Ok(Vec::new()), |path| read(&path))
}

fn read(path: &Path) -> Result<Vec<ChannelCredentials>, BuildError> {
    // Nothing of the text is repeated: it is full of secrets.
    let unreadable = |why: &str| {
        wrong("--channel-authfile", &format!("{} {why}", path.display())).with_next_step(
            r#"pass a file such as {"conda.example.com": {"CondaToken": "…"}}, as `pixi auth` and `rattler auth` write it"#,
        )
    };
    let length =
        std::fs::metadata(path).map_err(|error| unreadable(&format!("cannot be read: {error}")))?.len();
    if length > LARGEST {
        return Err(unreadable("is larger than 1 MiB"));
    }
    let text = std::fs::read(path).map_err(|error| unreadable(&format!("cannot be read: {error}")))?;
    let entries: BTreeMap<String, Entry> = serde_json::from_slice(&text).map_err(|error| {
        unreadable(&format!("is not valid at line {}, column {}", error.line(), error.column()))
    })?;
    let mut credentials = Vec::new();
    for (host, entry) in entries {
        let plain = host.trim_start_matches("*.");
        if plain != host {
            return Err(unreadable("names hosts by a pattern (`*.`): name each host that is used"));
        }
        let secret = match entry {
            Entry::Basic { username, password } => ChannelSecret::Basic { user: username, password },
            Entry::Bearer(bearer) => ChannelSecret::Bearer { bearer },
            Entry::Token(token) => ChannelSecret::Token { token },
        };
        for url in addresses(&host) {
            let url = url.parse().map_err(|_| unreadable("names a host that is none"))?;
            credentials.push(ChannelCredentials { url, secret: secret.clone() });
        }
    }
    Ok(credentials)
}

/// The addresses that a host of the file stands for: an address as it is; a name over TLS, and without it only on
/// this machine.
fn addresses(host: &str) -> Vec<String> {
    if host.contains("://") {
        return vec![host.to_owned()];
    }
    let mut addresses = vec![format!("https://{host}")];
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "localhost" | "127.0.0.1") {
        addresses.push(format!("http://{host}"));
    }
    addresses
}

fn address(option: &str, text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text).map_err(|error| wrong(option, &format!("this is no address: {error}")))?;
    checked(option, url)
}

/// Addresses are shown and stored: they hold no credentials.
fn checked(option: &str, url: Url) -> Result<Url, BuildError> {
    let has_token = url.path_segments().is_some_and(|mut segments| segments.next() == Some("t"));
    if !url.username().is_empty() || url.password().is_some() || has_token {
        return Err(wrong(option, "an address of channels cannot hold credentials")
            .with_next_step("leave them out, and pass them with --channel-authfile"));
    }
    if !matches!(url.scheme(), "https" | "http") {
        return Err(wrong(option, "an address of channels starts with https:// or http://"));
    }
    Ok(url)
}

fn wrong(option: &str, message: &str) -> BuildError {
    BuildError::new(ErrorKind::SpecInvalid, format!("{option}: {message}")).with_next_step(
        "correct it as in --channel-mirror conda-forge=https://mirror.example.com/conda-forge",
    )
}

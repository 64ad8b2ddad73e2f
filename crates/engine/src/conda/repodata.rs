//! What channels have: the records that may play a role for a request, and no others.

use std::path::Path;

use rattler_conda_types::{MatchSpec, Subdir};
use rattler_networking::LazyClient;
use rattler_repodata_gateway::{ChannelRelationsMode, Gateway, GatewayError, RepoData};
use reqwest_middleware::ClientWithMiddleware;

use super::channels::ChannelSource;
use super::client::Refusals;
use crate::error::{BuildError, ErrorKind};

/// Requests at the same time: a sharded channel answers hundreds of small ones.
const CONCURRENT_REQUESTS: usize = 50;

/// What is asked.
pub struct Query<'query> {
    /// Whom.
    pub channels: &'query [ChannelSource],
    /// For which platform, besides what is for all.
    pub subdir: Subdir,
    /// For which packages and all that they may need.
    pub specs: Vec<MatchSpec>,
}

/// Asks the channels for all records that a request may need.
///
/// `folder` keeps what they said; it is asked again as their own `Cache-Control` says.
///
/// # Errors
/// Channels that do not exist, cannot be reached, refuse, or say what is no list of packages.
pub async fn fetch(
    client: ClientWithMiddleware,
    folder: &Path,
    query: Query<'_>,
    refusals: &Refusals,
) -> Result<Vec<RepoData>, BuildError> {
    let Query { channels, subdir, specs } = query;
    let sources = channels.iter().map(ChannelSource::source).collect::<Result<Vec<_>, _>>()?;
    let gateway = Gateway::builder()
        .with_client(LazyClient::from(client))
        .with_cache_dir(folder)
        .with_max_concurrent_requests(CONCURRENT_REQUESTS)
        .finish();
    let query = gateway
        .query(sources, [subdir, Subdir::NoArch], specs)
        .recursive(true)
        .channel_notices(false)
        // A channel must not make us ask addresses that nobody has named.
        .channel_relations(ChannelRelationsMode::Disabled);
    let output = query.execute().await.map_err(|error| failure(error, channels, &refusals.addresses()))?;
    Ok(output.repodata)
}

/// The error in words for people. Addresses that the gateway shows are without credentials.
fn failure(error: GatewayError, channels: &[ChannelSource], refused: &[String]) -> BuildError {
    let names: Vec<&str> = channels.iter().map(|source| source.channel.as_str()).collect();
    let names = names.join(", ");
    let told = chain(&error);
    let (kind, message, next) = match (&error, refused.first()) {
        (_, Some(address)) => (
            ErrorKind::Unauthorized,
            format!("a conda channel refuses access: {address}"),
            "pass credentials for the channel with --channel-authfile, or ask who runs it",
        ),
        (GatewayError::SubdirNotFoundError(missing), _) => (
            ErrorKind::NotFound,
            format!("there is no conda channel {}", missing.channel.canonical_name()),
            "check the name of the channel, and the address of the mirror if one is configured",
        ),
        (GatewayError::IoError(..) | GatewayError::CacheError(_), _)
            if crate::error::is_disk_full(&error) =>
        {
            (
                ErrorKind::DiskFull,
                "no space is left for what the conda channels have".to_owned(),
                "free some space, and build again",
            )
        }
        _ => (
            ErrorKind::Unreachable,
            format!("the conda channels cannot be read ({names})"),
            "check the addresses, the network and the proxy; for a private certificate pass --ca-bundle",
        ),
    };
    BuildError::new(kind, message).with_explanation(told).with_next_step(next).with_source(error)
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(current) = cause {
        let text = current.to_string();
        if words.last() != Some(&text) {
            words.push(text);
        }
        cause = current.source();
    }
    words.join(": ")
}

//! From the names of channels to the addresses that are asked.

use std::collections::BTreeSet;

use imagewright_spec::{CondaChannel, CondaRequest};
use rattler_conda_types::{Channel, RepoDataRecord};
use rattler_repodata_gateway::{MultiSource, Source};
use url::Url;

use super::lock::LockedCondaPackage;
use super::settings::CondaSettings;
use crate::error::{BuildError, ErrorKind};
use crate::lock::is_below;
use crate::plan::Mirror;

/// The channel of plans, bases and operators that name none.
const USUAL_CHANNEL: &str = "conda-forge";

/// conda's name for several channels of Anaconda's other server, which its terms bind larger organisations to pay for.
const DEFAULTS: (&str, [&str; 2]) =
    ("defaults", ["https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"]);

/// One channel: its name or address as people write it, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSource {
    /// As it was written.
    pub channel: CondaChannel,
    /// Its address, or those of its parts; with mirrors those of all, in order of preference.
    pub addresses: Vec<Url>,
    /// Whether each address has all that the channel has.
    pub are_mirrors: bool,
}

impl ChannelSource {
    /// Whether what is installed is of this channel, from wherever it was fetched then: by the name of the channel
    /// where the record has one, by its addresses of now, and by those that its name has for everybody else.
    pub(super) fn has(&self, record: &RepoDataRecord) -> bool {
        record.channel.as_deref() == Some(self.channel.as_str())
            || self.has_address(&record.url)
            || usual_addresses(&self.channel).iter().any(|folder| is_below(folder, &record.url))
    }

    /// Whether an address is in one of the folders of this channel.
    pub fn has_address(&self, address: &Url) -> bool {
        self.addresses.iter().any(|folder| is_below(folder, address))
    }

    /// The source as the gateway takes it. A name stays a name: specs such as `conda-forge::numpy` and records of
    /// installed packages use it, wherever the channel is.
    pub fn source(&self) -> Result<Source, BuildError> {
        // The client asks the other mirrors, where the first does not answer.
        let asked = if self.are_mirrors { 1 } else { self.addresses.len() };
        let addresses = self.addresses.iter().take(asked).cloned();
        let channels = addresses.map(Channel::from_url).map(Source::Channel).collect();
        MultiSource::new(self.channel.as_str(), channels).map(Source::Multi).map_err(|error| {
            BuildError::new(ErrorKind::SpecInvalid, format!("the mirrors of a channel are odd: {error}"))
                .with_next_step("correct the mirrors in the configuration")
        })
    }
}

/// The channels of a request in their order: its own, else those that are configured, else those of the base that
/// are given by name and allowed (no address of a base is ever fetched), else conda-forge, or the first that is allowed.
///
/// # Errors
/// A channel that is not allowed.
pub fn channels(
    request: &CondaRequest,
    settings: &CondaSettings,
    of_base: &[CondaChannel],
) -> Result<Vec<ChannelSource>, BuildError> {
    check_addresses(request, settings)?;
    let mut wanted = request.channels.clone();
    // Nobody who builds has chosen these: what is not allowed is passed over.
    let usual = USUAL_CHANNEL.parse::<CondaChannel>().ok();
    let is_allowed = |channel: &&CondaChannel| check_allowed(channel, settings).is_ok();
    let named = of_base.iter().filter(|channel| channel.url().is_none()).filter(is_allowed);
    if wanted.is_empty() {
        wanted.extend(settings.channels.iter().cloned());
    }
    if wanted.is_empty() {
        wanted.extend(named.cloned());
    }
    if wanted.is_empty() {
        let first_allowed = settings.allowed_channels.first();
        wanted.extend(usual.as_ref().filter(is_allowed).or(first_allowed).cloned());
    }
    for channel in request.all_channels() {
        if !wanted.contains(&channel) {
            wanted.push(channel);
        }
    }
    wanted.into_iter().map(|channel| source(channel, settings)).collect()
}

/// Where channels are restricted, refuses a lock with packages from elsewhere: anybody can write a lock.
///
/// # Errors
/// The first package that none of the allowed channels has, or would not be fetched from there.
pub fn check_locked(
    packages: &[LockedCondaPackage],
    settings: &CondaSettings,
    mirrors: &[Mirror],
) -> Result<(), BuildError> {
    if settings.allowed_channels.is_empty() {
        return Ok(());
    }
    let allowed = settings.allowed_channels.iter().map(|channel| source(channel.clone(), settings));
    let allowed = allowed.collect::<Result<Vec<_>, _>>()?;
    let is_there = |address: &Url| allowed.iter().any(|source| source.has_address(address));
    let odd = packages.iter().find(|package| {
        let address = &package.record.url;
        !is_there(address) || !is_there(&Mirror::of(mirrors, address))
    });
    let Some(odd) = odd else { return Ok(()) };
    let message = format!("{} of the lock is not fetched from a channel that is allowed here", odd.label());
    Err(BuildError::new(ErrorKind::SpecInvalid, message)
        .with_next_step("build from a lock whose packages come from the allowed channels, without --mirror"))
}

fn source(channel: CondaChannel, settings: &CondaSettings) -> Result<ChannelSource, BuildError> {
    check_allowed(&channel, settings)?;
    let (addresses, are_mirrors) = addresses(&channel, settings)?;
    Ok(ChannelSource { channel, addresses, are_mirrors })
}

/// Where a channel is, and whether each address has all that it has.
fn addresses(channel: &CondaChannel, settings: &CondaSettings) -> Result<(Vec<Url>, bool), BuildError> {
    let mirrors = settings.mirrors.get(channel.as_str()).filter(|mirrors| !mirrors.is_empty());
    let are_mirrors = channel.url().is_none() && mirrors.is_some();
    let addresses = match (channel.url(), mirrors) {
        (Some(url), _) => vec![url],
        (None, Some(mirrors)) => mirrors.clone(),
        (None, _) if channel.as_str() == DEFAULTS.0 && settings.channel_alias.is_none() => {
            usual_addresses(channel)
        }
        (None, _) => vec![below(&settings.server(), channel.as_str())?],
    };
    Ok((addresses, are_mirrors))
}

/// Where a channel is that is given by its name, and that nobody has configured.
fn usual_addresses(channel: &CondaChannel) -> Vec<Url> {
    let settings = CondaSettings::default();
    match (channel.url(), channel.as_str()) {
        (Some(_), _) => Vec::new(),
        (None, name) if name == DEFAULTS.0 => {
            DEFAULTS.1.iter().filter_map(|address| address.parse().ok()).collect()
        }
        (None, name) => below(&settings.server(), name).into_iter().collect(),
    }
}

fn below(server: &Url, name: &str) -> Result<Url, BuildError> {
    let text = format!("{}/{name}", server.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|error| {
        BuildError::new(ErrorKind::SpecInvalid, format!("the channel {name} has no address: {error}"))
            .with_next_step("correct channel_alias in the configuration")
    })
}

/// Where channels are restricted, a package cannot be asked for by its address: it could be anywhere.
fn check_addresses(request: &CondaRequest, settings: &CondaSettings) -> Result<(), BuildError> {
    let by_address = request.specs.iter().find(|spec| spec.match_spec().url.is_some());
    match by_address {
        Some(spec) if !settings.allowed_channels.is_empty() => Err(BuildError::new(
            ErrorKind::SpecInvalid,
            format!("{} is asked for by its address, and only some channels are allowed here", spec.name()),
        )
        .with_next_step("ask for it by name, from one of the allowed channels")),
        _ => Ok(()),
    }
}

/// A channel is allowed by its name, or where all that it stands for is what an allowed one stands for.
fn check_allowed(channel: &CondaChannel, settings: &CondaSettings) -> Result<(), BuildError> {
    let allowed = &settings.allowed_channels;
    let stands_for = |channel: &CondaChannel| {
        let addresses = addresses(channel, settings).map(|(addresses, _)| addresses).unwrap_or_default();
        addresses.into_iter().map(|url| url.as_str().trim_end_matches('/').to_owned())
    };
    let mut own = stands_for(channel).peekable();
    let all_allowed: BTreeSet<String> = allowed.iter().flat_map(stands_for).collect();
    let is_allowed = allowed.contains(channel)
        || own.peek().is_some() && own.all(|address| all_allowed.contains(&address));
    if allowed.is_empty() || is_allowed {
        return Ok(());
    }
    let names: Vec<&str> = allowed.iter().map(CondaChannel::as_str).collect();
    Err(BuildError::new(ErrorKind::SpecInvalid, format!("the channel {channel} is not allowed here"))
        .with_explanation(format!("Allowed are {}.", names.join(", ")))
        .with_next_step("use one of these, or ask your administrator to allow the channel"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> CondaRequest {
        imagewright_spec::parse_conda("conda", text, imagewright_spec::CondaPolicy::OPEN).unwrap()
    }

    fn addresses(text: &str, settings: &CondaSettings, of_base: &[&str]) -> Vec<String> {
        let of_base: Vec<CondaChannel> = of_base.iter().map(|name| name.parse().unwrap()).collect();
        let found = channels(&request(text), settings, &of_base).unwrap();
        found.into_iter().flat_map(|source| source.addresses).map(|url| url.to_string()).collect()
    }

    #[test]
    fn the_first_that_names_channels_decides() {
        let mut settings = CondaSettings::default();
        let forge = "https://conda.anaconda.org/conda-forge";
        assert_eq!(addresses("numpy", &settings, &[]), [forge]);
        let base = ["bioconda", "https://169.254.169.254/x"];
        assert_eq!(addresses("numpy", &settings, &base), ["https://conda.anaconda.org/bioconda"]);
        settings.channels = vec!["main".parse().unwrap()];
        settings.channel_alias = Some("https://conda.example/all/".parse().unwrap());
        assert_eq!(addresses("numpy", &settings, &base), ["https://conda.example/all/main"]);
        assert_eq!(
            addresses("-c https://x.example/c numpy nvidia::cuda", &settings, &base),
            ["https://x.example/c", "https://conda.example/all/nvidia"]
        );
    }

    #[test]
    fn a_lock_has_packages_of_allowed_channels_only() {
        let package = |url: &str| -> LockedCondaPackage {
            let record = serde_json::json!({
                "name": "six", "version": "1", "build": "0", "build_number": 0, "subdir": "noarch", "depends": [],
                "fn": "six-1-0.conda", "url": url, "channel": "conda-forge",
            });
            serde_json::from_value(record).unwrap()
        };
        let good = package("https://conda.anaconda.org/conda-forge/noarch/six-1-0.conda");
        let bad = package("https://elsewhere.example/conda-forge/noarch/six-1-0.conda");
        let mut settings = CondaSettings::default();
        assert!(check_locked(std::slice::from_ref(&bad), &settings, &[]).is_ok());
        settings.allowed_channels = vec!["conda-forge".parse().unwrap()];
        assert!(check_locked(std::slice::from_ref(&good), &settings, &[]).is_ok());
        assert!(check_locked(&[good.clone(), bad], &settings, &[]).is_err());
        let mirror = Mirror {
            from: "https://conda.anaconda.org/".parse().unwrap(),
            to: "https://elsewhere.example/".parse().unwrap(),
        };
        assert!(
            check_locked(&[good], &settings, &[mirror]).is_err(),
            "a mirror of one's own leads elsewhere"
        );
    }

    #[test]
    fn a_channel_is_found_on_its_mirrors() {
        let mut settings = CondaSettings::default();
        let mirrors = ["https://a.example/forge", "https://b.example/forge"];
        settings.mirrors.insert("conda-forge".into(), mirrors.map(|url| url.parse().unwrap()).to_vec());
        assert_eq!(addresses("conda-forge::numpy", &settings, &[]), mirrors);
    }

    #[test]
    fn other_channels_than_the_allowed_are_refused() {
        let settings = CondaSettings {
            allowed_channels: vec!["conda-forge".parse().unwrap()],
            ..CondaSettings::default()
        };
        assert_eq!(addresses("-c https://conda.anaconda.org/conda-forge numpy", &settings, &[]).len(), 1);
        let address = "https://conda.anaconda.org/conda-forge/noarch/six-1-0.conda";
        assert!(channels(&request(address), &settings, &[]).is_err());
        let error = channels(&request("nvidia::cuda"), &settings, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SpecInvalid);
    }

    #[test]
    fn what_a_base_names_and_is_not_allowed_is_passed_over() {
        let mut settings =
            CondaSettings { allowed_channels: vec!["good".parse().unwrap()], ..CondaSettings::default() };
        let good = "https://conda.anaconda.org/good";
        assert_eq!(addresses("numpy", &settings, &["bad", "good"]), [good]);
        assert_eq!(addresses("numpy", &settings, &["bad"]), [good]);
        settings.allowed_channels.push("conda-forge".parse().unwrap());
        assert_eq!(addresses("numpy", &settings, &["bad"]), ["https://conda.anaconda.org/conda-forge"]);
        assert!(channels(&request("-c bad numpy"), &settings, &[]).is_err());
    }

    #[test]
    fn a_name_is_allowed_by_the_address_that_it_stands_for_and_the_other_way_round() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let mirrors = ["https://a.example/forge/", "https://b.example/forge"].map(url).to_vec();
        let mut settings = CondaSettings {
            mirrors: [("conda-forge".to_owned(), mirrors)].into(),
            allowed_channels: vec!["https://a.example/forge".parse().unwrap()],
            ..CondaSettings::default()
        };
        let is_allowed =
            |text: &str, settings: &CondaSettings| channels(&request(text), settings, &[]).is_ok();
        // One of its mirrors is not allowed.
        assert!(!is_allowed("-c conda-forge numpy", &settings));
        settings.allowed_channels.push("https://b.example/forge".parse().unwrap());
        assert!(is_allowed("-c conda-forge numpy", &settings));
        settings.allowed_channels = vec!["conda-forge".parse().unwrap()];
        assert!(is_allowed("-c https://b.example/forge numpy", &settings));
        // That is not where the name leads here.
        assert!(!is_allowed("-c https://conda.anaconda.org/conda-forge numpy", &settings));
        settings.allowed_channels = vec!["https://conda.anaconda.org/nvidia".parse().unwrap()];
        assert!(is_allowed("nvidia::cuda -c nvidia", &settings));
    }
}

//! From the names of channels to the addresses that are asked.

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
    /// Its address, and its mirrors' in order of preference.
    pub addresses: Vec<Url>,
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
        let channels = self.addresses.iter().cloned().map(Channel::from_url).map(Source::Channel).collect();
        MultiSource::new(self.channel.as_str(), channels).map(Source::Multi).map_err(|error| {
            BuildError::new(ErrorKind::SpecInvalid, format!("the mirrors of a channel are odd: {error}"))
                .with_next_step("correct the mirrors in the configuration")
        })
    }
}

/// The channels of a request in their order: its own, else those that are configured, else those of the base that
/// are given by name (no address of a base is ever fetched), else conda-forge.
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
    let named: Vec<CondaChannel> =
        of_base.iter().filter(|channel| channel.url().is_none()).cloned().collect();
    if wanted.is_empty() {
        wanted.extend(settings.channels.iter().cloned());
    }
    if wanted.is_empty() {
        wanted.extend(named);
    }
    if wanted.is_empty() {
        wanted.extend(USUAL_CHANNEL.parse::<CondaChannel>().ok());
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
    let addresses = match (channel.url(), settings.mirrors.get(channel.as_str())) {
        (Some(url), _) => vec![url],
        (None, Some(mirrors)) if !mirrors.is_empty() => mirrors.clone(),
        (None, _) if channel.as_str() == DEFAULTS.0 && settings.channel_alias.is_none() => {
            usual_addresses(&channel)
        }
        (None, _) => vec![below(&settings.server(), channel.as_str())?],
    };
    Ok(ChannelSource { channel, addresses })
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

/// A channel is allowed by its name or address, and by the address that its name stands for.
fn check_allowed(channel: &CondaChannel, settings: &CondaSettings) -> Result<(), BuildError> {
    let allowed = &settings.allowed_channels;
    let is_allowed = |one: &CondaChannel| {
        one == channel || one.url().is_none() && below(&settings.server(), one.as_str()).ok() == channel.url()
    };
    if allowed.is_empty() || allowed.iter().any(is_allowed) {
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
}

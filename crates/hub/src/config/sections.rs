//! The sections of the configuration as types. What each key means and what holds when nothing is said stands in
//! `default.toml`, which is where the values come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use imagewright_engine::conda::{ChannelCredentials, CondaSettings};
use imagewright_spec::{
    CondaChannel, CondaPolicy, ImageReference, IndexCredentials, IndexUrl, PipPolicy, RepositoryReference,
};
use secrecy::SecretString;
use url::Url;

use super::address::Reachable;
use super::destination::{Destination, Prefix};

/// Who builds images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BuilderKind {
    /// A child process of the hub for each build.
    #[default]
    Process,
    /// Nobody: everything but building works.
    Off,
}

/// `[registry]`: where built images are pushed.
#[derive(Debug, Clone, Default)]
pub struct RegistrySection {
    /// Images go to `PREFIX/images/NAME`.
    pub prefix: Option<Prefix>,
    /// Or everything goes to one repository.
    pub repository: Option<RepositoryReference>,
    /// Who pushes; none for a registry that asks for no credentials.
    pub push_user: Option<String>,
    /// The password, also where it was given as a file.
    pub push_password: Option<SecretString>,
    /// PEM file with certificates to trust besides the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Plain HTTP instead of TLS.
    pub insecure: bool,
    /// What stands in place of the prefix, or the repository, for people and clusters.
    pub pull_prefix: Option<Prefix>,
    /// Name of the pull secret that built images carry.
    pub pull_secret: Option<String>,
    /// Keep layers for the next image.
    pub layers: bool,
    /// Hours between two clean-ups of the hub's own registry; 0: never by itself.
    pub garbage_collection_hours: u64,
}

impl RegistrySection {
    /// Where images go; none where the hub runs its own registry.
    pub fn destination(&self) -> Option<Destination> {
        let prefix = self.prefix.clone().map(Destination::Prefix);
        prefix.or_else(|| self.repository.clone().map(Destination::Repository))
    }

    /// The repository in which layers are kept for the next image.
    pub fn layer_repository(&self) -> Option<RepositoryReference> {
        self.destination().filter(|_| self.layers)?.layers()
    }

    /// The address of a pushed image for people and clusters. Images that are elsewhere stay what they are.
    pub fn as_pulled(&self, pushed: &ImageReference) -> ImageReference {
        self.exchanged(pushed, |destination, pull| (destination.to_string(), pull.to_string()))
    }

    /// The other way round: where a build finds an image that was given by the address people use, so that its
    /// layers are mounted instead of copied.
    pub fn as_pushed(&self, pulled: &ImageReference) -> ImageReference {
        self.exchanged(pulled, |destination, pull| (pull.to_string(), destination.to_string()))
    }

    fn exchanged(
        &self,
        image: &ImageReference,
        order: impl Fn(&Destination, &Prefix) -> (String, String),
    ) -> ImageReference {
        let (Some(destination), Some(pull)) = (self.destination(), &self.pull_prefix) else {
            return image.clone();
        };
        let (from, to) = order(&destination, pull);
        let text = image.to_string();
        // The prefix ends at the end of a name: `team` is not the beginning of `team-b`.
        let rest =
            text.strip_prefix(&from).filter(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']));
        rest.and_then(|rest| format!("{to}{rest}").parse().ok()).unwrap_or_else(|| image.clone())
    }
}

/// `[limits]`: what all builds, and those of one group, may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitsSection {
    /// Builds at once, in all.
    pub builds: u32,
    /// Builds at once for one group.
    pub builds_per_group: u32,
    /// Seconds of one build.
    pub build_seconds: u64,
    /// Packages of one spec.
    pub packages_per_spec: u32,
    /// Waiting builds of one group.
    pub queue_per_group: u32,
    /// Bytes in the registry of one group's images; 0: no limit.
    pub storage_per_group: u64,
    /// Old revisions of an image that are kept.
    pub revisions_kept: u32,
    /// Days after which older ones go.
    pub revisions_days: u32,
    /// What differs for a group, by its name.
    pub groups: BTreeMap<String, GroupOverrides>,
}

/// `[limits.groups.NAME]`: what differs for one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupOverrides {
    /// Builds at once.
    pub builds: Option<u32>,
    /// Seconds of one build.
    pub build_seconds: Option<u64>,
    /// Packages of one spec.
    pub packages_per_spec: Option<u32>,
    /// Bytes in the registry; 0: no limit.
    pub storage: Option<u64>,
}

/// What holds for one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// Builds at once.
    pub builds: u32,
    /// Seconds of one build.
    pub build_seconds: u64,
    /// Packages of one spec.
    pub packages_per_spec: u32,
    /// Waiting builds.
    pub queue: u32,
    /// Bytes in the registry; none: no limit.
    pub storage: Option<u64>,
}

impl LimitsSection {
    /// What holds for a group.
    pub fn of_group(&self, name: &str) -> GroupLimits {
        let own = self.groups.get(name).cloned().unwrap_or_default();
        let storage = own.storage.unwrap_or(self.storage_per_group);
        GroupLimits {
            builds: own.builds.unwrap_or(self.builds_per_group),
            build_seconds: own.build_seconds.unwrap_or(self.build_seconds),
            packages_per_spec: own.packages_per_spec.unwrap_or(self.packages_per_spec),
            queue: self.queue_per_group,
            storage: (storage > 0).then_some(storage),
        }
    }
}

/// `[sources]`: where packages and base images come from, and what people may name.
#[derive(Debug, Clone, Default)]
pub struct SourcesSection {
    /// Channels of specs that name none.
    pub conda_channels: Vec<CondaChannel>,
    /// Channels that may be used at all; empty: any.
    pub allowed_conda_channels: Vec<CondaChannel>,
    /// The server of channels that are given by their names.
    pub channel_alias: Option<Url>,
    /// Channels that are elsewhere, by name.
    pub channel_mirrors: BTreeMap<String, Vec<Url>>,
    /// Index of pip lines that name none.
    pub index_url: Option<IndexUrl>,
    /// Further ones.
    pub extra_index_urls: Vec<IndexUrl>,
    /// Credentials of package indexes.
    pub index_credentials: Vec<IndexCredentials>,
    /// Credentials of channels.
    pub channel_credentials: Vec<ChannelCredentials>,
    /// Proxy of builds for plain HTTP.
    pub http_proxy: Option<Url>,
    /// Proxy of builds for HTTPS.
    pub https_proxy: Option<Url>,
    /// Hosts that are reached without a proxy.
    pub no_proxy: Vec<String>,
    /// PEM file with certificates that builds trust besides the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Registries that base images may come from, `host` or `host:port`; empty: any.
    pub allowed_registries: Vec<String>,
    /// Registries that speak plain HTTP.
    pub insecure_registries: Vec<String>,
    /// Whether pip lines may name addresses.
    pub allow_direct_urls: bool,
    /// Whether pip lines may name indexes.
    pub allow_index_options: bool,
    /// What addresses that people type may lead to although it is loopback, link-local or metadata.
    pub reachable: Vec<Reachable>,
}

impl SourcesSection {
    /// What pip lines may ask for.
    pub fn pip_policy(&self) -> PipPolicy {
        PipPolicy { allow_direct_urls: self.allow_direct_urls, allow_index_options: self.allow_index_options }
    }

    /// What conda lines may ask for.
    pub fn conda_policy(&self) -> CondaPolicy {
        CondaPolicy { allow_urls: self.allow_direct_urls }
    }

    /// The part of a plan that says where conda packages come from.
    pub fn conda_settings(&self) -> CondaSettings {
        CondaSettings {
            channel_alias: self.channel_alias.clone(),
            mirrors: self.channel_mirrors.clone(),
            channels: self.conda_channels.clone(),
            allowed_channels: self.allowed_conda_channels.clone(),
            credentials: self.channel_credentials.clone(),
            ..CondaSettings::default()
        }
    }

    /// Whether a base image may come from a registry, `host` or `host:port`.
    pub fn allows_registry(&self, registry: &str) -> bool {
        self.allowed_registries.is_empty()
            || self.allowed_registries.iter().any(|allowed| allowed.eq_ignore_ascii_case(registry))
    }
}

/// `[builder_process]`: the processes that build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuilderProcessSection {
    /// Account that builds run as where the hub runs as root.
    pub user: String,
    /// The machine's own configuration of builds, where it is not at its usual place.
    pub config: Option<PathBuf>,
    /// How far builds step back behind everything else, 0 to 19.
    pub nice: u8,
}

/// `[login]`: passwords and tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginSection {
    /// Attempts within the window.
    pub attempts: u32,
    /// The window, in seconds.
    pub window_seconds: u64,
    /// Days that a token lives which is made without an end of its own; none: it has no end.
    pub token_days: Option<u32>,
}

/// `[logs]`: the logs of builds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogsSection {
    /// Lines that somebody who follows a log begins with.
    pub tail_lines: u64,
    /// People who follow logs at once.
    pub maximum_followers: u32,
    /// Largest log of one build, in bytes.
    pub maximum_bytes: u64,
}

/// `[api]`: what one request may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiSection {
    /// Depth of a GraphQL query.
    pub depth: usize,
    /// Its complexity.
    pub complexity: usize,
    /// Bytes of a request.
    pub body_bytes: u64,
    /// Seconds that a request may take.
    pub request_seconds: u64,
}

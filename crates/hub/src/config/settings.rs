//! All keys of the configuration, and what each does with its value.

use std::collections::BTreeMap;

use imagewright_engine::conda::{ChannelCredentials, ChannelSecret};
use imagewright_spec::IndexCredentials;
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::address::Reachable;
use super::error::Wrong;
use super::sections::BuilderKind;
use super::value::{Value, form, spec, web_address};
use super::{HubConfig, sections};

/// One key. `*` stands for a name in its path, or for the number of an entry in a list of tables.
pub(super) struct Setting {
    pub(super) path: &'static str,
    /// Takes the value over; the text is what stands for `*`.
    pub(super) set: fn(&mut Draft, &str, Value) -> Result<(), Wrong>,
}

/// A configuration that is being read.
pub(super) struct Draft {
    pub(super) config: HubConfig,
    pub(super) index_credentials: BTreeMap<usize, Credentials>,
    pub(super) channel_credentials: BTreeMap<usize, Credentials>,
}

/// An entry of one of the lists of credentials, which comes key by key.
#[derive(Default)]
pub(super) struct Credentials {
    pub(super) url: Option<Url>,
    user: Option<String>,
    password: Option<SecretString>,
    token: Option<SecretString>,
    bearer: Option<SecretString>,
}

impl Credentials {
    const INCOMPLETE: &'static str = "write `url`, `user` and `password` (or `password_file`)";

    pub(super) fn of_index(self) -> Result<IndexCredentials, Wrong> {
        match self {
            Self {
                url: Some(url),
                user: Some(username),
                password: Some(password),
                token: None,
                bearer: None,
            } => Ok(IndexCredentials { url, username, password }),
            _ => Err(Wrong::new("the credentials are not complete", Self::INCOMPLETE)),
        }
    }

    pub(super) fn of_channel(self) -> Result<ChannelCredentials, Wrong> {
        let wrong = || {
            let fix = format!("{}, or `url` and either `token` or `bearer`", Self::INCOMPLETE);
            Wrong::new("the credentials are not complete, or of two kinds", fix)
        };
        let url = self.url.ok_or_else(wrong)?;
        let secret = match (self.user, self.password, self.token, self.bearer) {
            (Some(user), Some(password), None, None) => ChannelSecret::Basic { user, password },
            (None, None, Some(token), None) => ChannelSecret::Token { token },
            (None, None, None, Some(bearer)) => ChannelSecret::Bearer { bearer },
            _ => return Err(wrong()),
        };
        Ok(ChannelCredentials { url, secret })
    }
}

/// Lists keys with what they do.
macro_rules! settings {
    ($($path:literal => |$draft:ident, $name:pat_param, $value:ident| $set:expr),+ $(,)?) => {
        &[$(Setting { path: $path, set: |$draft, $name, $value| { $set; Ok(()) } }),+]
    };
}

pub(super) const SETTINGS: &[Setting] = settings! {
    "listen" => |draft, _, value| draft.config.listen =
        form(value.text()?.trim(), "address with a port", "127.0.0.1:8080")?,
    "data_dir" => |draft, _, value| draft.config.data_dir = value.path()?
        .ok_or_else(|| Wrong::new("the hub has no data folder", "name a folder, for example \"./data\""))?,
    "database_url" => |draft, _, value| draft.config.database_url = database(value.secret()?)?,
    "builder" => |draft, _, value| draft.config.builder = builder(&value.text()?)?,
    "public_url" => |draft, _, value| draft.config.public_url = value.read(web_address)?,
    "introspection" => |draft, _, value| draft.config.introspection = value.boolean()?,
    "trusted_proxies" => |draft, _, value| draft.config.trusted_proxies = value.list(network)?,

    "registry.prefix" => |draft, _, value| draft.config.registry.prefix = value.read(spec)?,
    "registry.repository" => |draft, _, value| draft.config.registry.repository = value.read(spec)?,
    "registry.push_user" => |draft, _, value| draft.config.registry.push_user = value.optional()?,
    "registry.push_password" => |draft, _, value| replace(
        &mut draft.config.registry.push_password, value.secret()?),
    "registry.push_password_file" => |draft, _, value| replace(
        &mut draft.config.registry.push_password, secret_file(value)?),
    "registry.ca_bundle" => |draft, _, value| draft.config.registry.ca_bundle = value.file()?,
    "registry.insecure" => |draft, _, value| draft.config.registry.insecure = value.boolean()?,
    "registry.pull_prefix" => |draft, _, value| draft.config.registry.pull_prefix = value.read(spec)?,
    "registry.pull_secret" => |draft, _, value| draft.config.registry.pull_secret = value.optional()?,
    "registry.layers" => |draft, _, value| draft.config.registry.layers = value.boolean()?,
    "registry.garbage_collection_hours" => |draft, _, value| draft.config.registry.garbage_collection_hours =
        value.number(0..=8784)?,

    "limits.builds" => |draft, _, value| draft.config.limits.builds = value.number(1..=1000)?,
    "limits.builds_per_group" => |draft, _, value| draft.config.limits.builds_per_group =
        value.number(1..=1000)?,
    "limits.build_seconds" => |draft, _, value| draft.config.limits.build_seconds =
        value.number(1..=2_592_000)?,
    "limits.packages_per_spec" => |draft, _, value| draft.config.limits.packages_per_spec =
        value.number(1..=100_000)?,
    "limits.queue_per_group" => |draft, _, value| draft.config.limits.queue_per_group =
        value.number(1..=1_000_000)?,
    "limits.storage_per_group" => |draft, _, value| draft.config.limits.storage_per_group = value.bytes()?,
    "limits.revisions_kept" => |draft, _, value| draft.config.limits.revisions_kept =
        value.number(0..=1_000_000)?,
    "limits.revisions_days" => |draft, _, value| draft.config.limits.revisions_days =
        value.number(0..=36_500)?,
    "limits.groups.*.builds" => |draft, group, value| draft.group(group).builds = Some(value.number(1..=1000)?),
    "limits.groups.*.build_seconds" => |draft, group, value| draft.group(group).build_seconds =
        Some(value.number(1..=2_592_000)?),
    "limits.groups.*.packages_per_spec" => |draft, group, value| draft.group(group).packages_per_spec =
        Some(value.number(1..=100_000)?),
    "limits.groups.*.storage" => |draft, group, value| draft.group(group).storage = Some(value.bytes()?),

    "sources.conda_channels" => |draft, _, value| draft.config.sources.conda_channels = value.list(spec)?,
    "sources.allowed_conda_channels" => |draft, _, value| draft.config.sources.allowed_conda_channels =
        value.list(spec)?,
    "sources.channel_alias" => |draft, _, value| draft.config.sources.channel_alias = value.read(web_address)?,
    "sources.channel_mirrors.*" => |draft, channel, value| {
        let mirrors = value.list(web_address)?;
        draft.config.sources.channel_mirrors.insert(channel.to_owned(), mirrors);
    },
    "sources.index_url" => |draft, _, value| draft.config.sources.index_url = value.read(spec)?,
    "sources.extra_index_urls" => |draft, _, value| draft.config.sources.extra_index_urls = value.list(spec)?,
    "sources.index_credentials.*.url" => |draft, entry, value| draft.index(entry)?.url =
        value.read(web_address)?,
    "sources.index_credentials.*.user" => |draft, entry, value| draft.index(entry)?.user = value.optional()?,
    "sources.index_credentials.*.password" => |draft, entry, value| replace(
        &mut draft.index(entry)?.password, value.secret()?),
    "sources.index_credentials.*.password_file" => |draft, entry, value| replace(
        &mut draft.index(entry)?.password, secret_file(value)?),
    "sources.channel_credentials.*.url" => |draft, entry, value| draft.channel(entry)?.url =
        value.read(web_address)?,
    "sources.channel_credentials.*.user" => |draft, entry, value| draft.channel(entry)?.user =
        value.optional()?,
    "sources.channel_credentials.*.password" => |draft, entry, value| replace(
        &mut draft.channel(entry)?.password, value.secret()?),
    "sources.channel_credentials.*.password_file" => |draft, entry, value| replace(
        &mut draft.channel(entry)?.password, secret_file(value)?),
    "sources.channel_credentials.*.token" => |draft, entry, value| draft.channel(entry)?.token =
        value.secret()?,
    "sources.channel_credentials.*.bearer" => |draft, entry, value| draft.channel(entry)?.bearer =
        value.secret()?,
    "sources.http_proxy" => |draft, _, value| draft.config.sources.http_proxy = value.read(web_address)?,
    "sources.https_proxy" => |draft, _, value| draft.config.sources.https_proxy = value.read(web_address)?,
    "sources.no_proxy" => |draft, _, value| draft.config.sources.no_proxy = value.texts()?,
    "sources.ca_bundle" => |draft, _, value| draft.config.sources.ca_bundle = value.file()?,
    "sources.allowed_registries" => |draft, _, value| draft.config.sources.allowed_registries =
        value.list(registry)?,
    "sources.insecure_registries" => |draft, _, value| draft.config.sources.insecure_registries =
        value.list(registry)?,
    "sources.allow_direct_urls" => |draft, _, value| draft.config.sources.allow_direct_urls = value.boolean()?,
    "sources.allow_index_options" => |draft, _, value| draft.config.sources.allow_index_options =
        value.boolean()?,
    "sources.reachable" => |draft, _, value| draft.config.sources.reachable = value.list(reachable)?,

    "builder_process.user" => |draft, _, value| draft.config.builder_process.user = value.optional()?
        .ok_or_else(|| Wrong::new("builds have no account", "name an account of this machine"))?,
    "builder_process.config" => |draft, _, value| draft.config.builder_process.config = value.file()?,
    "builder_process.nice" => |draft, _, value| draft.config.builder_process.nice = value.number(0..=19)?,

    "login.attempts" => |draft, _, value| draft.config.login.attempts = value.number(1..=1_000_000)?,
    "login.window_seconds" => |draft, _, value| draft.config.login.window_seconds = value.number(1..=86_400)?,
    "login.token_days" => |draft, _, value| draft.config.login.token_days =
        Some(value.number(0..=36_500)?).filter(|days| *days > 0),

    "logs.tail_lines" => |draft, _, value| draft.config.logs.tail_lines = value.number(0..=1_000_000)?,
    "logs.maximum_followers" => |draft, _, value| draft.config.logs.maximum_followers =
        value.number(1..=1_000_000)?,
    "logs.maximum_bytes" => |draft, _, value| draft.config.logs.maximum_bytes =
        at_least(value.bytes()?, 64 << 10)?,

    "api.depth" => |draft, _, value| draft.config.api.depth = value.number(1..=1000)?,
    "api.complexity" => |draft, _, value| draft.config.api.complexity = value.number(1..=10_000_000)?,
    "api.body_bytes" => |draft, _, value| draft.config.api.body_bytes = at_least(value.bytes()?, 1 << 10)?,
    "api.request_seconds" => |draft, _, value| draft.config.api.request_seconds = value.number(1..=3600)?,
};

impl Draft {
    fn group(&mut self, name: &str) -> &mut sections::GroupOverrides {
        self.config.limits.groups.entry(name.to_owned()).or_default()
    }

    fn index(&mut self, entry: &str) -> Result<&mut Credentials, Wrong> {
        Ok(self.index_credentials.entry(number_of(entry)?).or_default())
    }

    fn channel(&mut self, entry: &str) -> Result<&mut Credentials, Wrong> {
        Ok(self.channel_credentials.entry(number_of(entry)?).or_default())
    }
}

/// The number of an entry in a list of tables; a variable has it in its name.
fn number_of(entry: &str) -> Result<usize, Wrong> {
    entry.parse().map_err(|_| {
        Wrong::new(
            format!("{entry:?} is no entry of a list"),
            "write its number, from 0, in the variable's name",
        )
    })
}

/// An empty secret does not undo one that was given as a file, and the other way round.
fn replace(place: &mut Option<SecretString>, value: Option<SecretString>) {
    if value.is_some() {
        *place = value;
    }
}

fn secret_file(value: Value) -> Result<Option<SecretString>, Wrong> {
    let Some(path) = value.path()? else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Wrong::new(
            format!("the file {} cannot be read: {error}", path.display()),
            "name a file with the secret, one that the hub may read",
        )
    })?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(Wrong::new(format!("the file {} is empty", path.display()), "write the secret into it"));
    }
    Ok(Some(SecretString::from(secret)))
}

fn builder(text: &str) -> Result<BuilderKind, Wrong> {
    match text.trim() {
        "process" => Ok(BuilderKind::Process),
        "off" => Ok(BuilderKind::Off),
        other => Err(Wrong::new(format!("there is no builder {other:?}"), "write \"process\" or \"off\"")),
    }
}

fn database(url: Option<SecretString>) -> Result<Option<SecretString>, Wrong> {
    match url {
        Some(url)
            if !["postgres://", "postgresql://"]
                .iter()
                .any(|start| url.expose_secret().starts_with(start)) =>
        {
            Err(Wrong::new(
                "this is no address of a PostgreSQL database",
                "write postgres://USER:PASSWORD@HOST/DATABASE, or nothing for SQLite in the data folder",
            ))
        }
        other => Ok(other),
    }
}

fn network(text: &str) -> Result<IpNet, Wrong> {
    match text.parse::<std::net::IpAddr>() {
        Ok(address) => Ok(address.into()),
        Err(_) => form(text, "address or network", "10.0.0.0/8"),
    }
}

fn reachable(text: &str) -> Result<Reachable, Wrong> {
    form(text, "host, address or network", "registry.internal:5000")
}

/// A registry as `host` or `host:port`: what stands before the first slash of an image.
fn registry(text: &str) -> Result<String, Wrong> {
    let prefix: super::destination::Prefix = spec(text)?;
    if text.trim_end_matches('/').contains('/') {
        return Err(Wrong::new(
            format!("{text:?} has a path"),
            "write the registry alone, for example \"registry.example:5000\"",
        ));
    }
    Ok(prefix.registry().to_owned())
}

fn at_least(bytes: u64, least: u64) -> Result<u64, Wrong> {
    if bytes < least {
        return Err(Wrong::new(format!("{bytes} bytes are too few"), format!("write at least {least}")));
    }
    Ok(bytes)
}

//! The configuration of the hub: the defaults that are compiled in, a file, and variables of the environment.
//!
//! Each key has one line in `settings.rs`, and a comment with its default in `default.toml`. A wrong key or value
//! stops the start with the file and the line, or the variable, and with what to write instead.

mod address;
mod check;
mod destination;
mod error;
mod file;
mod keys;
mod sections;
mod settings;
#[cfg(test)]
mod tests;
mod value;
mod variables;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

pub use address::{AddressProblem, AddressRule, Reachable, ReachableProblem, Resolver, SystemResolver};
pub use destination::{Destination, Prefix, Purpose};
pub use error::{ConfigError, Place};
pub use sections::{
    ApiSection, BuilderKind, BuilderProcessSection, GroupLimits, GroupOverrides, LimitsSection, LoginSection,
    LogsSection, RegistrySection, SourcesSection,
};

use check::Places;
use error::Wrong;
use keys::Assignment;
use settings::{Credentials, Draft};

const DEFAULT: &str = include_str!("default.toml");

/// What the hub is told by whoever runs it. Secrets in it cannot be printed.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Address and port that the hub answers on.
    pub listen: SocketAddr,
    /// Folder of the database, the logs, the key of the secrets, the caches and the hub's own registry.
    pub data_dir: PathBuf,
    /// The address of the database with its password; none for a file in the data folder.
    pub database_url: Option<SecretString>,
    /// Who builds images.
    pub builder: BuilderKind,
    /// The address that people reach the hub at, where it is another one than `listen`.
    pub public_url: Option<Url>,
    /// Whether the API tells its schema.
    pub introspection: bool,
    /// Proxies whose `X-Forwarded-For` says where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Where built images are pushed.
    pub registry: RegistrySection,
    /// What all builds, and those of one group, may use.
    pub limits: LimitsSection,
    /// Where packages and base images come from, and what people may name.
    pub sources: SourcesSection,
    /// The processes that build.
    pub builder_process: BuilderProcessSection,
    /// Passwords and tokens.
    pub login: LoginSection,
    /// The logs of builds.
    pub logs: LogsSection,
    /// What one request may ask for.
    pub api: ApiSection,
}

impl HubConfig {
    /// All keys with a comment and their defaults: what `imagewright serve --print-config` prints.
    pub fn default_toml() -> &'static str {
        DEFAULT
    }

    /// The defaults, with what a file and then the variables say. Variables that are no keys of ours are left alone.
    ///
    /// # Errors
    /// A file that cannot be read; a key that there is not; a value that a key does not take.
    pub fn load<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let mut assignments = file::assignments(DEFAULT, &|_| Place::Default)?;
        if let Some(path) = file {
            let place = file::place_in(path);
            let text = std::fs::read_to_string(path).map_err(|error| {
                Wrong::new(
                    format!("it cannot be read: {error}"),
                    "name a file that exists and that the hub may read",
                )
                .at(place(None))
            })?;
            assignments.extend(file::assignments(&text, &place)?);
        }
        assignments.extend(variables::assignments(variables)?);
        Self::from_assignments(assignments)
    }

    fn from_assignments(assignments: Vec<Assignment>) -> Result<Self, ConfigError> {
        let mut draft = Draft {
            config: Self::blank(),
            index_credentials: BTreeMap::new(),
            channel_credentials: BTreeMap::new(),
        };
        let mut places = Places::new();
        for Assignment { path, place, value } in assignments {
            // Whoever made the assignment has looked the key up.
            let Some((setting, name)) = keys::setting(&path) else { continue };
            let key = path.join(".");
            (setting.set)(&mut draft, name, value).map_err(|wrong| {
                let message = match &place {
                    Place::Variable(_) => wrong.message,
                    Place::File { .. } | Place::Default => format!("`{key}`: {}", wrong.message),
                };
                Wrong::new(message, wrong.fix).at(place.clone())
            })?;
            if place != Place::Default {
                places.insert(key, place);
            }
        }
        let Draft { mut config, index_credentials, channel_credentials } = draft;
        let list = "sources.index_credentials";
        config.sources.index_credentials = complete(list, index_credentials, &places, Credentials::of_index)?;
        let list = "sources.channel_credentials";
        config.sources.channel_credentials =
            complete(list, channel_credentials, &places, Credentials::of_channel)?;
        check::check(&config, &places)?;
        Ok(config)
    }

    /// Nothing: the default configuration says all of it.
    fn blank() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: PathBuf::new(),
            database_url: None,
            builder: BuilderKind::default(),
            public_url: None,
            introspection: false,
            trusted_proxies: Vec::new(),
            registry: RegistrySection::default(),
            limits: LimitsSection::default(),
            sources: SourcesSection::default(),
            builder_process: BuilderProcessSection::default(),
            login: LoginSection::default(),
            logs: LogsSection::default(),
            api: ApiSection::default(),
        }
    }

    /// Where the tables are, unless there is the address of another database.
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("hub.db")
    }

    /// Where the key of the stored secrets is.
    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("secrets.key")
    }

    /// The folder of the hub's own registry.
    pub fn registry_folder(&self) -> PathBuf {
        self.data_dir.join("registry")
    }

    /// Which addresses may be reached that people type.
    pub fn address_rule(&self) -> AddressRule {
        AddressRule::new(self.sources.reachable.clone())
    }
}

/// Entries of a list whose keys have come one by one.
fn complete<T>(
    list: &str,
    entries: BTreeMap<usize, Credentials>,
    places: &Places,
    finish: fn(Credentials) -> Result<T, Wrong>,
) -> Result<Vec<T>, ConfigError> {
    let entry = |(index, credentials)| {
        finish(credentials).map_err(|wrong| {
            let beginning = format!("{list}.{index}.");
            let place = places.iter().find(|(key, _)| key.starts_with(&beginning));
            wrong.at(place.map_or(Place::Default, |(_, place)| place.clone()))
        })
    };
    entries.into_iter().map(entry).collect()
}

//! Starting: the registry, the database, the builders.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use imagewright_oci::credential::{Credential, CredentialSource};
use imagewright_oci::registry::{Registry, RegistryClient, RegistryClientConfig};
use imagewright_store::secrets::SecretKind;

use super::Service;
use crate::access::Actor;
use crate::app::secrets::{NewSecret, SecretChange};
use crate::clock::Clock;
use crate::config::{BuilderKind, HubConfig};
use crate::error::{HubError, Kind};
use crate::hub::Hub;
use crate::launcher::{Account, AccountError, Launcher};
use crate::logs::Logs;
use crate::open::OpenError;
use crate::queue::{Progress, Queue};
use crate::registry::managed::{Credentials, ManagedRegistry, ManagedRegistryError};

/// The pull secret of the hub's own registry.
const OWN_SECRET: &str = "hub-registry";
/// How long the hub's own registry may take until it answers.
const REGISTRY_READY: Duration = Duration::from_secs(30);
/// What builds find in their environment, as the hub found it.
const PASSED_ON: [&str; 5] = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "IMAGEWRIGHT_UV", "IMAGEWRIGHT_TOOLS"];

/// Why a hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database, the key or the data folder.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The hub's own registry.
    #[error(transparent)]
    Registry(#[from] ManagedRegistryError),
    /// The account that builds run as.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A folder of builds or logs.
    #[error("the folder {path} cannot be made: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The client for the registry.
    #[error("the registry cannot be spoken to: {0}")]
    Client(Box<dyn std::error::Error + Send + Sync>),
    /// What the hub keeps in its own database.
    #[error("{0}")]
    Hub(#[from] HubError),
}

impl StartError {
    /// What to do.
    pub fn fix(&self) -> String {
        match self {
            Self::Account(error) => error.fix(),
            Self::Registry(_) => {
                "configure a registry in [registry], or set builder = \"off\" to go without".to_owned()
            }
            Self::Folder { .. } => "name a data folder that the hub may write, with --data-dir".to_owned(),
            Self::Client(_) => "correct push_user, push_password and ca_bundle in [registry]".to_owned(),
            Self::Open(_) | Self::Hub(_) => "correct this, then start the hub again".to_owned(),
        }
    }
}

impl Service {
    /// Starts everything but the doors. `program` is `imagewright` itself, which builds; `environment` is what the hub
    /// was started with.
    ///
    /// # Errors
    /// Whatever is missing, with what to do.
    pub async fn start(
        mut config: HubConfig,
        program: PathBuf,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, StartError> {
        config.data_dir = std::path::absolute(&config.data_dir)
            .map_err(|source| StartError::Folder { path: config.data_dir.clone(), source })?;
        let builds = config.builder == BuilderKind::Process;
        let account = if builds { Account::for_builds(&config.builder_process.user)? } else { None };
        // The database first: its folder is the hub's alone, and whoever cannot have it starts nothing.
        crate::open::make_folder(&config.data_dir)?;
        let own_registry = if builds && config.registry.destination().is_none() {
            Some(own_registry(&mut config, environment("PATH").as_deref().unwrap_or_default()).await?)
        } else {
            None
        };
        let registry = client(&config)?;
        let hub = Hub::open(config, Clock::of_machine()).await?;
        if let Some(own) = &own_registry {
            keep_secret(&hub, &own.host(), own.pull_credentials()).await?;
        }
        let logs = hub.config.data_dir.join("logs");
        let logs = Logs::open(&logs, hub.config.logs.maximum_bytes)
            .map_err(|source| StartError::Folder { path: logs, source })?;
        let progress = Progress::default();
        let queue = if builds {
            let launcher = launcher(&hub.config, account, program, environment)?;
            Some(Arc::new(Queue::start(hub.clone(), launcher, logs.clone(), progress.clone())))
        } else {
            None
        };
        Ok(Self { hub, logs, progress, queue, own_registry: own_registry.map(Arc::new), registry })
    }
}

async fn own_registry(config: &mut HubConfig, search_path: &OsStr) -> Result<ManagedRegistry, StartError> {
    let registry = ManagedRegistry::start(&config.registry_folder(), search_path).await?;
    registry.wait_until_ready(REGISTRY_READY).await?;
    registry.configure(config);
    config.registry.pull_secret = Some(OWN_SECRET.to_owned());
    Ok(registry)
}

/// Stores what pulls from the hub's own registry, so that built images carry it.
async fn keep_secret(hub: &Hub, host: &str, credentials: &Credentials) -> Result<(), HubError> {
    let new = NewSecret {
        name: OWN_SECRET.to_owned(),
        display_name: Some("The hub's own registry".to_owned()),
        kind: SecretKind::Pull,
        registry_host: Some(host.to_owned()),
        username: Some(credentials.user.clone()),
        password: credentials.password.clone(),
        groups: None,
    };
    match hub.create_secret(&Actor::Machine, new).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::Conflict => {
            let change = SecretChange {
                registry_host: Some(host.to_owned()),
                username: Some(credentials.user.clone()),
                password: Some(credentials.password.clone()),
                ..SecretChange::default()
            };
            let id = format!("image-{OWN_SECRET}").into();
            hub.update_secret(&Actor::Machine, &id, change).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

fn client(config: &HubConfig) -> Result<Option<Arc<dyn Registry>>, StartError> {
    let section = &config.registry;
    let Some(destination) = section.destination() else { return Ok(None) };
    let registry = destination.registry().to_owned();
    let credentials = match section.push_user.clone().zip(section.push_password.clone()) {
        Some((username, password)) => CredentialSource::Registry {
            registry: registry.clone(),
            credential: Credential::Password { username, password },
        },
        None => CredentialSource::Anonymous,
    };
    let client = RegistryClient::new(RegistryClientConfig {
        credentials,
        insecure_registries: if section.insecure { vec![registry] } else { Vec::new() },
        ca_bundles: section.ca_bundle.iter().cloned().collect(),
        ..RegistryClientConfig::default()
    });
    Ok(Some(Arc::new(client.map_err(|error| StartError::Client(Box::new(error)))?)))
}

fn launcher(
    config: &HubConfig,
    account: Option<Account>,
    program: PathBuf,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Launcher, StartError> {
    let mut passed_on: Vec<(OsString, OsString)> =
        PASSED_ON.iter().filter_map(|name| Some((OsString::from(name), environment(name)?))).collect();
    let sources = &config.sources;
    for (name, proxy) in [("http_proxy", &sources.http_proxy), ("https_proxy", &sources.https_proxy)] {
        if let Some(proxy) = proxy {
            passed_on.push((name.into(), proxy.as_str().into()));
        }
    }
    if !sources.no_proxy.is_empty() {
        passed_on.push(("no_proxy".into(), sources.no_proxy.join(",").into()));
    }
    // Everything of builds is below a folder of its own: their account reads nothing beside it.
    let folder = config.data_dir.join("builds");
    if account.is_some() {
        pass_through(&config.data_dir)?;
    }
    let launcher = Launcher {
        program,
        account,
        cache: folder.join("cache"),
        rooms: folder.join("rooms"),
        config: config.builder_process.config.clone(),
        environment: passed_on,
        nice: config.builder_process.nice,
    };
    launcher.prepare().map_err(|source| StartError::Folder { path: folder, source })?;
    Ok(launcher)
}

/// Lets another account go through the data folder to its own, and see nothing on its way.
fn pass_through(folder: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::Folder { path: folder.to_owned(), source };
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).map_err(failed)?;
    let below = folder.join("builds");
    std::fs::create_dir_all(&below).map_err(failed)?;
    std::fs::set_permissions(&below, std::fs::Permissions::from_mode(0o711)).map_err(failed)
}

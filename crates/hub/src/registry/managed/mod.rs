//! CNCF Distribution (`docker-registry`) as a child process of the hub, on loopback.
//!
//! Its folder holds what it stores, the port that the kernel chose at the first start (addresses of images have it in
//! them), the credentials, and its configuration. It asks for tokens, which the hub gives out itself (`token.rs`): so
//! those who pull cannot push, which a file of passwords could not tell apart. It remembers no blobs in memory, since
//! it would vouch for some that are gone after garbage was collected.
//!
//! A thread of its own starts the process and lives as long: the kernel kills the process with the thread that started
//! it, so it ends with the hub however that ends.

mod configuration;
mod credentials;
mod error;
mod garbage;
mod orphans;
mod port;
mod process;
mod signer;
mod supervisor;
#[cfg(test)]
mod tests;
mod token;

use std::ffi::OsStr;
use std::fmt;
use std::fs::{DirBuilder, File};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use rustix::fs::FlockOperation;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub use credentials::Credentials;
pub use error::ManagedRegistryError;
pub use garbage::Collected;

use crate::config::{HubConfig, Reachable};
use configuration::Configuration;
use credentials::Secrets;
use process::{LastWords, Programs};
use supervisor::Command;

/// How long the hub waits between two questions whether the registry answers.
const READY_INTERVAL: Duration = Duration::from_millis(50);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The running registry. It ends with this value.
pub struct ManagedRegistry {
    address: SocketAddr,
    secrets: Secrets,
    health: Health,
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Held as long as the folder is ours.
    _lock: File,
}

impl ManagedRegistry {
    /// Starts the registry whose things are in `folder`, which is made where there is none. Programs are looked for in
    /// `search_path`, which has the form of `PATH`. It may take a moment until the registry
    /// [answers](Self::wait_until_ready).
    ///
    /// # Errors
    /// A program is missing; another hub uses the folder; the port of the first start is taken.
    pub async fn start(folder: &Path, search_path: &OsStr) -> Result<Self, ManagedRegistryError> {
        let programs = Programs::find(search_path)?;
        let folder = prepare(folder)?;
        let lock = lock(&folder)?;
        let secrets = Secrets::load_or_make(&folder)?;
        let configuration = Configuration::new(folder);
        // Whatever ran for this folder before has no hub any more: the lock is ours.
        orphans::end(configuration.path()).await;
        let address = port::kept_or_chosen(configuration.folder()).await?;

        let (commands, requests) = mpsc::channel(8);
        let (started, start) = oneshot::channel();
        let task = supervisor::Task { configuration, programs, address, secrets: secrets.clone(), requests };
        let thread = std::thread::Builder::new()
            .name("registry".to_owned())
            .spawn(move || supervisor::run(task, started))
            .map_err(|source| ManagedRegistryError::System { attempt: "start a thread", source })?;
        // The thread answers at once, or has ended.
        let health = start.await.map_err(|_| ManagedRegistryError::Ended)??;
        Ok(Self { address, secrets, health, commands: Some(commands), thread: Some(thread), _lock: lock })
    }

    /// `127.0.0.1:PORT`: the registry in addresses of images.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Its address, for the [rule](crate::config::AddressRule::with_own_registry) of what may be reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who may push, delete and list everything. Never offered to anybody.
    pub fn push_credentials(&self) -> &Credentials {
        &self.secrets.push
    }

    /// Who may pull images and specs and do nothing else: what a pull secret holds.
    pub fn pull_credentials(&self) -> &Credentials {
        &self.secrets.pull
    }

    /// Says in a configuration what somebody would have said who had set this registry up: images go there, and its
    /// address may be typed. The name of the pull secret is for whoever stores that to fill in.
    pub fn configure(&self, config: &mut HubConfig) {
        configure(config, self.address, &self.secrets);
    }

    /// Whether the registry answers now.
    pub async fn is_ready(&self) -> bool {
        self.health.answers().await
    }

    /// Waits until the registry answers.
    ///
    /// # Errors
    /// It does not within this time; its last words.
    pub async fn wait_until_ready(&self, within: Duration) -> Result<(), ManagedRegistryError> {
        self.health.wait(within).await
    }

    /// Removes blobs that no manifest names. Meanwhile the registry answers, but takes nothing. The caller has seen to
    /// it that no build is running: one that begins a push before is refused in the middle of it, and fails.
    ///
    /// # Errors
    /// The program failed, or the registry does not come back.
    pub async fn collect_garbage(&self) -> Result<Collected, ManagedRegistryError> {
        let (answer, result) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or(ManagedRegistryError::Ended)?;
        commands.send(Command::CollectGarbage(answer)).await.map_err(|_| ManagedRegistryError::Ended)?;
        result.await.map_err(|_| ManagedRegistryError::Ended)?
    }

    /// Ends the registry after the requests that it is answering.
    pub async fn stop(mut self) {
        let (answer, ended) = oneshot::channel();
        if let Some(commands) = self.commands.take()
            && commands.send(Command::Stop(answer)).await.is_ok()
        {
            // An error means that it has ended already.
            let _ = ended.await;
        }
    }
}

impl Drop for ManagedRegistry {
    fn drop(&mut self) {
        // Without anybody who could send, the thread kills the process and ends, which takes a moment.
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for ManagedRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ManagedRegistry").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Says in a configuration where the registry of `folder` is without starting it: for commands beside the hub that
/// runs it. False if it has never been started.
///
/// # Errors
/// Files of the folder that are damaged, or another account's.
pub fn configure_as_kept(folder: &Path, config: &mut HubConfig) -> Result<bool, ManagedRegistryError> {
    let (Some(address), Some(secrets)) = (port::kept(folder)?, Secrets::load(folder)?) else {
        return Ok(false);
    };
    configure(config, address, &secrets);
    Ok(true)
}

fn configure(config: &mut HubConfig, address: SocketAddr, secrets: &Secrets) {
    let section = &mut config.registry;
    section.prefix = address.to_string().parse().ok();
    section.push_user = Some(secrets.push.user.clone());
    section.push_password = Some(secrets.push.password.clone());
    section.insecure = true;
    config.sources.reachable.push(Reachable::address(address));
}

/// Asks whether the registry answers.
#[derive(Clone)]
struct Health {
    client: Client,
    url: String,
    /// The address of our tokens, which nobody else's answer would name.
    realm: String,
    /// What the registry has written last.
    words: LastWords,
}

impl Health {
    fn new(address: SocketAddr, realm: String) -> Result<Self, ManagedRegistryError> {
        imagewright_oci::registry::install_tls_provider();
        // No proxy of the environment's stands between us and this machine.
        let client = Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build().map_err(|error| {
            ManagedRegistryError::System { attempt: "make a client", source: std::io::Error::other(error) }
        })?;
        Ok(Self { client, url: format!("http://{address}/v2/"), realm, words: LastWords::default() })
    }

    async fn answers(&self) -> bool {
        let Ok(answer) = self.client.get(&self.url).send().await else { return false };
        let challenge = answer.headers().get(reqwest::header::WWW_AUTHENTICATE);
        answer.status() == StatusCode::UNAUTHORIZED
            && challenge
                .and_then(|challenge| challenge.to_str().ok())
                .is_some_and(|challenge| challenge.contains(&self.realm))
    }

    fn not_ready(&self, within: Duration) -> ManagedRegistryError {
        ManagedRegistryError::NotReady { seconds: within.as_secs(), last_words: self.words.text() }
    }

    async fn wait(&self, within: Duration) -> Result<(), ManagedRegistryError> {
        let deadline = Instant::now() + within;
        loop {
            // The deadline counts for a registry that takes a question and does not answer, too.
            if tokio::time::timeout_at(deadline, self.answers()).await.unwrap_or(false) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.not_ready(within));
            }
            tokio::time::sleep_until(deadline.min(Instant::now() + READY_INTERVAL)).await;
        }
    }
}

/// Makes the folder, for us alone, and gives its whole path.
fn prepare(folder: &Path) -> Result<PathBuf, ManagedRegistryError> {
    let failed = |source| ManagedRegistryError::Folder { folder: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    folder.canonicalize().map_err(failed)
}

/// Takes the folder for this process; the kernel gives it free with the process.
fn lock(folder: &Path) -> Result<File, ManagedRegistryError> {
    let failed = |source| ManagedRegistryError::Folder { folder: folder.to_owned(), source };
    let file = File::options().create(true).append(true).open(folder.join("lock")).map_err(failed)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ManagedRegistryError::InUse { folder: folder.to_owned() }),
        Err(error) => Err(failed(error.into())),
    }
}

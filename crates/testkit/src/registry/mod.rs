//! CNCF Distribution (`docker-registry`) as a child process.

mod certificates;
mod configuration;
mod content;
#[cfg(test)]
mod tests;
mod token;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::process::{self, BoundChild};
use crate::tool;
use certificates::Authority;
use configuration::Access;
pub use configuration::RegistryBuilder;
pub(crate) use content::Session;
use token::TokenServer;
pub use token::{Grant, TokenAuth, TokenRequest};

/// How long a registry may take until it listens: it takes some 50 ms.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A real registry on a free port of 127.0.0.1 with a folder of its own. It ends with this value.
pub struct Registry {
    folder: TempDir,
    process: Mutex<Option<BoundChild>>,
    /// Chosen by the kernel at the first start and kept from then on.
    port: AtomicU16,
    log: Arc<Mutex<VecDeque<String>>>,
    aliases: Mutex<Vec<String>>,
    configuration: RegistryBuilder,
    tokens: Option<TokenServer>,
    authority: Option<Authority>,
}

impl Registry {
    /// Starts an open registry that speaks plain HTTP.
    #[expect(clippy::new_without_default, reason = "starting a process is not a default value")]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// A registry that asks for credentials, speaks TLS or differs otherwise.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    fn with(configuration: RegistryBuilder) -> Self {
        let folder =
            tempfile::Builder::new().prefix("registry-").tempdir().expect("a folder for the registry");
        let tokens = match &configuration.access {
            Access::Token(auth) => Some(TokenServer::start(auth.clone())),
            Access::Open | Access::Basic { .. } => None,
        };
        let authority = configuration.tls.then(|| Authority::create(folder.path()));
        let registry = Self {
            folder,
            process: Mutex::default(),
            port: AtomicU16::new(0),
            log: Arc::default(),
            aliases: Mutex::default(),
            configuration,
            tokens,
            authority,
        };
        registry.start_again();
        registry
    }

    /// Ends the process; the port and everything stored are kept.
    pub fn stop(&self) {
        lock(&self.process).take();
    }

    /// Starts the process again after [`stop`](Self::stop), on the same port, and waits until it listens.
    pub fn start_again(&self) {
        let mut process = lock(&self.process);
        assert!(process.is_none(), "the registry is running already");
        let mut command = process::bound_command(tool::required("docker-registry"));
        command.arg("serve").arg(self.write_configuration());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = BoundChild::spawn(command).expect("a docker-registry process");

        let stderr = child.child_mut().stderr.take().expect("the registry's log");
        let (sender, ports) = mpsc::channel();
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || read_log(BufReader::new(stderr), &log, &sender));
        let Ok(port) = ports.recv_timeout(START_DEADLINE) else {
            panic!("the registry did not start; its last words:\n{}", self.log());
        };
        self.port.store(port, Ordering::Relaxed);
        *process = Some(child);
    }

    /// `127.0.0.1:PORT`, the host to use in image references.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port.load(Ordering::Relaxed))
    }

    /// Scheme and host.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.configuration.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// The certificate, in PEM, of the authority that vouches for a registry with TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.authority.as_ref().map(|authority| authority.certificate_file.clone())
    }

    pub(crate) fn authority(&self) -> Option<&str> {
        self.authority.as_ref().map(|authority| authority.certificate.as_str())
    }

    /// What was asked of the token server so far; empty for a registry without one.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.tokens.as_ref().map_or_else(Vec::new, TokenServer::requests)
    }

    /// A file in the format of Docker's `config.json` with the credentials of the first user, for this registry
    /// and the proxies in front of it. For an open registry the file names none.
    pub fn auth_file(&self) -> PathBuf {
        match self.configuration.access.first_user() {
            Some((user, password)) => self.auth_file_for(&user, &password),
            None => self.write_auth_file("open", None),
        }
    }

    /// The same with credentials of your choice, right or wrong.
    pub fn auth_file_for(&self, user: &str, password: &str) -> PathBuf {
        self.write_auth_file(user, Some(format!("{user}:{password}")))
    }

    fn write_auth_file(&self, name: &str, credentials: Option<String>) -> PathBuf {
        let mut auths = Map::new();
        if let Some(credentials) = credentials {
            let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
            for host in lock(&self.aliases).iter().cloned().chain([self.host()]) {
                auths.insert(host, json!({ "auth": encoded }));
            }
        }
        let file = self.folder.path().join(format!("auth-{name}.json"));
        let content = json!({ "auths": Value::Object(auths) }).to_string();
        fs::write(&file, content).expect("a file with credentials");
        file
    }

    pub(crate) fn also_known_as(&self, host: String) {
        lock(&self.aliases).push(host);
    }

    /// Runs the registry's own `garbage-collect`, as a nightly job would: beside the running registry. Blobs that
    /// no manifest names are gone then, though the running registry may still believe in them.
    pub fn garbage_collect(&self) {
        self.collect(&[]);
    }

    /// The same, and manifests without a tag go too.
    pub fn garbage_collect_untagged(&self) {
        self.collect(&["--delete-untagged"]);
    }

    fn collect(&self, options: &[&str]) {
        let mut command = process::bound_command(tool::required("docker-registry"));
        process::run(command.arg("garbage-collect").args(options).arg(self.configuration_file()));
    }

    /// The last lines the registry wrote.
    pub fn log(&self) -> String {
        let lines: Vec<String> = lock(&self.log).iter().cloned().collect();
        lines.join("\n")
    }

    fn storage_folder(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    fn configuration_file(&self) -> PathBuf {
        self.folder.path().join("registry.json")
    }

    /// Writes the registry's configuration; JSON is YAML to it.
    fn write_configuration(&self) -> PathBuf {
        let mut configuration = self.configuration.to_json(self.folder.path(), &self.storage_folder());
        configuration["http"]["addr"] = self.host().into();
        if let Some(authority) = &self.authority {
            configuration["http"]["tls"] =
                json!({ "certificate": authority.server_certificate_file, "key": authority.server_key_file });
        }
        if let Some(tokens) = &self.tokens {
            configuration["auth"] = tokens.registry_configuration(self.folder.path());
        }
        let file = self.configuration_file();
        fs::write(&file, configuration.to_string()).expect("the registry's configuration");
        file
    }
}

/// Keeps the registry's last words, and reports the port once it says that it listens.
fn read_log(stderr: impl BufRead, log: &Mutex<VecDeque<String>>, ports: &mpsc::Sender<u16>) {
    const KEPT_LINES: usize = 200;
    for line in stderr.lines().map_while(Result::ok) {
        if let Some((_, rest)) = line.split_once("listening on 127.0.0.1:") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(port) = digits.parse() {
                // Nobody waits any more when the deadline has passed.
                let _ = ports.send(port);
            }
        }
        let mut log = lock(log);
        if log.len() == KEPT_LINES {
            log.pop_front();
        }
        log.push_back(line);
    }
}

/// A test that panicked while it held a lock has failed already: the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

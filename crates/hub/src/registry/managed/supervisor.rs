//! Keeps the registry running, in a thread of its own.
//!
//! Two tasks share the thread, besides the one that gives out tokens: the *keeper* has a process run as it was last
//! told (open, read-only or not at all) and starts it again when it dies; commands from outside tell the keeper and
//! wait for what comes of it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::configuration::{Configuration, Serving};
use super::credentials::Secrets;
use super::garbage::{self, Collected};
use super::process::{Programs, end, end_gently};
use super::signer::Signer;
use super::{Health, ManagedRegistryError, token};

/// Between the end of a process and the next start: longer each time, as long as none lives for a while.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LONG_LIFE: Duration = Duration::from_mins(1);

/// What the thread needs.
pub(super) struct Task {
    pub(super) configuration: Configuration,
    pub(super) programs: Programs,
    pub(super) address: SocketAddr,
    pub(super) secrets: Secrets,
    pub(super) requests: mpsc::Receiver<Command>,
}

/// What is asked of the thread. When nobody can ask any more, everything ends at once.
pub(super) enum Command {
    CollectGarbage(oneshot::Sender<Result<Collected, ManagedRegistryError>>),
    Stop(oneshot::Sender<()>),
}

/// How the registry is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Serve { read_only: bool },
    Stop { gently: bool },
}

/// All that the tasks share.
pub(super) struct Supervisor {
    pub(super) configuration: Configuration,
    pub(super) programs: Programs,
    address: SocketAddr,
    secrets: Secrets,
    realm: String,
    certificate: String,
    target: watch::Sender<Target>,
    /// The target that the process was started for; none while there is no process.
    serving: watch::Sender<Option<Target>>,
    pub(super) health: Health,
}

/// The thread: answers once it is set up, and ends when it was stopped.
pub(super) fn run(task: Task, started: oneshot::Sender<Result<Health, ManagedRegistryError>>) {
    // One thread for everything: a process that it starts dies with it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => tokio::task::LocalSet::new().block_on(&runtime, supervise(task, started)),
        Err(source) => {
            let error = ManagedRegistryError::System { attempt: "start a runtime", source };
            // Nobody may wait any more.
            let _ = started.send(Err(error));
        }
    }
}

async fn supervise(task: Task, started: oneshot::Sender<Result<Health, ManagedRegistryError>>) {
    let Task { configuration, programs, address, secrets, mut requests } = task;
    let (target, _) = watch::channel(Target::Serve { read_only: false });
    let (serving, _) = watch::channel(None);
    let setup = async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener =
            listener.map_err(|source| ManagedRegistryError::System { attempt: "listen", source })?;
        let own = listener.local_addr();
        let own = own.map_err(|source| ManagedRegistryError::System { attempt: "listen", source })?;
        let signer = Signer::generate()?;
        let realm = format!("http://{own}{}", token::PATH);
        let health = Health::new(address, realm.clone())?;
        Ok((listener, signer, realm, health))
    };
    let (listener, signer, realm, health) = match setup.await {
        Ok(parts) => parts,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let certificate = signer.certificate_pem.clone();
    let tokens = token::router(secrets.clone(), signer);
    // It serves until the thread ends.
    tokio::task::spawn_local(async move { axum::serve(listener, tokens).await });
    let supervisor = Rc::new(Supervisor {
        configuration,
        programs,
        address,
        secrets,
        realm,
        certificate,
        target,
        serving,
        health: health.clone(),
    });
    let keeper = tokio::task::spawn_local(Rc::clone(&supervisor).keep());
    let _ = started.send(Ok(health));

    let stopped = until_stopped(&supervisor, &mut requests).await;
    supervisor.target.send_replace(Target::Stop { gently: stopped.is_some() });
    // It fails only if it panicked, and then its process was killed.
    let _ = keeper.await;
    if let Some(answer) = stopped {
        let _ = answer.send(());
    }
}

/// Does what is asked until everything is to end, and gives who asked for that; none if nobody can ask any more.
async fn until_stopped(
    supervisor: &Supervisor,
    requests: &mut mpsc::Receiver<Command>,
) -> Option<oneshot::Sender<()>> {
    let mut waiting = VecDeque::new();
    loop {
        let answer = match waiting.pop_front() {
            Some(answer) => answer,
            None => match requests.recv().await? {
                Command::CollectGarbage(answer) => answer,
                Command::Stop(answer) => return Some(answer),
            },
        };
        let mut collection = pin!(garbage::collect(supervisor));
        loop {
            tokio::select! {
                result = &mut collection => {
                    // Whoever asked may be gone.
                    let _ = answer.send(result);
                    break;
                }
                // The end does not wait for garbage.
                command = requests.recv() => match command? {
                    Command::CollectGarbage(answer) => waiting.push_back(answer),
                    Command::Stop(answer) => return Some(answer),
                },
            }
        }
    }
}

impl Supervisor {
    /// Has the registry run so, and waits until it answers.
    pub(super) async fn serve(&self, read_only: bool, within: Duration) -> Result<(), ManagedRegistryError> {
        let target = Target::Serve { read_only };
        self.target.send_replace(target);
        let mut serving = self.serving.subscribe();
        let is_so = tokio::time::timeout(within, serving.wait_for(|serving| *serving == Some(target))).await;
        if !matches!(is_so, Ok(Ok(_))) {
            return Err(self.health.not_ready(within));
        }
        self.health.wait(within).await
    }

    /// The keeper.
    async fn keep(self: Rc<Self>) {
        let mut targets = self.target.subscribe();
        let mut pause = FIRST_PAUSE;
        loop {
            let target = *targets.borrow_and_update();
            let Target::Serve { read_only } = target else { return };
            let since = Instant::now();
            match self.spawn(read_only) {
                Ok(mut child) => {
                    self.serving.send_replace(Some(target));
                    tokio::select! {
                        status = child.wait() => {
                            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                            tracing::warn!(%status, words = self.health.words.text(), "the hub's registry has ended by itself");
                        }
                        _ = targets.changed() => {
                            match *targets.borrow() {
                                Target::Stop { gently: false } => end(&mut child).await,
                                Target::Stop { gently: true } | Target::Serve { .. } => end_gently(&mut child).await,
                            }
                            self.serving.send_replace(None);
                            pause = FIRST_PAUSE;
                            continue;
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "the hub's registry cannot be started"),
            }
            self.serving.send_replace(None);
            if since.elapsed() >= LONG_LIFE {
                pause = FIRST_PAUSE;
            }
            // Whatever it is told meanwhile is seen in the next round.
            let _ = tokio::time::timeout(pause, targets.changed()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn spawn(&self, read_only: bool) -> std::io::Result<Child> {
        self.configuration.write(&Serving {
            address: self.address,
            read_only,
            realm: &self.realm,
            certificate: &self.certificate,
            http_secret: &self.secrets.http,
        })?;
        let arguments = [OsStr::new("serve"), self.configuration.path().as_os_str()];
        let mut command = self.programs.registry(&arguments, self.configuration.folder());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        if let Some(stderr) = child.stderr.take() {
            let words = self.health.words.clone();
            // It writes a line for every request that it refuses: nothing for an operator to see by default.
            let line = |line: &str| tracing::debug!(target: "registry", "{line}");
            tokio::task::spawn_local(async move { words.read(stderr, line).await });
        }
        Ok(child)
    }
}

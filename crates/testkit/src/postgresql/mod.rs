//! PostgreSQL as a child process.

mod account;
mod folder;
mod template;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::{self, BoundChild};
use crate::tool;
use folder::Folder;

/// How long a server may take until it answers: it takes some 150 ms.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// How long a server may take to end: it takes some 10 ms.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// The superuser of the server, who needs no password.
const USER: &str = "imagewright";
/// The database that is there from the start.
const FIRST_DATABASE: &str = "postgres";

/// Nothing here has to outlive a power cut, and nobody has to reach it from elsewhere.
const SETTINGS: [&str; 12] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "min_wal_size=2MB",
    "max_wal_size=64MB",
    "shared_buffers=16MB",
    "max_connections=200",
    "autovacuum=off",
    "jit=off",
    "log_min_messages=warning",
];

/// A real PostgreSQL on a Unix socket, with a folder of its own. It ends with this value.
///
/// It runs as an account without rights, which is `postgres` where the test is root. Its folder is a copy of one that
/// is made once per machine.
pub struct PostgreSql {
    process: Mutex<Option<BoundChild>>,
    folder: Folder,
    databases: AtomicUsize,
}

impl PostgreSql {
    /// Starts a server and waits until it answers.
    pub fn start() -> Self {
        let folder = Folder::create();
        template::copy_to(&folder.data());
        let server = Self { process: Mutex::default(), folder, databases: AtomicUsize::new(0) };
        server.start_again();
        server
    }

    /// The server of all tests in this process that have one at the same time.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<PostgreSql>> = Mutex::new(Weak::new());
        let mut shared = lock(&SHARED);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A new database without tables: its address.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        // Making one takes as long as the server's start.
        if number == 0 {
            return self.address(FIRST_DATABASE);
        }
        let name = format!("database_{number}");
        let mut command = program("createdb");
        command.args(["--strategy=file_copy", "--template=template1", "--username", USER, "--host"]);
        process::run(command.arg(self.folder.path()).arg(&name));
        self.address(&name)
    }

    fn address(&self, database: &str) -> String {
        let folder = self.folder.path().to_str().expect("a folder in UTF-8").replace('/', "%2F");
        format!("postgres://{USER}@localhost/{database}?host={folder}")
    }

    /// Runs statements in a database by the server's own client, and gives what it prints: a line for each row,
    /// columns apart by `|`.
    pub fn run(&self, address: &str, statements: &str) -> String {
        let file = self.folder.path().join("statements.sql");
        fs::write(&file, statements).expect("a file of statements");
        let mut command = program("psql");
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
        let output = process::run(command.arg("--file").arg(&file).arg(address));
        String::from_utf8(output.stdout).expect("what the client prints in UTF-8")
    }

    /// The statements that make a database what it is, rows included.
    pub fn dump(&self, address: &str) -> String {
        let mut command = program("pg_dump");
        let output = process::run(command.args(["--no-owner", "--inserts"]).arg(address));
        String::from_utf8(output.stdout).expect("a dump in UTF-8")
    }

    /// Ends the process, and every connection with it; what is stored is kept.
    pub fn stop(&self) {
        let Some(mut process) = lock(&self.process).take() else { return };
        let child = process.child_mut();
        // Killed, it would leave shared memory behind, which the kernel keeps.
        if let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::QUIT);
        }
        let deadline = Instant::now() + STOP_DEADLINE;
        while child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts the process again after [`stop`](Self::stop), and waits until it answers.
    pub fn start_again(&self) {
        let mut process = lock(&self.process);
        assert!(process.is_none(), "PostgreSQL is running already");
        let log = File::create(self.log_file()).expect("a log for PostgreSQL");
        // The kernel's "parent died" ends it in order, as we do.
        let mut options = vec!["--pdeathsig".to_owned(), "QUIT".to_owned()];
        options.extend(account::options());
        let mut command = process::bound_command_with(&options, program_file("postgres"));
        command.arg("-D").arg(self.folder.data()).arg("-k").arg(self.folder.path());
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = BoundChild::spawn(command).expect("a PostgreSQL process");

        let deadline = Instant::now() + START_DEADLINE;
        while !self.is_ready() {
            let has_ended = child.child_mut().try_wait().is_ok_and(|ended| ended.is_some());
            assert!(
                !has_ended && Instant::now() < deadline,
                "PostgreSQL did not start; its last words:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        *process = Some(child);
    }

    /// What the server says in its file, as `pg_ctl` reads it.
    fn is_ready(&self) -> bool {
        let file = fs::read_to_string(self.folder.data().join("postmaster.pid")).unwrap_or_default();
        file.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The programs of one version stand together; Debian puts wrappers of some into `PATH`.
fn program_file(name: &str) -> PathBuf {
    let server = tool::required("postgres");
    // A link to it may stand alone.
    let server = server.canonicalize().expect("the server's program");
    server.parent().unwrap_or(Path::new("/")).join(name)
}

fn program(name: &str) -> Command {
    let mut command = Command::new(program_file(name));
    // Nothing that the machine's user has configured for other servers.
    for variable in ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE", "PGOPTIONS"] {
        command.env_remove(variable);
    }
    command
}

/// A test that panicked while it held a lock has failed already: the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

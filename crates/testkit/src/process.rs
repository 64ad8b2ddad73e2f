//! Child processes that end with the test, whatever ends it.

use std::ffi::OsStr;
use std::io;
use std::process::{Child, Command, Output};
use std::sync::{OnceLock, mpsc};

use crate::tool;

/// A process that is killed when this value is dropped, and by the kernel when our own process is.
pub(crate) struct BoundChild(Child);

impl BoundChild {
    /// Starts a command made by [`bound_command`].
    ///
    /// The kernel's "parent died" signal is tied to the *thread* that started the child, and threads of tests and
    /// of runtimes come and go: one thread that lives as long as the process starts them all.
    pub(crate) fn spawn(command: Command) -> io::Result<Self> {
        type Request = (Command, mpsc::Sender<io::Result<Child>>);
        static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
        let spawner = SPAWNER.get_or_init(|| {
            let (sender, requests) = mpsc::channel::<Request>();
            std::thread::spawn(move || {
                for (mut command, answer) in requests {
                    // Whoever asked may be gone: then the child goes too.
                    if let Err(mpsc::SendError(Ok(mut orphan))) = answer.send(command.spawn()) {
                        let _ = orphan.kill().and_then(|()| orphan.wait());
                    }
                }
            });
            sender
        });
        let (sender, answer) = mpsc::channel();
        spawner.send((command, sender)).map_err(io::Error::other)?;
        answer.recv().map_err(io::Error::other)?.map(Self)
    }

    pub(crate) fn child_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for BoundChild {
    fn drop(&mut self) {
        // It may have ended by itself: nothing is left to be done then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command whose process the kernel kills when the thread that started it ends.
pub(crate) fn bound_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(tool::required("setpriv"));
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Runs a command to its end and gives what it printed; panics with its words when it fails.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

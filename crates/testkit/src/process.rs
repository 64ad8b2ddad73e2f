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
    bound_command_with(&["--pdeathsig", "KILL"], program)
}

/// The same with the options of `setpriv` that say how the process ends and who it is.
pub(crate) fn bound_command_with(options: &[impl AsRef<OsStr>], program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(tool::required("setpriv"));
    command.args(options).arg("--").arg(program);
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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::{BoundChild, bound_command};

    const DIES: &str = "IMAGEWRIGHT_TESTKIT_DIES";

    fn sleeper() -> BoundChild {
        let mut command = bound_command("sleep");
        command.arg("1000").stdout(Stdio::null()).stderr(Stdio::null());
        BoundChild::spawn(command).expect("a process")
    }

    /// Waits until a process is gone. One that nobody has asked for its exit code yet has no command line any more.
    fn assert_gone(id: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let command_line = Path::new("/proc").join(id).join("cmdline");
        while std::fs::read(&command_line).is_ok_and(|line| !line.is_empty()) {
            assert!(Instant::now() < deadline, "process {id} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until `setpriv` has done its work and become the program that it was given.
    fn wait_until_it_sleeps(id: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let command_line = Path::new("/proc").join(id).join("cmdline");
        while !std::fs::read(&command_line).is_ok_and(|line| line.starts_with(b"sleep")) {
            assert!(Instant::now() < deadline, "process {id} never sleeps");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it_and_not_its_value() {
        let mut child = std::thread::spawn(sleeper).join().expect("a child");
        let id = child.child_mut().id().to_string();
        assert!(child.child_mut().try_wait().expect("its state").is_none());

        drop(child);

        assert_gone(&id);
    }

    /// Not a test but the process that [`a_child_dies_with_a_process_that_is_killed`] kills.
    #[test]
    fn process_to_be_killed() {
        if std::env::var_os(DIES).is_some() {
            let mut child = sleeper();
            let id = child.child_mut().id().to_string();
            // From then on the kernel knows what it has been asked for.
            wait_until_it_sleeps(&id);
            println!("child {id}.");
            std::thread::sleep(Duration::from_secs(1000));
        }
    }

    #[test]
    fn a_child_dies_with_a_process_that_is_killed() {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "process::tests::process_to_be_killed", "--nocapture"]);
        let mut parent = command.env(DIES, "1").stdout(Stdio::piped()).spawn().expect("a second process");
        let mut lines =
            BufReader::new(parent.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let id = lines
            .find_map(|line| Some(line.split_once("child ")?.1.trim_end_matches('.').to_owned()))
            .expect("the id of its child");

        parent.kill().expect("a process that can be killed");
        parent.wait().expect("its end");

        assert_gone(&id);
    }
}

//! The argument vector of a build, and its environment.

use std::ffi::OsString;
use std::process::Stdio;

use tokio::process::Command;

use super::Launcher;
use super::account::program;

/// A command of the builds' account: in the lowest classes of scheduling where the machine has the programs for that,
/// with an environment and in a session of its own, ended when nobody waits for it any more.
pub(super) fn command(launcher: &Launcher, arguments: impl IntoIterator<Item = OsString>) -> Command {
    let path =
        launcher.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    // A session of its own, in which all its processes are found.
    let mut line: Vec<OsString> = vec!["setsid".into()];
    if let Some(account) = &launcher.account {
        let words =
            ["setpriv".to_owned(), format!("--reuid={}", account.user), format!("--regid={}", account.group)];
        line.extend(words.map(OsString::from));
        line.extend(["--clear-groups", "--"].map(OsString::from));
    }
    for wrapper in [["chrt", "--idle", "0"].as_slice(), &["ionice", "-c", "3"]] {
        if program(wrapper[0], path).is_some() {
            line.extend(wrapper.iter().map(OsString::from));
        }
    }
    if program("nice", path).is_some() {
        line.extend(["nice".to_owned(), "-n".to_owned(), launcher.nice.to_string()].map(OsString::from));
    }
    line.push(launcher.program.clone().into());
    let mut words = line.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command
        .args(words)
        .args(arguments)
        .env_clear()
        .envs(launcher.environment.iter().cloned())
        .env("HOME", &launcher.cache)
        .env("IMAGEWRIGHT_CACHE", &launcher.cache)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

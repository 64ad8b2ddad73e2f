//! Which users and groups of this machine stand for those inside.
//!
//! Started as root, the users inside are a range of numbers that no account has. Started as an ordinary user, root
//! inside is that user and the others come from the range that `/etc/subuid` gives them.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{getgid, getuid};
use tokio::process::Command;

use crate::error::{BuildError, ErrorKind};

/// The user who is root inside, where we are root: far above the ranges of accounts, of systemd's services and
/// containers (524288–1879048191) and of `/etc/subuid`, and never negative as a signed number. Always the same, so
/// that a base that was unpacked once keeps its owners.
const RANGE_START: u32 = 0x7000_0000;

/// Users inside, from 0: `nobody` is 65534.
pub(super) const RANGE_LENGTH: u32 = 65_536;

/// A mapping of users and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identities {
    /// A range of our own.
    Root,
    /// This user, and a range given to them.
    User {
        /// First user of the range.
        users: u32,
        /// First group of the range.
        groups: u32,
    },
}

impl Identities {
    /// The mapping of the user who runs this process.
    pub(super) fn of_this_user() -> Result<Self, BuildError> {
        if getuid().is_root() {
            return Ok(Self::Root);
        }
        let user = getuid().as_raw();
        let name = account_name(user);
        match (range("/etc/subuid", user, &name), range("/etc/subgid", user, &name)) {
            (Some(users), Some(groups)) => Ok(Self::User { users, groups }),
            _ => Err(BuildError::new(
                ErrorKind::Unsupported,
                "system packages cannot be installed by this user: no range of user ids is theirs",
            )
            .with_next_step(format!(
                "let an administrator run: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}",
                if name.is_empty() { user.to_string() } else { name }
            ))),
        }
    }

    /// True where we are root.
    pub(super) fn is_root(self) -> bool {
        self == Self::Root
    }

    /// The options of setpriv that make a process the user who becomes root inside.
    pub(super) fn drop_to_root_inside(self) -> Vec<String> {
        match self {
            Self::Root => vec![
                format!("--reuid={RANGE_START}"),
                format!("--regid={RANGE_START}"),
                "--clear-groups".to_owned(),
            ],
            Self::User { .. } => Vec::new(),
        }
    }

    /// Maps users and groups into the namespace of a process.
    pub(super) async fn map(self, process: u32) -> Result<(), BuildError> {
        match self {
            Self::Root => {
                for file in ["uid_map", "gid_map"] {
                    let path = format!("/proc/{process}/{file}");
                    fs::write(&path, format!("0 {RANGE_START} {RANGE_LENGTH}\n"))
                        .map_err(|error| BuildError::file("map users in", Path::new(&path), error))?;
                }
                Ok(())
            }
            Self::User { users, groups } => {
                map_range("newuidmap", process, getuid().as_raw(), users).await?;
                map_range("newgidmap", process, getgid().as_raw(), groups).await
            }
        }
    }

    /// Gives a file to the user who is root inside.
    pub(super) fn give(self, path: &Path) -> Result<(), BuildError> {
        if self.is_root() {
            std::os::unix::fs::lchown(path, Some(RANGE_START), Some(RANGE_START))
                .map_err(|error| BuildError::file("change the owner of", path, error))?;
        }
        Ok(())
    }
}

/// Lets the system's own program map one user and the range: it checks that the range is theirs.
async fn map_range(program: &str, process: u32, own: u32, range: u32) -> Result<(), BuildError> {
    let numbers = [process, 0, own, 1, 1, range, RANGE_LENGTH - 1];
    let output = Command::new(program)
        .args(numbers.map(|number| number.to_string()))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let failed = |why: String| {
        BuildError::new(ErrorKind::Unsupported, format!("{program} could not map the range of users: {why}"))
            .with_next_step("install it with: apt-get install uidmap")
    };
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The name of an account, or nothing where it has none.
fn account_name(user: u32) -> String {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.into_iter().find(|fields| fields.get(2) == Some(&user.to_string().as_str()));
    found.map(|fields| fields[0].to_owned()).unwrap_or_default()
}

/// The start of a range in `/etc/subuid` or `/etc/subgid` that is long enough.
fn range(file: &str, user: u32, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    parse_range(&text, user, name)
}

fn parse_range(text: &str, user: u32, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let start: u32 = fields.next()?.parse().ok()?;
        let length: u32 = fields.next()?.parse().ok()?;
        let theirs = (!name.is_empty() && owner == name) || owner == user.to_string();
        (theirs && length >= RANGE_LENGTH - 1).then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_user_is_found_by_name_and_by_number_and_must_be_long_enough() {
        let text = "ann:100000:1000\nbob:100000:65536\n1003:300000:65536\n";
        assert_eq!(parse_range(text, 1001, "ann"), None);
        assert_eq!(parse_range(text, 1002, "bob"), Some(100_000));
        assert_eq!(parse_range(text, 1003, "eve"), Some(300_000));
        assert_eq!(parse_range(text, 1004, ""), None);
    }
}

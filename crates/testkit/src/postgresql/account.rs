//! As whom the server runs: it refuses to be root.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

/// The account that Debian's package makes.
const NAME: &str = "postgres";

struct Account {
    user: u32,
    group: u32,
}

/// Nothing where the test itself has no rights: then its own account will do.
fn other_account() -> Option<Account> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").expect("the accounts of this machine");
    let account = accounts.lines().find_map(|line| {
        let mut fields = line.strip_prefix(NAME)?.strip_prefix(':')?.split(':').skip(1);
        Some(Account { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    });
    Some(account.unwrap_or_else(|| panic!("there is no account {NAME}: `make setup` installs PostgreSQL")))
}

/// Whether the server has another account than the test.
pub(super) fn is_another() -> bool {
    other_account().is_some()
}

/// The options of `setpriv` by which a process gets the server's account.
pub(super) fn options() -> Vec<String> {
    other_account().map_or_else(Vec::new, |Account { user, group }| {
        vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]
    })
}

/// Gives a folder to the server's account.
pub(super) fn own(path: &Path) {
    if let Some(Account { user, group }) = other_account() {
        chown(path, Some(user), Some(group)).expect("a folder that can be given away");
    }
}

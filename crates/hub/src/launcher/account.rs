//! As whom builds run.

use std::io;
use std::path::{Path, PathBuf};

const ACCOUNTS: &str = "/etc/passwd";

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Number of the user.
    pub user: u32,
    /// Number of the group.
    pub group: u32,
}

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is none of this name.
    #[error("builds are to run as {name}, and this machine has no such account")]
    Missing {
        /// The name.
        name: String,
    },
    /// It is root's.
    #[error("builds are to run as {name}, which has the rights of root")]
    Root {
        /// The name.
        name: String,
    },
    /// The accounts of the machine cannot be read.
    #[error("the accounts of this machine cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl AccountError {
    /// What to do.
    pub fn fix(&self) -> String {
        match self {
            Self::Missing { name } => format!(
                "run `useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin {name}` and \
                 `usermod --add-subuids 2000000-2065535 --add-subgids 2000000-2065535 {name}`, or name another account as \
                 `user` in [builder_process]"
            ),
            Self::Root { .. } => "name an account of its own as `user` in [builder_process]".to_owned(),
            Self::Unreadable(_) => "start the hub as a user who may read /etc/passwd".to_owned(),
        }
    }
}

impl Account {
    /// The account that builds run as: one of their own where the hub is root, else the hub's.
    ///
    /// # Errors
    /// An account that is missing, or root's.
    pub fn for_builds(name: &str) -> Result<Option<Self>, AccountError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let account = Self::find(Path::new(ACCOUNTS), name)?;
        if account.user == 0 || account.group == 0 {
            return Err(AccountError::Root { name: name.to_owned() });
        }
        Ok(Some(account))
    }

    fn find(accounts: &Path, name: &str) -> Result<Self, AccountError> {
        let text = std::fs::read_to_string(accounts)?;
        let found = text.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [found, _, user, group, ..] = fields.as_slice() else { return None };
            let account =
                Self { name: name.to_owned(), user: user.parse().ok()?, group: group.parse().ok()? };
            (*found == name).then_some(account)
        });
        found.ok_or_else(|| AccountError::Missing { name: name.to_owned() })
    }
}

/// Makes a folder that is a build account's own, or the hub's where builds have none.
pub(super) fn own_folder(path: &Path, account: Option<&Account>) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if let Some(account) = account {
        std::os::unix::fs::lchown(path, Some(account.user), Some(account.group))?;
        // Whoever made it earlier may have been another account's.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Where a program is, in one of the folders of a search path.
pub(super) fn program(name: &str, search_path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    std::env::split_paths(search_path?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "root:x:0:0::/root:/bin/sh\nbuild:x:990:989::/:/bin/false\nodd\n")
            .unwrap();
        let found = Account::find(file.path(), "build").unwrap();
        assert_eq!((found.user, found.group), (990, 989));
        let error = Account::find(file.path(), "buil").unwrap_err();
        assert!(error.fix().contains("useradd"), "{}", error.fix());
    }
}

//! Which protections this machine gives to steps that run foreign code.

use std::fs;
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::process::getuid;
use serde::{Deserialize, Serialize};

use super::control_group::ControlGroup;
use super::identities::Identities;
use super::{SandboxSettings, programs};
use crate::error::{BuildError, ErrorKind};

/// A protection, under the name that the configuration file gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Users inside are nobody outside: a namespace of users.
    SeparateUsers,
    /// Files, processes and host name of this machine are out of sight: bubblewrap, and buildah inside it.
    SeparateFiles,
    /// Changes are kept apart from the base without copying it: overlayfs.
    SeparateChanges,
    /// Neither this machine's own servers nor metadata services can be reached: slirp4netns.
    PrivateNetwork,
    /// Memory and processes of a step are limited together: control groups. Without it, each process has the
    /// limit for itself.
    TotalMemoryLimit,
}

impl Protection {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SeparateUsers,
        Self::SeparateFiles,
        Self::SeparateChanges,
        Self::PrivateNetwork,
        Self::TotalMemoryLimit,
    ];

    /// The name in the configuration file.
    pub fn name(self) -> &'static str {
        match self {
            Self::SeparateUsers => "separate-users",
            Self::SeparateFiles => "separate-files",
            Self::SeparateChanges => "separate-changes",
            Self::PrivateNetwork => "private-network",
            Self::TotalMemoryLimit => "total-memory-limit",
        }
    }

    /// What it does, for people.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::SeparateUsers => "root in a step is nobody on this machine",
            Self::SeparateFiles => "a step sees neither files nor processes of this machine",
            Self::SeparateChanges => "what a step changes is kept apart from the base",
            Self::PrivateNetwork => "a step reaches neither this machine's servers nor metadata services",
            Self::TotalMemoryLimit => "the memory of a step is limited as a whole",
        }
    }

    /// True for those without which no step runs unless the operator says otherwise.
    pub fn is_required(self) -> bool {
        self != Self::TotalMemoryLimit
    }

    /// True for those that the operator may do without; the others are what the sandbox is made of.
    pub fn can_be_waived(self) -> bool {
        matches!(self, Self::PrivateNetwork | Self::TotalMemoryLimit)
    }
}

/// Whether this machine gives a protection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which one.
    pub protection: Protection,
    /// Whether it is given.
    pub given: bool,
    /// How, or why not.
    pub detail: String,
    /// The line that helps, where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
}

/// Looks at this machine. Nothing is started.
pub fn examine() -> Vec<Finding> {
    Protection::ALL
        .into_iter()
        .map(|protection| match look_for(protection) {
            Ok(detail) => Finding { protection, given: true, detail, install: None },
            Err((detail, install)) => Finding { protection, given: false, detail, install: Some(install) },
        })
        .collect()
}

/// Whether this machine gives a protection.
pub(super) fn is_given(protection: Protection) -> bool {
    look_for(protection).is_ok()
}

fn look_for(protection: Protection) -> Found {
    match protection {
        Protection::SeparateUsers => separate_users(),
        Protection::SeparateFiles => separate_files(),
        Protection::SeparateChanges => separate_changes(),
        Protection::PrivateNetwork => private_network(),
        Protection::TotalMemoryLimit => total_memory_limit(),
    }
}

/// Refuses to run anything on a machine that gives too little.
///
/// # Errors
/// The first protection that is missing and needed.
pub fn refuse_if_too_few(settings: &SandboxSettings) -> Result<(), BuildError> {
    let missing = examine().into_iter().find(|one| !one.given && settings.requires(one.protection));
    let Some(missing) = missing else { return Ok(()) };
    let name = missing.protection.name();
    let mut next = missing.install.unwrap_or_default();
    if missing.protection.can_be_waived() {
        next = format!(
            "{next}; or, where everybody who builds here is trusted, put `allow_without = [\"{name}\"]` under \
             [sandbox] in the configuration file"
        );
    }
    Err(BuildError::new(
        ErrorKind::Unsupported,
        format!("steps that run foreign code are not run on this machine: it lacks {name}"),
    )
    .with_explanation(format!("With it, {}; here {}.", missing.protection.purpose(), missing.detail))
    .with_next_step(next))
}

/// How, or why not and what helps.
type Found = Result<String, (String, String)>;

fn separate_users() -> Found {
    let number =
        |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse::<u64>().ok();
    if number("kernel/unprivileged_userns_clone") == Some(0) && !getuid().is_root() {
        return Err((
            "namespaces of users are switched off for ordinary users".to_owned(),
            "sysctl --write kernel.unprivileged_userns_clone=1".to_owned(),
        ));
    }
    match number("user/max_user_namespaces") {
        None => {
            return Err((
                "this kernel has no namespaces of users".to_owned(),
                "boot a kernel with CONFIG_USER_NS".to_owned(),
            ));
        }
        Some(0) => {
            return Err((
                "namespaces of users are switched off".to_owned(),
                "sysctl --write user.max_user_namespaces=15000".to_owned(),
            ));
        }
        Some(_) => {}
    }
    let identities = Identities::of_this_user()
        .map_err(|error| (error.message().to_owned(), error.next_step().unwrap_or_default().to_owned()))?;
    if identities.is_root() {
        return Ok("65536 users of their own, which no account has".to_owned());
    }
    if programs::find("newuidmap").is_none() {
        return Err(("newuidmap was not found".to_owned(), "apt-get install uidmap".to_owned()));
    }
    Ok("65536 users of the range in /etc/subuid".to_owned())
}

fn separate_files() -> Found {
    let missing: Vec<_> =
        programs::NEEDED.iter().filter(|(program, _)| programs::find(program).is_none()).collect();
    if missing.is_empty() {
        return Ok("bubblewrap and buildah".to_owned());
    }
    let names: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    Err((format!("not found: {}", names.join(", ")), format!("apt-get install {}", packages.join(" "))))
}

fn separate_changes() -> Found {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_whitespace().last() == Some("overlay")) {
        return Ok("overlayfs".to_owned());
    }
    Err(("overlayfs is not known to the kernel".to_owned(), "modprobe overlay".to_owned()))
}

fn private_network() -> Found {
    if programs::find("slirp4netns").is_none() {
        return Err(("slirp4netns was not found".to_owned(), "apt-get install slirp4netns".to_owned()));
    }
    if programs::find("ip").is_none() {
        return Err(("ip was not found".to_owned(), "apt-get install iproute2".to_owned()));
    }
    if !Path::new("/dev/net/tun").exists() {
        return Err(("/dev/net/tun does not exist".to_owned(), "modprobe tun".to_owned()));
    }
    if access("/dev/net/tun", Access::READ_OK | Access::WRITE_OK).is_err() {
        return Err((
            "/dev/net/tun may not be opened by this user".to_owned(),
            "chmod 0666 /dev/net/tun (as root; udev has it so)".to_owned(),
        ));
    }
    Ok("slirp4netns, without this machine's own and link-local addresses".to_owned())
}

fn total_memory_limit() -> Found {
    match ControlGroup::create(&SandboxSettings::default()) {
        Some(group) if group.limits_memory() => Ok("control groups".to_owned()),
        _ => Err((
            "no control group can be made here: each process of a step has the limit for itself".to_owned(),
            "run as root where /sys/fs/cgroup can be written to".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sandbox_is_made_of_is_never_waived() {
        let settings =
            SandboxSettings { allow_without: Protection::ALL.into(), ..SandboxSettings::default() };
        let needed: Vec<_> = Protection::ALL.into_iter().filter(|one| settings.requires(*one)).collect();
        assert_eq!(
            needed,
            [Protection::SeparateUsers, Protection::SeparateFiles, Protection::SeparateChanges]
        );
        assert!(SandboxSettings::default().requires(Protection::PrivateNetwork));
        assert!(!SandboxSettings::default().requires(Protection::TotalMemoryLimit));
    }

    #[test]
    fn names_are_those_of_the_configuration_file() {
        for protection in Protection::ALL {
            assert_eq!(serde_json::to_value(protection).unwrap(), protection.name());
        }
    }
}

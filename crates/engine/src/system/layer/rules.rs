//! What of a step's changes is no part of the image: traces of the run itself.

/// What becomes of a changed path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in the layer.
    Kept,
    /// It is not; what the base has there stays.
    Dropped,
    /// It is in the layer with its owner and mode, and without content: programs that append to it want it there.
    Emptied,
    /// It is not, and people are told: it would be the same secret in every container of the image.
    Secret,
}

/// Folders of which nothing is kept: they are made anew in every container, or hold what apt fetched.
const DROPPED_BELOW: [&str; 14] = [
    "dev",
    "imagewright",
    "proc",
    "run",
    "sys",
    "tmp",
    "var/tmp",
    "var/cache/apt",
    "var/cache/apt-show-versions",
    "var/cache/man",
    "var/lib/apt/lists",
    "var/lib/apt/periodic",
    "var/lib/systemd/timers",
    "var/log/apt",
];

/// Single files that tell of this run, of this machine, or are made anew.
const DROPPED: [&str; 14] = [
    // What the builder of a container mounts or makes.
    ".dockerenv",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    // Who a machine is: every container gets its own.
    "etc/machine-id",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    // Times and inode numbers, from which nothing is read that is not found out again.
    "var/cache/ldconfig/aux-cache",
    "var/lib/apt/daily_lock",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/triggers/Lock",
    "var/lib/dpkg/triggers/Unincorp.new",
];

/// Folders in which the copies that dpkg and debconf keep of the last state are dropped.
const LAST_STATE: [(&str, &str); 2] = [("var/cache/debconf", "-old"), ("var/lib/dpkg", "-old")];

/// What becomes of a changed path that is no folder; of a folder, whether anything below it can be kept.
pub(super) fn fate(path: &str) -> Fate {
    let (folder, name) = imagewright_oci::layer::path::split(path);
    let is_below =
        |parent: &str| path == parent || path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'));
    let is_last_state = LAST_STATE.iter().any(|(parent, end)| folder == *parent && name.ends_with(end));
    if DROPPED_BELOW.iter().any(|parent| is_below(parent)) || DROPPED.contains(&path) || is_last_state {
        return Fate::Dropped;
    }
    if folder == "etc/ssh" && name.starts_with("ssh_host_") && name.contains("_key") {
        return Fate::Secret;
    }
    if folder.split('/').take(2).eq(["var", "log"]) { Fate::Emptied } else { Fate::Kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_of_the_run_are_told_from_what_was_installed() {
        let table = [
            ("usr/bin/jq", Fate::Kept),
            ("etc/ld.so.cache", Fate::Kept),
            ("etc/hosts.allow", Fate::Kept),
            ("var/lib/dpkg/status", Fate::Kept),
            ("var/lib/dpkg/info/jq.list", Fate::Kept),
            ("var/lib/apt/extended_states", Fate::Kept),
            ("var/cache/fontconfig/x", Fate::Kept),
            ("var/cache/debconf/config.dat", Fate::Kept),
            ("runner/x", Fate::Kept),
            ("etc/hosts", Fate::Dropped),
            ("etc/resolv.conf", Fate::Dropped),
            ("etc/machine-id", Fate::Dropped),
            ("run/imagewright/certificates.pem", Fate::Dropped),
            ("tmp/x", Fate::Dropped),
            ("var/cache/apt/pkgcache.bin", Fate::Dropped),
            ("var/cache/debconf/config.dat-old", Fate::Dropped),
            ("var/lib/apt/lists/mirror_InRelease", Fate::Dropped),
            ("var/lib/dpkg/lock-frontend", Fate::Dropped),
            ("var/lib/dpkg/status-old", Fate::Dropped),
            ("var/log/apt/term.log", Fate::Dropped),
            ("var/log/dpkg.log", Fate::Emptied),
            ("var/log/postgresql/x.log", Fate::Emptied),
            ("etc/ssh/ssh_host_ed25519_key", Fate::Secret),
            ("etc/ssh/ssh_host_ed25519_key.pub", Fate::Secret),
            ("etc/ssh/sshd_config", Fate::Kept),
        ];
        for (path, expected) in table {
            assert_eq!(fate(path), expected, "{path}");
        }
    }
}

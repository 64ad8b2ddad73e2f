//! The programs of this machine that make the fence.

use std::path::PathBuf;

/// Programs that every sandbox needs, with the Debian package of each.
pub(super) const NEEDED: [(&str, &str); 12] = [
    ("buildah", "buildah"),
    ("bwrap", "bubblewrap"),
    ("cat", "coreutils"),
    ("chrt", "util-linux"),
    ("choom", "util-linux"),
    ("ionice", "util-linux"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("prlimit", "util-linux"),
    ("setpriv", "util-linux"),
    ("tar", "tar"),
    ("unshare", "util-linux"),
];

/// Where programs are looked for besides `PATH`: users' paths often lack those for administrators.
const ADMINISTRATION: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// Where a program is.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(ADMINISTRATION.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The `PATH` with which the fence's own programs are found.
pub(super) fn search_path() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(ADMINISTRATION.iter().map(PathBuf::from));
    std::env::join_paths(folders).unwrap_or(path)
}

//! Files: certificates and the cache.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::part::Part;
use crate::display::amount::bytes;

/// Where Linux distributions keep the certificates that the system trusts.
const CERTIFICATES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Space below which a build with large packages is likely to fail: wheels and frames of a deep-learning framework.
const LITTLE_SPACE: u64 = 5_000_000_000;

/// Space below which no build is started.
const NO_SPACE: u64 = 200_000_000;

/// The certificates by which registries and indexes are known.
pub(super) fn certificates() -> Part {
    let part = Part::required("certificates", "by which registries and package indexes are known");
    let named = std::env::var_os("SSL_CERT_FILE").filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = named {
        return match std::fs::File::open(&path) {
            Ok(_) => part.present(format!("{} (SSL_CERT_FILE)", path.display())),
            Err(error) => part
                .missing(format!("SSL_CERT_FILE names {}: {error}", path.display()), "unset SSL_CERT_FILE"),
        };
    }
    match CERTIFICATES.iter().find(|path| Path::new(path).is_file()) {
        Some(path) => part.present(*path),
        None => part.missing("no bundle of certificates was found", "apt-get install ca-certificates"),
    }
}

/// The cache's folder, or the folder in which it would be made.
pub(super) fn cache(root: &Path) -> Part {
    let part = Part::required("cache", "keeps base indexes, wheels and packages for the next build");
    let shown = root.display();
    let existing = root.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let elsewhere = "export IMAGEWRIGHT_CACHE=FOLDER";
    if !existing.is_dir() || access(existing, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return part.missing(format!("{shown} cannot be written to"), elsewhere);
    }
    let free = statvfs(existing).map_or(0, |space| space.f_bavail.saturating_mul(space.f_frsize));
    if free < NO_SPACE {
        return part.missing(format!("{shown} has {} free", bytes(free)), "imagewright cache trim --to 1GB");
    }
    let warning = if free < LITTLE_SPACE { ": little for large packages" } else { "" };
    part.present(format!("{shown}, {} free{warning}", bytes(free)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_usable_before_it_exists_and_never_below_a_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(cache(&folder.path().join("not/yet")).found);
        assert!(!folder.path().join("not").exists(), "looking makes nothing");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(!cache(&file.join("below")).found);
    }
}

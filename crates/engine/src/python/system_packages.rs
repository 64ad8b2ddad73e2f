//! What the operating system's package manager says it installed.

use imagewright_oci::tree::ImageTree;

/// The version of an installed Debian package (`3.11.2-6+deb12u6`), from dpkg's status or, in distroless
/// images, from `status.d`.
pub(super) fn dpkg_version(tree: &ImageTree, package: &str) -> Option<String> {
    let status =
        tree.text("var/lib/dpkg/status").and_then(|text| version_in(&text, "Package: ", package, true));
    status.or_else(|| {
        let folder = "var/lib/dpkg/status.d";
        tree.children(folder).find_map(|(name, _)| {
            let text = tree.text(&format!("{folder}/{name}"))?;
            version_in(&text, "Package: ", package, false)
        })
    })
}

/// The version of an installed Alpine package (`3.12.8-r1`).
pub(super) fn apk_version(tree: &ImageTree, package: &str) -> Option<String> {
    ["lib/apk/db/installed", "usr/lib/apk/db/installed"]
        .iter()
        .find_map(|path| version_in(&tree.text(path)?, "P:", package, false))
}

/// Looks for the paragraph of a package in a file of paragraphs that are parted by empty lines.
fn version_in(text: &str, name_field: &str, package: &str, must_be_installed: bool) -> Option<String> {
    let version_field = if name_field == "P:" { "V:" } else { "Version: " };
    let mut found: Option<&str> = None;
    let mut named = false;
    let mut installed = !must_be_installed;
    for line in text.lines().chain([""]) {
        if line.is_empty() {
            if named && installed {
                return found.map(str::to_owned);
            }
            (found, named, installed) = (None, false, !must_be_installed);
        } else if let Some(name) = line.strip_prefix(name_field) {
            named = name.trim() == package;
        } else if let Some(version) = line.strip_prefix(version_field) {
            found = Some(version.trim());
        } else if let Some(status) = line.strip_prefix("Status: ") {
            installed |= status.ends_with(" installed");
        }
    }
    None
}

/// A field of os-release (`ID`, `ID_LIKE`), without quotes.
pub(super) fn os_release(tree: &ImageTree, field: &str) -> Option<String> {
    let text = tree.text("etc/os-release").or_else(|| tree.text("usr/lib/os-release"))?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == field).then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    const STATUS: &str = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u9\n\n\
        Package: python3.11-minimal\nVersion: 3.11.2-6\nStatus: deinstall ok config-files\n";

    #[test]
    fn packages_that_were_removed_do_not_count() {
        assert_eq!(version_in(STATUS, "Package: ", "libc6", true).as_deref(), Some("2.36-9+deb12u9"));
        assert_eq!(version_in(STATUS, "Package: ", "python3.11-minimal", true), None);
    }

    #[test]
    fn alpine_paragraphs_are_read() {
        let database = "C:Q1x\nP:musl\nV:1.2.5-r9\nA:x86_64\n\nP:python3\nV:3.12.8-r1\n";
        assert_eq!(version_in(database, "P:", "python3", false).as_deref(), Some("3.12.8-r1"));
    }
}

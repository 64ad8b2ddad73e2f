//! Which C library an image has. It decides which wheels run: `manylinux_2_36` needs glibc 2.36 or newer.

use imagewright_oci::tree::ImageTree;

use super::error::PythonError;
use super::system_packages::{apk_version, dpkg_version, os_release};
use super::target::{Architecture, Libc};

/// Finds the C library. Where both are there (cross tools on Debian, `gcompat` on Alpine) the distribution
/// decides.
pub(crate) fn detect(tree: &ImageTree, architecture: Architecture) -> Result<Libc, PythonError> {
    let glibc = || glibc(tree, architecture);
    let musl = || musl(tree, architecture);
    let alpine =
        os_release(tree, "ID").is_some_and(|id| id == "alpine") || tree.get("etc/alpine-release").is_some();
    let found = if alpine { musl().or_else(glibc) } else { glibc().or_else(musl) };
    found.ok_or(PythonError::UnknownLibc)
}

fn glibc(tree: &ImageTree, architecture: Architecture) -> Option<Libc> {
    let multiarch = format!("{}-linux-gnu", architecture.machine());
    let folders = [
        format!("lib/{multiarch}"),
        format!("usr/lib/{multiarch}"),
        "lib64".to_owned(),
        "usr/lib64".to_owned(),
        "lib".to_owned(),
        "usr/lib".to_owned(),
    ];
    let (major, minor) = folders
        .iter()
        .filter_map(|folder| tree.binary(&format!("{folder}/libc.so.6"))?.version.as_deref())
        .find_map(major_minor)
        .or_else(|| major_minor(&dpkg_version(tree, "libc6")?))?;
    Some(Libc::Glibc { major, minor })
}

fn musl(tree: &ImageTree, architecture: Architecture) -> Option<Libc> {
    let loader = format!("lib/ld-musl-{}.so.1", architecture.machine());
    let (major, minor) = tree
        .binary(&loader)
        .and_then(|facts| major_minor(facts.version.as_deref()?))
        .or_else(|| major_minor(&apk_version(tree, "musl")?))?;
    Some(Libc::Musl { major, minor })
}

/// The first two numbers of `2.36-9+deb12u9`, `1.2.5-r0`, `2.28`.
fn major_minor(version: &str) -> Option<(u16, u16)> {
    let mut numbers = version.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

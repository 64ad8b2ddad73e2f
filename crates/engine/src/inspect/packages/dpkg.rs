//! Debian's packages: `/var/lib/dpkg/status`, or `status.d` in distroless images.

use imagewright_oci::tree::ImageTree;

use super::paragraphs::{Paragraph, paragraphs};
use crate::inspect::report::PackageReport;

/// The installed packages.
pub(super) fn packages(tree: &ImageTree) -> Vec<PackageReport> {
    let mut packages = Vec::new();
    if let Some(text) = tree.text("var/lib/dpkg/status") {
        packages.extend(paragraphs(&text).filter(is_installed).filter_map(|paragraph| package(&paragraph)));
    }
    let folder = "var/lib/dpkg/status.d";
    for (name, _) in tree.children(folder) {
        if let Some(text) = tree.text(&format!("{folder}/{name}")) {
            packages.extend(paragraphs(&text).filter_map(|paragraph| package(&paragraph)));
        }
    }
    packages
}

/// False for what was removed and has only left its settings.
fn is_installed(paragraph: &Paragraph<'_>) -> bool {
    paragraph.field("Status").is_some_and(|status| status.ends_with(" installed"))
}

fn package(paragraph: &Paragraph<'_>) -> Option<PackageReport> {
    // `Installed-Size` counts units of 1024 bytes.
    let size = paragraph.field("Installed-Size").and_then(|size| size.parse::<u64>().ok());
    Some(PackageReport {
        name: paragraph.field("Package")?.to_owned(),
        version: paragraph.field("Version")?.to_owned(),
        size: size.map(|size| size.saturating_mul(1024)),
        build: None,
        installer: None,
    })
}

//! Alpine's packages: paragraphs of one-letter fields.

use imagewright_oci::tree::ImageTree;

use super::paragraphs::{Paragraph, paragraphs};
use crate::inspect::report::PackageReport;

/// The installed packages.
pub(super) fn packages(tree: &ImageTree) -> Vec<PackageReport> {
    let text = ["lib/apk/db/installed", "usr/lib/apk/db/installed"].iter().find_map(|path| tree.text(path));
    text.iter().flat_map(|text| paragraphs(text)).filter_map(|paragraph| package(&paragraph)).collect()
}

/// `P` is the name, `V` the version, `I` the installed size in bytes.
fn package(paragraph: &Paragraph<'_>) -> Option<PackageReport> {
    Some(PackageReport {
        name: paragraph.field("P")?.to_owned(),
        version: paragraph.field("V")?.to_owned(),
        size: paragraph.field("I").and_then(|size| size.parse().ok()),
        build: None,
        installer: None,
    })
}

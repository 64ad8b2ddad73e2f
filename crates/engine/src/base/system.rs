//! What operating system an image holds.

use imagewright_oci::tree::ImageTree;
use serde::Serialize;

/// The image's own description of its operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatingSystem {
    /// `ID` of os-release: `debian`, `ubuntu`, `alpine`.
    pub id: String,
    /// `VERSION_ID`, where there is one.
    pub version: Option<String>,
    /// `PRETTY_NAME`: what people call it.
    pub name: String,
}

/// Reads os-release. `None` where the image has none: a distroless or empty base.
pub fn operating_system(tree: &ImageTree) -> Option<OperatingSystem> {
    let text = tree.text("etc/os-release").or_else(|| tree.text("usr/lib/os-release"))?;
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.trim().split_once('=')?;
            (name == key).then(|| value.trim_matches(['"', '\'']).to_owned())
        })
    };
    let id = value("ID")?;
    Some(OperatingSystem {
        version: value("VERSION_ID"),
        name: value("PRETTY_NAME").unwrap_or_else(|| id.clone()),
        id,
    })
}

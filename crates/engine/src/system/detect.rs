//! Whether a base has APT: told from its index, before anything is run or even fetched.

use imagewright_oci::layer::entry::Kind;
use imagewright_oci::manifest::Platform;
use imagewright_oci::tree::ImageTree;
use jiff::Timestamp;
use serde_json::Value;

use crate::base::operating_system;
use crate::error::{BuildError, ErrorKind};

/// A base with APT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AptBase {
    /// What people call its system: `Debian GNU/Linux 12 (bookworm)`.
    pub(crate) system: String,
    /// When the base was made, in seconds since the Unix epoch: what stands for now in what is made upon it.
    pub(crate) epoch: i64,
}

/// Other package managers, by the program that a base with them has.
const OTHERS: [(&str, &str); 7] = [
    ("sbin/apk", "apk"),
    ("usr/bin/apk", "apk"),
    ("usr/bin/microdnf", "microdnf"),
    ("usr/bin/dnf", "dnf"),
    ("usr/bin/yum", "yum"),
    ("usr/bin/zypper", "zypper"),
    ("usr/bin/pacman", "pacman"),
];

/// Looks at a base.
///
/// # Errors
/// A base without APT or without sources of packages, and one whose programs this machine cannot run.
pub(crate) fn detect(tree: &ImageTree, config: &Value, platform: &Platform) -> Result<AptBase, BuildError> {
    let name =
        operating_system(tree).map_or_else(|| "a system without a name".to_owned(), |system| system.name);
    let has_file = |path: &str| tree.resolve(path).ok().flatten().is_some_and(|found| found.node.is_file());
    if !has_file("usr/bin/apt-get") || !has_file("usr/bin/dpkg") || !has_file("var/lib/dpkg/status") {
        return Err(without_apt(
            &name,
            OTHERS.iter().find(|(path, _)| has_file(path)).map(|(_, other)| *other),
        ));
    }
    if !has_sources(tree) {
        return Err(BuildError::new(
            ErrorKind::Unsupported,
            format!("system packages cannot be installed: the base ({name}) names no sources of packages"),
        )
        .with_explanation("Neither /etc/apt/sources.list nor /etc/apt/sources.list.d has any.")
        .with_next_step("choose a base that keeps its sources of packages, or add them to yours"));
    }
    let own = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    if platform.architecture != own {
        return Err(BuildError::new(
            ErrorKind::Unsupported,
            format!("system packages of {platform} images cannot be installed on this machine, which is {own}"),
        )
        .with_explanation("Their installation runs programs of the image.")
        .with_next_step(format!(
            "build for linux/{own} alone, leave the system packages out, or build on a machine of that architecture"
        )));
    }
    Ok(AptBase { system: name, epoch: created(config) })
}

fn without_apt(name: &str, other: Option<&str>) -> BuildError {
    let why = match other {
        Some(manager) => format!("Its package manager is {manager}."),
        None => "It has no package manager that is known here.".to_owned(),
    };
    BuildError::new(
        ErrorKind::Unsupported,
        format!("system packages cannot be installed: the base ({name}) has no APT"),
    )
    .with_explanation(why)
    .with_next_step(
        "choose a base made from Debian or Ubuntu, or one that has the packages already; nothing was run",
    )
}

/// True when there is a file that may name sources; whether they are any good, apt tells.
fn has_sources(tree: &ImageTree) -> bool {
    let is_filled = |path: &str| {
        let found = tree.resolve(path).ok().flatten();
        found.is_some_and(|found| matches!(found.node.kind, Kind::File { size } if size > 0))
    };
    // A folder that cannot be followed is none: its name would otherwise be that of the root.
    let folder = tree.real_folder("etc/apt/sources.list.d").ok();
    let is_source = |name: &str| matches!(name.rsplit_once('.'), Some((_, "list" | "sources")));
    is_filled("etc/apt/sources.list")
        || folder.is_some_and(|folder| {
            let mut names = tree.children(&folder).map(|(name, _)| name);
            names.any(|name| is_source(name) && is_filled(&format!("{folder}/{name}")))
        })
}

/// `created` of a configuration in seconds since the Unix epoch; 0 where it is not said, or was set to nothing, as
/// reproducible builders have it.
fn created(config: &Value) -> i64 {
    let text = config.get("created").and_then(Value::as_str);
    let time = text.and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or(0, |time| time.as_second().max(0))
}

#[cfg(test)]
mod tests {
    use imagewright_oci::layer::index::{IndexLimits, index_layer};
    use imagewright_testkit::LayerBuilder;
    use serde_json::json;

    use super::*;

    fn tree(layer: LayerBuilder) -> ImageTree {
        let archive = layer.plain().build().blob();
        let index = index_layer(&*archive, IndexLimits::default()).unwrap();
        let mut tree = ImageTree::new();
        tree.apply(&index).unwrap();
        tree
    }

    /// A base with APT, but for its sources.
    fn with_apt() -> LayerBuilder {
        LayerBuilder::new()
            .file("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
            .program("usr/bin/apt-get", "")
            .program("usr/bin/dpkg", "")
            .file("var/lib/dpkg/status", "\n")
    }

    fn of(layer: LayerBuilder, architecture: &str) -> Result<AptBase, BuildError> {
        let platform: Platform = format!("linux/{architecture}").parse().unwrap();
        detect(&tree(layer), &json!({ "created": "1970-01-02T00:00:00Z" }), &platform)
    }

    fn own_and_other() -> (&'static str, &'static str) {
        if cfg!(target_arch = "aarch64") { ("arm64", "amd64") } else { ("amd64", "arm64") }
    }

    #[test]
    fn a_base_with_apt_and_either_form_of_sources_is_known() {
        let known = AptBase { system: "Debian GNU/Linux 12 (bookworm)".to_owned(), epoch: 86_400 };
        for path in [
            "etc/apt/sources.list",
            "etc/apt/sources.list.d/debian.sources",
            "etc/apt/sources.list.d/more.list",
        ] {
            let found = of(with_apt().file(path, "deb http://deb.example/ ./\n"), own_and_other().0);
            assert_eq!(found.unwrap(), known, "{path}");
        }
        let merged = with_apt()
            .symlink("etc/apt/sources.list.d", "../../srv/sources")
            .file("srv/sources/a.list", "deb http://deb.example/ ./\n");
        assert_eq!(of(merged, own_and_other().0).unwrap(), known);
    }

    #[test]
    fn sources_that_apt_would_not_read_are_none() {
        for (layer, what) in [
            (with_apt(), "nothing"),
            (with_apt().file("etc/apt/sources.list", ""), "an empty file"),
            (
                with_apt().file("etc/apt/sources.list.d/debian.sources.disabled", "Types: deb\n"),
                "another name",
            ),
            (
                with_apt()
                    .symlink("etc/apt/sources.list.d", "sources.list.d")
                    .file("a.list", "deb http://deb.example/ ./\n"),
                "a link to itself",
            ),
        ] {
            let error = of(layer, own_and_other().0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}");
            assert!(error.message().contains("names no sources of packages"), "{what}: {}", error.message());
        }
    }

    #[test]
    fn other_package_managers_are_named() {
        for (program, name) in OTHERS {
            let error = of(LayerBuilder::new().program(program, ""), own_and_other().0).unwrap_err();
            let why = error.explanation().unwrap_or_default();
            assert_eq!(why, format!("Its package manager is {name}."));
        }
    }

    #[test]
    fn programs_of_another_processor_are_not_tried() {
        let (own, other) = own_and_other();
        let layer = with_apt().file("etc/apt/sources.list", "deb http://deb.example/ ./\n");
        let error = of(layer, other).unwrap_err();
        assert_eq!(
            error.message(),
            format!(
                "system packages of linux/{other} images cannot be installed on this machine, which is {own}"
            )
        );
    }

    #[test]
    fn times_of_configurations_are_read() {
        let of = |text: &str| created(&json!({ "created": text }));
        assert_eq!(of("2024-02-29T12:30:15.123456789Z"), 1_709_209_815);
        assert_eq!(of("2024-02-29T14:30:15+02:00"), 1_709_209_815);
        for odd in ["", "yesterday", "2024-02-29", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(of(odd), 0, "{odd}");
        }
        assert_eq!(created(&json!({})), 0);
    }
}

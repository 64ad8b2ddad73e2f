//! overlayfs' way of writing changes down, as the kernel's documentation has it: what is removed is a character
//! device 0:0 of the same name, and a folder that hides the one below has an attribute.

use std::collections::BTreeMap;

use imagewright_oci::layer::entry::Metadata;
use imagewright_oci::layer::path::{normalise, split};
use imagewright_oci::layer::tar::{TarEntry, TypeFlag};

use crate::error::{BuildError, ErrorKind};

/// What a change means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A folder; `opaque` when it hides everything that the base has in it.
    Directory { opaque: bool },
    /// A regular file with this many bytes.
    File { size: u64 },
    /// Another name of a file that came before.
    HardLink { target: String },
    /// A symbolic link.
    Symlink { target: String },
    /// A named pipe.
    Fifo,
    /// What the base has there is gone.
    Removed,
    /// A device: containers get theirs from whoever starts them.
    Device,
}

/// Prefixes of the attributes that overlayfs keeps for itself.
const OWN_ATTRIBUTES: [&str; 2] = ["trusted.overlay.", "user.overlay."];

/// What an entry means.
///
/// # Errors
/// Changes that refer to the base in a way that no layer can.
pub(super) fn meaning(path: &str, entry: &TarEntry) -> Result<Meaning, BuildError> {
    if split(path).1.starts_with(".wh.") {
        return Err(BuildError::new(
            ErrorKind::SandboxFailed,
            format!("/{path} cannot be in an image: names that start with .wh. remove files there"),
        )
        .with_next_step("leave out the package that makes it"));
    }
    let own = |name: &str| {
        OWN_ATTRIBUTES.iter().find_map(|prefix| entry.extended_attributes.get(&format!("{prefix}{name}")))
    };
    if own("redirect").is_some() || own("metacopy").is_some() {
        return Err(BuildError::new(
            ErrorKind::SandboxFailed,
            format!(
                "/{path} was changed in a way that no layer can hold: overlayfs refers to the base for it"
            ),
        )
        .with_next_step("switch redirect_dir and metacopy of overlayfs off on this machine"));
    }
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).map_err(|_| {
            BuildError::new(
                ErrorKind::SandboxFailed,
                format!("the link /{path} has a target that is no UTF-8"),
            )
            .with_next_step("leave out the package that makes it")
        })
    };
    Ok(match entry.type_flag {
        TypeFlag::Directory => {
            Meaning::Directory { opaque: own("opaque").is_some_and(|value| value == b"y") }
        }
        TypeFlag::File => Meaning::File { size: entry.size },
        TypeFlag::HardLink => {
            let target = normalise(&entry.link_name).map_err(|error| {
                BuildError::new(
                    ErrorKind::SandboxFailed,
                    format!("/{path} links to what no layer can hold: {error}"),
                )
                .with_next_step("leave out the package that makes it")
            })?;
            Meaning::HardLink { target }
        }
        TypeFlag::Symlink => Meaning::Symlink { target: text(&entry.link_name)? },
        TypeFlag::Fifo => Meaning::Fifo,
        TypeFlag::CharacterDevice if entry.device == (0, 0) => Meaning::Removed,
        TypeFlag::CharacterDevice | TypeFlag::BlockDevice => Meaning::Device,
    })
}

/// Mode, owner, time and attributes of an entry, without those of overlayfs itself.
pub(super) fn metadata(entry: &TarEntry, began: i64, epoch: i64) -> Metadata {
    let modified = if entry.modified >= began { epoch } else { entry.modified };
    let mut metadata = Metadata::new(entry.mode, entry.user_id, entry.group_id, modified);
    let attributes: BTreeMap<String, Vec<u8>> = entry
        .extended_attributes
        .iter()
        .filter(|(name, _)| !OWN_ATTRIBUTES.iter().any(|own| name.starts_with(own)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !attributes.is_empty() {
        metadata.extended_attributes = Some(Box::new(attributes));
    }
    metadata
}

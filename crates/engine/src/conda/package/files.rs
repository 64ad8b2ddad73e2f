//! Where a package's files go, and with which content: the prefix takes the place of its placeholder, and pure
//! Python goes where this prefix's Python looks for it.

use std::path::Path;

use imagewright_oci::layer::path::has_extension;
use rattler::install::PythonInfo;
use rattler_conda_types::Subdir;
use rattler_conda_types::package::{
    Files, HasPrefix, NoLink, NoSoftlink, PackageFile as _, PathType as ListedType,
    PathsEntry as ListedEntry, PathsJson,
};
use rattler_conda_types::prefix_record::{PathType, PathsEntry};
use rattler_digest::{Sha256, Sha256Hash, compute_bytes_digest};

use super::archive::{Member, Unpacked};
use super::error::{PackageProblem, shown};
use super::placeholder::Replacement;
use crate::wheel::{Content, StagedFile};

/// The package's own list of files, in the form of today or that of old packages.
pub(super) fn listed(unpacked: &mut Unpacked) -> Result<PathsJson, PackageProblem> {
    let unreadable = |file| {
        move |error: std::io::Error| PackageProblem::Metadata {
            file,
            reason: format!("cannot be read: {error}"),
        }
    };
    if let Some(bytes) = unpacked.content("info/paths.json")? {
        return PathsJson::from_slice(&bytes).map_err(unreadable("info/paths.json"));
    }
    let Some(files) = unpacked.content("info/files")? else {
        return Err(PackageProblem::Metadata { file: "info/paths.json", reason: "is missing".to_owned() });
    };
    let files = Files::from_slice(&files).map_err(unreadable("info/files"))?;
    let prefixes =
        unpacked.content("info/has_prefix")?.map(|bytes| HasPrefix::from_slice(&bytes)).transpose();
    let prefixes = prefixes.map_err(unreadable("info/has_prefix"))?;
    let no_link = unpacked.content("info/no_link")?.map(|bytes| NoLink::from_slice(&bytes)).transpose();
    let no_link = no_link.map_err(unreadable("info/no_link"))?;
    let no_softlink =
        unpacked.content("info/no_softlink")?.map(|bytes| NoSoftlink::from_slice(&bytes)).transpose();
    let no_softlink = no_softlink.map_err(unreadable("info/no_softlink"))?;
    let members = &unpacked.members;
    PathsJson::from_deprecated(files, prefixes, no_link, no_softlink, |path| {
        let path = path.to_string_lossy();
        match members.get(path.as_ref()) {
            Some(Member::File { .. }) => Ok(ListedType::HardLink),
            Some(Member::Symlink { .. }) => Ok(ListedType::SoftLink),
            Some(Member::Folder) => Ok(ListedType::Directory),
            None => Err(PackageProblem::Missing { path: shown(&path) }),
        }
    })
}

/// A file of the prefix, and what its record says of it.
pub(super) struct InstalledFile {
    /// `None` for a folder, which is made with what is in it.
    pub(super) file: Option<StagedFile>,
    pub(super) entry: PathsEntry,
}

/// Where files go.
pub(super) struct Target<'target> {
    /// The prefix as the image names it.
    pub(super) prefix: &'target str,
    /// Platform of the image.
    pub(super) subdir: Subdir,
    /// The prefix's Python, for packages that are not made for one of its own.
    pub(super) python: Option<&'target PythonInfo>,
}

impl Target<'_> {
    /// Installs one file of the list.
    pub(super) fn install(
        &self,
        unpacked: &mut Unpacked,
        listed: ListedEntry,
    ) -> Result<InstalledFile, PackageProblem> {
        let source = text(&listed.relative_path)?;
        let target = match self.python {
            Some(python) => python.get_python_noarch_target_path(&listed.relative_path).into_owned(),
            None => listed.relative_path.clone(),
        };
        let path = checked(&text(&target)?)?;
        let member = unpacked.members.get(&source).cloned();
        let mut entry = PathsEntry {
            relative_path: path.clone().into(),
            original_path: None,
            path_type: PathType::HardLink,
            no_link: listed.no_link,
            sha256: listed.sha256,
            sha256_in_prefix: None,
            size_in_bytes: listed.size_in_bytes,
            file_mode: None,
            prefix_placeholder: None,
        };
        let absolute = format!("{}/{path}", self.prefix);
        match member {
            Some(Member::File { offset, size, mode, mtime }) => {
                let file = match listed.prefix_placeholder {
                    Some(placeholder) => {
                        let replacement = Replacement::new(&placeholder, self.prefix, self.subdir)?;
                        let replaced = replacement.apply(unpacked, offset, size)?;
                        entry.sha256_in_prefix = Some(replaced.sha256);
                        entry.file_mode = Some(placeholder.file_mode);
                        entry.prefix_placeholder = Some(placeholder.placeholder);
                        (replaced.offset, replaced.size)
                    }
                    None => (offset, size),
                };
                if entry.sha256_in_prefix.is_none() {
                    entry.sha256_in_prefix = entry.sha256;
                }
                let content = Content::Staged(unpacked.range(file.0));
                // Readable for all, as every installer leaves it; the rest is the package's own.
                let mode = mode | 0o644;
                Ok(InstalledFile {
                    file: Some(StagedFile { path: absolute, mode, mtime, size: file.1, content }),
                    entry,
                })
            }
            Some(Member::Symlink { target, mtime }) => {
                entry.path_type = PathType::SoftLink;
                entry.sha256_in_prefix = entry.sha256;
                let file = StagedFile {
                    path: absolute,
                    mode: 0o777,
                    mtime,
                    size: 0,
                    content: Content::Symlink(target),
                };
                Ok(InstalledFile { file: Some(file), entry })
            }
            Some(Member::Folder) => {
                entry.path_type = PathType::Directory;
                Ok(InstalledFile { file: None, entry })
            }
            // Old lists name folders that no archive has.
            None if listed.path_type == ListedType::Directory => {
                entry.path_type = PathType::Directory;
                Ok(InstalledFile { file: None, entry })
            }
            None => Err(PackageProblem::Missing { path: shown(&source) }),
        }
    }
}

/// SHA-256 as conda's records have it.
pub(super) fn sha256(bytes: &[u8]) -> Sha256Hash {
    compute_bytes_digest::<Sha256>(bytes)
}

fn text(path: &Path) -> Result<String, PackageProblem> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| PackageProblem::Path { path: shown(&path.to_string_lossy()), reason: "is no text" })
}

/// A path in the prefix that is one: nothing climbs, nothing is hidden, and the records are ours to write.
fn checked(path: &str) -> Result<String, PackageProblem> {
    let refuse = |reason| Err(PackageProblem::Path { path: shown(path), reason });
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    let Ok(plain) = imagewright_oci::layer::path::normalise(path.as_bytes()) else {
        return refuse("leads out of the prefix");
    };
    if plain.is_empty() {
        return refuse("is empty");
    }
    if plain.split('/').any(|name| name.starts_with(".wh.")) {
        return refuse("would remove files from the image");
    }
    let is_record = plain.strip_prefix("conda-meta/").is_some_and(|name| !name.contains('/'));
    let is_ours = |name: &str| name == "history" || name == "pinned" || has_extension(name, "json");
    if is_record && is_ours(&plain["conda-meta/".len()..]) {
        return refuse("is one of conda's own records");
    }
    Ok(plain)
}

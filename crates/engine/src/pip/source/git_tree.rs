//! A checked-out repository, made fit to be given to hostile code: without settings of ours, packed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use imagewright_oci::layer::entry::Metadata;
use imagewright_oci::layer::tar::{
    END_OF_ARCHIVE, write_directory, write_file_header, write_padding, write_symlink,
};

use super::job::SOURCE_DATE_EPOCH;
use crate::error::{BuildError, ErrorKind};

/// The most files of a repository with its history and submodules, and the deepest folder.
const MOST_ENTRIES: usize = 1_000_000;
const DEEPEST: usize = 200;

/// Writes the whole configuration of the repository: its address, and nothing that was needed to fetch it.
pub(super) fn write_configuration(checkout: &Path, url: &str) -> Result<(), BuildError> {
    let folder = checkout.join(".git");
    let path = folder.join("config");
    // An address holds neither quotes nor line breaks: those are escaped in it.
    let text = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n\
         \tfetch = +refs/heads/*:refs/remotes/origin/*\n"
    );
    fs::write(&path, text).map_err(|error| BuildError::file("write", &path, error))?;
    for name in ["FETCH_HEAD", "hooks", "logs"] {
        let path = folder.join(name);
        let removed = match path.symlink_metadata() {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(_) => Ok(()),
        };
        removed.map_err(|error| BuildError::file("remove", &path, error))?;
    }
    Ok(())
}

/// Packs the checkout as a folder `source`, with its history. Blocking.
pub(super) fn pack(checkout: &Path, to: &Path) -> Result<(), BuildError> {
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::InvalidData {
            BuildError::new(ErrorKind::Unsupported, format!("the repository cannot be packed: {error}"))
                .with_next_step("use a release of the package")
        } else {
            BuildError::file("pack a repository into", to, error)
        }
    };
    let mut archive = BufWriter::new(File::create(to).map_err(failed)?);
    let mut entries = 0;
    folder(&mut archive, checkout, "source", &mut entries, 0).map_err(failed)?;
    archive.write_all(&END_OF_ARCHIVE).map_err(failed)?;
    archive.flush().map_err(failed)
}

fn folder(
    archive: &mut impl io::Write,
    path: &Path,
    name: &str,
    entries: &mut usize,
    depth: usize,
) -> io::Result<()> {
    let odd = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("it has {what}"));
    if depth > DEEPEST {
        return Err(odd("folders too deep"));
    }
    write_directory(archive, name, &metadata(0o755))?;
    let mut children = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    children.sort_by_key(fs::DirEntry::file_name);
    for child in children {
        *entries += 1;
        if *entries > MOST_ENTRIES {
            return Err(odd("too many files"));
        }
        let file_name = child.file_name();
        let plain = file_name.to_str().ok_or_else(|| odd("a file whose name is not text"))?;
        let name = format!("{name}/{plain}");
        let found = child.metadata()?;
        if found.is_dir() {
            folder(archive, &child.path(), &name, entries, depth + 1)?;
        } else if found.is_symlink() {
            let target = fs::read_link(child.path())?;
            let target = target.to_str().ok_or_else(|| odd("a link whose target is not text"))?;
            write_symlink(archive, &name, target, &metadata(0o777))?;
        } else if found.is_file() {
            let mode = if found.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
            write_file_header(archive, &name, &metadata(mode), found.len())?;
            let copied = io::copy(&mut File::open(child.path())?, archive)?;
            if copied != found.len() {
                return Err(odd("a file that changes"));
            }
            write_padding(archive, found.len())?;
        }
    }
    Ok(())
}

fn metadata(mode: u32) -> Metadata {
    Metadata::new(mode, 0, 0, SOURCE_DATE_EPOCH)
}

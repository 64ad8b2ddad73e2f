//! Where staged files land in the image: the path that is left when the image's own links are followed, and
//! the owner that new files have there.
//!
//! A layer must name real paths. A `bin/tool` on a base where `/bin` is a link to `usr/bin` would replace the
//! link by a folder and break the image; a file below a linked `site-packages` would replace that link.

use std::collections::{BTreeMap, BTreeSet};

use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::layer::path::{ancestors, join, split};
use imagewright_oci::tree::{ImageTree, ResolveError};

use crate::error::{BuildError, ErrorKind};

/// A path in the image and the owner of what is put there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Normalised path without links on its way.
    pub path: String,
    /// Numeric user and group of the nearest folder that exists in the base.
    pub owner: (u64, u64),
}

/// The places of one package's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// One place for each staged path, in the order in which they were given.
    pub places: Vec<Place>,
    /// Every folder above them, outermost first: a layer repeats them all.
    pub folders: BTreeSet<String>,
}

impl Placement {
    /// A digest over everything that it says: part of the key of the package's frame.
    pub fn fingerprint(&self) -> Digest {
        let mut hasher = Sha256Hasher::new();
        for place in &self.places {
            let line = format!("{}\0{}:{}\n", place.path, place.owner.0, place.owner.1);
            hasher.update(line.as_bytes());
        }
        hasher.finish().0
    }
}

/// Places files; remembers each folder, since packages have many files in few folders.
#[derive(Debug)]
pub struct Placer<'tree> {
    tree: &'tree ImageTree,
    /// Folder as staged → real folder and its owner.
    folders: BTreeMap<String, (String, (u64, u64))>,
}

impl<'tree> Placer<'tree> {
    /// Places files on this tree: the base's, with the packages that are replaced already taken out.
    pub fn new(tree: &'tree ImageTree) -> Self {
        Self { tree, folders: BTreeMap::new() }
    }

    /// Places the files of `package`.
    ///
    /// `paths` are absolute paths in the image as Python names them, validated before.
    ///
    /// # Errors
    /// Paths whose way leads through a loop or a file, and files where the base has a folder.
    pub fn place<'path>(
        &mut self,
        package: &str,
        paths: impl IntoIterator<Item = &'path str>,
    ) -> Result<Placement, BuildError> {
        let mut placement = Placement { places: Vec::new(), folders: BTreeSet::new() };
        for path in paths {
            let (folder, name) = split(path.trim_start_matches('/'));
            if path.split('/').any(|component| component.starts_with(".wh.")) {
                return Err(blocked(package, &format!("the name {path} would remove files from the image")));
            }
            let (real_folder, owner) = self.folder(package, folder)?;
            let real = join(&real_folder, name);
            if self.tree.get(&real).is_some_and(imagewright_oci::tree::Node::is_directory) {
                return Err(blocked(
                    package,
                    &format!("/{real} is a folder in the base, and a file in the package"),
                ));
            }
            if !placement.folders.contains(real_folder.as_str()) {
                placement.folders.extend(ancestors(&real).map(str::to_owned));
            }
            placement.places.push(Place { path: real, owner });
        }
        Ok(placement)
    }

    /// Places a single file of `package`.
    ///
    /// # Errors
    /// As [`Self::place`].
    pub fn place_one(&mut self, package: &str, path: &str) -> Result<Place, BuildError> {
        let places = self.place(package, [path])?.places;
        places.into_iter().next().ok_or_else(|| BuildError::internal("a file was placed nowhere"))
    }

    fn folder(&mut self, package: &str, folder: &str) -> Result<(String, (u64, u64)), BuildError> {
        if let Some(known) = self.folders.get(folder) {
            return Ok(known.clone());
        }
        let real = self.tree.real_folder(folder).map_err(|error| unresolvable(package, &error))?;
        let blocker = ancestors(&join(&real, "file"))
            .find(|ancestor| self.tree.get(ancestor).is_some_and(|node| !node.is_directory()))
            .map(str::to_owned);
        if let Some(blocker) = blocker {
            return Err(blocked(
                package,
                &format!("/{blocker} is a file in the base, and a folder in the package"),
            ));
        }
        let owner = self.tree.owner_of_nearest_folder(&real);
        self.folders.insert(folder.to_owned(), (real.clone(), owner));
        Ok((real, owner))
    }
}

fn unresolvable(package: &str, error: &ResolveError) -> BuildError {
    blocked(package, &error.to_string())
}

fn blocked(package: &str, reason: &str) -> BuildError {
    BuildError::new(ErrorKind::Conflict, format!("{package} cannot be put into the base: {reason}"))
        .with_next_step("remove what is in the way from the base, or leave the package out")
}

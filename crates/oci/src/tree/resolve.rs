//! Following symbolic links inside an image.

use thiserror::Error;

use super::{ImageTree, Node};
use crate::layer::entry::Kind;
use crate::layer::path::{join, split};

/// The most links followed for one path, as Linux has it (`ELOOP`).
const MAXIMUM_LINKS: u32 = 40;

/// A path with every link on its way followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<'tree> {
    /// Normalised path without any link in it.
    pub path: String,
    /// What stands there.
    pub node: &'tree Node,
}

/// Why a path leads nowhere that could be named.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// More links than Linux follows; mostly a loop.
    #[error("/{path} leads through more than {MAXIMUM_LINKS} symbolic links in the image")]
    TooManyLinks {
        /// The path that was asked for.
        path: String,
    },
    /// Something on the way exists and is no folder.
    #[error("/{path} cannot exist in the image: /{blocker} is not a folder there")]
    NotAFolder {
        /// The path that was asked for.
        path: String,
        /// The file, device or pipe on its way.
        blocker: String,
    },
}

impl ImageTree {
    /// Follows every link, the last component's too. `None` when the path, or the target of a link on its way,
    /// does not exist in the image. Links that climb above the root stay at the root, as the kernel does it
    /// for a process whose root is the image.
    ///
    /// # Errors
    /// Loops, and files where folders should be.
    pub fn resolve(&self, path: &str) -> Result<Option<Resolved<'_>>, ResolveError> {
        let real = self.real_path(path, true)?;
        Ok(self.get(&real).map(|node| Resolved { path: real, node }))
    }

    /// The real path at which something written to `path` would land: links in its folders are followed, also
    /// through folders that do not exist yet; the last component is taken as it is.
    ///
    /// # Errors
    /// Loops, and files where folders should be.
    pub fn real_parent(&self, path: &str) -> Result<String, ResolveError> {
        self.real_path(path, false)
    }

    /// [`ImageTree::real_parent`] with the last component followed as well.
    ///
    /// # Errors
    /// Loops, and files where folders should be.
    pub fn real_folder(&self, path: &str) -> Result<String, ResolveError> {
        self.real_path(path, true)
    }

    fn real_path(&self, path: &str, follow_last: bool) -> Result<String, ResolveError> {
        let mut real = String::new();
        // The components still to go, the next one last.
        let mut pending: Vec<String> = components(path).rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(component) = pending.pop() {
            if component == ".." {
                real.truncate(split(&real).0.len());
                continue;
            }
            let candidate = join(&real, &component);
            match self.get(&candidate).map(|node| &node.kind) {
                Some(Kind::Symlink { target }) if follow_last || !pending.is_empty() => {
                    links += 1;
                    if links > MAXIMUM_LINKS {
                        return Err(ResolveError::TooManyLinks { path: path.to_owned() });
                    }
                    if target.starts_with('/') {
                        real.clear();
                    }
                    pending.extend(components(target).rev().map(str::to_owned));
                }
                Some(Kind::Directory) | None => real = candidate,
                Some(_) if pending.is_empty() => real = candidate,
                Some(_) => {
                    return Err(ResolveError::NotAFolder { path: path.to_owned(), blocker: candidate });
                }
            }
        }
        Ok(real)
    }
}

/// The components of a path or link text that mean something.
fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|component| !component.is_empty() && *component != ".")
}

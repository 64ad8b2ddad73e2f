//! Paths inside an image.
//!
//! A *normalised path* has no leading slash, no `.` and no empty component, no `..`, no NUL and no trailing
//! slash; the root is the empty string. It is text of the image's own tree and never a path of the machine
//! we run on.

use thiserror::Error;

/// The longest path Linux can open (`PATH_MAX`), in bytes.
pub const MAXIMUM_LENGTH: usize = 4096;

/// Why a path from a layer or a link is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// A `..` component: it could only lead outside or hide what it means.
    #[error("the path {path:?} climbs with `..`")]
    Climbs {
        /// The path as it was written.
        path: String,
    },
    /// A NUL byte, which no file name can have.
    #[error("the path {path:?} contains a NUL byte")]
    Nul {
        /// The path as it was written.
        path: String,
    },
    /// Longer than [`MAXIMUM_LENGTH`].
    #[error("a path of {length} bytes is longer than the {MAXIMUM_LENGTH} bytes that Linux allows")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

/// Normalises a path as it stands in a tar header. Bytes that are not UTF-8 are shown by the replacement
/// character: such a path can be listed, and nothing of ours is ever written to it.
///
/// # Errors
/// A path that climbs, holds a NUL byte or is longer than Linux allows.
pub fn normalise(raw: &[u8]) -> Result<String, PathError> {
    if raw.len() > MAXIMUM_LENGTH {
        return Err(PathError::TooLong { length: raw.len() });
    }
    let text = String::from_utf8_lossy(raw);
    if text.contains('\0') {
        return Err(PathError::Nul { path: text.into_owned() });
    }
    let mut path = String::with_capacity(text.len());
    for component in text.split('/') {
        match component {
            "" | "." => {}
            ".." => return Err(PathError::Climbs { path: text.into_owned() }),
            name => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(name);
            }
        }
    }
    Ok(path)
}

/// The folder part and the last component of a normalised path; the folder of a top-level name is `""`.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Whether a path's last component ends with a dot and this extension, in the same case: inside an image `A.PY` is no
/// module of Python.
pub fn has_extension(path: &str, extension: &str) -> bool {
    split(path).1.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// Joins a normalised folder and a name.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The folders above a normalised path, outermost first, without the root: `a/b/c` gives `a`, `a/b`.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(index, _)| &path[..index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_slashes_and_dots_fall_away() {
        assert_eq!(normalise(b"./usr//bin/./env").unwrap(), "usr/bin/env");
        assert_eq!(normalise(b"/").unwrap(), "");
        assert_eq!(normalise(b"etc/").unwrap(), "etc");
    }

    #[test]
    fn climbing_is_refused_wherever_it_stands() {
        for raw in [&b"../x"[..], b"a/../../x", b"a/.."] {
            assert!(matches!(normalise(raw), Err(PathError::Climbs { .. })));
        }
        assert_eq!(normalise(b"a/..b/c..").unwrap(), "a/..b/c..");
    }

    #[test]
    fn ancestors_are_given_outermost_first() {
        assert_eq!(ancestors("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(ancestors("a").count(), 0);
    }
}

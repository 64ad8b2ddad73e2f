//! Names that come from outside: wheel file names, members' paths, and names of distributions.

use std::str::FromStr;

use pep440_rs::Version;

use super::error::{EntryProblem, WheelProblem};

/// The longest path (without the final NUL) and the longest single name that Linux file systems take, in bytes.
const LONGEST_PATH: usize = 4095;
const LONGEST_COMPONENT: usize = 255;

/// What a wheel's file name says about its distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WheelFileName {
    /// Name, normalised: lower case, runs of `-`, `_` and `.` as one `-`.
    pub name: String,
    /// Version, parsed so that `1.0` and `1.0.0` are equal.
    pub version: Version,
}

impl FromStr for WheelFileName {
    type Err = WheelProblem;

    /// Reads `name-version(-build)-python-abi-platform.whl`.
    fn from_str(file_name: &str) -> Result<Self, WheelProblem> {
        let invalid = |reason: &str| WheelProblem::FileName { reason: reason.to_owned() };
        let stem = file_name.strip_suffix(".whl").ok_or_else(|| invalid("it does not end in .whl"))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version) = match parts.as_slice() {
            [name, version, _, _, _] | [name, version, _, _, _, _] => (*name, *version),
            _ => return Err(invalid("five or six parts joined by `-` are needed")),
        };
        if name.is_empty() {
            return Err(invalid("the name is empty"));
        }
        Ok(Self {
            name: normalised_name(name),
            version: parse_version(version).ok_or_else(|| invalid("the version is not one of PEP 440"))?,
        })
    }
}

/// Parses a version as it stands in file and folder names, where `_` stands for what cannot be in one.
pub(super) fn parse_version(version: &str) -> Option<Version> {
    Version::from_str(version).or_else(|_| Version::from_str(&version.replace('_', "-"))).ok()
}

/// The form in which two spellings of a distribution's name are equal (PEP 503).
pub(super) fn normalised_name(name: &str) -> String {
    let mut normalised = String::with_capacity(name.len());
    for character in name.chars() {
        if !matches!(character, '-' | '_' | '.') {
            normalised.extend(character.to_lowercase());
        } else if !normalised.ends_with('-') {
            normalised.push('-');
        }
    }
    normalised
}

/// What marks a name in a layer as one that removes something of the layers below.
const WHITEOUT: &str = ".wh.";

/// Checks the path of a member (or of a row of `RECORD`) and takes `.` components out of it.
///
/// `..` is refused even where it would stay inside: no tool writes it, and every check would have to resolve it.
pub(super) fn member_path(name: &str) -> Result<String, EntryProblem> {
    if name.is_empty() {
        return Err(EntryProblem::EmptyName);
    }
    if name.len() > LONGEST_PATH {
        return Err(EntryProblem::TooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(EntryProblem::ControlCharacter);
    }
    if name.contains('\\') {
        return Err(EntryProblem::Backslash);
    }
    if name.starts_with('/') {
        return Err(EntryProblem::Absolute);
    }
    let mut path = String::with_capacity(name.len());
    for component in name.split('/') {
        match component {
            "" => return Err(EntryProblem::EmptyComponent),
            ".." => return Err(EntryProblem::ParentFolder),
            "." => continue,
            _ if component.starts_with(WHITEOUT) => return Err(EntryProblem::Whiteout),
            _ if component.len() > LONGEST_COMPONENT => return Err(EntryProblem::TooLong),
            _ => {}
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(component);
    }
    // Looked for at the end, so that `./C:` does not hide it.
    match path.as_bytes() {
        [] => Err(EntryProblem::EmptyName),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => Err(EntryProblem::DriveLetter),
        _ => Ok(path),
    }
}

/// Whether a path names a place in an image without detours: absolute, no `.`, `..`, empty or odd components.
pub(super) fn is_plain_absolute(path: &str) -> bool {
    path.strip_prefix('/')
        .is_some_and(|relative| member_path(relative).is_ok_and(|normalised| normalised == relative))
}

/// The folders above a relative or absolute path, nearest first, without the root.
pub(super) fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |below| below.rsplit_once('/').map(|(above, _)| above))
        .skip(1)
        .filter(|folder| !folder.is_empty())
}

/// A name fit to be shown: control characters escaped, cut where it goes on for too long.
pub(super) fn shown(name: &str) -> String {
    const SHOWN_CHARACTERS: usize = 200;
    let mut escaped = String::new();
    for (position, character) in name.chars().enumerate() {
        if position == SHOWN_CHARACTERS {
            escaped.push('…');
            break;
        }
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn file_names_give_name_and_version() {
        let plain: WheelFileName = "Jupyter_Core-5.9.1-py3-none-any.whl".parse().unwrap();
        assert_eq!(plain.name, "jupyter-core");
        assert_eq!(plain.version.to_string(), "5.9.1");
        let with_build: WheelFileName = "a.b-1.0+cu118-2-cp311-cp311-linux_x86_64.whl".parse().unwrap();
        assert_eq!((with_build.name.as_str(), with_build.version.to_string().as_str()), ("a-b", "1.0+cu118"));
        for wrong in ["six-1.0.tar.gz", "six-1.0-py3-none.whl", "six-new-py3-none-any.whl", "-1-a-b-c.whl"] {
            assert!(wrong.parse::<WheelFileName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hostile_paths_are_refused_for_what_they_are() {
        for (name, problem) in [
            ("", EntryProblem::EmptyName),
            ("./.", EntryProblem::EmptyName),
            ("../x", EntryProblem::ParentFolder),
            ("a/../b", EntryProblem::ParentFolder),
            ("/etc/passwd", EntryProblem::Absolute),
            ("C:/x", EntryProblem::DriveLetter),
            ("./C:/x", EntryProblem::DriveLetter),
            ("a\\b", EntryProblem::Backslash),
            ("a//b", EntryProblem::EmptyComponent),
            ("a/", EntryProblem::EmptyComponent),
            ("a\0b", EntryProblem::ControlCharacter),
            ("a\nb", EntryProblem::ControlCharacter),
        ] {
            assert_eq!(member_path(name), Err(problem), "{name:?}");
        }
        assert_eq!(member_path(&"x".repeat(256)), Err(EntryProblem::TooLong));
        assert_eq!(member_path(&"x/".repeat(2048)), Err(EntryProblem::TooLong));
        assert_eq!(member_path("./a/./b.py").as_deref(), Ok("a/b.py"));
    }

    #[test]
    fn folders_above_go_up_to_the_root() {
        assert_eq!(folders_above("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a"]);
        assert_eq!(folders_above("a/b").collect::<Vec<_>>(), ["a"]);
        assert_eq!(folders_above("a").count(), 0);
    }

    proptest! {
        #[test]
        fn accepted_paths_stay_inside_and_are_stable(name in r"[a./:\\ A\n]{0,12}") {
            if let Ok(path) = member_path(&name) {
                prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
                prop_assert_eq!(member_path(&path), Ok(path.clone()));
            }
        }
    }
}

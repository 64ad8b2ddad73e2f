//! Paths inside the folder that a user gave: normalised by their text alone, and never outside of it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::problem::{Problem, quote, show};

const LONGEST: usize = 1024;

/// A path below a folder, with `/` between its parts and no `.`, `..` or empty ones.
///
/// The text is safe, the file system may not be: a reader that must not follow links out of the folder has to
/// check that itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

impl RelativePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path for joining to the folder.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The path that `text` means when it stands in this file.
    pub fn resolve(&self, text: &str) -> Result<Self, Problem> {
        let folder = self.0.rsplit_once('/').map_or("", |(folder, _)| folder);
        normalise(folder, text)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RelativePath {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        normalise("", text)
    }
}

fn normalise(folder: &str, text: &str) -> Result<RelativePath, Problem> {
    if let Some((index, character)) = text.chars().enumerate().find(|(_, character)| character.is_control()) {
        return Err(Problem::at(
            index + 1,
            format!("a path cannot contain {}", show(character)),
            "write the path again",
        ));
    }
    if text.contains("://") {
        return Err(Problem::at(
            1,
            "files are not read from the network",
            "download the file and write its path",
        ));
    }
    if text.contains('\\') {
        return Err(Problem::at(
            1,
            "a path has `/` between its parts",
            format!("write {}", quote(&text.replace('\\', "/"))),
        ));
    }
    if text.starts_with(['/', '~', '-']) || text.len() > LONGEST {
        return Err(Problem::at(
            1,
            format!("{} is not inside the given folder", quote(text)),
            "write a path relative to this file",
        ));
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(Problem::at(
                        1,
                        format!("{} leads out of the given folder", quote(text)),
                        "move the file into the folder",
                    ));
                }
            }
            name => parts.push(name),
        }
    }
    if matches!(text.rsplit('/').next(), None | Some("" | "." | "..")) {
        return Err(Problem::at(1, format!("{} is not a file", quote(text)), "write the path of a file"));
    }
    Ok(RelativePath(parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_their_folder() {
        let root: RelativePath = "requirements/dev.txt".parse().unwrap();
        assert_eq!(root.resolve("base.txt").unwrap().as_str(), "requirements/base.txt");
        assert_eq!(root.resolve("./../all/./x.txt").unwrap().as_str(), "all/x.txt");
        for refused in
            ["../../x", "/etc/passwd", "~/x", "", ".", "..", "x/", "a\\b", "https://x/y", "a\0b", "-x"]
        {
            root.resolve(refused).unwrap_err();
        }
    }
}

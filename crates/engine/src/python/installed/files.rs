//! The files of an installed distribution: what replacing it removes.

use std::collections::BTreeSet;

use imagewright_oci::layer::path::{join, split};
use imagewright_oci::tree::ImageTree;

use super::InstalledDistribution;
use crate::python::environment::lexically_normalised;

impl InstalledDistribution {
    /// The real paths, in the image, of every file of this distribution that is there, its bytecode included;
    /// sorted. `None` when nothing lists its files (distutils left no record): pip cannot uninstall it either.
    ///
    /// Paths come from a file of the image. They are confined to its tree, where the worst a lying record can
    /// do is to have a file of its own image removed, as pip would.
    pub fn files(&self, tree: &ImageTree) -> Option<Vec<String>> {
        let listed = self.listed(tree)?;
        let mut files = BTreeSet::new();
        for path in listed {
            let Ok(real) = tree.real_parent(&path) else { continue };
            if tree.get(&real).is_none_or(imagewright_oci::tree::Node::is_directory) {
                continue;
            }
            files.extend(bytecode(tree, &real));
            files.insert(real);
        }
        Some(files.into_iter().collect())
    }

    /// The paths as `RECORD` or `installed-files.txt` lists them, made absolute.
    fn listed(&self, tree: &ImageTree) -> Option<Vec<String>> {
        if let Some(record) = tree.text(&join(&self.metadata_path, "RECORD")) {
            return Some(
                record
                    .lines()
                    .filter_map(first_field)
                    .filter_map(|path| lexically_normalised(&path, &self.folder))
                    .collect(),
            );
        }
        if let Some(list) = tree.text(&join(&self.metadata_path, "installed-files.txt")) {
            let relative = list.lines().filter_map(|path| lexically_normalised(path, &self.metadata_path));
            return Some(relative.collect());
        }
        // An unpacked egg holds nothing but its distribution.
        let inside_an_egg = split(&self.metadata_path).1 == "EGG-INFO";
        inside_an_egg.then(|| tree.walk(&self.folder).map(|(path, _)| path.to_owned()).collect())
    }
}

/// The first field of a line of comma-separated values, quoted or not.
fn first_field(line: &str) -> Option<String> {
    let Some(quoted) = line.strip_prefix('"') else {
        return line.split(',').next().filter(|field| !field.is_empty()).map(str::to_owned);
    };
    let mut field = String::new();
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => return Some(field),
            other => field.push(other),
        }
    }
    None
}

/// Compiled forms of a module in `__pycache__`, of every version and optimisation level.
fn bytecode(tree: &ImageTree, path: &str) -> Vec<String> {
    let (folder, name) = split(path);
    let Some(stem) = name.strip_suffix(".py") else { return Vec::new() };
    let cache = join(folder, "__pycache__");
    let prefix = format!("{stem}.");
    tree.children(&cache)
        .map(|(name, _)| name)
        .filter(|name| {
            let tag = name.strip_suffix(".pyc").and_then(|name| name.strip_prefix(&prefix));
            tag.is_some_and(|tag| !tag.is_empty())
        })
        .map(|name| join(&cache, name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::first_field;

    #[test]
    fn fields_with_commas_and_quotes_are_read() {
        assert_eq!(first_field("a/b.py,sha256=x,1").unwrap(), "a/b.py");
        assert_eq!(first_field("\"a,\"\"b\"\".py\",,").unwrap(), "a,\"b\".py");
        assert_eq!(first_field(""), None);
    }
}

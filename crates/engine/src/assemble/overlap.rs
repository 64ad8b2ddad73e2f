//! Paths that several packages bring.
//!
//! pip writes one package after the other, so the last one keeps a path that two of them have. Here the others
//! leave it out of their layers: then no layer has a path twice, and the order of layers means nothing.

use std::collections::{BTreeMap, BTreeSet};

/// A path that more than one package brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Normalised path in the image.
    pub path: String,
    /// The packages that bring it, in pip's order: the last one keeps it.
    pub packages: Vec<String>,
}

/// What each package leaves out, and what to tell people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlaps {
    /// Number of the package → the paths that it leaves to a later one.
    pub left_out: BTreeMap<usize, BTreeSet<String>>,
    /// The overlaps, by path.
    pub overlaps: Vec<Overlap>,
}

/// Finds the overlaps among packages in pip's order, each given by name and paths.
pub fn find_overlaps<'package>(
    packages: impl IntoIterator<Item = (&'package str, Vec<&'package str>)>,
) -> Overlaps {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut names = Vec::new();
    for (number, (name, paths)) in packages.into_iter().enumerate() {
        names.push(name);
        for path in paths {
            owners.entry(path).or_default().push(number);
        }
    }
    let mut found = Overlaps::default();
    for (path, numbers) in owners.into_iter().filter(|(_, numbers)| numbers.len() > 1) {
        for number in &numbers[..numbers.len() - 1] {
            found.left_out.entry(*number).or_default().insert(path.to_owned());
        }
        found.overlaps.push(Overlap {
            path: path.to_owned(),
            packages: numbers.iter().map(|number| names[*number].to_owned()).collect(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_package_keeps_a_path() {
        let found = find_overlaps([
            ("a", vec!["x/__init__.py", "x/a.py"]),
            ("b", vec!["x/__init__.py", "x/b.py"]),
            ("c", vec!["x/__init__.py"]),
        ]);
        let left_out = |number| found.left_out.get(&number).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(left_out(0), ["x/__init__.py"]);
        assert_eq!(left_out(1), ["x/__init__.py"]);
        assert!(left_out(2).is_empty());
        assert_eq!(found.overlaps.len(), 1);
        assert_eq!(found.overlaps[0].packages, ["a", "b", "c"]);
    }
}

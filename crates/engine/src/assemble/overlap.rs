//! Paths that several packages bring.
//!
//! pip writes one package after the other, so the last one keeps a path that two of them have. Here the others
//! leave it out of their layers: then no layer has a path twice, and the order of layers means nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::placement::Placement;
use crate::error::{BuildError, ErrorKind};

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

/// Finds the overlaps among packages in pip's order, each given by name and placement.
///
/// # Errors
/// A path that is a file in one package and a folder in another: pip fails there too.
pub fn find_overlaps<'package>(
    packages: impl IntoIterator<Item = (&'package str, &'package Placement)>,
) -> Result<Overlaps, BuildError> {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for (number, (name, placement)) in packages.into_iter().enumerate() {
        names.push(name);
        for place in &placement.places {
            owners.entry(&place.path).or_default().push(number);
        }
        for folder in &placement.folders {
            folders.entry(folder).or_insert(number);
        }
    }
    let mut found = Overlaps::default();
    for (path, numbers) in owners {
        if let Some(other) = folders.get(path) {
            return Err(file_and_folder(path, names[numbers[0]], names[*other]));
        }
        let (last, rest) = numbers.split_last().map_or((0, &[][..]), |(last, rest)| (*last, rest));
        if rest.is_empty() {
            continue;
        }
        for number in rest.iter().filter(|number| **number != last) {
            found.left_out.entry(*number).or_default().insert(path.to_owned());
        }
        found.overlaps.push(Overlap {
            path: path.to_owned(),
            packages: numbers.iter().map(|number| names[*number].to_owned()).collect(),
        });
    }
    Ok(found)
}

fn file_and_folder(path: &str, file: &str, folder: &str) -> BuildError {
    BuildError::new(
        ErrorKind::Conflict,
        format!("/{path} is a file in {file} and a folder in {folder}: they cannot be in one image"),
    )
    .with_next_step("leave one of the two packages out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::placement::Placer;
    use imagewright_oci::tree::ImageTree;

    fn placement(paths: &[&str]) -> Placement {
        Placer::new(&ImageTree::new()).place("package", paths.iter().copied()).unwrap()
    }

    #[test]
    fn the_last_package_keeps_a_path() {
        let a = placement(&["/x/__init__.py", "/x/a.py"]);
        let b = placement(&["/x/__init__.py", "/x/b.py"]);
        let c = placement(&["/x/__init__.py"]);
        let found = find_overlaps([("a", &a), ("b", &b), ("c", &c)]).unwrap();
        let left_out = |number| found.left_out.get(&number).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(left_out(0), ["x/__init__.py"]);
        assert_eq!(left_out(1), ["x/__init__.py"]);
        assert!(left_out(2).is_empty());
        assert_eq!(found.overlaps.len(), 1);
        assert_eq!(found.overlaps[0].packages, ["a", "b", "c"]);
    }

    #[test]
    fn a_file_where_another_package_has_a_folder_is_a_conflict() {
        let (file, folder) = (placement(&["/lib/nsx"]), placement(&["/lib/nsx/__init__.py"]));
        for order in [[("a", &file), ("b", &folder)], [("b", &folder), ("a", &file)]] {
            let error = find_overlaps(order).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            insta::allow_duplicates! {
                insta::assert_snapshot!(error, @"/lib/nsx is a file in a and a folder in b: they cannot be in one image");
            }
        }
    }
}

//! The order in which packages are installed: what a package needs comes before it.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

/// Sorts packages topologically: of those whose dependencies are all placed, the first by name is next. In a
/// cycle nobody is free; there the first by name goes ahead.
pub(super) fn topological(dependencies: &BTreeMap<PackageName, BTreeSet<PackageName>>) -> Vec<PackageName> {
    let mut open: BTreeMap<&PackageName, BTreeSet<&PackageName>> = dependencies
        .iter()
        .map(|(name, needed)| {
            let known = needed.iter().filter(|other| *other != name && dependencies.contains_key(*other));
            (name, known.collect())
        })
        .collect();
    let mut needed_by: BTreeMap<&PackageName, Vec<&PackageName>> = BTreeMap::new();
    for (name, needed) in &open {
        for other in needed {
            needed_by.entry(other).or_default().push(name);
        }
    }
    let mut free: BTreeSet<&PackageName> =
        open.iter().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| *name).collect();
    let mut order = Vec::with_capacity(open.len());
    while let Some(next) = free.pop_first().or_else(|| open.keys().next().copied()) {
        open.remove(next);
        order.push(next.clone());
        for name in needed_by.get(next).into_iter().flatten() {
            if let Some(needed) = open.get_mut(name) {
                needed.remove(next);
                if needed.is_empty() {
                    free.insert(name);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn order(edges: &[(&str, &[&str])]) -> Vec<String> {
        let name = |text: &str| PackageName::from_str(text).unwrap();
        let map =
            edges.iter().map(|(of, needed)| (name(of), needed.iter().map(|other| name(other)).collect()));
        topological(&map.collect()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dependencies_come_first_and_names_decide_ties() {
        assert_eq!(order(&[("a", &["z"]), ("b", &[]), ("z", &[])]), ["b", "z", "a"]);
    }

    #[test]
    fn a_cycle_is_entered_at_its_first_name() {
        assert_eq!(
            order(&[("c", &["a"]), ("a", &["b"]), ("b", &["a"]), ("d", &["d"])]),
            ["d", "a", "b", "c"]
        );
    }
}

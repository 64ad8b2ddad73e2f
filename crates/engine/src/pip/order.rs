//! The order in which packages are installed: pip's own, since of two packages with the same file the later one
//! wins.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::PackageName;

/// What each package needs.
type Needs<'a> = BTreeMap<&'a PackageName, BTreeSet<&'a PackageName>>;

/// Sorts packages as pip does: first all that need nothing, then all that need only those, and so on; within each
/// round by name, backwards.
///
/// In a cycle nobody is free. There the first by name goes ahead, where pip measures the longest way from what was
/// asked for.
pub(super) fn topological(dependencies: &BTreeMap<PackageName, BTreeSet<PackageName>>) -> Vec<PackageName> {
    let mut open: Needs<'_> = dependencies
        .iter()
        .map(|(name, needed)| {
            let known = needed.iter().filter(|other| *other != name && dependencies.contains_key(*other));
            (name, known.collect())
        })
        .collect();
    let mut order = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let mut round: Vec<&PackageName> =
            open.iter().rev().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| *name).collect();
        if round.is_empty() {
            round.extend(first_in_a_cycle(&open));
        }
        for name in &round {
            open.remove(name);
        }
        for needed in open.values_mut() {
            needed.retain(|other| !round.contains(other));
        }
        order.extend(round.into_iter().cloned());
    }
    order
}

/// The first package by name that needs nothing but what needs it in turn. There always is one where no package is
/// free.
fn first_in_a_cycle<'a>(open: &Needs<'a>) -> Option<&'a PackageName> {
    let all_needed: Needs<'a> = open.keys().map(|name| (*name, reachable(open, name))).collect();
    let needs_only_its_cycle = |(name, needed): &(&&PackageName, &BTreeSet<&PackageName>)| {
        needed.iter().all(|other| all_needed.get(other).is_some_and(|back| back.contains(*name)))
    };
    all_needed.iter().find(needs_only_its_cycle).map(|(name, _)| *name)
}

/// Everything that a package needs, also by way of others.
fn reachable<'a>(open: &Needs<'a>, name: &PackageName) -> BTreeSet<&'a PackageName> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![name];
    while let Some(next) = waiting.pop() {
        for needed in open.get(next).into_iter().flatten().copied() {
            if found.insert(needed) {
                waiting.push(needed);
            }
        }
    }
    found
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
    fn rounds_go_from_what_needs_nothing_upwards_and_by_name_backwards() {
        assert_eq!(order(&[("a", &["z"]), ("b", &[]), ("z", &[])]), ["z", "b", "a"]);
        assert_eq!(order(&[("a", &[]), ("b", &["c"]), ("c", &["a"]), ("d", &[])]), ["d", "a", "c", "b"]);
    }

    #[test]
    fn a_cycle_is_entered_at_its_first_name() {
        assert_eq!(
            order(&[("c", &["a"]), ("a", &["b"]), ("b", &["a"]), ("d", &["d"])]),
            ["d", "a", "c", "b"]
        );
        assert_eq!(
            order(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]),
            ["b", "c", "a"],
            "not what needs it"
        );
    }
}

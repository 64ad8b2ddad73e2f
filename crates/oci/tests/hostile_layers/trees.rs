//! What layers make of each other: links, whiteouts, paths that stand twice.

use imagewright_oci::tree::ResolveError;

use super::archives::{Entry, archive};
use super::{paths, refusal, tree};

#[test]
fn links_in_a_circle_end() {
    let tree = tree(&[&archive(&[
        Entry::link(b'2', "a", "b"),
        Entry::link(b'2', "b", "/a"),
        Entry::link(b'2', "self", "self"),
        Entry::link(b'2', "deeper", "deeper/deeper"),
    ])])
    .unwrap();
    for path in ["a", "self", "deeper", "a/below", "self/x/y"] {
        assert!(tree.resolve(path).is_err(), "{path}");
    }
}

#[test]
fn links_that_multiply_end() {
    // Each name leads twice to the one before: 2^60 steps for whoever follows them all.
    let mut entries = vec![Entry::directory("l0")];
    for number in 1..60 {
        let below = number - 1;
        entries.push(Entry::link(b'2', &format!("l{number}"), &format!("l{below}/../l{below}")));
    }
    let tree = tree(&[&archive(&entries)]).unwrap();
    let resolved = tree.resolve("l59/x");
    assert!(matches!(resolved, Err(ResolveError::TooManyLinks { .. })) || resolved.is_ok(), "{resolved:?}");
}

#[test]
fn links_to_the_outside_stay_inside() {
    let tree = tree(&[&archive(&[
        Entry::link(b'2', "out", "../../../../etc"),
        Entry::directory("etc"),
        Entry::file("etc/os-release", b"ID=image\n"),
    ])])
    .unwrap();
    assert_eq!(tree.text("out/os-release").unwrap(), "ID=image\n");
}

#[test]
fn whiteouts_do_not_reach_their_own_layer_or_the_outside() {
    let below = archive(&[Entry::directory("a"), Entry::file("a/old", b""), Entry::file("keep", b"")]);
    let above = archive(&[
        Entry::file("a/new", b""),
        Entry::file("a/.wh..wh..opq", b""),
        Entry::file(".wh.keep", b""),
    ]);
    assert_eq!(paths(&tree(&[&below, &above]).unwrap()), ["a", "a/new"]);
}

/// To some pullers they mean the folder itself, or the one above it.
#[test]
fn whiteouts_without_a_name_are_refused() {
    for name in ["a/.wh..", "a/.wh...", ".wh.", "a/.wh.", ".wh..", ".wh..."] {
        let text = refusal(&archive(&[Entry::file(name, b"")]));
        assert!(text.contains("is followed by no name"), "{name}: {text}");
    }
}

#[test]
fn hard_links_to_nothing_are_refused() {
    let error = tree(&[&archive(&[Entry::link(b'1', "a", "missing")])]).unwrap_err();
    assert_eq!(error.to_string(), "the hard link /a points to /missing, which is not in the image");
}

#[test]
fn hard_links_to_folders_and_to_themselves_end() {
    let folder = archive(&[Entry::directory("a"), Entry::file("a/b", b""), Entry::link(b'1', "c", "a")]);
    // Linux has none; whatever is made of it, it ends.
    let _ = tree(&[&folder]);
    assert!(tree(&[&archive(&[Entry::link(b'1', "a", "a")])]).is_err());
}

#[test]
fn of_a_path_that_stands_twice_the_last_holds() {
    let tree = tree(&[&archive(&[
        Entry::file("etc/os-release", b"ID=first\n"),
        Entry::file("./etc//os-release", b"ID=second\n"),
        Entry::directory("usr"),
        Entry::file("usr/lib", b""),
        Entry::file("usr/lib/below", b""),
    ])])
    .unwrap();
    assert_eq!(tree.text("etc/os-release").unwrap(), "ID=second\n");
    assert!(tree.get("usr/lib").unwrap().is_directory());
}

#[test]
fn folders_below_folders_do_not_cost_more_than_their_names() {
    // 4096 bytes of path are 2048 folders: 400 such files would be 800,000 folders, were they all different.
    let deep = "a/".repeat(2000);
    let entries: Vec<Entry> = (0..400)
        .flat_map(|number| {
            let path = format!("{deep}{number}");
            [Entry::pax(b'x', &[("path", path.as_bytes())]), Entry::file("a", b"")]
        })
        .collect();
    assert_eq!(tree(&[&archive(&entries)]).unwrap().len(), 2000 + 400);
}

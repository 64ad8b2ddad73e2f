//! What layers make of a tree.

use std::collections::BTreeMap;

use super::ImageTree;
use crate::digest::Digest;
use crate::layer::entry::{Change, Kind, Metadata};
use crate::layer::index::LayerIndex;

fn layer(changes: Vec<Change>) -> LayerIndex {
    LayerIndex {
        diff_id: Digest::of(b""),
        uncompressed_size: 0,
        changes,
        contents: BTreeMap::new(),
        binaries: BTreeMap::new(),
    }
}

fn directory(path: &str) -> Change {
    Change::Add { path: path.into(), metadata: Metadata::new(0o755, 0, 0, 0), kind: Kind::Directory }
}

fn file(path: &str) -> Change {
    Change::Add { path: path.into(), metadata: Metadata::new(0o644, 0, 0, 0), kind: Kind::File { size: 1 } }
}

fn symlink(path: &str, target: &str) -> Change {
    let kind = Kind::Symlink { target: target.into() };
    Change::Add { path: path.into(), metadata: Metadata::new(0o777, 0, 0, 0), kind }
}

fn tree(layers: Vec<Vec<Change>>) -> ImageTree {
    let mut tree = ImageTree::new();
    for changes in layers {
        tree.apply(&layer(changes)).unwrap();
    }
    tree
}

fn paths(tree: &ImageTree) -> Vec<&str> {
    tree.walk("").map(|(path, _)| path).collect()
}

#[test]
fn whiteouts_hide_lower_layers_only() {
    let tree = tree(vec![
        vec![directory("a"), file("a/old"), directory("b"), file("b/old"), file("b/other")],
        vec![
            file("a/new"),
            Change::Opaque { path: "a".into() },
            Change::Remove { path: "b/old".into() },
            Change::Remove { path: "missing".into() },
        ],
    ]);
    assert_eq!(paths(&tree), ["a", "a/new", "b", "b/other"]);
    assert_eq!(tree.get("a/new").unwrap().layer, 1);
    assert_eq!(tree.get("a").unwrap().layer, 0);
}

#[test]
fn a_file_over_a_folder_replaces_it_whole() {
    let tree = tree(vec![vec![directory("a"), file("a/x"), file("a.txt")], vec![file("a")]]);
    assert_eq!(paths(&tree), ["a", "a.txt"]);
}

#[test]
fn links_are_followed_inside_the_image() {
    let tree = tree(vec![vec![
        directory("usr"),
        directory("usr/bin"),
        symlink("bin", "usr/bin"),
        file("usr/bin/python3.11"),
        symlink("usr/bin/python3", "python3.11"),
        symlink("opt", "/../../usr"),
    ]]);
    assert_eq!(tree.resolve("bin/python3").unwrap().unwrap().path, "usr/bin/python3.11");
    assert_eq!(tree.resolve("opt/bin/python3").unwrap().unwrap().path, "usr/bin/python3.11");
    assert_eq!(tree.real_parent("bin/new").unwrap(), "usr/bin/new");
    assert_eq!(tree.real_parent("bin/python3").unwrap(), "usr/bin/python3");
    assert_eq!(tree.real_parent("srv/not/there").unwrap(), "srv/not/there");
    assert!(tree.resolve("bin/missing").unwrap().is_none());
}

#[test]
fn loops_and_files_in_the_way_are_errors() {
    let tree = tree(vec![vec![symlink("a", "b"), symlink("b", "a"), file("f")]]);
    insta::assert_snapshot!(tree.resolve("a/x").unwrap_err(), @"/a/x leads through more than 40 symbolic links in the image");
    insta::assert_snapshot!(tree.real_parent("f/x").unwrap_err(), @"/f/x cannot exist in the image: /f is not a folder there");
}

#[test]
fn children_are_the_names_directly_inside() {
    let tree = tree(vec![vec![
        directory(""),
        directory("a"),
        file("a-b"),
        file("a/x"),
        file("a/y/z"),
        file("a0"),
        directory("b"),
    ]]);
    let names = |folder| tree.children(folder).map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(""), ["a", "a-b", "a0", "b"]);
    assert_eq!(names("a"), ["x", "y"]);
    assert!(names("b").is_empty());
}

#[test]
fn hard_links_share_what_they_point_to() {
    let link = |target: &str| Change::HardLink { path: "b".into(), target: target.into() };
    let tree = tree(vec![vec![file("a")], vec![link("a")]]);
    assert!(tree.get("b").unwrap().is_file());
    let mut dangling = ImageTree::new();
    assert!(dangling.apply(&layer(vec![link("nowhere")])).is_err());
}

#[test]
fn what_stands_below_a_link_is_written_through_it() {
    let tree = tree(vec![
        vec![directory("usr"), directory("usr/bin"), symlink("bin", "usr/bin")],
        vec![file("bin/tool")],
    ]);
    assert_eq!(paths(&tree), ["bin", "usr", "usr/bin", "usr/bin/tool"]);
}

#[test]
fn a_layer_that_lists_the_root_keeps_what_is_there() {
    let tree = tree(vec![vec![directory("etc"), file("etc/os-release")], vec![directory(""), file("new")]]);
    assert_eq!(paths(&tree), ["etc", "etc/os-release", "new"]);
    assert!(tree.get("").unwrap().is_directory());
}

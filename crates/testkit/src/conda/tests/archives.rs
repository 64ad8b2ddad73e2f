//! Packages opened by other means than they were made with.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::conda::{CondaPackage, CondaPackageBuilder, PLACEHOLDER};
use crate::process::run;
use crate::{WheelBuilder, require_tool, sha256};

/// Path, mode, time and content of each member of a tar.
type Members = Vec<(String, u32, u64, Vec<u8>)>;

fn members(archive: &[u8]) -> Members {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().expect("an archive");
    entries
        .map(|entry| {
            let mut entry = entry.expect("a member");
            let path = entry.path().expect("a path").to_string_lossy().into_owned();
            let header = entry.header();
            let (mode, time) = (header.mode().expect("a mode"), header.mtime().expect("a time"));
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("a content");
            (path, mode, time, content)
        })
        .collect()
}

/// The members of both parts of a package, taken apart by Python: information, and files.
fn opened(package: &CondaPackage) -> (Members, Members) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(&package.file_name);
    std::fs::write(&file, &package.bytes).expect("a file");
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&file).arg(folder.path()));
    let stem = package.distribution();
    let part = |name: String| {
        let bytes = std::fs::read(folder.path().join(name)).expect("a part of the package");
        members(&zstd::decode_all(&bytes[..]).expect("a part that zstd can read"))
    };
    let version = std::fs::read(folder.path().join("metadata.json")).expect("the version of the format");
    let version: Value = serde_json::from_slice(&version).expect("JSON");
    assert_eq!(version["conda_pkg_format_version"], 2);
    (part(format!("info-{stem}.tar.zst")), part(format!("pkg-{stem}.tar.zst")))
}

fn content(members: &Members, path: &str) -> Vec<u8> {
    let found = members.iter().find(|(name, ..)| name == path);
    found.unwrap_or_else(|| panic!("there is no {path}")).3.clone()
}

fn json(members: &Members, path: &str) -> Value {
    serde_json::from_slice(&content(members, path)).expect("JSON")
}

fn demo() -> CondaPackageBuilder {
    CondaPackageBuilder::new("demo", "1.0")
        .build_string("h123_4", 4)
        .licence("BSD-3-Clause")
        .track_features("slow")
        .depends("python >=3.8")
        .constrains("other >=2")
        .file_with_mode("share/secret", 0o600, "s")
        .symlink("share/link", "../share/secret")
        .text_with_prefix("bin/demo", &format!("#!{PLACEHOLDER}/bin/python\n"))
        .binary_with_prefix("lib/libdemo.so", format!("a\0{PLACEHOLDER}/lib\0b"))
        .post_link("#!/bin/sh\ntouch \"$PREFIX/linked\"\n")
        .activation("export DEMO=1\n")
}

#[test]
fn a_package_says_what_is_in_it() {
    require_tool!("python3");
    let package = demo().build();

    let (information, files) = opened(&package);

    assert_eq!(package.file_name, "demo-1.0-h123_4.conda");
    let index = json(&information, "info/index.json");
    for (key, value) in [("license", "BSD-3-Clause"), ("track_features", "slow"), ("subdir", "linux-64")] {
        assert_eq!(index[key], value);
    }
    let paths = json(&information, "info/paths.json");
    assert_eq!(paths["paths_version"], 1);
    let listed = paths["paths"].as_array().expect("a list");
    assert_eq!(listed.len(), files.len());
    for (entry, (path, _, time, content)) in listed.iter().zip(&files) {
        assert_eq!(entry["_path"], path.as_str());
        assert_eq!(*time, 1_700_000_000, "{path}");
        let expected = if entry["path_type"] == "softlink" { &b"s"[..] } else { content };
        let digest = format!("sha256:{}", entry["sha256"].as_str().expect("a digest"));
        assert_eq!(digest, sha256(expected), "{path}");
    }
    for (path, mode) in [("bin/demo", "text"), ("lib/libdemo.so", "binary")] {
        let entry = listed.iter().find(|entry| entry["_path"] == path).expect("a path");
        assert_eq!(
            (&entry["file_mode"], entry["prefix_placeholder"].as_str()),
            (&mode.into(), Some(PLACEHOLDER))
        );
    }
    assert_eq!(PLACEHOLDER.len(), 255);
    let modes = ["share/secret", "bin/.demo-post-link.sh", "etc/conda/activate.d/demo.sh"]
        .map(|path| files.iter().find(|(name, ..)| name == path).expect("a file").1);
    assert_eq!(modes, [0o600, 0o755, 0o644]);
    assert_eq!(demo().build().bytes, package.bytes);
}

#[test]
fn the_older_form_is_the_same_in_one_archive() {
    require_tool!("tar", "bzip2");
    let package = demo().old_format().build();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(&package.file_name);
    std::fs::write(&file, &package.bytes).expect("a file");

    run(Command::new("tar").arg("-xjf").arg(&file).arg("-C").arg(folder.path()));

    let index = std::fs::read(folder.path().join("info/index.json")).expect("the index");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    assert_eq!((&index["name"], &index["build_number"]), (&"demo".into(), &4.into()));
    assert_eq!(std::fs::read(folder.path().join("share/secret")).expect("a file"), b"s");
    assert_eq!(Path::new(&package.file_name).extension().and_then(|end| end.to_str()), Some("bz2"));
}

#[test]
fn wheels_become_packages() {
    require_tool!("python3");
    let wheel = WheelBuilder::new("My_Demo", "1.0")
        .requires_python(">=3.8, <4")
        .file("demo/__init__.py", "def main(): print('demo')\n")
        .script("demo", "demo:main")
        .data("scripts", "own", "#!python\nprint('own')\n")
        .data("data", "share/demo.txt", "data");

    let pure = CondaPackageBuilder::from_wheel(&wheel.clone().build()).build();
    let compiled = wheel.platform_tag("cp311-cp311-manylinux_2_28_x86_64").build();
    let compiled = CondaPackageBuilder::from_wheel(&compiled).build();

    assert_eq!((pure.name(), pure.subdir.as_str()), ("my-demo", "noarch"));
    assert_eq!(pure.record["depends"], serde_json::json!(["python >=3.8,<4"]));
    let (information, files) = opened(&pure);
    let link = json(&information, "info/link.json");
    assert_eq!(link["noarch"], serde_json::json!({"type": "python", "entry_points": ["demo = demo:main"]}));
    let info = "site-packages/My_Demo-1.0.dist-info";
    assert_eq!(content(&files, &format!("{info}/INSTALLER")), b"conda\n");
    let record = String::from_utf8(content(&files, &format!("{info}/RECORD"))).expect("a text");
    for line in [
        "../../../bin/demo,,",
        "../../../bin/own,sha256=",
        "../../../share/demo.txt,sha256=",
        "demo/__init__.py,sha256=",
    ] {
        assert!(record.contains(line), "{record}");
    }
    assert!(
        content(&files, "python-scripts/own").starts_with(format!("#!{PLACEHOLDER}/bin/python\n").as_bytes())
    );

    assert_eq!(compiled.file_name, "my-demo-1.0-py311h0_0.conda");
    assert_eq!(compiled.record["depends"], serde_json::json!(["python >=3.11,<3.12.0a0", "__glibc >=2.17"]));
    let (_, files) = opened(&compiled);
    content(&files, "lib/python3.11/site-packages/demo/__init__.py");
    assert!(content(&files, "bin/demo").starts_with(format!("#!{PLACEHOLDER}/bin/python\n").as_bytes()));
}

//! The same packages, installed by the base's own pip in a copy of the base and by us: pip sees no difference.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use imagewright_testkit::{PackageIndex, Runner, bases, require_tool, sha256};
use serde_json::Value;

use crate::support::{Workshop, demo, demo_wheel};

#[tokio::test]
async fn pip_sees_no_difference() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let tool = demo("Mixed.Case-tool", "1.0")
        .requires("library>=1")
        .requires("extra-of-tool; extra == 'fast'")
        .extra("fast")
        .data("data", "share/tool/notes.txt", "notes")
        .data("scripts", "tool-script", "#!python\nprint('script')\n")
        .data("headers", "tool.h", "int tool;\n")
        .entry_point("gui_scripts", "tool-window", "Mixed.Case_tool:main")
        .entry_point("other.group", "plugin", "library:main")
        .build();
    let by_address = demo_wheel("by-address", "2.0");
    let wheels = [
        tool,
        demo_wheel("library", "1.1"),
        demo_wheel("library", "1.2rc1"),
        demo_wheel("extra-of-tool", "3.0"),
        by_address.clone(),
    ];
    let index = PackageIndex::with(&wheels);
    // Debian's pip notes the hash of such a wheel where it is told; later ones always do.
    let hash = sha256(&by_address.bytes).replacen(':', "=", 1);
    let address = format!("by-address @ {}#{hash}", index.file_url(&by_address.file_name));
    let requirements = ["Mixed.Case-tool[fast]", address.as_str()];

    let build = workshop.build(&base.reference, "team/image:1").index(&index);
    requirements.iter().fold(build, |build, requirement| build.pip(requirement)).succeed();
    let ours = workshop.run("team/image:1");
    let pips = Runner::start(&workshop.registry, &base.reference);
    let index_url = index.url();
    let install = ["pip", "install", "--break-system-packages", "--index-url", &index_url];
    let installed = pips.run(&[&install, requirements.as_slice()].concat());
    assert!(installed.succeeded(), "{installed:?}");

    assert_eq!(ours.run(&["pip", "freeze"]).stdout, pips.run(&["pip", "freeze"]).stdout);
    assert_eq!(inspect(&ours), inspect(&pips));
    assert_eq!(ours.run(&["tool-script"]).stdout, "script\n");
    let (ours, pips) = (files(ours.mount_point()), files(pips.mount_point()));
    let paths = |files: &BTreeMap<String, File>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&ours), paths(&pips));
    for (path, file) in &pips {
        assert_eq!(ours[path], *file, "{path}");
    }
}

/// What `pip inspect` says of all packages, by their places: it lists them in the order of the file system.
fn inspect(image: &Runner) -> BTreeMap<String, Value> {
    let inspected = image.run(&["pip", "inspect"]);
    let report: Value = serde_json::from_str(&inspected.stdout).unwrap_or_else(|_| panic!("{inspected:?}"));
    let packages = report["installed"].as_array().unwrap().iter();
    packages.map(|package| (package["metadata_location"].to_string(), package.clone())).collect()
}

/// A file: its mode, and its content where that is the same on every machine.
#[derive(Debug, PartialEq, Eq)]
struct File {
    mode: u32,
    content: String,
}

/// The files in the folders that pip installs into.
fn files(root: &Path) -> BTreeMap<String, File> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.join("usr/local"), root.join("usr/include")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
                let mode = entry.metadata().unwrap().permissions().mode();
                found.insert(path.clone(), File { mode, content: content(&path, &entry.path()) });
            }
        }
    }
    found
}

/// The text of a file, without what differs from one version of pip to the next (the inner lines of launchers, blanks
/// in JSON) and from one moment to the next (bytecode, which embeds times).
fn content(path: &str, file: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let is_launcher = path.starts_with("usr/local/bin/");
    let extension = file.extension().and_then(|extension| extension.to_str());
    let lines: Vec<&str> = if extension == Some("pyc") {
        Vec::new()
    } else if is_launcher {
        text.lines().filter(|line| line.starts_with("#!") || line.contains("main")).collect()
    } else if path.ends_with("/RECORD") {
        let mut lines: Vec<&str> = text.lines().map(without_varying_hash).collect();
        lines.sort_unstable();
        lines
    } else if extension == Some("json") {
        return serde_json::from_str::<BTreeMap<String, Value>>(&text)
            .map(|json| format!("{json:?}"))
            .unwrap();
    } else {
        return text;
    };
    lines.join("\n")
}

fn without_varying_hash(line: &str) -> &str {
    let varies = |path: &&str| path.starts_with("../../../bin/") || path.ends_with("/direct_url.json");
    line.split(',').next().filter(varies).unwrap_or(line)
}

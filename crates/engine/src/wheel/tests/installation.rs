//! What an honest wheel becomes.

use super::*;
use crate::wheel::record::tests::parse_installed;

const SITE: &str = "lib/python3.11/site-packages";

fn full() -> TestWheel {
    TestWheel::empty()
        .with("demo/__init__.py", "def main():\n    print('hello')\n")
        .with_options("demo/tool.sh", "#!/bin/sh\n", options().unix_permissions(0o755))
        .with("demo-1.0.data/scripts/run", "#!python -u\nprint(1)\n")
        .with("demo-1.0.data/scripts/plain.sh", "#!/bin/sh\n")
        .with("demo-1.0.data/scripts/cmd-script.py", "# made by an old setuptools\n")
        .with("demo-1.0.data/data/etc/demo.json", "{}")
        .with("demo-1.0.data/headers/demo.h", "")
        .with("demo-1.0.data/platlib/demo/fast.so", "ELF")
        .with("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\ncmd = demo:main [extra]\n")
        .with("demo-1.0.dist-info/INSTALLER", "someone else\n")
        .with("demo-1.0.dist-info/REQUESTED", "")
}

#[test]
fn every_file_has_its_place_mode_and_time() {
    let wheel = full();
    let package = wheel.stage().unwrap();
    assert_eq!((package.name.as_str(), package.version.as_str()), ("Demo", "1.0"));
    assert_eq!(package.dist_info_dir, "/opt/venv/lib/python3.11/site-packages/demo-1.0.dist-info");
    assert_eq!(
        paths(&package),
        [
            "bin/cmd",
            "bin/plain.sh",
            "bin/run",
            "etc/demo.json",
            "include/site/python3.11/Demo/demo.h",
            "lib/python3.11/site-packages/demo-1.0.dist-info/INSTALLER",
            "lib/python3.11/site-packages/demo-1.0.dist-info/METADATA",
            "lib/python3.11/site-packages/demo-1.0.dist-info/RECORD",
            "lib/python3.11/site-packages/demo-1.0.dist-info/WHEEL",
            "lib/python3.11/site-packages/demo-1.0.dist-info/entry_points.txt",
            "lib/python3.11/site-packages/demo/__init__.py",
            "lib/python3.11/site-packages/demo/tool.sh",
            "lib64/python3.11/site-packages/demo/fast.so",
        ]
    );
    assert_eq!(package.scripts, ["/opt/venv/bin/cmd", "/opt/venv/bin/plain.sh", "/opt/venv/bin/run"]);
    assert_eq!(package.warnings, Vec::<String>::new());
    for file in &package.files {
        let executable = file.path.starts_with("/opt/venv/bin/") || file.path.ends_with("tool.sh");
        assert_eq!(file.mode, if executable { 0o755 } else { 0o644 }, "{}", file.path);
        let generated = ["bin/cmd", "INSTALLER", "RECORD"].iter().any(|name| file.path.ends_with(name));
        let mtime = if generated { GENERATED_MTIME } else { 1_580_608_922 };
        assert_eq!(file.mtime, mtime, "{}", file.path);
    }
    assert_eq!(installed(&package, "bin/run"), b"#!/opt/venv/bin/python3\nprint(1)\n");
    assert_eq!(installed(&package, &format!("{SITE}/demo-1.0.dist-info/INSTALLER")), b"pip\n");
    assert_eq!(
        installed(&package, &format!("{SITE}/demo/__init__.py")),
        b"def main():\n    print('hello')\n"
    );
}

#[test]
fn record_lists_what_is_installed_and_only_the_overlay_says_requested() {
    let options = StageOptions { direct_url: Some("{\"url\": \"x\"}".into()), ..StageOptions::default() };
    let wheel = full();
    let package = wheel.stage_with(&options).unwrap();
    let text = installed(&package, &format!("{SITE}/demo-1.0.dist-info/RECORD"));
    let rows = parse_installed(&text);
    assert_eq!(rows.len(), package.files.len());
    assert_eq!(rows["../../../etc/demo.json"], RecordedContent::of(b"{}"));
    assert_eq!(rows["../../../bin/run"], RecordedContent::of(b"#!/opt/venv/bin/python3\nprint(1)\n"));
    assert_eq!(rows["demo-1.0.dist-info/RECORD"], RecordedContent::default());
    assert_eq!(rows["demo-1.0.dist-info/direct_url.json"], RecordedContent::of(b"{\"url\": \"x\"}"));

    let RequestedOverlay { marker, record } = &package.requested;
    assert_eq!(marker.path, format!("/opt/venv/{SITE}/demo-1.0.dist-info/REQUESTED"));
    assert_eq!(read(marker), b"");
    let mut with_marker = parse_installed(&read(record));
    assert_eq!(with_marker.remove("demo-1.0.dist-info/REQUESTED"), Some(RecordedContent::of(b"")));
    assert_eq!(with_marker, rows);
}

#[test]
fn oddities_are_told_but_stop_nothing() {
    let wheel = TestWheel::empty()
        .with("demo.py", "1")
        .with("demo-1.0.data/purelib/demo.py", "2")
        .with_row("gone.py", Some(RecordedContent::of(b"")));
    let package = wheel.stage().unwrap();
    assert_eq!(installed(&package, &format!("{SITE}/demo.py")), b"2");
    assert_eq!(
        package.warnings,
        [
            "RECORD lists `gone.py`, which the wheel does not hold".to_owned(),
            format!("the wheel installs `/opt/venv/{SITE}/demo.py` twice; the later file is kept"),
        ]
    );
}

#[test]
fn a_cancelled_build_leaves_nothing_behind() {
    let wheel = full();
    let staging = tempfile::tempdir().unwrap();
    let cancelled = AtomicBool::new(true);
    let error = stage_wheel(&wheel.write(), &scheme(), &StageOptions::default(), staging.path(), &cancelled)
        .unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(std::fs::read_dir(staging.path()).unwrap().count(), 0);
}

#[test]
fn staging_the_same_wheel_twice_in_one_folder_harms_neither() {
    let wheel = full();
    let path = wheel.write();
    let staging = tempfile::tempdir().unwrap();
    let package = stage(&path, &scheme(), &StageOptions::default(), staging.path()).unwrap();
    let again = stage(&path, &scheme(), &StageOptions::default(), staging.path()).unwrap_err();
    assert!(matches!(again.problem, WheelProblem::Staging { .. }));
    assert_eq!(installed(&package, "etc/demo.json"), b"{}");
}

//! Wheels that no honest tool makes, each refused for what it is, leaving nothing behind.

use super::*;

fn refused(wheel: &TestWheel) -> WheelProblem {
    refused_within(wheel, WheelLimits::default())
}

fn refused_within(wheel: &TestWheel, limits: WheelLimits) -> WheelProblem {
    let staging = tempfile::tempdir().unwrap();
    let options = StageOptions { limits, ..StageOptions::default() };
    let error = stage(&wheel.write(), &scheme(), &options, staging.path()).unwrap_err();
    assert_eq!(std::fs::read_dir(staging.path()).unwrap().count(), 0, "files were left behind");
    error.problem
}

fn assert_entry(wheel: &TestWheel, expected: EntryProblem) {
    match refused(wheel) {
        WheelProblem::Entry { problem, .. } => assert_eq!(problem, expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

/// Replaces bytes in a written archive, wherever they are.
fn patch(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|start| bytes[*start..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    std::fs::write(path, bytes).unwrap();
}

fn stage_file(path: &Path) -> WheelProblem {
    let staging = tempfile::tempdir().unwrap();
    stage(path, &scheme(), &StageOptions::default(), staging.path()).unwrap_err().problem
}

#[test]
fn paths_that_lead_elsewhere() {
    for (name, problem) in [
        ("../../etc/cron.d/x", EntryProblem::ParentFolder),
        ("demo-1.0.data/scripts/../../../etc/x", EntryProblem::ParentFolder),
        ("/etc/passwd", EntryProblem::Absolute),
        ("C:/windows", EntryProblem::DriveLetter),
        ("a\\..\\b", EntryProblem::Backslash),
        ("a\0b", EntryProblem::ControlCharacter),
        ("a//b", EntryProblem::EmptyComponent),
    ] {
        assert_entry(&TestWheel::empty().with(name, "x"), problem);
    }
}

#[test]
fn members_in_each_others_way() {
    assert_entry(&TestWheel::empty().with("a.py", "1").with("./a.py", "2"), EntryProblem::Duplicate);
    assert_entry(&TestWheel::empty().with("a", "1").with("a/b", "2"), EntryProblem::FileAndFolder);
    assert_entry(&TestWheel::empty().with("a", "1").with("a/", ""), EntryProblem::FileAndFolder);

    let wheel = TestWheel::empty().with("a.py", "1").with("b.py", "1");
    let path = wheel.write();
    patch(&path, b"b.py", b"a.py");
    assert!(matches!(stage_file(&path), WheelProblem::DuplicateMembers));

    let wheel =
        TestWheel::empty().with("demo-1.0.data/scripts/a", "1").with("demo-1.0.data/data/bin/a/b", "2");
    assert!(matches!(refused(&wheel), WheelProblem::FileAndFolder { path } if path == "/opt/venv/bin/a"));
}

#[test]
fn links_and_devices() {
    for (kind, problem) in [(0o120_777, EntryProblem::Symlink), (0o010_644, EntryProblem::SpecialFile)] {
        let wheel = TestWheel::empty().with("link.py", "/etc/passwd");
        let path = wheel.write();
        // The upper half of the attributes stands 6 bytes before a member's name in the archive's directory.
        let mut bytes = std::fs::read(&path).unwrap();
        let name = (0..bytes.len()).rfind(|start| bytes[*start..].starts_with(b"link.py")).unwrap();
        bytes[name - 6..name - 4].copy_from_slice(&u16::try_from(kind).unwrap().to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        match stage_file(&path) {
            WheelProblem::Entry { problem: found, .. } => assert_eq!(found, problem),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn bombs_and_lies_about_sizes() {
    let zeros = vec![0; 4 << 20];
    let bomb = TestWheel::empty().with("zeros", zeros);
    let limits = WheelLimits { ratio_from_bytes: 1 << 20, ..WheelLimits::default() };
    assert!(matches!(refused_within(&bomb, limits), WheelProblem::TooLarge { limit: 200, .. }));
    let limits = WheelLimits { unpacked_bytes: 1 << 20, ..WheelLimits::default() };
    assert!(matches!(refused_within(&bomb, limits), WheelProblem::TooLarge { .. }));
    let limits = WheelLimits { entries: 3, ..WheelLimits::default() };
    assert!(matches!(refused_within(&bomb, limits), WheelProblem::TooLarge { found: 4, .. }));
    let limits = WheelLimits { directory_bytes: 100, ..WheelLimits::default() };
    assert!(matches!(refused_within(&bomb, limits), WheelProblem::DirectoryTooLarge { .. }));
    let limits = WheelLimits { metadata_bytes: 10, ..WheelLimits::default() };
    assert!(matches!(refused_within(&bomb, limits), WheelProblem::TooLarge { .. }));

    let wheel = TestWheel::empty().with("x.bin", vec![7; 0x0012_3456]);
    let path = wheel.write();
    patch(&path, &0x0012_3456_u32.to_le_bytes(), &0x0000_0456_u32.to_le_bytes());
    assert!(matches!(
        stage_file(&path),
        WheelProblem::Entry { problem: EntryProblem::Size, .. } | WheelProblem::Unpack { .. }
    ));
}

#[test]
fn encrypted_unknown_and_damaged_members() {
    let wheel = TestWheel::empty().with("a.py", "1");
    let path = wheel.write();
    let sound = std::fs::read(&path).unwrap();
    let header = (0..sound.len()).rfind(|start| sound[*start..].starts_with(b"a.py")).unwrap() - 46;
    for (offset, value, problem) in [(8, 1, EntryProblem::Encrypted), (10, 12, EntryProblem::Compression)] {
        let mut bytes = sound.clone();
        bytes[header + offset] = value;
        std::fs::write(&path, bytes).unwrap();
        match stage_file(&path) {
            WheelProblem::Entry { problem: found, .. } => assert_eq!(found, problem),
            other => panic!("{other:?}"),
        }
    }
    std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert!(matches!(stage_file(&path), WheelProblem::Archive(_)));
    std::fs::write(&path, [b"MZ prefix".as_slice(), &sound].concat()).unwrap();
    assert!(matches!(stage_file(&path), WheelProblem::Archive(_)));
    let missing = path.with_file_name("gone-1.0-py3-none-any.whl");
    assert!(matches!(stage_file(&missing), WheelProblem::Read { .. }));
}

#[test]
fn members_that_share_their_bytes() {
    let wheel = TestWheel::empty().with("a.py", "1").with("b.py", "1");
    let path = wheel.write();
    let mut bytes = std::fs::read(&path).unwrap();
    let header =
        |name: &[u8]| (0..bytes.len()).rfind(|start| bytes[*start..].starts_with(name)).unwrap() - 46;
    let (first, second) = (header(b"a.py"), header(b"b.py"));
    bytes.copy_within(first + 42..first + 46, second + 42);
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(stage_file(&path), WheelProblem::OverlappingMembers));
}

#[test]
fn folders_of_metadata_that_are_missing_or_of_another_package() {
    let two = TestWheel::empty().with("other-1.0.dist-info/METADATA", "");
    assert!(matches!(refused(&two), WheelProblem::DistInfoCount { found: 2 }));
    for file_name in ["other-1.0-py3-none-any.whl", "demo-1.1-py3-none-any.whl"] {
        let mut wheel = TestWheel::empty();
        wheel.file_name = file_name.into();
        assert!(matches!(refused(&wheel), WheelProblem::Mismatch { .. }), "{file_name}");
    }
    for file in ["METADATA", "WHEEL"] {
        let wheel = TestWheel::empty().without(&format!("demo-1.0.dist-info/{file}"));
        assert!(matches!(refused(&wheel), WheelProblem::Metadata { file: found, .. } if found == file));
    }
    let newer = TestWheel::empty().with("demo-1.0.dist-info/WHEEL", "Wheel-Version: 2.0\n");
    assert!(matches!(refused(&newer), WheelProblem::WheelVersion { version } if version == "2.0"));
    let mut misnamed = TestWheel::empty();
    misnamed.file_name = "demo.whl".into();
    assert!(matches!(refused(&misnamed), WheelProblem::FileName { .. }));
}

#[test]
fn members_that_record_does_not_vouch_for() {
    let wheel = || TestWheel::empty().with("demo.py", "x = 1\n");
    let other = RecordedContent::of(b"x = 2\n");
    let longer = RecordedContent { size: "7".into(), ..RecordedContent::of(b"x = 1\n") };
    let weak = RecordedContent { hash: "md5=AAAA".into(), size: "6".into() };
    for row in [None, Some(other), Some(longer), Some(weak)] {
        let shown = format!("{row:?}");
        let problem = refused(&wheel().with_row("demo.py", row));
        assert!(matches!(problem, WheelProblem::Record { entry, .. } if entry == "demo.py"), "{shown}");
    }
}

#[test]
fn commands_and_data_that_lead_elsewhere() {
    for name in ["../../../etc/cron.d/x", "a/b", "..", "a\u{7}"] {
        let text = format!("[console_scripts]\n{name} = demo:main\n");
        let wheel = TestWheel::empty().with("demo-1.0.dist-info/entry_points.txt", text);
        assert!(matches!(refused(&wheel), WheelProblem::EntryPoint { .. }), "{name:?}");
    }
    let unknown = TestWheel::empty().with("demo-1.0.data/etc/passwd", "x");
    assert!(matches!(refused(&unknown), WheelProblem::DataFolder { .. }));
    let interpreter = TestWheel::empty().with("demo-1.0.data/scripts/python3", "x");
    assert!(matches!(refused(&interpreter), WheelProblem::ReplacesInterpreter { .. }));
}

#[test]
fn what_the_user_reads_is_one_line_and_names_the_wheel() {
    let wheel = TestWheel::empty().with("../a\u{1b}[31m\nb", "x");
    assert_eq!(
        wheel.stage().unwrap_err().to_string(),
        "the wheel `demo-1.0-py3-none-any.whl` cannot be installed: its member `../a\\u{1b}[31m\\nb` has a control \
         character in its path; no honest tool writes this, do not use the file"
    );
}

//! A report on a made-up image, at several widths.

use imagewright_engine::base::OperatingSystem;
use imagewright_engine::inspect::{PackageSet, ProcessReport};
use imagewright_engine::lock::{LOCK_VERSION, Lock, LockedBase, LockedPackage, LockedReplacement};
use imagewright_oci::digest::Digest;

use super::*;

fn package(name: &str, version: &str, size: Option<u64>) -> PackageReport {
    PackageReport { name: name.to_owned(), version: version.to_owned(), size, build: None, installer: None }
}

fn report() -> ImageReport {
    let layer = |name: &[u8], created_by: &str, holds: Option<&str>| LayerReport {
        digest: Digest::of(name),
        diff_id: Digest::of(name),
        media_type: "application/vnd.oci.image.layer.v1.tar+zstd".to_owned(),
        compressed_size: 17_000_000,
        uncompressed_size: 71_000_000,
        created_by: Some(created_by.to_owned()),
        ours: holds.is_some(),
        holds: holds.map(str::to_owned),
    };
    let locked = |name: &str, version: &str, requested| LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        file: String::new(),
        url: String::new(),
        sha256: Digest::of(b"wheel"),
        requested,
        direct_url: None,
        built: None,
    };
    let lock = Lock {
        version: LOCK_VERSION,
        platform: "linux/amd64".to_owned(),
        base: LockedBase { reference: "registry.example/base:12".to_owned(), digest: Digest::of(b"base") },
        python: None,
        apt: Vec::new(),
        spec_hash: "7ddacd5d".to_owned(),
        compression: imagewright_oci::layer::codec::Compression::default(),
        apt_requested: Vec::new(),
        conda: None,
        pip: vec![locked("numpy", "2.2.6", false), locked("pandas", "2.3.1", true)],
        replaced: vec![LockedReplacement {
            name: "numpy".to_owned(),
            old: "1.24.2".to_owned(),
            new: "2.2.6".to_owned(),
        }],
        kept: vec!["six==1.16.0".to_owned()],
    };
    let system = (0..14).map(|number| package(&format!("lib{number:02}"), "1.0-1", Some(number * 100_000)));
    ImageReport {
        reference: "registry.example/team/analysis:1".to_owned(),
        digest: Digest::of(b"image"),
        index_digest: Some(Digest::of(b"index")),
        platform: "linux/amd64".to_owned(),
        platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        compressed_size: 34_000_000,
        operating_system: Some(OperatingSystem {
            id: "debian".to_owned(),
            version: Some("12".to_owned()),
            name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        }),
        libc: Some("glibc 2.36".to_owned()),
        process: ProcessReport {
            user: String::new(),
            entrypoint: vec!["tini".to_owned(), "--".to_owned()],
            command: vec!["sh".to_owned(), "-c".to_owned(), "echo \u{1b}[2J hello".to_owned()],
            working_folder: "/srv".to_owned(),
            path: Some("/usr/local/bin:/usr/bin".to_owned()),
        },
        interpreters: vec![InterpreterReport {
            executable: "/usr/bin/python3".to_owned(),
            version: "3.11.2".to_owned(),
            kind: "debian",
            default: true,
            prefix: "/usr".to_owned(),
            libc: "glibc 2.36".to_owned(),
            install_folder: "/usr/local/lib/python3.11/dist-packages".to_owned(),
            site_folders: vec![
                "/usr/local/lib/python3.11/dist-packages".to_owned(),
                "/usr/lib/python3/dist-packages".to_owned(),
            ],
            packages: vec![
                PackageReport {
                    build: None,
                    installer: Some("debian".to_owned()),
                    ..package("pip", "23.0.1", Some(7_000_000))
                },
                package("wheel", "0.38.4", None),
            ],
            warnings: vec![
                "/usr/lib/x.egg-info is left out of the resolution: it has no Version.".to_owned(),
            ],
        }],
        python_missing: None,
        packages: vec![PackageSet { manager: "dpkg", prefix: None, packages: system.collect() }],
        layers: vec![
            layer(b"one", "mmdebstrap", None),
            layer(
                b"two",
                "imagewright pip: numpy 2.2.6",
                Some("pip: numpy 2.2.6, six 1.17.0, and others that fill a line"),
            ),
        ],
        built_by_imagewright: Some(OwnReport {
            spec_hash: Some("7ddacd5d".to_owned()),
            revision: Digest::of(b"lock").to_string(),
            base: "registry.example/base:12".to_owned(),
            base_digest: Digest::of(b"base"),
            base_layers: 1,
            lock,
        }),
    }
}

#[test]
fn a_report_shows_what_an_image_holds() {
    let shown = lines(&report(), false, Screen::PLAIN);
    assert!(!shown.concat().chars().any(char::is_control));
    insta::assert_snapshot!("plain", shown.join("\n"));
    let narrow = Screen { width: Some(60), ..Screen::PLAIN };
    insta::assert_snapshot!("narrow", lines(&report(), false, narrow).join("\n"));
}

#[test]
fn all_packages_are_listed_by_name_when_they_are_asked_for() {
    let shown = lines(&report(), true, Screen::PLAIN);
    let listed: Vec<&String> = shown.iter().filter(|line| line.contains("  lib")).collect();
    assert_eq!(listed.len(), 14);
    assert!(listed[0].contains("lib00"));
}

#[test]
fn an_image_without_anything_is_described_too() {
    let bare = ImageReport {
        index_digest: None,
        platforms: Vec::new(),
        operating_system: None,
        libc: None,
        process: ProcessReport::default(),
        interpreters: Vec::new(),
        python_missing: Some("the image has no python3 on its PATH".to_owned()),
        packages: Vec::new(),
        layers: Vec::new(),
        built_by_imagewright: None,
        ..report()
    };
    insta::assert_snapshot!(lines(&bare, false, Screen::PLAIN).join("\n"));
}

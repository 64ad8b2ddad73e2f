//! Layers from changes as overlayfs writes them down.

use std::path::PathBuf;
use std::sync::Arc;

use imagewright_oci::digest::Digest;
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::layer::entry::{Change, Kind};
use imagewright_oci::layer::index::{IndexLimits, LayerIndex, index_layer};
use imagewright_oci::layer::path::normalise;
use imagewright_oci::tree::ImageTree;
use imagewright_testkit::{Entry, LayerBuilder};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{LayerOptions, SystemLayerFile, write_layer};
use crate::error::BuildError;

const BEGAN: u64 = 2_000_000_000;
const EPOCH: i64 = 1_700_000_000;

fn archive(layer: LayerBuilder) -> Vec<u8> {
    layer.plain().build().blob().to_vec()
}

fn tree(layer: LayerBuilder) -> Arc<ImageTree> {
    let index = index_layer(archive(layer).as_slice(), IndexLimits::default()).unwrap();
    let mut tree = ImageTree::new();
    tree.apply(&index).unwrap();
    Arc::new(tree)
}

/// A base with some folders and files.
fn base() -> LayerBuilder {
    LayerBuilder::new()
        .directory("etc")
        .file("etc/config", "old")
        .directory("usr")
        .directory("usr/bin")
        .file("usr/bin/old", "old")
        .directory("var")
        .directory("var/log")
        .file("var/log/known.log", "before")
        .directory("var/cache")
        .directory("run")
}

struct Written {
    file: Option<SystemLayerFile>,
    path: PathBuf,
    _folder: TempDir,
}

impl Written {
    fn digest(&self) -> Digest {
        self.file.as_ref().unwrap().facts.digest
    }

    fn index(&self) -> LayerIndex {
        index_layer(std::fs::File::open(&self.path).unwrap(), IndexLimits::default()).unwrap()
    }

    /// A line a change: its path, and what it is.
    fn lines(&self) -> Vec<String> {
        let line = |change: &Change| match change {
            Change::Add { path, kind: Kind::Directory, .. } => format!("{path}/"),
            Change::Add { path, kind: Kind::File { size }, .. } => format!("{path} {size}"),
            Change::Add { path, kind: Kind::Symlink { target }, .. } => format!("{path} -> {target}"),
            Change::Add { path, kind: Kind::Fifo, .. } => format!("{path} |"),
            Change::Add { path, kind: Kind::Device { .. }, .. } => format!("{path} device"),
            Change::HardLink { path, target } => format!("{path} = {target}"),
            Change::Remove { path } => format!("{path} removed"),
            Change::Opaque { path } => format!("{path}/ emptied"),
        };
        self.index().changes.iter().map(line).collect()
    }
}

fn write_with(changes: &[u8], compression: Compression) -> Result<Written, BuildError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layer");
    let options = LayerOptions {
        base: tree(base()),
        compression,
        began: i64::try_from(BEGAN).unwrap(),
        epoch: EPOCH,
        ours: vec!["usr/sbin/policy-rc.d".to_owned()],
    };
    let file = write_layer(changes, &options, &path)?;
    Ok(Written { file, path, _folder: folder })
}

fn write(changes: LayerBuilder) -> Result<Written, BuildError> {
    write_with(&archive(changes), Compression::Zstd)
}

#[test]
fn what_was_installed_stays_and_what_only_tells_of_the_run_goes() {
    let changes = LayerBuilder::new()
        .directory("etc")
        .file("etc/hosts", "127.0.0.1 build")
        .directory("run")
        .directory("run/imagewright")
        .directory("usr")
        .directory("usr/bin")
        .file("usr/bin/jq", "program")
        .hard_link("usr/bin/jq2", "usr/bin/jq")
        .add(Entry::character_device("usr/bin/old", 0, 0))
        .add(Entry::character_device("usr/bin/never-there", 0, 0))
        .add(Entry::block_device("usr/disk", 8, 0))
        .add(Entry::fifo("usr/pipe"))
        .directory("usr/sbin")
        .file("usr/sbin/policy-rc.d", "")
        .directory("var")
        .directory("var/cache")
        .add(Entry::directory("var/emptied").extended_attribute("user.overlay.opaque", "y"))
        .directory("var/log")
        .file("var/log/dpkg.log", "today")
        .file("var/log/known.log", "before and today");
    let written = write(changes).unwrap();
    assert_eq!(
        written.lines(),
        [
            "usr/",
            "usr/bin/",
            "usr/bin/jq 7",
            "usr/bin/jq2 = usr/bin/jq",
            "usr/bin/old removed",
            "usr/pipe |",
            "usr/sbin/",
            "var/",
            "var/emptied/",
            "var/log/",
            "var/log/dpkg.log 0",
        ]
    );
    assert_eq!(written.file.unwrap().notes, ["/usr/disk is left out: images hold no devices"]);
}

#[test]
fn a_step_that_changes_nothing_makes_no_layer() {
    let changes = LayerBuilder::new().directory("etc").file("etc/resolv.conf", "x").directory("run");
    let written = write(changes).unwrap();
    assert_eq!(written.file, None);
    assert!(!written.path.exists());
}

#[test]
fn the_time_of_the_run_is_nowhere_and_the_times_of_packages_are_kept() {
    let at = |seconds| {
        let changes = LayerBuilder::new()
            .add(Entry::directory("usr").modified(seconds))
            .add(Entry::file("usr/made", "x").modified(seconds))
            .add(Entry::file("usr/packed", "x").modified(1_600_000_000));
        write(changes).unwrap()
    };
    let first = at(BEGAN);
    assert_eq!(first.digest(), at(BEGAN + 1000).digest());
    let times: Vec<i64> = first
        .index()
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Add { metadata, .. } => Some(metadata.modified),
            _ => None,
        })
        .collect();
    assert_eq!(times, [EPOCH, EPOCH, 1_600_000_000]);
}

#[test]
fn owners_modes_and_capabilities_are_the_steps_and_overlayfs_marks_are_gone() {
    let changes = LayerBuilder::new().add(
        Entry::file("ping", "x")
            .mode(0o4755)
            .owner(100, 65_534)
            .extended_attribute("security.capability", "cap")
            .extended_attribute("user.overlay.origin", "x"),
    );
    let index = write(changes).unwrap().index();
    let [Change::Add { metadata, .. }] = &index.changes[..] else { panic!("{index:?}") };
    assert_eq!((metadata.mode, metadata.user_id, metadata.group_id), (0o4755, 100, 65_534));
    let names: Vec<_> = metadata.extended_attributes.as_ref().unwrap().keys().collect();
    assert_eq!(names, ["security.capability"]);
}

#[test]
fn a_folder_with_another_mode_is_a_change_by_itself() {
    let changes = LayerBuilder::new().directory("var").add(Entry::directory("var/cache").mode(0o1777));
    assert_eq!(write(changes).unwrap().lines(), ["var/", "var/cache/"]);
}

#[test]
fn secrets_of_the_machine_are_left_out_and_told() {
    let changes = LayerBuilder::new()
        .directory("etc")
        .directory("etc/ssh")
        .file("etc/ssh/ssh_host_rsa_key", "secret")
        .file("etc/ssh/sshd_config", "x");
    let written = write(changes).unwrap();
    assert_eq!(written.lines(), ["etc/", "etc/ssh/", "etc/ssh/sshd_config 1"]);
    assert!(written.file.unwrap().notes[0].starts_with("/etc/ssh/ssh_host_rsa_key is left out"));
}

#[test]
fn what_no_layer_can_hold_is_refused() {
    let renamed = LayerBuilder::new()
        .add(Entry::directory("usr/moved").extended_attribute("user.overlay.redirect", "/usr/bin"));
    assert!(write(renamed).err().unwrap().message().contains("/usr/moved"));
    let outside = LayerBuilder::new().hard_link("usr/a", "tmp/dropped").file("tmp/dropped", "x");
    assert!(write(outside).err().unwrap().message().contains("/tmp/dropped"));
    let whiteout = LayerBuilder::new().file("usr/.wh.bin", "");
    assert!(write(whiteout).err().unwrap().message().contains("/usr/.wh.bin"));
    let twice = LayerBuilder::new().file("usr/a", "1").file("usr/a", "2");
    assert!(write(twice).err().unwrap().message().contains("twice"));
}

proptest! {
    #[test]
    fn no_bytes_make_a_layer_that_leaves_its_place(
        changes in prop::collection::vec(any::<u8>(), 0..4096),
        names in prop::collection::vec("[a./]{1,12}", 0..6),
    ) {
        let mut layer = LayerBuilder::new();
        for name in &names {
            layer = layer.file(name, "x");
        }
        for bytes in [changes, archive(layer)] {
            let Ok(written) = write_with(&bytes, Compression::Gzip) else { continue };
            if written.file.is_none() {
                continue;
            }
            let mut paths = Vec::new();
            for change in written.index().changes {
                prop_assert_eq!(&normalise(change.path().as_bytes()).unwrap(), change.path());
                paths.push(change.path().to_owned());
            }
            let all = paths.len();
            paths.sort();
            paths.dedup();
            prop_assert_eq!(paths.len(), all);
        }
    }
}

//! Whatever the bytes are, reading them ends without a panic.

use imagewright_oci::layer::index::{IndexLimits, LayerIndex, index_layer};
use imagewright_oci::layer::tar::TarReader;
use imagewright_oci::tree::ImageTree;
use proptest::prelude::*;

use super::archives::{Entry, archive};
use super::{SMALL, index};

/// A layer with something of everything.
fn sample() -> Vec<u8> {
    archive(&[
        Entry::directory("usr"),
        Entry::pax(
            b'x',
            &[("path", b"usr/lib/python3.11/site-packages/x-1.dist-info/METADATA"), ("uid", b"77")],
        ),
        Entry::file("short", b"Name: x\nVersion: 1\n"),
        Entry::file("usr/bin/python3.11", b"\x7fELF\x02\x01\x01 \x003.11.2\x00 and more"),
        Entry::link(b'2', "usr/bin/python3", "python3.11"),
        Entry::link(b'1', "usr/bin/python", "usr/bin/python3.11"),
        Entry::file("etc/.wh.gone", b""),
        Entry::new(b'L', b"././@LongLink", &[b'n'; 300]),
        Entry::file("long", b"content"),
    ])
}

/// Reads an archive to wherever it leads.
fn read(bytes: &[u8]) {
    let mut reader = TarReader::new(bytes);
    let mut buffer = [0; 100];
    // An error is an end, too. Every round takes a block at least, so this is bounded by the archive.
    while let Ok(Some(_)) = reader.next_entry() {
        let _ = reader.read_content(&mut buffer);
    }
    for limits in [SMALL, IndexLimits::default()] {
        if let Ok(index) = index_layer(bytes, limits) {
            let _ = ImageTree::new().apply(&index);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        read(&bytes);
        let _ = LayerIndex::load(bytes.as_slice());
    }

    #[test]
    fn any_header(name in any::<[u8; 100]>(), numbers in any::<[u8; 48]>(), flag in any::<u8>(), rest in any::<[u8; 300]>()) {
        let entry = Entry::new(flag, &name, b"content").field(100, &numbers).field(157, &rest);
        read(&archive(&[entry, Entry::file("after", b"x")]));
    }

    #[test]
    fn an_archive_with_some_bytes_changed(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = sample();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read(&bytes);
    }

    /// A damaged index is never taken for a sound one: what it says would go into an image.
    #[test]
    fn an_index_with_a_byte_changed_or_cut_off(at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>()) {
        let sound = index(&sample()).unwrap();
        let mut bytes = Vec::new();
        sound.store(&mut bytes).unwrap();
        prop_assert_eq!(&LayerIndex::load(bytes.as_slice()).unwrap(), &sound);
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        if let Ok(loaded) = LayerIndex::load(bytes.as_slice()) {
            prop_assert_eq!(loaded, sound);
        }
    }
}

//! Too much of everything: bombs, endless archives, sizes that lie.

use std::io::{Read, Write};

use imagewright_oci::layer::index::{IndexLimits, index_layer};

use super::archives::{Entry, archive, unfinished};
use super::{SMALL, index, refusal, refusal_within};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

/// A file of zeros that is larger than [`SMALL`] allows a whole layer to be.
fn zeros() -> Vec<u8> {
    archive(&[Entry::file("zeros", &vec![0; 4 << 20])])
}

#[test]
fn bombs_are_stopped_at_the_limit() {
    for bomb in [zeros(), gzip(&zeros()), zstd(&zeros())] {
        let text = refusal_within(&bomb, SMALL);
        assert_eq!(text, "the layer holds more than 1048576 uncompressed bytes");
    }
}

/// An archive that never ends: what is not limited would be read for ever.
#[test]
fn endless_archives_are_stopped() {
    let entry = unfinished(&[Entry::file("again", b"")]);
    let endless = std::iter::repeat_n(entry, 1 << 20).flatten();
    let many = ReadIterator(endless);
    let error = index_layer(many, SMALL).unwrap_err();
    assert_eq!(error.to_string(), "the layer holds more than 1000 entries");

    let whiteouts = unfinished(&[Entry::file("a/.wh.b", b"")]);
    let error =
        index_layer(ReadIterator(std::iter::repeat_n(whiteouts, 1 << 20).flatten()), SMALL).unwrap_err();
    assert_eq!(error.to_string(), "the layer holds more than 1000 entries");

    // What aufs left behind changes nothing, and is counted all the same.
    let ignored = unfinished(&[Entry::file("a/.wh..wh.plnk", b"")]);
    let limits = IndexLimits { uncompressed: 64 << 20, ..SMALL };
    let error =
        index_layer(ReadIterator(std::iter::repeat_n(ignored, 1 << 20).flatten()), limits).unwrap_err();
    assert!(error.to_string().starts_with("the layer holds more than"), "{error}");
}

/// Reads the bytes of an iterator.
struct ReadIterator<I>(I);

impl<I: Iterator<Item = u8>> Read for ReadIterator<I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut read = 0;
        for (place, byte) in buffer.iter_mut().zip(&mut self.0) {
            *place = byte;
            read += 1;
        }
        Ok(read)
    }
}

#[test]
fn what_is_kept_in_memory_is_limited() {
    let entries: Vec<Entry> = (0..20)
        .map(|number| Entry::file(&format!("usr/lib/p{number}-1.0.dist-info/METADATA"), &[b'x'; 10_000]))
        .collect();
    let text = refusal_within(&archive(&entries), SMALL);
    assert_eq!(text, "the layer holds more than 65536 bytes of package metadata");
}

#[test]
fn names_and_attributes_are_limited() {
    let attribute = vec![b'x'; 50_000];
    let entries: Vec<Entry> = (0..10)
        .flat_map(|number| {
            [Entry::pax(b'x', &[("SCHILY.xattr.user.a", &attribute)]), Entry::file(&format!("{number}"), b"")]
        })
        .collect();
    let text = refusal_within(&archive(&entries), SMALL);
    assert!(text.starts_with("the layer holds more than 262144 "), "{text}");
}

#[test]
fn a_window_of_gigabytes_is_not_allocated() {
    // A frame header that asks for a window of 2 GiB: descriptor without content size, window exponent 21.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3];
    frame.extend([0x01, 0x00, 0x00]);
    let text = refusal(&frame);
    assert!(!text.is_empty());
    assert!(text.contains("memory") || text.contains("window") || text.contains("too"), "{text}");
}

#[test]
fn archives_that_break_off_are_refused() {
    let whole = archive(&[Entry::file("a", &[7; 3000]), Entry::file("b", &[8; 3000])]);
    // On a block boundary between two entries some writers end their archives, and so does a puller.
    for cut in [100, 600, 1000, 3583, 4000, 4200] {
        let text = refusal(&whole[..cut]);
        assert!(text.starts_with("the layer's content cannot be read"), "{cut}: {text}");
    }
    for compressed in [gzip(&whole), zstd(&whole)] {
        for cut in [compressed.len() / 3, compressed.len() - 1] {
            let text = refusal(&compressed[..cut]);
            assert!(!text.is_empty(), "{cut}");
        }
    }
}

#[test]
fn sizes_that_lie_are_refused() {
    let text = refusal(&archive(&[Entry::file("a", b"short").claiming_size(b"77777777777\0")]));
    assert!(text.starts_with("the layer's content cannot be read"), "{text}");
    let pax = Entry::pax(b'x', &[("size", b"9223372036854775807")]);
    let text = refusal(&archive(&[pax, Entry::file("a", b"short")]));
    assert!(text.starts_with("the layer's content cannot be read"), "{text}");
}

#[test]
fn links_and_folders_have_no_content_whatever_they_claim() {
    let link = Entry::link(b'2', "a", "b").claiming_size(b"00000001000\0");
    let index = index(&archive(&[link, Entry::file("after", b"x")])).unwrap();
    assert_eq!(index.changes.len(), 2);
}

#[test]
fn what_follows_the_end_belongs_to_the_digest_and_to_nothing_else() {
    let plain = archive(&[Entry::file("a", b"x")]);
    let mut followed = plain.clone();
    followed.extend(unfinished(&[Entry::file("hidden", b"x")]));
    let (plain, followed) = (index(&plain).unwrap(), index(&followed).unwrap());
    assert_eq!(followed.changes, plain.changes);
    assert_ne!(followed.diff_id, plain.diff_id);

    // Garbage after a compressed stream is no stream.
    let mut garbage = gzip(&archive(&[Entry::file("a", b"x")]));
    garbage.extend(b"garbage");
    assert!(!refusal(&garbage).is_empty());
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b"hello"[..], &[0xff; 2000], b"\x1f\x8bnot gzip at all", b"\x28\xb5\x2f\xfdnot zstd"] {
        assert!(!refusal(bytes).is_empty());
    }
}

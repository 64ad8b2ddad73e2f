//! Names, links and numbers in headers.

use imagewright_oci::layer::entry::{Change, Kind};

use super::archives::{Entry, archive, unfinished};
use super::{index, refusal};

fn refused(entry: Entry) -> String {
    refusal(&archive(&[entry]))
}

#[test]
fn paths_that_climb_are_refused() {
    for name in ["../evil", "a/../../evil", "/../evil", "a/.."] {
        let text = refused(Entry::file(name, b"x"));
        assert!(text.contains("climbs with `..`"), "{name}: {text}");
    }
    let text = refused(Entry::link(b'1', "a", "../../etc/passwd"));
    assert!(text.contains("climbs with `..`"), "a hard link to the outside: {text}");
}

#[test]
fn absolute_paths_are_inside_of_the_image() {
    let index = index(&archive(&[Entry::file("/etc/passwd", b"x"), Entry::file("//./srv", b"")])).unwrap();
    let paths: Vec<&str> = index.changes.iter().filter_map(added).collect();
    assert_eq!(paths, ["etc/passwd", "srv"]);
}

fn added(change: &Change) -> Option<&str> {
    match change {
        Change::Add { path, .. } => Some(path),
        _ => None,
    }
}

#[test]
fn nul_in_names_is_refused() {
    let text = refusal(&archive(&[Entry::pax(b'x', &[("path", b"etc/pass\0wd")]), Entry::file("a", b"")]));
    assert!(text.contains("NUL"), "{text}");
}

#[test]
fn names_longer_than_linux_allows_are_refused() {
    let long = vec![b'a'; 5000];
    let pax = refusal(&archive(&[Entry::pax(b'x', &[("path", &long)]), Entry::file("a", b"")]));
    assert!(pax.contains("longer than the 4096 bytes"), "{pax}");
    let gnu = refusal(&archive(&[Entry::new(b'L', b"././@LongLink", &long), Entry::file("a", b"")]));
    assert!(gnu.contains("longer than the 4096 bytes"), "{gnu}");
    let target = refusal(&archive(&[Entry::pax(b'x', &[("linkpath", &long)]), Entry::link(b'2', "a", "b")]));
    assert!(target.contains("5000"), "{target}");
}

#[test]
fn headers_of_any_claimed_length_take_no_memory() {
    // Eight gigabytes are announced and not there: refused before they are waited for.
    for flag in [b'x', b'g', b'L', b'K'] {
        let entry = Entry::new(flag, b"pax", b"").claiming_size(b"77777777777\0");
        let text = refusal(&unfinished(&[entry]));
        assert!(text.contains("at most"), "{text}");
    }
}

#[test]
fn many_headers_before_one_entry_add_up_to_nothing() {
    let mut entries = vec![Entry::pax(b'x', &[("SCHILY.xattr.user.a", &vec![b'x'; 60_000])]); 100];
    entries.push(Entry::file("a", b""));
    // The last one holds; nothing of the others is kept.
    let index = index(&archive(&entries)).unwrap();
    assert_eq!(index.changes.len(), 1);
}

#[test]
fn malformed_records_are_refused() {
    for content in [&b"99 path=a\n"[..], b"path=a\n", b"0 path=a\n", b"9999999999999999999999 path=a\n"] {
        let text = refusal(&archive(&[Entry::new(b'x', b"pax", content), Entry::file("a", b"")]));
        assert!(text.contains("PAX header is malformed"), "{text}");
    }
    for record in [("size", &b"many"[..]), ("uid", b"root"), ("mtime", b"yesterday")] {
        let text = refusal(&archive(&[Entry::pax(b'x', &[record]), Entry::file("a", b"")]));
        assert!(text.contains("is no number"), "{record:?}: {text}");
    }
}

#[test]
fn negative_numbers_are_refused_where_they_mean_nothing() {
    let negative = [0xff; 12];
    assert!(refused(Entry::file("a", b"").claiming_size(&negative)).contains("a size is negative"));
    assert!(refused(Entry::file("a", b"").field(108, &negative[..8])).contains("an owner is negative"));
    let pax = |key| refusal(&archive(&[Entry::pax(b'x', &[(key, b"-5")]), Entry::file("a", b"")]));
    assert!(pax("size").contains("a size is negative"));
    assert!(pax("gid").contains("an owner is negative"));
}

#[test]
fn large_and_negative_times_and_owners_are_kept() {
    let large = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let entry = Entry::file("a", b"").field(108, &large).field(136, &[0xff; 12]);
    let index = index(&archive(&[entry])).unwrap();
    let Change::Add { metadata, .. } = &index.changes[0] else { panic!("{:?}", index.changes) };
    assert_eq!((metadata.user_id, metadata.modified), (u64::from(u32::MAX), -1));
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let base_256 = [0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(refused(Entry::file("a", b"").claiming_size(&base_256)).contains("a size is no number"));
    assert!(refused(Entry::file("a", b"").claiming_size(b"99999999999\0")).contains("a size is no number"));
    let pax = Entry::pax(b'x', &[("size", b"99999999999999999999")]);
    assert!(refusal(&archive(&[pax, Entry::file("a", b"")])).contains("is no number"));
}

#[test]
fn devices_pipes_and_links_are_listed_and_never_opened() {
    let archive = archive(&[
        Entry::new(b'3', b"dev/mem", b"").field(329, b"0000001\0").field(337, b"0000001\0"),
        Entry::new(b'4', b"dev/sda", b""),
        Entry::new(b'6', b"run/pipe", b""),
        Entry::link(b'2', "etc/shadow", "/etc/shadow"),
    ]);
    let index = index(&archive).unwrap();
    let kinds: Vec<&Kind> = index
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Add { kind, .. } => Some(kind),
            _ => None,
        })
        .collect();
    assert!(matches!(kinds[0], Kind::Device { block: false, number: (1, 1) }), "{kinds:?}");
    assert!(matches!(kinds[1], Kind::Device { block: true, .. }), "{kinds:?}");
    assert!(matches!(kinds[2], Kind::Fifo), "{kinds:?}");
    assert!(matches!(kinds[3], Kind::Symlink { .. }), "{kinds:?}");
}

#[test]
fn sparse_files_and_unknown_types_are_refused() {
    assert!(refused(Entry::new(b'S', b"a", b"")).contains("sparse files"));
    let pax = Entry::pax(b'x', &[("GNU.sparse.major", b"1")]);
    assert!(refusal(&archive(&[pax, Entry::file("a", b"")])).contains("sparse files"));
    assert!(refused(Entry::new(b'?', b"a", b"")).contains("unknown type"));
}

//! Disks that are full.

use std::path::{Path, PathBuf};

use imagewright_testkit::{PackageIndex, Registry, WheelBuilder, require_tool};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::support::{Workshop, assert_failure, digest_of, files_below, index, noise, push_base};

/// A small file system in memory; it goes with this value.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Needs the rights to mount: `None`, said loudly, where they are missing.
    fn new(bytes: usize) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("workshop-").tempdir().unwrap();
        let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        let mounted = mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), Some(options.as_c_str()));
        if mounted.is_err() {
            let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!in_ci, "in CI no test may be skipped: run the tests as root");
            eprintln!("SKIPPED: no right to mount a small disk; run the tests as root");
            return None;
        }
        Some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the space that is left but for so many bytes.
    fn fill(&self, left: usize) -> PathBuf {
        let ballast = self.path().join("ballast");
        let status = rustix::fs::statvfs(self.path()).unwrap();
        let free = usize::try_from(status.f_bavail * status.f_frsize).unwrap();
        std::fs::write(&ballast, vec![0; free.saturating_sub(left)]).unwrap();
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was killed may hold it a moment longer.
        let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

/// Packages that need more room than there is, at whatever stage they are.
fn large() -> PackageIndex {
    let index = index();
    index.add_wheel(&WheelBuilder::new("large", "1.0").file("large/data", noise(6_000_000)).build());
    index
}

#[tokio::test]
async fn a_full_cache_is_told_and_nothing_half_written_is_used() {
    require_tool!("docker-registry", "uv");
    let Some(disk) = SmallDisk::new(16 << 20) else { return };
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let index = large();
    let workshop = Workshop::with_cache(&disk.path().join("cache"));
    let to = format!("{}/team/image:1", registry.host());
    let build = || workshop.build(&base, &index, &["large", "alpha"], &to).run();

    // The wheel has room, and what is unpacked of it has none.
    let ballast = disk.fill(9_000_000);
    assert_failure!(build(), @r"
    exit 8, disk_full
    message: no space is left to unpack large-1.0-py3-none-any.whl
    next step: free some space, or run `imagewright cache trim` to shrink the cache, and build again
    ");
    assert_eq!(workshop.leftovers(), [""; 0]);
    assert_eq!(digest_of(&registry, "team/image", "1").await, None);

    // Not even the wheel.
    std::fs::remove_file(&ballast).unwrap();
    std::fs::remove_dir_all(disk.path().join("cache/wheels")).unwrap();
    let ballast = disk.fill(2_000_000);
    assert_failure!(build(), @r"
    exit 8, disk_full
    message: no space is left to write FOLDER/cache/staging/build-X
    next step: free some space, or run `imagewright cache trim` to shrink the cache, and build again
    ");
    assert_eq!(workshop.leftovers(), [""; 0]);

    // Nothing at all.
    std::fs::remove_file(&ballast).unwrap();
    std::fs::remove_dir_all(disk.path().join("cache")).unwrap();
    let ballast = disk.fill(0);
    let outcome = build();
    assert_eq!((outcome.code, outcome.kind()), (Some(8), "disk_full"), "{outcome:#?}");

    // Space again: as if nothing had been.
    std::fs::remove_file(&ballast).unwrap();
    let large_disk = Workshop::new();
    let elsewhere = large_disk.build(&base, &index, &["large", "alpha"], &to).run().digest();
    let small = workshop.build(&base, &index, &["alpha"], &to).run().digest();
    assert_ne!(small, elsewhere);
    assert!(!files_below(&disk.path().join("cache/frames")).is_empty());
}

#[tokio::test]
async fn a_full_disk_while_the_resolver_works_is_told() {
    require_tool!("docker-registry", "uv");
    let Some(disk) = SmallDisk::new(4 << 20) else { return };
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let index = index();
    let workshop = Workshop::with_cache(&disk.path().join("cache"));
    let to = format!("{}/team/image:1", registry.host());
    // The base is read, and after that nothing fits.
    workshop.build(&base, &index, &["gamma"], &to).run().digest();
    std::fs::remove_dir_all(disk.path().join("cache/owners/default/uv")).unwrap();
    let ballast = disk.fill(20_000);

    let outcome = workshop.build(&base, &index, &["alpha", "beta"], &to).run();
    assert_eq!((outcome.code, outcome.kind()), (Some(8), "disk_full"), "{outcome:#?}");

    std::fs::remove_file(&ballast).unwrap();
    workshop.build(&base, &index, &["alpha", "beta"], &to).run().digest();
}

#[tokio::test]
async fn a_registry_with_a_full_disk_is_told() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = imagewright_testkit::FaultyProxy::in_front_of(&registry);
    // What Distribution answers when it cannot write.
    proxy.inject(imagewright_testkit::Fault::on("/blobs/uploads/").method("PUT").status(500));
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", proxy.host());

    let build = workshop.build(&base.reference_at(&proxy.host()), &index, &["gamma"], &to);

    assert_failure!(build.options(["--attempts", "2"]).run(), @r"
    exit 6, unreachable
    message: could not write the blob sha256:HEX in HOST/team/image: the registry is not well (status 500 Internal Server Error); try again later or ask its owner
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
    assert_eq!(digest_of(&registry, "team/image", "1").await, None);
}

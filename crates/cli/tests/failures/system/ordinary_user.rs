//! The sandbox of an ordinary user, who has a range of user ids and no other rights.

use std::os::unix::fs::lchown;
use std::path::Path;

use imagewright_testkit::require_tool;

use super::packages::{Shop, plain};
use crate::support::files_below;

/// Gives the command a machine on which `daemon` may make namespaces, and runs it as that user. What it changes is
/// seen by this command alone.
const AS_DAEMON: &str = "set -e
mount --bind \"$1/subids\" /etc/subuid
mount --bind \"$1/subids\" /etc/subgid
mknod -m 666 \"$1/tun\" c 10 200
mount --bind \"$1/tun\" /dev/net/tun
shift
exec setpriv --reuid=daemon --regid=daemon --clear-groups -- \"$@\"
";

/// The number of `daemon`, as Debian's policy has it.
const DAEMON: u32 = 1;

#[tokio::test]
async fn an_ordinary_user_gets_the_image_that_root_gets() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "newuidmap");
    if !rustix::process::getuid().is_root() {
        // All other tests of this suite are this one then.
        return;
    }
    let shop = Shop::with(&[plain()]).await;
    let by_root = shop.build(&["plain"], "team/root:1").run().digest();

    let folder = tempfile::Builder::new().prefix("ordinary-user-").tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("subids"), "daemon:200000:65536\n").unwrap();
    std::fs::write(root.join("as-daemon"), AS_DAEMON).unwrap();
    // The folder of the build may be closed to other users.
    let program = root.join("imagewright");
    std::fs::copy(env!("CARGO_BIN_EXE_imagewright"), &program).unwrap();
    std::fs::remove_dir_all(shop.workshop.cache()).unwrap();
    give(shop.workshop.root());
    std::fs::set_permissions(root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();

    let wrapper = ["unshare", "--mount", "--propagation=private", "sh"].map(Into::into);
    let wrapper = wrapper.into_iter().chain([root.join("as-daemon"), root.to_owned(), program]);
    let outcome = shop.build(&["plain"], "team/daemon:1").through(wrapper).run();

    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.digest(), by_root);
    assert_eq!(shop.workshop.processes(), [""; 0]);
    assert_eq!(shop.workshop.leftovers(), [""; 0]);
}

/// Gives a folder and all that is in it to `daemon`.
fn give(folder: &Path) {
    let folders = ["", "home", "tmp", "work"].map(|name| folder.join(name));
    for path in files_below(folder).into_iter().chain(folders) {
        lchown(path, Some(DAEMON), Some(DAEMON)).unwrap();
    }
}

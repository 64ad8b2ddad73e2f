//! Runs a built image for real.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use tempfile::TempDir;

use crate::registry::Registry;
use crate::{cache, process, tool};

/// A container of one image, made by `buildah` in storage of its own. It is removed with this value.
///
/// The image is pulled once; commands run in the same container one after the other and see what those before
/// them did. What the image's user, environment and working directory say holds; its entrypoint is not used.
pub struct Runner {
    storage: Storage,
    mount_point: PathBuf,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutput {
    /// The exit code; `None` if a signal ended `buildah` itself.
    pub status: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error, and buildah's remark when it failed.
    pub stderr: String,
}

impl RunOutput {
    /// Whether it ended with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.status == Some(0)
    }
}

/// What a path of the image is. Links on the way are followed, inside the image; a link at its end is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMetadata {
    /// Whether it is a directory, and not a file, a link or something else.
    pub is_directory: bool,
    /// Whether it is a symbolic link.
    pub is_symlink: bool,
    /// Permissions with the set-user-id, set-group-id and sticky bits.
    pub mode: u32,
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// The last change, in seconds since 1970.
    pub modified: i64,
}

const CONTAINER: &str = "imagewright-test";

impl Runner {
    /// Pulls an image and makes a container of it. The reference may lead through a proxy in front of the registry.
    pub fn start(registry: &Registry, reference: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("runner-").tempdir().expect("a folder for containers");
        link_shared_layers(&folder.path().join("root/overlay/l"));
        let storage = Storage { folder: Folder::Own(folder) };
        // By name it could be an older image of the shared storage: ports, and so references, come back.
        let mut pull = storage.buildah();
        pull.args([
            "from",
            "--quiet",
            "--pull-always",
            "--tls-verify=false",
            "--name",
            CONTAINER,
            "--authfile",
        ]);
        process::run(pull.arg(registry.auth_file()).arg(format!("docker://{reference}")));
        let mounted = process::run(storage.buildah().args(["mount", CONTAINER]));
        let mount_point = PathBuf::from(String::from_utf8_lossy(&mounted.stdout).trim());
        Self { storage, mount_point }
    }

    /// Runs a command, as the image's own user.
    pub fn run(&self, command: &[&str]) -> RunOutput {
        self.run_with(&[], command)
    }

    /// Runs a command as another user, such as `1000:100`.
    pub fn run_as(&self, user: &str, command: &[&str]) -> RunOutput {
        self.run_with(&["--user", user], command)
    }

    /// Runs a Python program, as the image's own user.
    pub fn python(&self, program: &str) -> RunOutput {
        self.run(&["python3", "-c", program])
    }

    fn run_with(&self, options: &[&str], command: &[&str]) -> RunOutput {
        let mut run = self.storage.buildah();
        // Not an OCI runtime: those want control groups, which build machines often do not give.
        // Through `env`, which looks the program up inside: buildah does it outside, where a folder of `PATH` that is
        // a link leads elsewhere.
        run.args(["run", "--isolation", "chroot"])
            .args(options)
            .args([CONTAINER, "--", "/usr/bin/env"])
            .args(command);
        let output = run.output().unwrap_or_else(|error| panic!("cannot start {run:?}: {error}"));
        RunOutput {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Mode, owner, size and time of a path of the image; panics if there is no such path.
    pub fn file_metadata(&self, path: &str) -> FileMetadata {
        let file = self.open(path, OFlags::PATH | OFlags::NOFOLLOW);
        let file = file.unwrap_or_else(|error| panic!("{path} in the image: {error}"));
        let stat = rustix::fs::fstat(&file).unwrap_or_else(|error| panic!("{path} in the image: {error}"));
        let kind = FileType::from_raw_mode(stat.st_mode);
        FileMetadata {
            is_directory: kind == FileType::Directory,
            is_symlink: kind == FileType::Symlink,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: stat.st_mtime,
        }
    }

    /// Whether the image has this path.
    pub fn exists(&self, path: &str) -> bool {
        self.open(path, OFlags::PATH | OFlags::NOFOLLOW).is_ok()
    }

    /// The content of a file of the image; panics if there is none.
    pub fn read_file(&self, path: &str) -> Vec<u8> {
        let file =
            self.open(path, OFlags::RDONLY).unwrap_or_else(|error| panic!("{path} in the image: {error}"));
        let mut content = Vec::new();
        File::from(file)
            .read_to_end(&mut content)
            .unwrap_or_else(|error| panic!("{path} in the image: {error}"));
        content
    }

    /// The container's root folder, for what no method here answers. Absolute links in it lead out of it!
    pub fn mount_point(&self) -> &Path {
        &self.mount_point
    }

    /// Opens a path with the image's root as the root: its absolute links stay inside.
    fn open(&self, path: &str, flags: OFlags) -> rustix::io::Result<rustix::fd::OwnedFd> {
        let flags_of_folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.mount_point, flags_of_folder, Mode::empty())?;
        rustix::fs::openat2(root.as_fd(), path, flags | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // Also after a panic: then the panic is what matters, so failures here are passed over.
        let _ = self.storage.buildah().args(["umount", CONTAINER]).output();
        let _ = self.storage.buildah().args(["rm", "--all"]).output();
    }
}

/// Unpacks an image into the storage that all runners on this machine read from, unless it is there.
pub(crate) fn keep_unpacked(name: &str, registry: &Registry, reference: &str) {
    // vfs copies whole trees, and cannot share them.
    if tool("buildah").is_none() || driver() != "overlay" {
        return;
    }
    let storage = Storage { folder: Folder::Shared(shared_folder()) };
    let marker = shared_folder().join(format!("{name}.unpacked"));
    cache::locked("storage", || {
        if !marker.is_file() {
            let mut pull = storage.buildah();
            pull.args(["pull", "--quiet", "--tls-verify=false", "--authfile"]).arg(registry.auth_file());
            process::run(pull.arg(format!("docker://{reference}")));
            File::create(&marker).expect("a mark that the image is unpacked");
        }
    });
}

/// Gives shared layers the short names which they have in the shared storage in this storage as well.
///
/// buildah 1.28 names all layers of an image relative to *one* storage as soon as their full paths do not fit into a
/// page of memory, from some 60 layers on, and then fails to find those of the other storage.
fn link_shared_layers(names: &Path) {
    let shared = shared_folder().join("root/overlay/l");
    let Ok(links) = fs::read_dir(&shared) else { return };
    fs::create_dir_all(names).expect("a folder in the storage just made");
    for link in links.filter_map(Result::ok) {
        let target = fs::read_link(link.path()).expect("the link of a shared layer");
        symlink(shared.join(target), names.join(link.file_name())).expect("a link to a shared layer");
    }
}

fn shared_folder() -> PathBuf {
    cache::folder().join("storage")
}

/// Where images and containers are kept.
struct Storage {
    folder: Folder,
}

enum Folder {
    Own(TempDir),
    Shared(PathBuf),
}

impl Storage {
    /// A `buildah` command that works in this storage and no other.
    fn buildah(&self) -> Command {
        let (folder, shared) = match &self.folder {
            Folder::Own(folder) => (folder.path(), Some(shared_folder().join("root"))),
            Folder::Shared(folder) => (folder.as_path(), None),
        };
        let mut command = buildah(folder, driver());
        if let Some(shared) = shared.filter(|shared| driver() == "overlay" && shared.is_dir()) {
            command.arg("--storage-opt").arg(format!("overlay.imagestore={}", shared.display()));
        }
        command
    }
}

fn buildah(folder: &Path, driver: &str) -> Command {
    let mut command = Command::new(tool::required("buildah"));
    command.arg("--root").arg(folder.join("root")).arg("--runroot").arg(folder.join("run"));
    command.arg("--storage-driver").arg(driver);
    command
}

/// `overlay` where the kernel and the file system allow it, else `vfs`, which works everywhere and is slow.
fn driver() -> &'static str {
    static DRIVER: OnceLock<&str> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder to try buildah in");
        let works = buildah(folder.path(), "overlay")
            .arg("info")
            .output()
            .is_ok_and(|output| output.status.success());
        if works { "overlay" } else { "vfs" }
    })
}

//! A base and packages that are small enough to be made anew for every test.

use std::process::Command;
use std::sync::OnceLock;

use imagewright_testkit::{
    Entry, ImageBuilder, LayerBuilder, PackageIndex, PushedImage, Registry, WheelBuilder, sha256,
};

/// Size of the file that makes the base's layer large enough to be cut in the middle. It does not compress.
const BALLAST: usize = 400_000;

/// The version of Debian's own Python on this machine: bytecode is made for bases that have the same.
fn python_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let question = "import platform; print(platform.python_version(), end='')";
        let answer = Command::new("/usr/bin/python3").args(["-c", question]).output();
        answer.map_or_else(|_| "3.11.2".to_owned(), |answer| String::from_utf8(answer.stdout).unwrap())
    })
}

/// An image laid out as Debian with Python is: everything that is looked at is there, nothing can be run.
pub(crate) fn small_base() -> ImageBuilder {
    let version = python_version();
    let minor = version.rsplit_once('.').unwrap().0;
    let layer = LayerBuilder::new()
        .directory("etc")
        .file(
            "etc/os-release",
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n",
        )
        .directory("usr")
        .directory("usr/bin")
        .symlink("bin", "usr/bin")
        .symlink("usr/bin/python3", &format!("python{minor}"))
        .program(&format!("usr/bin/python{minor}"), elf(&format!("\0{version}\0")))
        .directory("usr/lib")
        .symlink("lib", "usr/lib")
        .directory("usr/lib/x86_64-linux-gnu")
        .program("usr/lib/x86_64-linux-gnu/libc.so.6", elf("stable release version 2.36.\n"))
        .directory(&format!("usr/lib/python{minor}"))
        .file(&format!("usr/lib/python{minor}/os.py"), "# The file by which Python knows its own library.\n")
        .directory("usr/local")
        .directory("usr/local/bin")
        .add(Entry::directory(format!("usr/local/lib/python{minor}/dist-packages")).mode(0o2775).owner(0, 50))
        .file("usr/share/ballast", noise(BALLAST))
        .build();
    ImageBuilder::new()
        .layer(layer)
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .command(&["python3"])
}

/// Pushes the base as `base:1`.
pub(crate) async fn push_base(registry: &Registry) -> PushedImage {
    small_base().push(registry, "base:1").await
}

/// The digest that a tag points to now.
pub(crate) async fn digest_of(registry: &Registry, repository: &str, tag: &str) -> Option<String> {
    registry.manifest_bytes(repository, tag).await.map(|bytes| sha256(&bytes))
}

/// An index with `alpha`, which needs `beta`, and `gamma`, which needs nothing.
pub(crate) fn index() -> PackageIndex {
    let module = "def answer():\n    return 42\n";
    let wheels = [
        WheelBuilder::new("alpha", "1.0")
            .requires("beta>=2")
            .file("alpha/__init__.py", module)
            .script("alpha", "alpha:answer")
            .build(),
        WheelBuilder::new("beta", "2.1")
            .file("beta/__init__.py", module)
            .file("beta/data", noise(200_000))
            .build(),
        WheelBuilder::new("gamma", "0.3").file("gamma.py", module).build(),
    ];
    PackageIndex::with(&wheels)
}

/// The start of a 64-bit x86 program, and then a text.
fn elf(text: &str) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0".to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// Bytes that do not compress, always the same (a linear congruential generator).
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

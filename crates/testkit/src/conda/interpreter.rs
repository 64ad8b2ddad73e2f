//! A real `CPython` as a conda package: the machine's own Debian Python, packed anew.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::package::{CondaPackage, CondaPackageBuilder};
use crate::process;

/// The Debian packages that the interpreter and its library are in.
const PACKAGES: [&str; 3] = ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"];

/// Debian's Python looks for its own folders; this makes it look into the prefix's, as conda's does.
const SITE: &str = "import site, sys\nsite.addsitedir(sys.prefix + '/lib/python3.11/site-packages')\n";

/// Python 3.11, packed once for all tests of a process.
pub fn python() -> CondaPackage {
    static PACKAGE: OnceLock<CondaPackage> = OnceLock::new();
    PACKAGE.get_or_init(pack).clone()
}

fn pack() -> CondaPackage {
    let program = "import platform; print(platform.python_version())";
    let version = said(Command::new("/usr/bin/python3.11").args(["-I", "-c", program]));
    let listed = said(Command::new("dpkg").arg("--listfiles").args(PACKAGES));
    let mut builder = CondaPackageBuilder::new("python", version.trim())
        .build_string("h1_0_cpython", 0)
        .depends("__glibc >=2.17");
    for path in listed.lines().map(Path::new).filter(|path| path.is_file()) {
        let Ok(relative) = path.strip_prefix("/usr") else { continue };
        let target = relative.to_str().expect("a path of Debian's is text");
        let is_wanted = target == "bin/python3.11" || target.starts_with("lib/python3.11/");
        if !is_wanted || target.ends_with("EXTERNALLY-MANAGED") || target.ends_with("sitecustomize.py") {
            continue;
        }
        let content = fs::read(path).expect("a file of Debian's Python");
        builder = if target.starts_with("bin/") {
            builder.program(target, content)
        } else {
            builder.file(target, content)
        };
    }
    builder
        .file("lib/python3.11/sitecustomize.py", SITE)
        .file("lib/python3.11/site-packages/README.txt", "Packages are installed here.\n")
        .symlink("bin/python3", "python3.11")
        .symlink("bin/python", "python3.11")
        .build()
}

fn said(command: &mut Command) -> String {
    String::from_utf8(process::run(command).stdout).expect("text")
}

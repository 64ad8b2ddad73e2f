//! Kinds of bases, as they are found in the wild.

use super::Image;
use crate::python::{Architecture, Libc, PythonError, PythonKind, PythonTarget};

fn debian_python() -> Image {
    Image::debian()
        .link("usr/bin/python3", "python3.11")
        .binary("usr/bin/python3.11", 62, Some("3.11.2"))
        .file("usr/lib/python3.11/os.py")
        .text("usr/lib/python3.11/EXTERNALLY-MANAGED", "[externally-managed]\nError=use apt\n")
        .text(
            "var/lib/dpkg/status",
            "Package: python3.11-minimal\nStatus: install ok installed\nVersion: 3.11.2-6+deb12u6\n",
        )
}

fn site_folders(target: &PythonTarget) -> Vec<&str> {
    target.site_folders.iter().map(|folder| folder.path.as_str()).collect()
}

#[test]
fn debians_own_python_is_extended_in_usr_local() {
    let target = debian_python().python();
    assert_eq!(target.kind, PythonKind::Debian);
    assert_eq!(target.executable_path(), "/usr/bin/python3");
    assert_eq!(target.version.full(), "3.11.2");
    assert_eq!(target.libc, Libc::Glibc { major: 2, minor: 36 });
    assert_eq!(target.install.purelib, "usr/local/lib/python3.11/dist-packages");
    assert_eq!(target.install.scripts, "usr/local/bin");
    assert_eq!(
        site_folders(&target),
        [
            "usr/local/lib/python3.11/dist-packages",
            "usr/lib/python3/dist-packages",
            "usr/lib/python3.11/dist-packages"
        ]
    );
    assert!(target.externally_managed.unwrap().contains("use apt"));
    assert_eq!(target.notices.len(), 1);
}

#[test]
fn dockers_official_python_comes_before_debians() {
    let target = debian_python()
        .link("usr/local/bin/python3", "python3.12")
        .binary("usr/local/bin/python3.12", 62, None)
        .file("usr/local/lib/python3.12/os.py")
        .binary("usr/local/lib/libpython3.12.so.1.0", 62, Some("3.12.7"))
        .python();
    assert_eq!(target.kind, PythonKind::Plain);
    assert_eq!(target.executable_path(), "/usr/local/bin/python3");
    assert_eq!(target.version.full(), "3.12.7");
    assert_eq!(target.install.purelib, "usr/local/lib/python3.12/site-packages");
    assert_eq!(target.externally_managed, None);
}

#[test]
fn a_virtual_environment_is_found_before_links_are_followed() {
    let base = debian_python()
        .variable("PATH", "/opt/venv/bin:/usr/bin")
        .link("opt/venv", "../srv/environments/main")
        .link("srv/environments/main/bin/python3", "/usr/bin/python3");
    let settings = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n";
    let closed = base.text("srv/environments/main/pyvenv.cfg", settings).python();
    assert_eq!(closed.kind, PythonKind::VirtualEnvironment);
    assert_eq!(closed.executable_path(), "/opt/venv/bin/python3");
    assert_eq!((closed.prefix.as_str(), closed.base_prefix.as_str()), ("opt/venv", "usr"));
    assert_eq!(closed.install.purelib, "opt/venv/lib/python3.11/site-packages");
    assert_eq!(site_folders(&closed), ["opt/venv/lib/python3.11/site-packages"]);
    assert_eq!(closed.externally_managed, None, "the marker is for the system's Python only");

    let open = debian_python()
        .variable("PATH", "/opt/venv/bin:/usr/bin")
        .link("opt/venv/bin/python3", "/usr/bin/python3")
        .text("opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = TRUE\n")
        .python();
    assert!(site_folders(&open).contains(&"usr/lib/python3/dist-packages"));
}

#[test]
fn a_virtual_environment_of_copies_asks_its_home() {
    let image = debian_python()
        .variable("PATH", "/opt/venv/bin")
        .binary("opt/venv/bin/python3", 62, Some("3.11.2"))
        .text("opt/venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n");
    assert_eq!(image.python().base_prefix, "usr");
    let broken = Image::debian()
        .variable("PATH", "/opt/venv/bin")
        .binary("opt/venv/bin/python3", 62, Some("3.11.2"))
        .text("opt/venv/pyvenv.cfg", "home = /gone/bin\n");
    let error = broken.detect().unwrap_err();
    assert_eq!(
        error.to_string(),
        "/opt/venv/pyvenv.cfg names the Python in “/gone/bin”, which is not in the image"
    );
}

#[test]
fn condas_python_tells_its_version_in_conda_meta() {
    let target = Image::debian()
        .variable("PATH", "/opt/conda/bin:/usr/bin")
        .link("opt/conda/bin/python3", "python3.10")
        .link("opt/conda/bin/python", "python3.10")
        .binary("opt/conda/bin/python3.10", 62, None)
        .file("opt/conda/lib/python3.10/os.py")
        .text(
            "opt/conda/conda-meta/python-3.10.14-hd12c33a_0_cpython.json",
            r#"{"name": "python", "version": "3.10.14", "files": []}"#,
        )
        .python();
    assert_eq!(target.kind, PythonKind::Conda);
    assert_eq!(target.version.full(), "3.10.14");
    assert_eq!(target.install.headers, "opt/conda/include/python3.10");
}

fn pyenv() -> Image {
    let shim = "#!/usr/bin/env bash\nset -e\nexec \"/root/.pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n";
    let image = Image::debian()
        .variable("PATH", "/root/.pyenv/shims:/usr/bin")
        .script("root/.pyenv/shims/python3", shim);
    ["3.9.18", "3.12.4", "3.12.10"].iter().fold(image, |image, version| {
        let root = format!("root/.pyenv/versions/{version}");
        let minor = version.rsplit_once('.').unwrap().0;
        image
            .link(&format!("{root}/bin/python3"), &format!("python{minor}"))
            .binary(&format!("{root}/bin/python{minor}"), 62, None)
            .file(&format!("{root}/lib/python{minor}/os.py"))
    })
}

#[test]
fn a_pyenv_shim_leads_to_the_chosen_version() {
    let of_file = pyenv().text("root/.pyenv/version", "3.9.18\n").python();
    assert_eq!(of_file.kind, PythonKind::Pyenv);
    assert_eq!(of_file.executable_path(), "/root/.pyenv/versions/3.9.18/bin/python3");
    assert_eq!(of_file.version.full(), "3.9.18");
    let of_variable =
        pyenv().text("root/.pyenv/version", "3.9.18\n").variable("PYENV_VERSION", "3.12").python();
    assert_eq!(of_variable.version.full(), "3.12.10", "the newest patch of the minor version");
    let error = pyenv().text("root/.pyenv/version", "3.8.1\n").detect().unwrap_err();
    assert!(matches!(error, PythonError::PyenvVersionMissing { .. }), "{error}");
}

#[test]
fn alpine_has_musl() {
    let target = Image::new()
        .text("etc/os-release", "ID=alpine\nVERSION_ID=3.21.0\n")
        .text("lib/apk/db/installed", "P:musl\nV:1.2.5-r9\n\nP:python3\nV:3.12.8-r1\n")
        .link("usr/bin/python3", "python3.12")
        .binary("usr/bin/python3.12", 183, None)
        .file("usr/lib/python3.12/os.py")
        .architecture("arm64")
        .python();
    assert_eq!(target.libc, Libc::Musl { major: 1, minor: 2 });
    assert_eq!(target.architecture, Architecture::Arm64);
    assert_eq!(target.version.full(), "3.12.8");
    assert_eq!(target.install.purelib, "usr/lib/python3.12/site-packages");
}

#[test]
fn a_free_threaded_build_is_recognised() {
    let target = Image::debian()
        .link("usr/local/bin/python3", "python3.13t")
        .binary("usr/local/bin/python3.13t", 62, Some("3.13.1"))
        .file("usr/local/lib/python3.13t/os.py")
        .python();
    assert!(target.free_threaded);
    assert_eq!(target.install.platlib, "usr/local/lib/python3.13t/site-packages");
}

#[test]
fn an_unknown_patch_is_assumed_and_said() {
    let target = Image::debian()
        .binary("usr/local/bin/python3.12", 62, None)
        .link("usr/local/bin/python3", "python3.12")
        .file("usr/local/lib/python3.12/os.py")
        .variable("PYTHON_VERSION", "3.11.4")
        .python();
    assert_eq!((target.version.patch.as_deref(), target.version.full().as_str()), (None, "3.12.0"));
    assert_eq!(target.notices.len(), 1);
}

#[test]
fn wrappers_are_followed_where_they_can_be_read() {
    let base = || debian_python().variable("PATH", "/opt/bin:/usr/bin");
    let target = base().script("opt/bin/python3", "#!/bin/sh\nexec /usr/bin/python3.11 \"$@\"\n").python();
    assert_eq!(target.executable_path(), "/usr/bin/python3.11");
    let unclear = base().script("opt/bin/python3", "#!/bin/sh\nexec \"$(choose)\" \"$@\"\n").detect();
    assert!(matches!(unclear, Err(PythonError::UnknownWrapper { .. })), "{unclear:?}");
    let endless = base().script("opt/bin/python3", "#!/bin/sh\nexec /opt/bin/python3\n").detect();
    assert!(matches!(endless, Err(PythonError::UnknownWrapper { .. })), "{endless:?}");
}

#[test]
fn what_cannot_be_used_is_refused_in_words() {
    let message = |image: Image| image.detect().unwrap_err().to_string();
    assert!(
        message(Image::debian())
            .starts_with("the image has no python3 in any folder of its PATH (/usr/local/sbin:")
    );
    let not_executable = Image::debian().text("usr/bin/python3", "");
    assert!(message(not_executable).starts_with("the image has no python3"));
    let pypy = Image::debian().link("usr/bin/python3", "pypy3").binary("usr/bin/pypy3", 62, None);
    assert_eq!(message(pypy), "/usr/bin/python3 is PyPy; packages are installed for CPython only");
    let old =
        Image::debian().binary("usr/bin/python3.7", 62, Some("3.7.3")).link("usr/bin/python3", "python3.7");
    assert_eq!(
        message(old.file("usr/lib/python3.7/os.py")),
        "/usr/bin/python3 is Python 3.7.3; Python 3.8 or newer is needed"
    );
    let stray = Image::debian().binary("usr/bin/python3", 62, None);
    assert_eq!(
        message(stray),
        "no standard library (lib/python3.…/os.py) belongs to /usr/bin/python3 in the image"
    );
    assert_eq!(
        message(debian_python().architecture("arm64")),
        "the image claims to be for arm64, but /usr/bin/python3.11 is built for amd64"
    );
    let looping = Image::debian().link("usr/bin/python3", "python").link("usr/bin/python", "python3");
    assert!(message(looping).starts_with("the image has no python3"));
}

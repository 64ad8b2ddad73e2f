//! What is installed in an image.

use std::str::FromStr;

use pep508_rs::PackageName;

use super::Image;
use crate::python::installed::{Installed, list};

const PACKAGES: &str = "usr/local/lib/python3.12/site-packages";

fn python() -> Image {
    Image::debian()
        .link("usr/local/bin/python3", "python3.12")
        .binary("usr/local/bin/python3.12", 62, Some("3.12.7"))
        .file("usr/local/lib/python3.12/os.py")
}

fn installed(image: &Image) -> Installed {
    list(&image.tree(), &image.python())
}

fn shown(installed: &Installed) -> Vec<String> {
    installed
        .distributions
        .iter()
        .map(|one| format!("{} {} {:?}", one.name, one.version, one.owner))
        .collect()
}

#[test]
fn metadata_is_read_and_the_first_on_the_path_counts() {
    let image = python()
        .distribution(PACKAGES, "six", "1.16.0", "pip")
        .distribution(PACKAGES, "zope.interface", "7.0", "uv")
        .distribution("srv/first", "six", "1.17.0", "pip")
        .variable("PYTHONPATH", "/srv/first:relative");
    assert_eq!(shown(&installed(&image)), ["six 1.17.0 Pip", "zope-interface 7.0 Pip"]);
}

#[test]
fn broken_metadata_is_left_out_with_a_warning() {
    let image = python()
        .text(&format!("{PACKAGES}/gone-1.0.dist-info/RECORD"), "")
        .text(&format!("{PACKAGES}/odd-1.dist-info/METADATA"), "Name: odd\nVersion: newest\n")
        .text(&format!("{PACKAGES}/~ip-23.0.dist-info/METADATA"), "Name: pip\nVersion: 23.0\n")
        .distribution(PACKAGES, "six", "1.16.0", "pip");
    let installed = installed(&image);
    assert_eq!(shown(&installed), ["six 1.16.0 Pip"]);
    assert_eq!(
        installed.warnings,
        [
            "/usr/local/lib/python3.12/site-packages/gone-1.0.dist-info is left out of the resolution: it has no \
             readable METADATA.",
            "/usr/local/lib/python3.12/site-packages/odd-1.dist-info is left out of the resolution: “newest” is not a \
             version."
        ]
    );
}

#[test]
fn files_are_those_of_the_record_that_are_there_with_their_bytecode() {
    let image = python()
        .link("usr/local/lib/python3", "python3.12")
        .distribution(PACKAGES, "six", "1.16.0", "pip")
        .file(&format!("{PACKAGES}/__pycache__/six.cpython-312.pyc"))
        .file(&format!("{PACKAGES}/__pycache__/sixth.cpython-312.pyc"))
        .file("usr/local/bin/six");
    let installed = installed(&image);
    let six = installed.get(&PackageName::from_str("six").unwrap()).unwrap();
    assert_eq!(
        six.files(&image.tree()).unwrap(),
        [
            "usr/local/bin/six",
            "usr/local/lib/python3.12/site-packages/__pycache__/six.cpython-312.pyc",
            "usr/local/lib/python3.12/site-packages/six-1.16.0.dist-info/METADATA",
            "usr/local/lib/python3.12/site-packages/six-1.16.0.dist-info/RECORD",
            "usr/local/lib/python3.12/site-packages/six.py",
        ]
    );
}

#[test]
fn what_debian_and_conda_own_is_known() {
    let debian = Image::debian()
        .link("usr/bin/python3", "python3.11")
        .binary("usr/bin/python3.11", 62, Some("3.11.2"))
        .file("usr/lib/python3.11/os.py")
        .text("var/lib/dpkg/status", "")
        .text("usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO", "Name: PyYAML\nVersion: 6.0\n")
        .text("usr/lib/python3/dist-packages/distro_info-1.5.egg-info", "Name: distro-info\nVersion: 1.5\n")
        .distribution("usr/local/lib/python3.11/dist-packages", "six", "1.17.0", "pip");
    let found = installed(&debian);
    assert_eq!(shown(&found), ["distro-info 1.5 System", "pyyaml 6.0 System", "six 1.17.0 Pip"]);
    assert_eq!(found.distributions[1].files(&debian.tree()), None);

    let packages = "opt/conda/lib/python3.10/site-packages";
    let conda = Image::debian()
        .variable("PATH", "/opt/conda/bin")
        .binary("opt/conda/bin/python3.10", 62, Some("3.10.14"))
        .link("opt/conda/bin/python3", "python3.10")
        .file("opt/conda/lib/python3.10/os.py")
        .text(
            "opt/conda/conda-meta/numpy-1.26.4-py310_0.json",
            r#"{"name": "numpy", "version": "1.26.4",
                "files": ["lib/python3.10/site-packages/numpy-1.26.4.dist-info/METADATA"]}"#,
        )
        .distribution(packages, "numpy", "1.26.4", "conda")
        .distribution(packages, "six", "1.17.0", "pip");
    assert_eq!(shown(&installed(&conda)), ["numpy 1.26.4 Conda", "six 1.17.0 Pip"]);
}

#[test]
fn path_files_lead_to_more_folders_and_editable_installs() {
    let image = python()
        .text(
            &format!("{PACKAGES}/easy-install.pth"),
            "import sys; evil()\n# comment\n/srv/project/src\n/missing\n",
        )
        .text(&format!("{PACKAGES}/project.egg-link"), "/srv/project/src\n../\n")
        .text("srv/project/src/project.egg-info/PKG-INFO", "Name: project\nVersion: 0.1\n")
        .text("srv/project/src/project.egg-info/requires.txt", "numpy>=1.20\n\n[test]\npytest\n")
        .text(&format!("{PACKAGES}/modern-2.0.dist-info/METADATA"), "Name: modern\nVersion: 2.0\n")
        .text(
            &format!("{PACKAGES}/modern-2.0.dist-info/direct_url.json"),
            r#"{"url": "file:///srv/modern", "dir_info": {"editable": true}}"#,
        );
    let installed = installed(&image);
    assert_eq!(shown(&installed), ["modern 2.0 Pip", "project 0.1 Pip"]);
    assert!(installed.distributions.iter().all(|one| one.editable));
    assert!(installed.distributions[1].metadata.contains("Requires-Dist: numpy>=1.20\n"));
}

//! Real packages of the public index, made into conda packages: pure ones and a compiled one.

use std::path::{Path, PathBuf};
use std::process::Command;

use imagewright_testkit::conda::{CondaPackageBuilder, PrefixBuilder, python};
use imagewright_testkit::{bases, require_tool};

use super::consistency::assert_consistent;
use super::packages::forge;
use crate::support::Workshop;

/// Wheels for the Python of the test kit's prefix, at fixed versions.
fn wheels(folder: &Path) -> Vec<PathBuf> {
    let wanted = ["tabulate==0.9.0", "click==8.1.7", "markupsafe==2.1.5"];
    let status = Command::new("/usr/bin/python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder.join("venv"))
        .status()
        .unwrap();
    assert!(status.success(), "a virtual environment");
    let status = Command::new(folder.join("venv/bin/pip"))
        .args(["--quiet", "--disable-pip-version-check", "download", "--no-deps", "--only-binary=:all:"])
        .args(["--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--dest"])
        .arg(folder.join("wheels"))
        .args(wanted)
        .status()
        .unwrap();
    assert!(status.success(), "the wheels of {wanted:?}");
    let entries = std::fs::read_dir(folder.join("wheels")).unwrap().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[tokio::test]
async fn real_packages_are_imported_and_their_commands_run() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let prefix = PrefixBuilder::new("/opt/conda").install_requested(&python(), "python=3.11");
    let base = bases::jupyter(&workshop.registry, &prefix).await;
    let folder = tempfile::tempdir().unwrap();
    let channels = forge();
    for wheel in wheels(folder.path()) {
        channels.channel("conda-forge").add(&CondaPackageBuilder::from_wheel_file(&wheel).build());
    }

    let wanted = workshop.build(&base.reference, "team/image:1").conda("tabulate click markupsafe");
    let built = wanted.channels(&channels).succeed();

    assert_eq!(built.conda(), ["click 8.1.7", "markupsafe 2.1.5", "tabulate 0.9.0"]);
    let image = workshop.run("team/image:1");
    let question = "import click, markupsafe, markupsafe._speedups, tabulate
print(tabulate.tabulate([[str(markupsafe.escape('<b>')), click.__name__]], tablefmt='plain'))";
    assert_eq!(image.run(&["/opt/conda/bin/python3", "-c", question]).stdout, "&lt;b&gt;  click\n");
    let help = image.run(&["tabulate", "--help"]).stdout;
    assert!(help.contains("Pretty-print tabular data."), "{help}");
    assert_consistent(&image, "/opt/conda");
}

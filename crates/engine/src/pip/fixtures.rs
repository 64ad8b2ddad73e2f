//! A target and installed distributions for tests.

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

use crate::python::installed::{Installed, InstalledDistribution, Owner};
use crate::python::{Architecture, InstallFolders, Libc, PythonKind, PythonTarget, SiteFolder};

/// Python 3.11.2 on x86-64 with glibc 2.36.
pub(crate) fn target() -> PythonTarget {
    let packages = "usr/local/lib/python3.11/site-packages".to_owned();
    PythonTarget {
        executable: "usr/local/bin/python3".to_owned(),
        kind: PythonKind::Plain,
        version: "3.11.2".parse().unwrap(),
        free_threaded: false,
        architecture: Architecture::Amd64,
        libc: Libc::Glibc { major: 2, minor: 36 },
        prefix: "usr/local".to_owned(),
        base_prefix: "usr/local".to_owned(),
        install: InstallFolders {
            purelib: packages.clone(),
            platlib: packages.clone(),
            scripts: "usr/local/bin".to_owned(),
            headers: "usr/local/include/python3.11".to_owned(),
            data: "usr/local".to_owned(),
        },
        site_folders: vec![SiteFolder { path: packages, system: false }],
        externally_managed: None,
        notices: Vec::new(),
    }
}

/// Installed distributions by name, version and requirements.
pub(crate) fn installed(distributions: &[(&str, &str, &[&str])]) -> Installed {
    let mut distributions: Vec<InstalledDistribution> = distributions
        .iter()
        .map(|(name, version, requirements)| {
            let mut metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
            for requirement in *requirements {
                metadata.extend(["Requires-Dist: ", *requirement, "\n"]);
            }
            InstalledDistribution {
                name: PackageName::from_str(name).unwrap(),
                version: Version::from_str(version).unwrap(),
                folder: "usr/local/lib/python3.11/site-packages".to_owned(),
                metadata_path: format!("usr/local/lib/python3.11/site-packages/{name}-{version}.dist-info"),
                metadata,
                installer: Some("pip".to_owned()),
                requested: false,
                direct_url: None,
                editable: false,
                owner: Owner::Pip,
            }
        })
        .collect();
    distributions.sort_by(|a, b| a.name.cmp(&b.name));
    Installed { distributions, warnings: Vec::new() }
}

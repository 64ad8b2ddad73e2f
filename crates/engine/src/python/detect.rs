//! From `PATH` to a [`PythonTarget`].

use imagewright_oci::layer::path::{join, split};
use imagewright_oci::tree::ImageTree;
use serde_json::Value;

use super::environment::{ImageEnvironment, lexically_normalised};
use super::error::PythonError;
use super::prefix::Installation;
use super::target::{Architecture, InstallFolders, PythonKind, PythonTarget, SiteFolder, library_name};
use super::venv::VirtualEnvironment;
use super::version::PythonVersion;
use super::{conda, debian, libc, prefix, pyenv, redhat, search_path, system_packages, venv};

/// The oldest minor version of Python 3 that is supported.
const OLDEST_MINOR: u8 = 8;

/// How many wrapper scripts are followed before giving up.
const MAXIMUM_WRAPPERS: usize = 4;

/// Finds out which Python `python3` (else `python`) means in an image and where its packages go.
///
/// `config` is the image's config as JSON.
///
/// # Errors
/// No interpreter, one that is not `CPython` 3.8 or newer, or an image whose machine or C library is unknown.
pub fn detect(tree: &ImageTree, config: &Value) -> Result<PythonTarget, PythonError> {
    let environment = ImageEnvironment::from_config(config);
    let executable = find_executable(tree, &environment)?;
    let virtual_environment = venv::find(tree, &executable);
    let installation = find_installation(tree, &executable, virtual_environment.as_ref())?;
    let mut notices = Vec::new();
    let version = full_version(tree, &environment, &installation, virtual_environment.as_ref());
    if version.major != 3 || version.minor < OLDEST_MINOR {
        return Err(PythonError::TooOld { executable, version: version.to_string() });
    }
    if version.patch.is_none() {
        notices.push(format!(
            "The image does not say which {version}.x its Python is; {} is assumed where a package asks.",
            version.full()
        ));
    }
    let architecture = architecture(tree, &environment, &installation)?;
    let library = library_name(&version, installation.free_threaded);
    let base_kind = base_kind(tree, &installation);
    let mut site_folders: Vec<SiteFolder> =
        environment.python_path().into_iter().map(|path| SiteFolder { path, system: false }).collect();
    let (kind, prefix, install) = if let Some(found) = &virtual_environment {
        site_folders.push(plain_site_folder(&found.prefix, &library, false));
        if found.system_site_packages {
            site_folders.extend(base_site_folders(base_kind, &installation.prefix, &library));
        }
        let install = plain_install_folders(&found.prefix, &library, "include/site");
        (PythonKind::VirtualEnvironment, found.prefix.clone(), install)
    } else {
        site_folders.extend(base_site_folders(base_kind, &installation.prefix, &library));
        let install = match base_kind {
            PythonKind::Debian => debian::install_folders(&library, &version),
            PythonKind::RedHat => redhat::install_folders(&library),
            _ => plain_install_folders(&installation.prefix, &library, "include"),
        };
        (base_kind, installation.prefix.clone(), install)
    };
    super::installed::add_path_files(tree, &mut site_folders);
    let externally_managed = externally_managed(tree, kind, &installation, &library);
    if externally_managed.is_some() {
        notices.push(format!(
            "/{executable} is managed by the image's distribution; packages are added in /{} and shadow its own, \
             which stay.",
            install.purelib
        ));
    }
    Ok(PythonTarget {
        libc: libc::detect(tree, architecture)?,
        free_threaded: installation.free_threaded,
        base_prefix: installation.prefix,
        executable,
        kind,
        version,
        architecture,
        prefix,
        install,
        site_folders,
        externally_managed,
        notices,
    })
}

/// `python3`, else `python`, on the image's `PATH`, through pyenv shims and plain wrapper scripts.
fn find_executable(tree: &ImageTree, environment: &ImageEnvironment) -> Result<String, PythonError> {
    let folders = environment.path_folders();
    let mut executable = ["python3", "python"]
        .iter()
        .find_map(|name| search_path::find(tree, &folders, name))
        .ok_or_else(|| PythonError::NoInterpreter {
            searched: folders.iter().map(|folder| format!("/{folder}")).collect::<Vec<_>>().join(":"),
        })?;
    for _ in 0..MAXIMUM_WRAPPERS {
        let real = tree.resolve(&executable)?.map(|found| found.path).unwrap_or_default();
        if let Some(implementation) = other_implementation(split(&real).1) {
            return Err(PythonError::NotCPython { executable, implementation: implementation.to_owned() });
        }
        let Some(script) = tree.text(&executable).filter(|text| text.starts_with("#!")) else {
            return Ok(executable);
        };
        executable = if pyenv::is_shim(&real, &script) {
            pyenv::resolve_shim(tree, environment, &executable)?
        } else {
            wrapped(tree, &script).ok_or(PythonError::UnknownWrapper { executable })?
        };
    }
    Err(PythonError::UnknownWrapper { executable })
}

/// The interpreter that a wrapper script ends in: `exec /opt/python/bin/python3 "$@"`.
fn wrapped(tree: &ImageTree, script: &str) -> Option<String> {
    let line = script.lines().map(str::trim).rfind(|line| line.starts_with("exec "))?;
    let program = line
        .split_whitespace()
        .skip(1)
        .map(|word| word.trim_matches(['"', '\'']))
        .find(|word| word.starts_with('/'))?;
    let program = lexically_normalised(program, "")?;
    (split(&program).1.starts_with("python") && search_path::is_executable(tree, &program)).then_some(program)
}

/// The name of an implementation that is not `CPython`, by the name of its executable.
fn other_implementation(name: &str) -> Option<&'static str> {
    [("pypy", "PyPy"), ("graalpy", "GraalPy"), ("micropython", "MicroPython")]
        .iter()
        .find_map(|(prefix, implementation)| name.starts_with(prefix).then_some(*implementation))
}

/// The installation behind an executable; that of a virtual environment is where `home` points.
fn find_installation(
    tree: &ImageTree,
    executable: &str,
    virtual_environment: Option<&VirtualEnvironment>,
) -> Result<Installation, PythonError> {
    let real = |path: &str| Ok::<_, PythonError>(tree.resolve(path)?.map(|found| found.path));
    if let Some(found) = virtual_environment {
        let broken = || PythonError::BrokenVirtualEnvironment {
            config: found.config.clone(),
            home: found.home.clone(),
        };
        // The environment's own executable is a link to the real one, or (`--copies`) a copy of it that knows
        // nothing of where it came from.
        let inside = format!("{}/", tree.real_folder(&found.prefix)?);
        if let Some(path) = real(executable)?.filter(|path| !path.starts_with(&inside)) {
            return prefix::find(tree, &path);
        }
        let home = lexically_normalised(&found.home, "").ok_or_else(broken)?;
        let said = found.version.as_deref().and_then(|text| text.parse::<PythonVersion>().ok());
        let names = said
            .map(|version| format!("python{}", version.major_minor()))
            .into_iter()
            .chain(["python3".to_owned(), "python".to_owned()]);
        for name in names {
            if let Some(path) = real(&join(&home, &name))? {
                return prefix::find(tree, &path);
            }
        }
        return Err(broken());
    }
    let path = real(executable)?
        .ok_or_else(|| PythonError::NoStandardLibrary { executable: executable.to_owned() })?;
    prefix::find(tree, &path)
}

fn base_kind(tree: &ImageTree, installation: &Installation) -> PythonKind {
    let prefix = installation.prefix.as_str();
    if conda::is_prefix(tree, prefix) {
        PythonKind::Conda
    } else if split(split(prefix).0).1 == "versions" && prefix.contains("pyenv") {
        PythonKind::Pyenv
    } else if prefix == "usr" && debian::owns(tree, &installation.version) {
        PythonKind::Debian
    } else if prefix == "usr" && redhat::owns(tree) {
        PythonKind::RedHat
    } else {
        PythonKind::Plain
    }
}

fn base_site_folders(kind: PythonKind, prefix: &str, library: &str) -> Vec<SiteFolder> {
    match kind {
        PythonKind::Debian => debian::site_folders(library),
        PythonKind::RedHat => redhat::site_folders(library),
        // Alpine and others install their own packages into the only site folder there is.
        _ => vec![plain_site_folder(prefix, library, prefix == "usr")],
    }
}

fn plain_site_folder(prefix: &str, library: &str, system: bool) -> SiteFolder {
    SiteFolder { path: join(prefix, &format!("lib/{library}/site-packages")), system }
}

fn plain_install_folders(prefix: &str, library: &str, include: &str) -> InstallFolders {
    let packages = plain_site_folder(prefix, library, false).path;
    InstallFolders {
        purelib: packages.clone(),
        platlib: packages,
        scripts: join(prefix, "bin"),
        headers: join(prefix, &format!("{include}/{library}")),
        data: prefix.to_owned(),
    }
}

/// The most exact version the image tells, most reliable source first.
fn full_version(
    tree: &ImageTree,
    environment: &ImageEnvironment,
    installation: &Installation,
    virtual_environment: Option<&VirtualEnvironment>,
) -> PythonVersion {
    let version = &installation.version;
    let prefix = installation.prefix.as_str();
    let library = format!("lib{}.so.1.0", library_name(version, installation.free_threaded));
    let multiarch =
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|triple| format!("usr/lib/{triple}/{library}"));
    let binaries = [installation.executable.clone(), join(prefix, &format!("lib/{library}"))]
        .into_iter()
        .chain([join(prefix, &format!("lib64/{library}"))])
        .chain(multiarch.into_iter().filter(|_| prefix == "usr"));
    let embedded =
        binaries.into_iter().find_map(|path| version.refined_by(tree.binary(&path)?.version.as_deref()?));
    embedded
        .or_else(|| version.refined_by(&conda::python_version(tree, prefix)?))
        .or_else(|| version.refined_by(virtual_environment?.version.as_deref()?))
        .or_else(|| version_of_folder(version, prefix))
        .or_else(|| version.refined_by(&debian::package_version(tree, version).filter(|_| prefix == "usr")?))
        .or_else(|| {
            version.refined_by(&system_packages::apk_version(tree, "python3").filter(|_| prefix == "usr")?)
        })
        .or_else(|| version.refined_by(environment.variable("PYTHON_VERSION")?))
        .unwrap_or_else(|| version.clone())
}

/// The version in the name of a prefix: pyenv's `versions/3.11.7`, uv's `cpython-3.12.3-linux-x86_64-gnu`.
fn version_of_folder(version: &PythonVersion, prefix: &str) -> Option<PythonVersion> {
    split(prefix).1.split('-').find_map(|part| version.refined_by(part))
}

fn architecture(
    tree: &ImageTree,
    environment: &ImageEnvironment,
    installation: &Installation,
) -> Result<Architecture, PythonError> {
    let executable = &installation.executable;
    let claimed = environment.architecture();
    let Some(machine) = tree.binary(executable).and_then(|facts| facts.machine) else {
        return claimed.and_then(Architecture::from_oci).ok_or(PythonError::UnknownMachine);
    };
    let found = Architecture::from_elf_machine(machine)
        .ok_or_else(|| PythonError::UnsupportedMachine { executable: executable.clone(), machine })?;
    match claimed {
        Some(claimed) if claimed != found.oci() => Err(PythonError::MachineMismatch {
            executable: executable.clone(),
            claimed: claimed.to_owned(),
            found: found.oci().to_owned(),
        }),
        _ => Ok(found),
    }
}

/// PEP 668: the marker file of the base interpreter; a virtual environment is never marked.
fn externally_managed(
    tree: &ImageTree,
    kind: PythonKind,
    installation: &Installation,
    library: &str,
) -> Option<String> {
    if kind == PythonKind::VirtualEnvironment {
        return None;
    }
    ["lib", "lib64"].iter().find_map(|folder| {
        let path = join(&installation.prefix, &format!("{folder}/{library}/EXTERNALLY-MANAGED"));
        tree.text(&path).map(std::borrow::Cow::into_owned)
    })
}

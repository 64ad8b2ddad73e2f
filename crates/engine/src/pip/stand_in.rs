//! A stand-in for the target's interpreter.
//!
//! uv asks an interpreter for its markers, platform and tags by running it. The target's cannot be run, and must
//! not be. So uv is given a shell script that answers this one question with the target's facts, and fails for
//! everything else. Two things follow: the resolution is exactly that of the target, and no source distribution
//! can execute anything on this machine, since every build would have to start with the stand-in.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::PipError;
use crate::python::{Libc, PythonTarget};

/// What the stand-in answers to everything but the question: uv reports it as exit status of a build.
pub(super) const REFUSAL: u8 = 97;

/// Writes the stand-in for a target into a folder, under a name made of its content: uv keeps what it learnt
/// of an interpreter by path.
///
/// # Errors
/// The folder cannot be written to.
pub(super) fn write(target: &PythonTarget, folder: &Path) -> Result<PathBuf, PipError> {
    let facts = facts(target, "");
    let key = hex::encode(&Sha256::digest(facts.to_string())[..16]);
    let home = folder.join(key);
    let path = home.join("python3");
    let text = script(&self::facts(target, &path.to_string_lossy()));
    if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(path);
    }
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| PipError::File { action, path, source }
    };
    std::fs::create_dir_all(&home).map_err(failed("create", &home))?;
    let mut file = tempfile::Builder::new()
        .prefix(".python3-")
        .tempfile_in(&home)
        .map_err(failed("create a file in", &home))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed("write", &path))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    file.as_file().set_permissions(mode).map_err(failed("make executable", &path))?;
    // Closed before it is renamed: a file that is open for writing cannot be executed.
    file.into_temp_path().persist(&path).map_err(|error| failed("create", &path)(error.error))?;
    Ok(path)
}

/// The script. It needs no program but the shell itself: `printf` and `case` are built in.
fn script(facts: &Value) -> String {
    let quoted = facts.to_string().replace('\'', r"'\''");
    format!(
        "#!/bin/sh\ncase \"$*\" in\n*get_interpreter_info*) printf '%s\\n' '{quoted}' ;;\n*) exit {REFUSAL} ;;\nesac\n"
    )
}

/// What uv's own question to an interpreter would bring for the target.
fn facts(target: &PythonTarget, path: &str) -> Value {
    let full = target.version.full();
    let short = target.version.major_minor();
    let (system, major, minor) = match target.libc {
        Libc::Glibc { major, minor } => ("manylinux", major, minor),
        Libc::Musl { major, minor } => ("musllinux", major, minor),
    };
    let library = target.library_name();
    json!({
        "result": "success",
        "markers": {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": target.architecture.machine(),
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": short,
            "sys_platform": "linux",
        },
        "sys_base_prefix": "/nonexistent",
        "sys_base_exec_prefix": "/nonexistent",
        "sys_prefix": "/nonexistent",
        "sys_base_executable": path,
        "sys_executable": path,
        "sys_path": [],
        "site_packages": ["/nonexistent/site-packages"],
        "stdlib": "/nonexistent/lib",
        "extension_suffixes": [".so"],
        "standalone": false,
        "scheme": {
            "platlib": "/nonexistent/site-packages",
            "purelib": "/nonexistent/site-packages",
            "include": "/nonexistent/include",
            "scripts": "/nonexistent/bin",
            "data": "/nonexistent",
        },
        "virtualenv": {
            "purelib": format!("lib/{library}/site-packages"),
            "platlib": format!("lib/{library}/site-packages"),
            "include": format!("include/site/{library}"),
            "scripts": "bin",
            "data": "",
        },
        "os": { "name": system, "major": major, "minor": minor },
        "arch": target.architecture.machine(),
        "cpu_info": { "detected": { "kind": "flags", "flags": "" } },
        "manylinux_compatible": system == "manylinux",
        "gil_disabled": target.free_threaded,
        "debug_enabled": false,
        "pointer_size": "64",
    })
}

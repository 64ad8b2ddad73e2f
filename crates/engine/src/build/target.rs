//! What Python a base has, in the form in which the steps of a build need it.

use std::sync::Arc;

use imagewright_oci::tree::ImageTree;
use serde_json::Value;

use crate::base::blocking;
use crate::error::BuildError;
use crate::event::Events;
use crate::lock::Lock;
use crate::python::PythonTarget;
use crate::wheel::{BytecodeCompiler, InstallScheme, Interpreter, InterpreterSearch};

/// The folders of a target as wheels are staged for them.
pub(super) fn scheme(target: &PythonTarget, cache_tag: Option<&str>) -> InstallScheme {
    let absolute = |path: &str| format!("/{path}");
    let (major, minor) = (target.version.major, target.version.minor);
    let threading = if target.free_threaded { "t" } else { "" };
    InstallScheme {
        purelib: absolute(&target.install.purelib),
        platlib: absolute(&target.install.platlib),
        scripts: absolute(&target.install.scripts),
        headers: absolute(&target.install.headers),
        data: absolute(&target.install.data),
        interpreter: target.executable_path(),
        python_version: (major, minor),
        cache_tag: cache_tag.map_or_else(|| format!("cpython-{major}{minor}{threading}"), str::to_owned),
    }
}

/// A compiler of bytecode for the target: an interpreter of this machine of exactly the same version. Bytecode
/// of another patch release differs, and the image's own interpreter is not to be trusted.
pub(super) async fn compiler(
    target: &PythonTarget,
    events: &Events,
) -> Result<Option<Arc<BytecodeCompiler>>, BuildError> {
    if target.version.patch.is_none() || target.free_threaded {
        events.log(format!(
            "no bytecode is made: the exact version of {} is not known here",
            target.executable
        ));
        return Ok(None);
    }
    compiler_of(&target.version.full(), events).await
}

/// A compiler of bytecode for exactly this version, `3.11.2`.
pub(super) async fn compiler_of(
    version: &str,
    events: &Events,
) -> Result<Option<Arc<BytecodeCompiler>>, BuildError> {
    let found = interpreter(version).await?;
    if let Some(interpreter) = found {
        events.log(format!("bytecode is made by {} ({version})", interpreter.path.display()));
        return Ok(Some(Arc::new(BytecodeCompiler::new(interpreter))));
    }
    events.warn(format!(
        "no bytecode is made, so the first import of each module in a container is slower: this machine has no \
         Python {version}; install it (for example `uv python install {version}`) to change that"
    ));
    Ok(None)
}

/// An interpreter of this machine of exactly this version.
async fn interpreter(version: &str) -> Result<Option<Interpreter>, BuildError> {
    let version = version.to_owned();
    blocking(move || InterpreterSearch::from_environment().find(&version)).await
}

/// True when a build on this machine would make the bytecode that a lock names, or none where it names none. An
/// image that was built before the right Python was installed is not the image of a build now.
pub(super) async fn has_same_bytecode(lock: &Lock) -> Result<bool, BuildError> {
    let pip = lock.python.iter().map(|python| (&python.version, &python.bytecode));
    let conda = lock.conda.iter().filter_map(|conda| Some((conda.python.as_ref()?, &conda.bytecode)));
    for (version, bytecode) in pip.chain(conda) {
        let found = interpreter(version).await?;
        if found.map(|interpreter| interpreter.fingerprint()) != *bytecode {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads what the base has: its Python, what is installed there, what pip is told.
pub(super) struct PythonBase {
    pub(super) target: PythonTarget,
    pub(super) installed: crate::python::installed::Installed,
    pub(super) settings: crate::python::pip_settings::PipSettings,
}

impl PythonBase {
    /// Reads it. Takes milliseconds: everything is in the index.
    pub(super) fn read(tree: &ImageTree, config: &Value) -> Result<Self, BuildError> {
        let target = crate::python::detect(tree, config)?;
        let installed = crate::python::installed::list(tree, &target);
        let settings = crate::python::pip_settings::read(tree, config, &target)?;
        Ok(Self { target, installed, settings })
    }
}

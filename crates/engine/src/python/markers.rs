//! The environment markers (PEP 508) of a target: what `python_version` and its like mean there.

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::target::PythonTarget;

/// The values of all markers in the target image.
///
/// `platform_release` and `platform_version` describe the kernel of the machine a container happens to run on;
/// they are empty, so that a build gives the same on every machine.
pub fn marker_environment(target: &PythonTarget) -> Option<MarkerEnvironment> {
    let full = target.version.full();
    let short = target.version.major_minor();
    // Both are made of numbers by `PythonVersion`; the crate still wants to see for itself.
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: target.architecture.machine(),
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &short,
        sys_platform: "linux",
    })
    .ok()
}

//! How a container of an image starts.

use serde_json::Value;

use super::report::ProcessReport;
use crate::python::ImageEnvironment;

/// Reads an image's configuration. What has an unexpected type counts as absent, as it does to container
/// runtimes.
pub(super) fn read(config: &Value) -> ProcessReport {
    let process = &config["config"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let words = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
    let environment = ImageEnvironment::from_config(config);
    ProcessReport {
        user: text(&process["User"]),
        entrypoint: words(&process["Entrypoint"]),
        command: words(&process["Cmd"]),
        working_folder: text(&process["WorkingDir"]),
        path: environment.variable("PATH").map(str::to_owned),
    }
}

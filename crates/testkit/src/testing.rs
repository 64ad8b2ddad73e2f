//! What several of the test kit's own tests need.

use std::process::Command;

use tempfile::TempDir;

use crate::tool;

/// Lets `uv` install something into a fresh folder, or gives what it complained about.
pub(crate) fn uv_install(arguments: &[&str]) -> Result<TempDir, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(tool("uv").expect("uv, which the test asked for"));
    command.args(["pip", "install", "--no-config", "--no-cache", "--python=/usr/bin/python3", "--target"]);
    command.arg(folder.path()).args(arguments);
    // One try is enough: nothing here gets better by waiting.
    let output = command.env("UV_HTTP_RETRIES", "0").env_remove("UV_INDEX_URL").output().expect("uv");
    if output.status.success() {
        Ok(folder)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

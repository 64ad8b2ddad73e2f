//! Finding uv, and making sure that it is the version whose output we can read.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::error::{PINNED_UV_VERSION, PipError};

/// The variable that names the program.
const VARIABLE: &str = "IMAGEWRIGHT_UV";

/// How long `uv --version` may take: it is a local program, but a cold disk is slow.
const VERSION_TIMEOUT: Duration = Duration::from_secs(30);

/// A uv of the pinned version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UvBinary {
    program: PathBuf,
}

impl UvBinary {
    /// Finds uv: what `IMAGEWRIGHT_UV` names, else in `tools/bin` near our own executable, else on `PATH`.
    ///
    /// # Errors
    /// No uv, or one of another version.
    pub async fn find() -> Result<Self, PipError> {
        let mut searched = Vec::new();
        for candidate in candidates() {
            if candidate.is_file() {
                return Self::at(&candidate).await;
            }
            searched.push(candidate.display().to_string());
        }
        searched.dedup();
        Err(PipError::UvMissing { searched: searched.join(", ") })
    }

    /// The uv at this path, once its version is checked.
    ///
    /// # Errors
    /// The program cannot be started or is of another version.
    pub async fn at(program: &Path) -> Result<Self, PipError> {
        let output = tokio::process::Command::new(program)
            .arg("--version")
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(VERSION_TIMEOUT, output)
            .await
            .map_err(|_| PipError::Timeout {
                what: format!("{} --version", program.display()),
                seconds: VERSION_TIMEOUT.as_secs(),
            })?
            .map_err(|source| PipError::File { action: "start", path: program.to_owned(), source })?;
        let said = String::from_utf8_lossy(&output.stdout);
        let found = said.split_whitespace().nth(1).unwrap_or("of an unknown version");
        if found != PINNED_UV_VERSION {
            return Err(PipError::UvVersion {
                program: program.to_owned(),
                found: found.chars().take(40).collect(),
            });
        }
        Ok(Self { program: program.to_owned() })
    }

    /// Path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// Where uv may be, best first.
fn candidates() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return vec![PathBuf::from(named)];
    }
    let mut candidates = Vec::new();
    if let Ok(own) = std::env::current_exe() {
        // `target/debug/imagewright` and its tests in `target/debug/deps`; installed, `bin/imagewright`.
        candidates.extend(own.ancestors().skip(1).take(3).map(|folder| folder.join("tools/bin/uv")));
        candidates.extend(own.parent().map(|folder| folder.join("uv")));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates.extend(std::env::split_paths(&path).map(|folder| folder.join("uv")));
    candidates
}

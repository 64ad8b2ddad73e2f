//! Programs: the resolver, interpreters for bytecode, and what later parts run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use imagewright_engine::pip::{PINNED_UV_VERSION, UvBinary};
use imagewright_engine::wheel::InterpreterSearch;
use tokio::process::Command;

use super::part::Part;

/// Longest version line that is shown, in characters.
const LONGEST_VERSION: usize = 60;

/// How long a program may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// uv, at exactly the version whose output is understood.
pub(super) async fn uv() -> Part {
    let part = Part::required("uv", "resolves Python packages");
    let install = format!("pip install uv=={PINNED_UV_VERSION}");
    match UvBinary::find().await {
        Ok(uv) => part.present(format!("{PINNED_UV_VERSION}, {}", uv.program().display())),
        Err(error) => part.missing(error.to_string(), install),
    }
}

/// Interpreters that make the bytecode of packages, each for images with exactly its version.
pub(super) fn interpreters() -> Part {
    let part = Part::optional("python", "makes bytecode, for images that have exactly the same version");
    let found = InterpreterSearch::from_environment().all();
    if found.is_empty() {
        return part
            .missing("no interpreter was found: packages come without bytecode", "apt-get install python3");
    }
    let mut versions: Vec<String> = found.into_iter().map(|one| one.version).collect();
    versions.dedup();
    part.present(versions.join(", "))
}

/// buildah.
pub(super) async fn buildah() -> Part {
    let part = Part::optional("buildah", "runs installers in the sandbox, and images in tests and the demo");
    program(part, "buildah", "apt-get install buildah").await
}

/// CNCF Distribution.
pub(super) async fn docker_registry() -> Part {
    let part = Part::optional("docker-registry", "a registry on this machine, for tests and the demo");
    program(part, "docker-registry", "apt-get install docker-registry").await
}

async fn program(part: Part, name: &str, install: &str) -> Part {
    let Some(path) = on_path(name) else { return part.missing("not found on PATH", install) };
    match version(&path).await {
        Some(version) => part.present(format!("{version}, {}", path.display())),
        None => part.missing(format!("{} cannot be started", path.display()), install),
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The version in the first line of what `--version` prints: the first word that starts with a digit. `None` for a
/// program that cannot be started, or gives no answer in time.
async fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(VERSION_TIMEOUT, output).await.ok()?.ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default();
    let is_version =
        |word: &&str| word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    let found = line.split_whitespace().find(is_version).unwrap_or("of an unknown version");
    Some(found.chars().take(LONGEST_VERSION).collect())
}

//! Bases whose `python3` is that of a virtual environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian::on_debian;
use crate::{Entry, LayerBuilder, PushedImage, Registry, cache, process};

/// Debian with a virtual environment (with pip) in `/opt/venv`, which comes first in `PATH`.
pub async fn debian_python_venv(registry: &Registry) -> PushedImage {
    let layer =
        cache::layer("venv-opt-venv-1", |archive| write(archive, environment("/opt/venv", "opt/venv")));
    let image = on_debian(registry, layer).await;
    image
        .env("PATH", "/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("VIRTUAL_ENV", "/opt/venv")
        .push(registry, "bases/venv:1")
        .await
}

/// Debian with a virtual environment that lives in `/srv/py` and is known as `/opt/py`, a symbolic link.
pub async fn symlinked_prefix(registry: &Registry) -> PushedImage {
    let layer = cache::layer("venv-symlinked-prefix-1", |archive| {
        write(archive, environment("/opt/py", "srv/py").symlink("opt/py", "/srv/py"));
    });
    let image = on_debian(registry, layer).await;
    image
        .env("PATH", "/opt/py/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .push(registry, "bases/symlinked-prefix:1")
        .await
}

fn write(archive: &Path, layer: LayerBuilder) {
    fs::write(archive, layer.plain().build().blob()).expect("the archive of a virtual environment");
}

/// The files of a virtual environment that believes to be at `prefix`, as entries below `place`.
///
/// Debian's own Python makes it, in a temporary folder whose name is then taken out of the files that hold it.
fn environment(prefix: &str, place: &str) -> LayerBuilder {
    let staging = tempfile::tempdir().expect("a folder for the virtual environment");
    let made = staging.path().join(prefix.trim_start_matches('/'));
    process::run(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&made));
    assert!(
        made.join("lib/python3.11").is_dir(),
        "the virtual environment is for the base's Python 3.11, and this machine's /usr/bin/python3 is another"
    );

    let staged = staging.path().to_str().expect("a temporary folder with an ordinary name");
    let mut layer = LayerBuilder::new();
    for path in sorted_tree(&made) {
        let relative = path.strip_prefix(&made).expect("a path in the folder").to_string_lossy();
        // Bytecode remembers the temporary folder, and Python does without.
        if relative.contains("__pycache__") {
            continue;
        }
        let target = format!("{place}/{relative}").trim_end_matches('/').to_owned();
        let kind = fs::symlink_metadata(&path).expect("a file just made").file_type();
        layer = if kind.is_symlink() {
            let link = fs::read_link(&path).expect("a link");
            layer.symlink(&target, &link.to_string_lossy())
        } else if kind.is_dir() {
            layer.directory(&target)
        } else {
            let content = fs::read(&path).expect("a file just made");
            let executable = relative.starts_with("bin/");
            let content = match String::from_utf8(content) {
                Ok(text) => text.replace(staged, "").into_bytes(),
                Err(binary) => binary.into_bytes(),
            };
            layer.add(Entry::file(target, content).mode(if executable { 0o755 } else { 0o644 }))
        };
    }
    layer
}

/// A folder and all that is in it, each folder before its content, links not followed.
fn sorted_tree(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    let mut tree = vec![folder.to_owned()];
    for entry in entries {
        if entry.is_dir() && !entry.is_symlink() {
            tree.extend(sorted_tree(&entry));
        } else {
            tree.push(entry);
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use crate::{Registry, Runner, bases, require_tool};

    #[tokio::test]
    async fn python3_is_the_environments_own() {
        require_tool!("docker-registry", "mmdebstrap", "buildah");
        let registry = Registry::new();
        let venv = bases::debian_python_venv(&registry).await;
        let symlinked = bases::symlinked_prefix(&registry).await;

        for (image, prefix) in [(venv, "/opt/venv\n"), (symlinked, "/opt/py\n")] {
            let runner = Runner::start(&registry, &image.reference);
            assert_eq!(runner.run(&["python3", "-c", "import sys; print(sys.prefix)"]).stdout, prefix);
            let version = runner.run(&["pip", "--version"]);
            assert!(version.stdout.contains(prefix.trim()), "{version:?}");
        }
    }
}

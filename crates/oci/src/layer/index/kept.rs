//! Which small files an index keeps the content of: those that say what an image holds.

/// Most bytes kept of one file; a longer one is indexed without its content. The `status` of dpkg in an image
/// with two thousand packages is some 3 MiB, the `RECORD` of the largest wheels 2 MiB.
pub(super) const MAXIMUM_KEPT_FILE: u64 = 16 << 20;

/// Scripts longer than this are no shims or wrappers.
const MAXIMUM_SCRIPT: u64 = 8 << 10;

/// True when the content of a regular file belongs into the index.
///
/// `path` is normalised, `size` in bytes.
pub fn is_kept(path: &str, size: u64) -> bool {
    if size > MAXIMUM_KEPT_FILE {
        return false;
    }
    let (folder, name) = super::super::path::split(path);
    is_system_file(path, folder)
        || is_conda_setting(folder, name)
        || is_distribution_metadata(folder, name)
        || is_python_setting(path, folder, name)
        || (is_interpreter_script(folder, name) && size <= MAXIMUM_SCRIPT)
}

/// What the operating system says of itself and of its packages.
fn is_system_file(path: &str, folder: &str) -> bool {
    matches!(
        path,
        "etc/os-release"
            | "usr/lib/os-release"
            | "etc/debian_version"
            | "etc/alpine-release"
            | "etc/passwd"
            | "var/lib/dpkg/status"
            | "lib/apk/db/installed"
            | "usr/lib/apk/db/installed"
    ) || folder == "var/lib/dpkg/status.d"
}

/// Metadata of installed Python distributions and conda packages.
fn is_distribution_metadata(folder: &str, name: &str) -> bool {
    let parent = super::super::path::split(folder).1;
    if parent.ends_with(".dist-info") {
        return matches!(
            name,
            "METADATA"
                | "RECORD"
                | "INSTALLER"
                | "REQUESTED"
                | "WHEEL"
                | "direct_url.json"
                | "entry_points.txt"
                | "top_level.txt"
        );
    }
    if parent.ends_with(".egg-info") || parent == "EGG-INFO" {
        return matches!(
            name,
            "PKG-INFO" | "requires.txt" | "installed-files.txt" | "top_level.txt" | "SOURCES.txt"
        );
    }
    if parent == "conda-meta" {
        return has_extension(name, "json") || name == "history" || name == "pinned";
    }
    has_extension(name, "egg-info") || has_extension(name, "egg-link") || has_extension(name, "pth")
}

/// What happens when a conda environment is activated, and which channels conda asks.
fn is_conda_setting(folder: &str, name: &str) -> bool {
    folder.ends_with("etc/conda/activate.d")
        || folder.ends_with("etc/conda/env_vars.d")
        || matches!(name, ".condarc" | "condarc")
}

/// Files that change what Python or pip does.
fn is_python_setting(path: &str, folder: &str, name: &str) -> bool {
    matches!(name, "pyvenv.cfg" | "pip.conf" | "EXTERNALLY-MANAGED" | ".python-version")
        || (name == "version" && folder.ends_with("pyenv"))
        || (name.contains("constraint") && has_extension(name, "txt") && !path.contains("/site-packages/"))
}

/// Shims and wrappers that stand where an interpreter is expected.
fn is_interpreter_script(folder: &str, name: &str) -> bool {
    let bin_folder = folder.ends_with("bin") || folder.ends_with("shims");
    bin_folder && (name.starts_with("python") || name.starts_with("pip"))
}

fn has_extension(name: &str, extension: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn metadata_of_packages_is_kept() {
        for path in [
            "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA",
            "opt/conda/conda-meta/python-3.11.7-h1.json",
            "opt/venv/pyvenv.cfg",
            "etc/os-release",
            "opt/conda/etc/conda/activate.d/gdal.sh",
            "opt/conda/.condarc",
            "usr/local/lib/python3.11/site-packages/editable.pth",
        ] {
            assert!(is_kept(path, 100), "{path}");
        }
    }

    #[test]
    fn program_text_and_oversized_files_are_not() {
        assert!(!is_kept("usr/lib/python3/dist-packages/six.py", 100));
        assert!(!is_kept("usr/bin/python3.11", 6_000_000));
        assert!(!is_kept("var/lib/dpkg/status", 1 << 30));
    }
}

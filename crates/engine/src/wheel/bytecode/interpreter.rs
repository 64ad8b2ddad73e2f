//! Finds an interpreter of an exact version among those installed on this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::process;

/// How long an interpreter may take to say who it is.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// What every interpreter is asked: real path, implementation, full version, cache tag, magic number.
const QUESTION: &str = "\
import importlib.util, os, sys
print(os.path.realpath(sys.executable), sys.implementation.name, sys.version.split()[0],
      sys.implementation.cache_tag, ''.join('%02x' % byte for byte in importlib.util.MAGIC_NUMBER), sep='\\n')
";

/// A Python interpreter of the host, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The program itself: no symbolic link, no wrapper.
    pub path: PathBuf,
    /// Full version: `3.11.2`, `3.14.0rc1`.
    pub version: String,
    /// What stands in the names of its bytecode files: `cpython-311`.
    pub cache_tag: String,
    /// First bytes of its bytecode files, as hexadecimal digits. Belongs into the key of a layer with bytecode.
    pub magic_number: String,
}

impl Interpreter {
    /// What bytecode depends on: `3.11.2 a70d0d0a`. Belongs into every key of something that holds bytecode.
    pub fn fingerprint(&self) -> String {
        format!("{} {}", self.version, self.magic_number)
    }

    /// Asks the program at `path` who it is; `None` if it is no `CPython`, or gives no answer in time.
    ///
    /// A program is asked once in the life of this process.
    pub fn ask(path: &Path) -> Option<Self> {
        static ANSWERS: Mutex<BTreeMap<PathBuf, Option<Interpreter>>> = Mutex::new(BTreeMap::new());
        let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        answers.entry(path.to_owned()).or_insert_with(|| Self::ask_again(path)).clone()
    }

    fn ask_again(path: &Path) -> Option<Self> {
        let mut command = Command::new(path);
        command.args(["-I", "-S", "-c", QUESTION]).env_clear().current_dir("/");
        let answer = process::run(command, b"", 16 * 1024, PROBE_TIMEOUT, &AtomicBool::new(false)).ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let lines: Vec<&str> = answer.lines().collect();
        let [path, "cpython", version, cache_tag, magic_number] = lines.as_slice() else { return None };
        Some(Self {
            path: PathBuf::from(path),
            version: (*version).to_owned(),
            cache_tag: (*cache_tag).to_owned(),
            magic_number: (*magic_number).to_owned(),
        })
    }
}

/// Where interpreters may be. Only places of the host: never a folder that holds parts of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterpreterSearch {
    /// Interpreters named by the user, looked at first.
    pub candidates: Vec<PathBuf>,
    /// Folders that hold `python3.11` or `python3`.
    pub folders: Vec<PathBuf>,
    /// Folders of pyenv and uv: each folder in them is an installation with a `bin`.
    pub installations: Vec<PathBuf>,
}

impl InterpreterSearch {
    /// The usual places: `/usr/bin`, `/usr/local/bin`, `PATH`, pyenv's versions and uv's own interpreters.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).map(PathBuf::from);
        let home = path("HOME");
        let in_home = |below: &str| home.as_ref().map(|home| home.join(below));

        // First, since they answer in some 10 ms; a wrapper on PATH, such as pyenv's, takes twenty times as long.
        let mut folders = ["/usr/bin", "/usr/local/bin"].map(PathBuf::from).to_vec();
        folders.extend(variable("PATH").iter().flat_map(std::env::split_paths));
        // A relative folder means another one wherever the build is started.
        folders.retain(|folder| folder.is_absolute());

        let pyenv = path("PYENV_ROOT").or_else(|| in_home(".pyenv")).map(|root| root.join("versions"));
        let uv = path("UV_PYTHON_INSTALL_DIR")
            .or_else(|| path("XDG_DATA_HOME").map(|data| data.join("uv/python")))
            .or_else(|| in_home(".local/share/uv/python"));
        Self { candidates: Vec::new(), folders, installations: pyenv.into_iter().chain(uv).collect() }
    }

    /// Looks at `candidates` before all other places.
    #[must_use]
    pub fn with_candidates(mut self, candidates: impl IntoIterator<Item = PathBuf>) -> Self {
        self.candidates.extend(candidates);
        self
    }

    /// The first interpreter of exactly this version (`3.11.2`), `None` if there is none on this machine.
    ///
    /// Starts interpreters to ask them: call it on a thread that may block.
    pub fn find(&self, version: &str) -> Option<Interpreter> {
        self.programs(version)
            .into_iter()
            .filter(|program| program.is_file())
            .filter_map(|program| Interpreter::ask(&program))
            .find(|interpreter| interpreter.version == version)
    }

    /// Every interpreter in the places that are searched, each once, in order of version.
    ///
    /// Starts interpreters to ask them: call it on a thread that may block.
    pub fn all(&self) -> Vec<Interpreter> {
        let folders = self.folders.iter().cloned();
        let installed = self.installations.iter().flat_map(|installations| {
            let entries = std::fs::read_dir(installations).into_iter().flatten().flatten();
            entries.map(|entry| entry.path().join("bin"))
        });
        let mut programs = self.candidates.clone();
        for folder in folders.chain(installed) {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name()).filter(|name| is_interpreter(name));
            programs.extend(names.map(|name| folder.join(name)));
        }
        let mut found: Vec<Interpreter> = programs
            .iter()
            .filter(|program| program.is_file())
            .filter_map(|program| Interpreter::ask(program))
            .collect();
        found.sort_by_cached_key(|found| (version_key(&found.version), found.path.clone()));
        found.dedup_by(|one, other| one.path == other.path);
        found
    }

    /// Programs that may be of this version, in the order in which they are asked.
    fn programs(&self, version: &str) -> Vec<PathBuf> {
        let minor: Vec<&str> = version.splitn(3, '.').take(2).collect();
        let named = format!("python{}", minor.join("."));
        let mut programs = self.candidates.clone();
        for folder in &self.folders {
            programs.push(folder.join(&named));
            programs.push(folder.join("python3"));
        }
        for installations in &self.installations {
            let entries = std::fs::read_dir(installations).into_iter().flatten().flatten();
            let mut found: Vec<PathBuf> =
                entries.map(|entry| entry.path().join("bin").join(&named)).collect();
            found.sort();
            programs.extend(found);
        }
        programs
    }
}

/// The numbers of a version, so that 3.9 comes before 3.10.
fn version_key(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

/// True for `python3` and `python3.11`, not for `python3-config` or `python3.11t`.
fn is_interpreter(name: &std::ffi::OsStr) -> bool {
    let version = name.to_str().and_then(|name| name.strip_prefix("python3"));
    version.is_some_and(|version| {
        version.is_empty()
            || version
                .strip_prefix('.')
                .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fake(folder: &Path, name: &str, answer: &str) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\nprintf '{answer}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn only_the_exact_version_will_do() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("bin");
        let versions = root.path().join("versions");
        fake(&bin, "python3", "/x/python3\\ncpython\\n3.99.0\\ncpython-399\\n00\\n");
        fake(&versions.join("b/bin"), "python3.99", "/b\\ncpython\\n3.99.2\\ncpython-399\\n00\\n");
        fake(&versions.join("a/bin"), "python3.99", "/a\\npypy\\n3.99.2\\npypy399\\n00\\n");
        let search = InterpreterSearch {
            candidates: vec![root.path().join("missing"), fake(root.path(), "broken", "nonsense")],
            folders: vec![bin],
            installations: vec![versions],
        };
        assert_eq!(search.find("3.99.0").unwrap().path, Path::new("/x/python3"));
        assert_eq!(search.find("3.99.2").unwrap().path, Path::new("/b"));
        assert_eq!(search.find("3.99.1"), None);
        let all: Vec<String> = search.all().into_iter().map(|found| found.version).collect();
        assert_eq!(all, ["3.99.0", "3.99.2"]);
    }

    #[test]
    fn the_usual_places_are_searched() {
        let variables = BTreeMap::from([("PATH", "/opt/bin:relative"), ("HOME", "/home/me")]);
        let search = InterpreterSearch::from_variables(|name| variables.get(name).map(OsString::from));
        assert_eq!(search.folders, ["/usr/bin", "/usr/local/bin", "/opt/bin"].map(PathBuf::from));
        assert_eq!(
            search.installations,
            ["/home/me/.pyenv/versions", "/home/me/.local/share/uv/python"].map(PathBuf::from)
        );
    }
}

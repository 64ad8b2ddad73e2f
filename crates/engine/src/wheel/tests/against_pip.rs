//! Real wheels, installed by the real pip and by us: the same files, modes, RECORD, launchers and bytecode.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;

/// The pip whose behaviour is the model.
const PIP: &str = "pip==26.3";

/// Between them: plain modules, packages, platlib, headers, `.data/data`, launchers, versioned launchers.
const WHEELS: [&str; 8] = [
    "six==1.17.0",
    "requests==2.34.2",
    "jupyter-core==5.9.1",
    "ipykernel==7.4.0",
    "greenlet==3.5.6",
    "setuptools==84.2.1",
    "pip==26.3",
    "numpy==2.4.6",
];

/// A virtual environment with the model pip, and an empty one that it installs into.
struct Environments {
    folder: TempDir,
}

impl Environments {
    fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environments = Self { folder };
        run(&["/usr/bin/python3", "-m", "venv", &environments.path("tool")]);
        run(&["/usr/bin/python3", "-m", "venv", "--without-pip", &environments.path("target")]);
        run(&[&environments.path("tool/bin/python3"), "-m", "pip", "install", "--quiet", PIP]);
        environments
    }

    fn path(&self, below: &str) -> String {
        self.folder.path().join(below).to_str().unwrap().to_owned()
    }

    /// Runs pip for the empty environment and returns what it prints.
    fn pip(&self, arguments: &[&str]) -> String {
        let (tool, target) = (self.path("tool/bin/python3"), self.path("target/bin/python3"));
        run(&[&[tool.as_str(), "-m", "pip", "--python", target.as_str()], arguments].concat())
    }

    fn download(&self, requirements: &[&str]) -> Vec<PathBuf> {
        let folder = self.path("wheels");
        self.pip(
            &[&["download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", &folder], requirements]
                .concat(),
        );
        let mut wheels: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        wheels.sort();
        wheels
    }

    /// The folders of the empty environment, as its own Python names them.
    fn scheme(&self) -> InstallScheme {
        let python = self.path("target/bin/python3");
        let question = "import sys, sysconfig as s; print(*(s.get_path(k) for k in \
            ('purelib', 'platlib', 'scripts', 'data')), s.get_python_version(), sys.implementation.cache_tag)";
        let answer = run(&[&python, "-c", question]);
        let [purelib, platlib, scripts, data, version, cache_tag] =
            answer.split_whitespace().map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        let (major, minor) = version.split_once('.').unwrap();
        let python_version = (major.parse().unwrap(), minor.parse().unwrap());
        let headers = format!("{data}/include/site/python{version}");
        InstallScheme {
            purelib,
            platlib,
            scripts,
            headers,
            data,
            interpreter: python,
            python_version,
            cache_tag,
        }
    }

    /// All files of the empty environment: mode and bytes by path.
    fn files(&self) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.path().join("target")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                let path = entry.path();
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
                    found.insert(path.to_str().unwrap().to_owned(), (mode, std::fs::read(&path).unwrap()));
                }
            }
        }
        found
    }

    /// Which of the pairs of bytecode files, each without its first 16 bytes, hold different code.
    fn different_code(&self, pairs: &[(String, Vec<u8>, Vec<u8>)]) -> Vec<String> {
        // Bits that note how often a constant is used differ with what the interpreter compiled before.
        let compare = "import marshal, sys\n\
            def parts(c):\n    return [c, c.co_filename] + [parts(k) for k in c.co_consts if hasattr(k, 'co_code')]\n\
            a, b = (marshal.loads(open(p, 'rb').read()) for p in sys.argv[1:])\n\
            print(parts(a) == parts(b))\n";
        let (left, right) = (self.path("left"), self.path("right"));
        let mut different = Vec::new();
        for (path, pip, ours) in pairs.iter().filter(|(_, pip, ours)| pip[16..] != ours[16..]) {
            std::fs::write(&left, &pip[16..]).unwrap();
            std::fs::write(&right, &ours[16..]).unwrap();
            if run(&["/usr/bin/python3", "-c", compare, &left, &right]).trim() != "True" {
                different.push(path.clone());
            }
        }
        different
    }
}

fn run(arguments: &[&str]) -> String {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 022; exec \"$@\"", "sh"]).args(arguments);
    // Warnings about pip's own age and the like would only confuse.
    let output =
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_ROOT_USER_ACTION", "ignore").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes the files of a package to the places they name.
fn write_out(package: &StagedPackage) {
    let RequestedOverlay { marker, record } = &package.requested;
    for file in package.files.iter().chain([marker, record]) {
        let path = Path::new(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(path);
        std::fs::write(path, read(file)).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(file.mode)).unwrap();
    }
}

#[test]
fn real_wheels_are_installed_as_pip_installs_them() {
    let environments = Environments::create();
    let scheme = environments.scheme();
    let compiler = BytecodeCompiler::new(Interpreter::ask(Path::new("/usr/bin/python3")).unwrap());
    let empty = environments.files();
    for wheel in environments.download(&WHEELS) {
        let name = wheel.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned();
        environments.pip(&["install", "--quiet", "--no-deps", "--no-index", wheel.to_str().unwrap()]);
        let by_pip: BTreeMap<_, _> =
            environments.files().into_iter().filter(|(path, _)| !empty.contains_key(path)).collect();
        environments.pip(&["uninstall", "--quiet", "--yes", &name]);
        assert_eq!(environments.files().len(), empty.len());

        let direct_url = by_pip.iter().find(|(path, _)| path.ends_with("/direct_url.json")).unwrap();
        let options = StageOptions {
            direct_url: Some(String::from_utf8(direct_url.1.1.clone()).unwrap()),
            bytecode: Some(&compiler),
            ..StageOptions::default()
        };
        let staging = tempfile::tempdir().unwrap();
        let package = stage(&wheel, &scheme, &options, staging.path()).unwrap();
        write_out(&package);
        let by_us: BTreeMap<_, _> =
            environments.files().into_iter().filter(|(path, _)| !empty.contains_key(path)).collect();

        assert_eq!(by_us.keys().collect::<BTreeSet<_>>(), by_pip.keys().collect::<BTreeSet<_>>(), "{name}");
        let mut bytecode = Vec::new();
        for (path, (mode, bytes)) in by_us {
            let (pip_mode, pip_bytes) = &by_pip[&path];
            assert_eq!(mode, *pip_mode, "mode of {path}");
            if path.contains("/__pycache__/") {
                bytecode.push((path, pip_bytes.clone(), bytes));
            } else if bytes != *pip_bytes {
                let (ours, pip) = (String::from_utf8_lossy(&bytes), String::from_utf8_lossy(pip_bytes));
                panic!("{path} is\n{ours}\nand with pip\n{pip}");
            }
        }
        assert_eq!(environments.different_code(&bytecode), Vec::<String>::new(), "{name}");

        let listed = environments.pip(&["list", "--format", "freeze"]);
        assert!(listed.contains(&package.version), "{listed}");
        environments.pip(&["uninstall", "--quiet", "--yes", &name]);
        assert_eq!(environments.files(), empty, "{name} is uninstalled without a trace");
    }
}

#[test]
fn what_we_install_runs_and_passes_pips_check() {
    let environments = Environments::create();
    let wheel = TestWheel::empty()
        .with(
            "demo/__init__.py",
            "import sys\nclass App:\n    def main():\n        print('hello', sys.argv[1])\n",
        )
        .with("demo-1.0.data/scripts/run", "#!python\nimport demo\nprint('ran')\n")
        .with("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\nhello = demo:App.main\n");
    let staging = tempfile::tempdir().unwrap();
    let compiler = BytecodeCompiler::new(Interpreter::ask(Path::new("/usr/bin/python3")).unwrap());
    let options = StageOptions { bytecode: Some(&compiler), ..StageOptions::default() };
    let package = stage(&wheel.write(), &environments.scheme(), &options, staging.path()).unwrap();
    write_out(&package);
    assert_eq!(run(&[&environments.path("target/bin/hello"), "you"]), "hello you\n");
    assert_eq!(run(&[&environments.path("target/bin/run")]), "ran\n");
    assert_eq!(environments.pip(&["check"]).trim(), "No broken requirements found.");
    assert!(environments.pip(&["list", "--not-required"]).contains("Demo"));
}

//! Compiled modules: Python takes them as they are, so that no import compiles anything in a container.

use std::process::Command;

use imagewright_testkit::{PackageIndex, bases, require_tool};

use crate::support::{Workshop, demo};

/// Says for each module of `thing` whether its bytecode is that of the source, by what Python itself checks.
const CHECK: &str = "
import importlib.util, os, struct, sys
for module in ['thing', 'thing.deep.inner', 'single']:
    source = importlib.util.find_spec(module).origin
    with open(importlib.util.cache_from_source(source), 'rb') as file:
        magic, flags, modified, size = file.read(4), *struct.unpack('<III', file.read(12))
    stat = os.stat(source)
    fits = (magic == importlib.util.MAGIC_NUMBER, flags, modified, size) == (True, 0, int(stat.st_mtime), stat.st_size)
    print(module, fits)
";

#[tokio::test]
async fn bytecode_is_taken_as_it_is() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let thing = demo("thing", "1.0")
        .file("thing/deep/__init__.py", "")
        .file("thing/deep/inner.py", "ANSWER = 42\n")
        .file("single.py", "ANSWER = 42\n")
        .file("thing/python2.py", "print 'no Python 3'\n")
        .build();
    let index = PackageIndex::with(&[thing]);

    let built = workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).succeed();

    let image = workshop.run("team/image:1");
    let version = |output: &[u8]| String::from_utf8_lossy(output).trim().to_owned();
    let host = Command::new("/usr/bin/python3").arg("--version").output().unwrap();
    if version(&host.stdout) != version(image.run(&["python3", "--version"]).stdout.as_bytes()) {
        assert!(built.says(&["bytecode is made by"]) || built.says(&["no bytecode is made"]), "{built:#?}");
        return;
    }
    assert!(built.says(&["bytecode is made by"]), "{built:#?}");
    let checked = image.python(CHECK);
    assert_eq!(checked.stdout, "thing True\nthing.deep.inner True\nsingle True\n", "{checked:?}");
    let imported = image.run(&["python3", "-v", "-c", "import thing.deep.inner, single"]);
    for module in ["thing/__init__", "thing/deep/inner", "single"] {
        let said = imported.stderr.lines().any(|line| line.contains("matches") && line.contains(module));
        assert!(said, "{module}: {}", imported.stderr);
    }
    // pip, too, passes over what does not compile.
    assert!(
        !image.exists("/usr/local/lib/python3.11/dist-packages/thing/__pycache__/python2.cpython-311.pyc")
    );
    // RECORD names the bytecode, so it goes with the package.
    assert!(image.run(&["pip", "uninstall", "--yes", "--break-system-packages", "thing"]).succeeded());
    assert!(!image.exists("/usr/local/lib/python3.11/dist-packages/thing"));
    assert!(!image.exists("/usr/local/lib/python3.11/dist-packages/__pycache__/single.cpython-311.pyc"));
}

//! Packages that are published as source only: built in the sandbox with the base's own Python, once.

use imagewright_testkit::{PackageIndex, Registry, Runner, Sdist, SdistBuilder, bases, require_tool};

use crate::support::{Outcome, Workshop};

/// A backend in the sources themselves, which looks around before it makes a wheel.
const BACKEND: &str = r#"
import os, sys, zipfile

def build_wheel(directory, settings=None, metadata=None):
    seen = "\n".join("%s=%s" % pair for pair in os.environ.items()) + "\n" + "\n".join(sys.path)
    info = "made-1.0.dist-info"
    files = {
        "made.py": "version = %r\n" % (tuple(sys.version_info[:2]),),
        "seen.txt": seen,
        info + "/METADATA": "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n",
        info + "/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "/entry_points.txt": "[console_scripts]\nmade = made:version.__len__\n",
    }
    files[info + "/RECORD"] = "".join(path + ",,\n" for path in files) + info + "/RECORD,,\n"
    with zipfile.ZipFile(os.path.join(directory, "made-1.0-py3-none-any.whl"), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return "made-1.0-py3-none-any.whl"
"#;

fn made(backend: &str) -> Sdist {
    SdistBuilder::new("made", "1.0")
        .file(
            "pyproject.toml",
            "[build-system]\nrequires = []\nbuild-backend = \"own\"\nbackend-path = [\".\"]\n\
             [project]\nname = \"made\"\ndynamic = [\"version\", \"dependencies\"]\n",
        )
        .file("own.py", backend)
        .build()
}

fn built(outcome: &Outcome) -> bool {
    let said =
        |event: &serde_json::Value| event.to_string().contains("published as source only: it is built");
    outcome.events.iter().any(said)
}

#[tokio::test]
async fn a_source_distribution_is_built_once_for_each_owner() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let registry = Registry::new();
    let base = bases::debian_python(&registry).await;
    let index = PackageIndex::builder().basic_auth("me", "s3cret-of-the-index").start();
    index.add_sdist(&made(BACKEND));
    let workshop = Workshop::new();
    let reference = |image: &str| format!("{}/{image}", registry.host());
    let build = |to: &str| {
        let to = reference(to);
        let url = index.url_with_credentials();
        workshop.command([
            "build",
            "--base",
            &base.reference,
            "--to",
            &to,
            "--index-url",
            &url,
            "--pip",
            "made",
        ])
    };

    let first = build("team/one:1").run();
    let second = build("team/two:1").options(["--fresh"]).run();
    let other = build("team/three:1").options(["--owner", "somebody-else"]).run();

    assert_eq!(first.code, Some(0), "{first:#?}");
    assert!(built(&first));
    assert!(!built(&second), "it was built before: {second:#?}");
    assert!(built(&other), "what came out of a base is for its owner alone: {other:#?}");
    assert_eq!(first.digest(), second.digest());
    assert_eq!(first.digest(), other.digest(), "the same sources give the same bytes");
    let image = Runner::start(&registry, &reference("team/one:1"));
    let version =
        image.run(&["python3", "-c", "import sys, made; print(made.version == sys.version_info[:2])"]);
    assert_eq!(version.stdout, "True\n", "{version:?}");
    let seen = image.run(&[
        "python3",
        "-c",
        "import made, os; print(open(os.path.dirname(made.__file__) + '/seen.txt').read())",
    ]);
    assert!(seen.stdout.contains("SOURCE_DATE_EPOCH=315532800"), "{seen:?}");
    for never in ["s3cret", "dist-packages", "site-packages"] {
        assert!(!seen.stdout.contains(never), "{never}: {seen:?}");
    }
    assert_eq!(workshop.leftovers(), [""; 0]);
}

#[tokio::test]
async fn sources_that_cannot_be_built_say_why() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let registry = Registry::new();
    let base = bases::debian_python(&registry).await;
    let compiles =
        "import subprocess\ndef build_wheel(*a):\n    subprocess.check_call(['gcc', '-c', 'x.c'])\n";
    let index = PackageIndex::builder().start();
    index.add_sdist(&made(compiles));
    let workshop = Workshop::new();

    let to = format!("{}/team/image:1", registry.host());
    let outcome = workshop.build(&base.reference, &index, &["made"], &to).run();

    assert_eq!(outcome.kind(), "sandbox_failed", "{outcome:#?}");
    let failure = outcome.failure();
    assert!(
        failure.contains("made 1.0 could not be built: the C compiler is missing in the image"),
        "{failure}"
    );
    assert!(failure.contains("--apt gcc"), "{failure}");
    assert_eq!(workshop.leftovers(), [""; 0]);
}

//! What people read when sources cannot be built, and what hostile sources get.

use imagewright_testkit::{PackageIndex, Sdist, SdistBuilder, WheelBuilder};

use super::{BACKEND, Workshop, at, sources, with_backend};
use crate::error::{BuildError, ErrorKind};
use crate::python::Architecture;

/// The error of building one sdist `demo`.
async fn failure(sdist: &Sdist) -> Option<BuildError> {
    let workshop = Workshop::new().await?;
    let index = PackageIndex::builder().start();
    index.add_sdist(sdist);
    Some(workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap_err())
}

fn broken(backend: &str) -> Sdist {
    with_backend(SdistBuilder::new("demo", "1.0"), "demo", "1.0", "", backend).build()
}

/// What people see, without the places of this test.
fn seen(error: &BuildError) -> String {
    format!(
        "{}: {error}\n{}\n→ {}",
        error.kind(),
        error.explanation().unwrap_or("-"),
        error.next_step().unwrap_or("-")
    )
}

#[tokio::test]
async fn a_failing_backend_shows_its_last_words_first() {
    let backend = "def build_wheel(*a):\n    raise ValueError('the moon is not full')\n";
    let Some(error) = failure(&broken(backend)).await else { return };
    assert_eq!(error.kind(), ErrorKind::SandboxFailed);
    assert_eq!(error.to_string(), "demo 1.0 could not be built: its own build failed");
    let explanation = error.explanation().unwrap();
    assert!(explanation.starts_with("ValueError: the moon is not full\n"), "{explanation}");
}

#[tokio::test]
async fn a_missing_compiler_is_named_with_its_package() {
    let backend = "def build_wheel(*a):\n    raise SystemExit(\"error: command 'gcc' failed: No such file or \
                   directory\")\n";
    let Some(error) = failure(&broken(backend)).await else { return };
    insta::assert_snapshot!(seen(&error));
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_named() {
    let Some(error) = failure(&broken("import no_such_module_at_all\n")).await else { return };
    assert_eq!(error.to_string(), "demo 1.0 could not be built: its build backend made cannot be imported");
    let explanation = error.explanation().unwrap();
    assert!(
        explanation.starts_with("ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        "{explanation}"
    );
}

#[tokio::test]
async fn a_wheel_of_something_else_is_not_taken() {
    for (what, expected) in
        [("other|1.0||x", "it is one of other"), ("demo|2.0||x", "it says that it is version 2.0")]
    {
        let sdist = SdistBuilder::new("demo", "1.0").file("real", what);
        let backend = BACKEND.replace("open(\"what\")", "open(\"real\")");
        let sdist = with_backend(sdist, "demo", "1.0", "", &backend).build();
        let Some(error) = failure(&sdist).await else { return };
        assert_eq!(error.kind(), ErrorKind::SandboxFailed);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn links_and_names_that_lead_out_of_the_room_are_not_followed() {
    let secret = tempfile::tempdir().unwrap();
    let path = secret.path().join("secret.whl");
    std::fs::write(&path, "secret").unwrap();
    // Where the driver will put the wheel, there is a link already: it writes through it, and leaves the link.
    let leaves_a_link = BACKEND.replace(
        "    return wheel",
        &format!(
            "    import json\n    home = os.environ['HOME']\n    job = json.load(open(home + \
             '/../build_wheel.order'))\n    os.symlink({path:?}, job['out'] + '/wheel')\n    return wheel"
        ),
    );
    let writes_elsewhere = BACKEND.replace("return wheel", "return '../../demo-1.0-py3-none-any.whl'");
    for (backend, expected) in [
        (leaves_a_link, "building demo 1.0 left nothing that can be used"),
        (writes_elsewhere, "made left no wheel"),
    ] {
        let Some(error) = failure(&broken(&backend)).await else { return };
        assert_eq!(error.kind(), ErrorKind::SandboxFailed, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn other_bytes_than_the_index_promised_are_not_run() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    let sdist = sources("demo", "1.0", "").build();
    index.add_sdist(&sdist);
    let mut other = sdist.bytes.to_vec();
    other.push(0);
    index.replace_file(&sdist.file_name, other);

    let error = workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap_err();

    assert_eq!(workshop.runs(), 0, "{error}");
    let demanded = format!("demo --hash=sha256:{}", "0".repeat(64));
    index.add_sdist(&sdist);
    let error = workshop.resolve(&at(&index.url(), &[&demanded])).await.unwrap_err();
    assert_eq!((error.kind(), workshop.runs()), (ErrorKind::SpecInvalid, 0), "{error}");
}

#[tokio::test]
async fn a_package_that_builds_itself_ends_in_words() {
    let circle = |name: &str, needs: &str| {
        let project = format!(
            "[build-system]\nrequires = [\"{needs}\"]\nbuild-backend = \"made\"\nbackend-path = [\".\"]\n\
             [project]\nname = \"{name}\"\ndynamic = [\"version\"]\n"
        );
        SdistBuilder::new(name, "1.0").file("pyproject.toml", project).file("made.py", BACKEND).build()
    };
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    index.add_sdist(&circle("hen", "egg"));
    index.add_sdist(&circle("egg", "hen"));

    let error = workshop.resolve(&at(&index.url(), &["hen"])).await.unwrap_err();

    assert!(error.to_string().contains("hen cannot be built: it is needed to be built itself"), "{error}");
    assert_eq!(error.explanation(), Some("hen is built with egg is built with hen"));
}

#[tokio::test]
async fn a_build_requirement_that_does_not_exist_says_whose_it_is() {
    let project = "[build-system]\nrequires = [\"no-such-tool\"]\nbuild-backend = \"x\"\n";
    let sdist = SdistBuilder::new("demo", "1.0").file("pyproject.toml", project).file("PKG", "").build();
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    index.add_sdist(&sdist);

    let error = workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::NotFound);
    let start = "demo 1.0 cannot be built, since what it is built with cannot be had: ";
    assert!(error.to_string().starts_with(start) && error.to_string().contains("no-such-tool"), "{error}");
}

#[tokio::test]
async fn sources_do_not_choose_what_this_machine_fetches() {
    let elsewhere = PackageIndex::with([&WheelBuilder::new("tool", "1.0").build()]);
    for requires in [
        format!("tool @ {}", elsewhere.file_url("tool-1.0-py3-none-any.whl")),
        format!("tool @ {}", elsewhere.file_url("tool-1.0.tar.gz")),
    ] {
        let project = format!("[build-system]\nrequires = [\"{requires}\"]\nbuild-backend = \"x\"\n");
        let sdist = SdistBuilder::new("demo", "1.0").file("pyproject.toml", project).build();
        let Some(workshop) = Workshop::new().await else { return };
        let index = PackageIndex::builder().start();
        index.add_sdist(&sdist);
        let mut request = at(&index.url(), &["demo"]);
        request.no_binary.push("demo".to_owned());

        let error = workshop.resolve(&request).await.unwrap_err();

        assert!(error.to_string().contains("asks for tool from an address of its own"), "{error}");
    }
    assert!(elsewhere.requests().is_empty());
    // What a built package needs is looked for in indexes alone, too.
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    let needs = format!("tool @ {}", elsewhere.file_url("tool-1.0-py3-none-any.whl"));
    index.add_sdist(&sources("demo", "1.0", &needs).build());
    workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap_err();
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_machine_without_a_room_says_why_and_names_the_wheel_there_is() {
    let Some(mut workshop) = Workshop::new().await else { return };
    workshop.refusal = Some("this machine gives no user namespaces");
    let index = PackageIndex::with([&WheelBuilder::new("demo", "0.1").build()]);
    let sdist = sources("demo", "1.0", "").build();
    index.add_sdist(&sdist);

    let error = workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap_err();

    insta::assert_snapshot!(seen(&error));
    let line = format!("demo @ {}", index.file_url(&sdist.file_name));
    let error = workshop.resolve(&at(&index.url(), &[&line])).await.unwrap_err();
    assert_eq!(error.explanation(), Some("this machine gives no user namespaces"));
}

#[tokio::test]
async fn nothing_is_built_for_another_processor() {
    let Some(mut workshop) = Workshop::new().await else { return };
    workshop.target.architecture = match std::env::consts::ARCH {
        "x86_64" => Architecture::Arm64,
        _ => Architecture::Amd64,
    };
    let index = PackageIndex::builder().start();
    index.add_sdist(&sources("demo", "1.0", "").build());

    let error = workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap_err();

    assert_eq!((error.kind(), workshop.runs()), (ErrorKind::Unsupported, 0));
    assert!(
        error.explanation().is_some_and(|words| words.starts_with("packages cannot be built for")),
        "{error}"
    );
}

#[tokio::test]
async fn what_the_base_has_is_not_seen_by_a_build() {
    let backend = format!(
        "import sys\nassert not any('site-packages' in path for path in sys.path), sys.path\n{BACKEND}"
    );
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    index.add_sdist(&broken(&backend));
    workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap();
}

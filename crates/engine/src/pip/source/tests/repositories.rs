//! Packages from Git.

use std::path::Path;
use std::process::Command;

use imagewright_testkit::{PackageIndex, WheelBuilder};

use super::{BACKEND, Workshop, at, read_built, shown};
use crate::error::ErrorKind;
use crate::pip::Source;
use crate::pip::fixtures::installed;

/// Runs git with settings of its own.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with a package in the folder `python/demo`, whose version is that of its last tag.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("python/demo");
    std::fs::create_dir_all(place.join("own")).unwrap();
    let project = "[build-system]\nrequires = []\nbuild-backend = \"made\"\nbackend-path = [\"own\"]\n";
    std::fs::write(place.join("pyproject.toml"), project).unwrap();
    let tagged = "import subprocess\n\
                  tag = subprocess.check_output(['git', 'describe', '--tags'], text=True).strip()\n\
                  settings = open('../../.git/config').read()\n\
                  open('what', 'w').write('demo|%s||%r' % (tag, settings))\n";
    std::fs::write(place.join("own/made.py"), format!("{tagged}{BACKEND}")).unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "one"]);
    git(folder.path(), &["tag", "-m", "1.0", "1.0"]);
    std::fs::write(folder.path().join("more"), "").unwrap();
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "two"]);
    git(folder.path(), &["tag", "2.0"]);
    folder
}

/// The workshop for which `https://git.example/` is the folder of this repository.
async fn workshop(repository: &Path) -> Option<Workshop> {
    let mut workshop = Workshop::new().await?;
    workshop.git.protocols.push("file".to_owned());
    let url = url::Url::from_directory_path(repository).unwrap();
    let key = format!("url.{}.insteadOf", url.as_str().trim_end_matches('/'));
    workshop.git.configuration.push((key, "https://git.example/demo.git".to_owned()));
    Some(workshop)
}

const ADDRESS: &str = "demo @ git+https://git.example/demo.git";
const FOLDER: &str = "#subdirectory=python/demo&egg=demo";

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_are_built_and_pinned() {
    let repository = repository();
    let Some(workshop) = workshop(repository.path()).await else { return };
    let index = PackageIndex::with([&WheelBuilder::new("demo", "9.0").build()]);
    let first = git(repository.path(), &["rev-parse", "1.0^{commit}"]);
    let second = git(repository.path(), &["rev-parse", "HEAD"]);
    for (reference, version, commit) in [
        ("", "2.0", &second),
        ("@main", "2.0", &second),
        ("@1.0", "1.0", &first),
        (&format!("@{first}"), "1.0", &first),
    ] {
        let line = format!("{ADDRESS}{reference}{FOLDER}");
        let found = workshop.resolve(&at(&index.url(), &[&line])).await.unwrap();
        assert_eq!(shown(&found), [format!("demo {version}: demo-{version}-py3-none-any.whl built")]);
        let Source::Built(built) = &found.packages[0].source else { panic!("{found:?}") };
        let expected = serde_json::json!({
            "kind": "git",
            "url": "https://git.example/demo.git",
            "commit": commit,
            "subdirectory": "python/demo",
        });
        assert_eq!(serde_json::to_value(&built.build.source).unwrap(), expected);
        let direct_url: serde_json::Value =
            serde_json::from_str(built.direct_url.as_deref().unwrap()).unwrap();
        assert_eq!(direct_url["vcs_info"]["commit_id"], **commit);
        assert_eq!(direct_url["subdirectory"], "python/demo");
    }
    assert_eq!(workshop.runs(), 4, "two commits, each unpacked and built once");
}

#[tokio::test]
async fn credentials_stay_with_git() {
    let repository = repository();
    let Some(mut workshop) = workshop(repository.path()).await else { return };
    workshop.git.credentials.push(imagewright_spec::IndexCredentials {
        url: "https://git.example/simple".parse().unwrap(),
        username: "me".to_owned(),
        password: "s3cret".to_owned().into(),
    });
    let index = PackageIndex::builder().start();
    let line = format!("{ADDRESS}{FOLDER}");

    let found = workshop.resolve(&at(&index.url(), &[&line])).await.unwrap();

    let settings = read_built(&found, "demo", "demo.py");
    assert!(settings.contains("url = https://git.example/demo.git"), "{settings}");
    assert!(!settings.contains("s3cret") && !settings.contains("extraHeader"), "{settings}");
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_very_commit_that_is_installed_stays() {
    let repository = repository();
    let Some(workshop) = workshop(repository.path()).await else { return };
    let index = PackageIndex::builder().start();
    let request = at(&index.url(), &[&format!("{ADDRESS}{FOLDER}")]);
    let found = workshop.resolve(&request).await.unwrap();
    let Source::Built(built) = &found.packages[0].source else { panic!("{found:?}") };
    let mut base = installed(&[("demo", "2.0", &[])]);
    base.distributions[0].direct_url.clone_from(&built.direct_url);

    assert_eq!(shown(&workshop.resolve_over(&request, &base).await.unwrap()), ["demo 2.0: kept"]);
    base.distributions[0].direct_url = None;
    let again = workshop.resolve_over(&request, &base).await.unwrap();
    assert_eq!(shown(&again), ["demo 2.0: demo-2.0-py3-none-any.whl built"]);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_https_is_told() {
    let repository = repository();
    let Some(mut workshop) = workshop(repository.path()).await else { return };
    let index = PackageIndex::builder().start();
    let missing = format!("{ADDRESS}@no-such-branch{FOLDER}");
    let error = workshop.resolve(&at(&index.url(), &[&missing])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        "the repository https://git.example/demo.git has no branch or tag no-such-branch"
    );
    let gone = format!("{ADDRESS}@{}{FOLDER}", "0".repeat(40));
    let error = workshop.resolve(&at(&index.url(), &[&gone])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}: {:?}", error.explanation());

    git(
        repository.path(),
        &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "./.", "part"],
    );
    std::fs::write(
        repository.path().join(".gitmodules"),
        "[submodule \"part\"]\npath = part\nurl = /etc/x\n",
    )
    .unwrap();
    git(repository.path(), &["commit", "-q", "-a", "-m", "three"]);
    workshop.git.protocols = vec!["https".to_owned()];
    let error = workshop.resolve(&at(&index.url(), &[&format!("{ADDRESS}{FOLDER}")])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}: {:?}", error.explanation());
}

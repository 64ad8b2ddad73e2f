//! Package lines, typed and in files: what is refused says where and why, before anything is asked of a server.

use imagewright_testkit::conda::{Channels, CondaPackageBuilder};
use imagewright_testkit::require_tool;

use crate::support::{User, World, filtered, text};

/// Arguments that would ask a registry that does not exist.
const NOWHERE: [&str; 4] = ["--base", "127.0.0.1:1/base:1", "--to", "127.0.0.1:1/x:1"];

async fn refused(user: &User, arguments: &[&str]) -> String {
    let shown = user.run(&[&["build"], &NOWHERE[..], arguments].concat()).await.failed(2);
    filtered(&shown, &[(text(user.home.path()), "HOME")])
}

#[tokio::test]
async fn every_wrong_line_is_shown_with_a_caret() {
    let shown = refused(
        &User::new(),
        &["--pip", "numpy=1.26", "--pip", "six", "--apt", "Curl", "--conda", "numpy=", "--pip", "a b; c"],
    )
    .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn options_cannot_be_smuggled_into_tools() {
    for line in ["--no-deps", "-e .", "--config-settings x", "six; rm -rf /", "$(id)", "`id`", "../x"] {
        refused(&User::new(), &["--pip", line]).await;
        refused(&User::new(), &["--apt", line]).await;
    }
}

#[tokio::test]
async fn wrong_urls_name_their_option() {
    let user = User::new();
    let shown = refused(&user, &["--pip", "six", "--index-url", "ftp://host/simple"]).await;
    assert!(shown.starts_with("error: --index-url: "), "{shown}");
    let shown = refused(&user, &["--pip", "six", "--extra-index-url", "nonsense"]).await;
    assert!(shown.starts_with("error: --extra-index-url: "), "{shown}");
}

#[tokio::test]
async fn files_are_read_with_their_includes() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    user.file("project/requirements.txt", "-r more/deps.txt\n-c pins.txt\n");
    user.file("project/more/deps.txt", "greeting # hello\n");
    user.file("project/pins.txt", "words<2\n");
    let (base, url) = (world.base(), world.index.url());
    let outcome = user
        .run(&["build", "--base", &base, "-f", "project/requirements.txt", "--index-url", &url, "--dry-run"])
        .await
        .succeeded();
    assert!(outcome.stdout.contains("greeting  1.2.0"), "{}", outcome.stdout);

    let toml = format!("base = \"{base}\"\n[pip]\npackages = [\"words\"]\n");
    user.file("image.toml", &toml);
    let outcome =
        user.run(&["build", "-f", "image.toml", "--index-url", &url, "--dry-run"]).await.succeeded();
    assert!(outcome.stdout.contains("words    1.0"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("greeting"), "{}", outcome.stdout);
}

#[tokio::test]
async fn an_environment_yml_is_understood() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let channels = Channels::new();
    channels.channel("forge").add(&CondaPackageBuilder::new("tool", "1.26").build());
    user.file("environment.yml", "channels: [forge]\ndependencies:\n  - tool=1.26\n  - pip:\n    - words\n");
    let arguments = ["-f", "environment.yml", "--channel-alias", &channels.url(), "--dry-run"];
    let outcome = world.build(&user, "x:1", &arguments).await.succeeded();
    assert!(outcome.stdout.contains("conda     tool 1.26 h0_0"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("words     1.0"), "{}", outcome.stdout);

    user.file("environment.yml", "dependencies:\n  - numpy=1.26\n  - pip:\n    - six=1\n");
    insta::assert_snapshot!(refused(&user, &["-f", "environment.yml"]).await);
}

#[tokio::test]
async fn includes_stay_in_their_folder() {
    let user = User::new();
    user.file("secret.txt", "hunter2-canary\n");
    for include in
        ["../secret.txt", text(&user.home.path().join("secret.txt")), "link.txt", "folder/../../secret.txt"]
    {
        user.file("project/requirements.txt", &format!("-r {include}\n"));
        let link = user.home.path().join("project/link.txt");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink("../secret.txt", &link).unwrap();
        let shown = refused(&user, &["-f", "project/requirements.txt"]).await;
        assert!(shown.contains("requirements.txt, line 1"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let user = User::new();
    std::fs::create_dir(user.home.path().join("folder.txt")).unwrap();
    for file in ["missing.txt", "folder.txt", "/dev/zero"] {
        let shown = refused(&user, &["-f", file]).await;
        assert!(shown.starts_with(&format!("error: {file} cannot be read: ")), "{shown}");
    }
    user.file("loop.txt", "-r loop.txt\n");
    refused(&user, &["-f", "loop.txt"]).await;
}
